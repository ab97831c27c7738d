/**
 * Access that was taken in an emergency, as the stream of its request tells of it: why, by when somebody must look at it,
 * and what he found. Reason and comment are free text and lie in payloads. Only reads.
 */
import * as z from 'zod';
import type { Context } from '../context.ts';
import { idOf } from '../id.ts';
import * as Ledger from '../ledger.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;

export const verdicts = ['justified', 'unjustified'] as const;

export const BreakGlassView = z
	.object({
		reason: z.string().nullable().meta({ description: 'null once erased' }),
		reviewDue: z.iso.datetime(),
		overdue: z.boolean().meta({ description: 'Nobody has reviewed it, and it was due' }),
		review: z
			.object({
				verdict: z.enum(verdicts),
				at: z.iso.datetime(),
				person: idOf('person').meta({ description: 'Pseudonym' }),
				comment: z.string().nullable().meta({ description: 'null once erased' }),
			})
			.nullable()
			.meta({ description: 'null until somebody who answers for the product has looked at it' }),
	})
	.meta({ id: 'BreakGlass' });
export type BreakGlassView = z.infer<typeof BreakGlassView>;

export type Taken = Omit<BreakGlassView, 'overdue'>;

/** What a request's stream says of it; null of an ordinary request. */
export async function takenIn(ctx: ReadCtx, entries: readonly Ledger.Recorded[]): Promise<Taken | null> {
	const filed = Ledger.find(entries, 'AccessRequested');
	if (filed?.body.breakGlass === undefined) return null;
	const { reviewDue } = filed.body.breakGlass;
	const reviewed = Ledger.find(entries, 'AccessReviewed');
	const [why, found] = await Promise.all([
		Ledger.payload(ctx, filed.entry),
		reviewed === undefined ? null : Ledger.payload(ctx, reviewed.entry),
	]);
	if (reviewed === undefined) return { reason: textOf(why, 'justification'), reviewDue, review: null };
	const { body, entry } = reviewed;
	const review = { verdict: body.verdict, at: entry.at, person: entry.actor, comment: textOf(found, 'comment') };
	return { reason: textOf(why, 'justification'), reviewDue, review };
}

/** The same of a grant. What cannot be read of its request hides nothing of the grant, and holds up no end of it. */
export async function takenBy(ctx: ReadCtx, { body }: Ledger.Recorded<'GrantOpened'>): Promise<Taken | null> {
	const { breakGlass, request } = body;
	if (breakGlass === undefined) return null;
	const stream = Ledger.stream.request(request);
	const told = await Ledger.readable(async () => takenIn(ctx, await Ledger.read(ctx, stream)));
	return told ?? { reason: null, reviewDue: breakGlass.reviewDue, review: null };
}

export function viewOfTaken(taken: Taken, now: Date): BreakGlassView {
	return { ...taken, overdue: taken.review === null && taken.reviewDue <= now.toISOString() };
}

function textOf(payload: Record<string, unknown> | null, name: string): string | null {
	const found = payload?.[name];
	return typeof found === 'string' ? found : null;
}
