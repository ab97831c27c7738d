/**
 * As what a flow was started: the job that is given to Athena, the token that it is started with, and Athena's id of it, which
 * is noted beside the ledger until the flow's end says it. Losing the note costs time: the token is made from the flow alone.
 */
import { createHash } from 'node:crypto';
import type { Context } from '../context.ts';
import * as Ledger from '../ledger.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;
type Intended = { readonly id: string; readonly intended: Ledger.Recorded<'FlowIntended'> };

export type Job = {
	readonly flow: string;
	readonly principal: string;
	readonly workGroup: string;
	readonly printed: string;
};

export function jobOf({ id, intended: { body } }: Intended, printed: string): Job {
	return { flow: id, principal: body.principal, workGroup: body.query.workGroup, printed };
}

/** Nothing but the job is in it. */
export function tokenOf(job: Job): string {
	const identity = JSON.stringify([job.flow, job.principal, job.workGroup, job.printed, 1]);
	return createHash('sha256').update(identity).digest('hex');
}

const hintOf = ({ id }: Pick<Intended, 'id'>) => `execution#${id}`;

/** Athena's id of the flow's execution, where that was noted. */
export async function startedNoted(ctx: Ctx, flow: Pick<Intended, 'id'>): Promise<string | null> {
	return Ledger.Listing.readHint(ctx, hintOf(flow));
}

export async function noteStarted(ctx: Ctx, flow: Pick<Intended, 'id'>, execution: string): Promise<void> {
	await Ledger.Listing.writeHint(ctx, hintOf(flow), execution);
}

/** What was noted of it; else the token that Athena was or would have been given, null where the text was erased. */
export async function startedAs(
	ctx: Ctx,
	flow: Intended,
): Promise<{ readonly execution: string | null; readonly token: string | null }> {
	const execution = await startedNoted(ctx, flow);
	if (execution !== null) return { execution, token: null };
	const printed = (await Ledger.payload(ctx, flow.intended.entry))?.['printed'];
	return { execution: null, token: typeof printed === 'string' ? tokenOf(jobOf(flow, printed)) : null };
}
