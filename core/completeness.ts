/**
 * Completeness: what hashes cannot prove. What AWS itself saw on a day, in its trail and in Athena, against the flows of the
 * ledger: data that reached another domain past Fairlead is found and recorded.
 *
 * Promise: a day is `clean` only if every account could be looked at and nothing is left to explain; what cannot be judged
 * is named, never passed over. A bypass is told and in the ledger as soon as it is found, before the day's own entry; a second
 * look at the same day writes nothing that is there. One check of a day at a time, by a lease; killed at any await, it is
 * gone on with by the next one. No day stays silent: one that is not gone through two days after its end is recorded as
 * incomplete, and gone on with.
 */

import { SLOWEST_CALL_MS } from './aws.ts';
import { type Catalog, readCatalog } from './completeness/catalog.ts';
import { checkOne, tellLate } from './completeness/check.ts';
import { type Checked, due, isCheckable, isLate, lastOver } from './completeness/days.ts';
import { type Flows, readFlows } from './completeness/flows.ts';
import { PACE, type Pace } from './completeness/turn.ts';
import { type DayView, mustSee, seenDay } from './completeness/view.ts';
import { type Context, type Platform, systemContext } from './context.ts';
import { BrokerError } from './error.ts';
import { authorize, Entity } from './policy.ts';

export {
	BypassView,
	bypassListings,
	DayFindings,
	DayView,
	findDay,
	mustSee,
	seenBypass,
	seenDay,
} from './completeness/view.ts';

export type Run = {
	/** Days of which something was recorded, whole or not. */
	readonly checked: readonly string[];
	/** Among them, days that are incomplete, and days on which something is left to explain. */
	readonly incomplete: number;
	readonly findings: number;
	/** Days that are left to the next run. */
	readonly left: number;
};

/** For what is on a page to be judged and recorded. */
const RECORDING_MS = 50_000;
/** How long late days are told for which there is no time; those that are left are told by the next run. */
const TELLING_MS = 50_000;

/**
 * What a run may take beyond the time that is given: a role is assumed and one call made, each up to the end of the last
 * attempt, and what it tells recorded; then late days are told. Before every call it is asked whether there is time left, so
 * there is one such step at most. Whoever is ended at a fixed time gives this much less.
 */
export const LAST_STEP_MS = 2 * SLOWEST_CALL_MS + RECORDING_MS + TELLING_MS;

/**
 * Every day that is over and has no whole check yet, the oldest and the newest by turns, for as long as there is time. Each
 * may take half of what is left, so that one which never ends does not hold up the others; and one that cannot be checked
 * holds up none, and is thrown at the end.
 */
export async function scheduled(
	platform: Platform,
	runId: string,
	{ forMs = null, pace = PACE }: { readonly forMs?: number | null; readonly pace?: Pace } = {},
): Promise<Run> {
	const ctx = systemContext(platform, runId);
	const catalog = await readCatalog(ctx);
	const days = await due(ctx, ctx.now, catalog);
	const end = forMs === null ? null : new Date(ctx.now.getTime() + forMs);
	const checked: string[] = [];
	const found = { incomplete: 0, findings: 0 };
	const faults: unknown[] = [];
	const late = lateDays(ctx, catalog, days);
	for (const [i, day] of days.entries()) {
		const deadline = i + 1 === days.length ? end : halfOf(ctx, end);
		const isOver = end !== null && ctx.clock() >= end;
		const work = isOver ? late(day) : checkOne(ctx, { day, catalog, deadline, pace });
		const done = await work.catch((error: unknown) => {
			ctx.warn('completeness: a day cannot be checked', error);
			faults.push(error);
			return null;
		});
		if (done === null) continue;
		checked.push(day);
		if (done.body.state !== 'clean') found[done.body.state] += 1;
	}
	if (faults.length > 0) throw faults[0];
	return { checked, ...found, left: days.length - checked.length };
}

/** Tells a day, if it is late, once there is no time for any; the flows of all of them are read once. */
function lateDays(ctx: Context, catalog: Catalog, days: readonly string[]) {
	let flows: Promise<Flows> | null = null;
	let until: number | null = null;
	return async (day: string): Promise<Checked | null> => {
		const now = ctx.clock();
		until ??= now.getTime() + TELLING_MS;
		if (!isLate(day, now) || now.getTime() >= until) return null;
		return tellLate(ctx, { day, catalog }, () => (flows ??= readFlows(ctx, days.toSorted()[0] ?? day)));
	};
}

function halfOf(ctx: Pick<Context, 'clock'>, end: Date | null): Date | null {
	return end === null ? null : new Date((ctx.clock().getTime() + end.getTime()) / 2);
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
