/**
 * What CloudTrail says was started with the token of a flow, and whether the flow can have started that. A token is no
 * secret: whoever may look at the trail of his account can start another query with it, as himself or once the flow is over.
 * What is noted of it here is compared again whenever it is read, for the flow may have ended since; those who follow a flow
 * to its end read nothing of it.
 */
import * as z from 'zod';
import type { Context } from '../context.ts';
import * as Ledger from '../ledger.ts';
import type { Flow } from '../lineage.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

/** `at`: the second in which Athena took it. */
export type Sighting = {
	readonly principal: string | null;
	readonly at: string;
	readonly workGroup: string | null;
};

const Noted = z.array(
	z.object({
		execution: z.string(),
		principal: z.string().nullable(),
		at: z.string(),
		workGroup: z.string().nullable(),
	}),
);
export type Noted = z.infer<typeof Noted>;

/** Of one flow; a token that was used more often is looked up again by whoever goes on. */
const MOST = 50;

const secondOf = (at: string) => at.slice(0, '2000-01-01T00:00:00'.length);

/** Whether the flow can have started that: as its principal, in its work group, while it was under way and its grants were in force. */
export function isOf(flow: Flow, { principal, at, workGroup }: Sighting): boolean {
	const { body } = flow.intended;
	if (principal !== body.principal || workGroup !== body.query.workGroup) return false;
	return secondOf(at) <= secondOf(body.until) && wasUnderWay(flow, at);
}

/** Whether it had been intended by then, had not ended, and was not one that Athena never took. */
export function wasUnderWay({ intended, ended }: Flow, at: string): boolean {
	if (ended?.body.type === 'FlowFailed' && ended.body.execution === null) return false;
	const seen = secondOf(at);
	return secondOf(intended.entry.at) <= seen && (ended === null || seen <= secondOf(ended.entry.at));
}

const hintOf = (flow: string) => `completeness#started#${flow}`;

/** What was noted, as far as it still can be the flow's. */
export async function readNoted(ctx: Ctx, flow: Flow): Promise<Noted> {
	const text = await Ledger.Listing.readHint(ctx, hintOf(flow.id));
	const found = Noted.safeParse(text === null ? null : parsed(text));
	return (found.data ?? []).filter((seen) => isOf(flow, seen));
}

export async function note(ctx: Ctx, flow: Flow, noted: Noted): Promise<void> {
	await Ledger.Listing.writeHint(ctx, hintOf(flow.id), JSON.stringify(noted.slice(0, MOST)));
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}
