/**
 * Completeness: what hashes cannot prove. What AWS itself saw on a day, in its trail and in Athena, against the flows of the
 * ledger: data that reached another domain past Fairlead is found and recorded.
 *
 * Promise: a day is `clean` only if every account could be looked at and nothing is left to explain; what cannot be judged
 * is named, never passed over. A bypass is in the ledger before the day's own entry; a second look at the same day writes
 * nothing that is there. One check of a day at a time, by a lease; killed at any await, it is gone on with by the next one.
 */

import { readCatalog } from './completeness/catalog.ts';
import { checkOne } from './completeness/check.ts';
import { due, isCheckable, lastOver } from './completeness/days.ts';
import { PACE, type Pace } from './completeness/pass.ts';
import { type DayView, mustSee, seenDay } from './completeness/view.ts';
import { type Context, type Platform, systemContext } from './context.ts';
import { BrokerError } from './error.ts';
import { authorize, Entity } from './policy.ts';

export { BypassView, DayFindings, DayView, findDay, mustSee, seenBypass, seenDay } from './completeness/view.ts';

export type Run = {
	/** Days that were checked, whole or not. */
	readonly checked: readonly string[];
	/** Among them, days that are incomplete, and days on which something is left to explain. */
	readonly incomplete: number;
	readonly findings: number;
	/** Days that are left to the next run. */
	readonly left: number;
};

/** Every day that is over and has no whole check yet, oldest first, for as long as there is time. */
export async function scheduled(
	platform: Platform,
	runId: string,
	{ forMs = null, pace = PACE }: { readonly forMs?: number | null; readonly pace?: Pace } = {},
): Promise<Run> {
	const ctx = systemContext(platform, runId);
	const catalog = await readCatalog(ctx);
	const days = await due(ctx, ctx.now, catalog.since);
	const deadline = forMs === null ? null : new Date(ctx.now.getTime() + forMs);
	const checked: string[] = [];
	const found = { incomplete: 0, findings: 0 };
	for (const day of days) {
		if (deadline !== null && ctx.clock() >= deadline) break;
		const done = await checkOne(ctx, { day, catalog, deadline, pace });
		if (done === null) continue;
		checked.push(day);
		if (done.body.state !== 'clean') found[done.body.state] += 1;
	}
	return { checked, ...found, left: days.length - checked.length };
}

type Asked = { readonly day?: string; readonly forMs: number; readonly pace?: Pace };

/**
 * One day for the caller, the last one that is over unless he names another. No view where it takes longer than `forMs`: what
 * was done is kept, and asking again goes on from there. Throws `not-found`, `not-permitted`, `validation`, and `conflict`
 * while somebody else checks the same day.
 */
export async function check(
	ctx: Context,
	{ day = lastOver(ctx.now), forMs, pace = PACE }: Asked,
): Promise<{ readonly day: string; readonly view: DayView | null }> {
	const sight = mustSee(ctx);
	authorize(ctx, 'checkCompleteness', Entity.mesh(ctx.config.governance));
	if (!isCheckable(day, ctx.now)) {
		const errors = [{ pointer: '/day', detail: 'must be a day that is over, of the last 40' }];
		throw new BrokerError('validation', 'This day cannot be checked.', { errors });
	}
	const deadline = new Date(ctx.clock().getTime() + forMs);
	const catalog = await readCatalog(ctx);
	const done = await checkOne(ctx, { day, catalog, deadline, pace }, true);
	return { day, view: done === null ? null : await seenDay(ctx, sight, day) };
}
