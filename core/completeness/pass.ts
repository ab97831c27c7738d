/**
 * The check of one day in one account after another: first what was started there, which may tell as what a flow was
 * started, then what was read and what Athena itself lists. Page by page: judged, recorded where it is a bypass, and only then
 * counted and the place kept. So memory does not grow with the day, and a check may be cut off anywhere.
 */
import pMap from 'p-map';
import type { Context } from '../context.ts';
import { Unread, type Why } from './asking.ts';
import { list } from './athena.ts';
import { startsUnread } from './before.ts';
import { dayBefore } from './days.ts';
import { type Flows, readFlows } from './flows.ts';
import { BEGUN, load, type Progress } from './progress.ts';
import { union } from './seek.ts';
import type { Place } from './trail.ts';
import { type Day, keep, of, type Pass, progressOf, undecided } from './turn.ts';
import { walk } from './walk.ts';

/** Accounts looked at at once. */
const ACCOUNTS = 4;

export type Passed = {
	/** False where time ran out or somebody else took over: the rest is left to whoever goes on. */
	readonly whole: boolean;
	/** `unfinished`: its time ran out; what was done is kept. */
	readonly unread: readonly { readonly account: string; readonly why: Why }[];
	readonly progress: ReadonlyMap<string, Progress>;
	readonly flows: Flows;
};

export async function passOver(ctx: Context, day: Day): Promise<Passed> {
	const places = day.catalog.placesOn(day.day);
	const progress = await reached(ctx, day, places);
	// Before the flows are read: what was seen of their starts by then is noted.
	const unreadBefore = await startsUnread(ctx, dayBefore(day.day), day.catalog);
	const flows = await readFlows(ctx, day.day, union([...progress.values()].map(({ sought }) => sought)));
	const pass: Pass = { ...day, ctx, flows, unread: new Map(), unreadBefore, progress, turns: new Map(), whole: true };
	await inEach(pass, places, halfway(pass), async (place) => {
		if (place.as === 'consumer' && !(await walk(pass, place, 'StartQueryExecution'))) await undecided(pass, place);
	});
	await inEach(pass, places, pass.deadline, async (place) => {
		if (pass.unread.has(place.account)) return;
		const sure = await walk(pass, place, 'GetDataAccess');
		if (place.as === 'consumer') await list(pass, place.account);
		if (!sure) await undecided(pass, place);
	});
	const unread = [...pass.unread].map(([account, why]) => ({ account, why }));
	const whole = pass.whole && !unread.some(({ why }) => why === 'unfinished');
	return { whole, unread: unread.toSorted(byAccount), progress: pass.progress, flows };
}

/**
 * A day for which there is no time, as far as it was gone through before. Asks AWS nothing and keeps nothing; `flows` may be
 * those of an earlier day.
 */
export async function asLeft(ctx: Context, day: Pick<Day, 'day' | 'base' | 'catalog'>, flows: Flows): Promise<Passed> {
	const places = day.catalog.placesOn(day.day);
	const progress = await reached(ctx, day, places);
	const isThrough = ({ account, as }: Place) => {
		const { starts, accesses, athena } = progress.get(account) ?? BEGUN;
		return accesses.done && (as === 'grantor' || (starts.done && athena.done));
	};
	const left = places.filter((place) => !isThrough(place));
	const unread = left.map(({ account }) => ({ account, why: 'unfinished' as const }));
	return { whole: left.length === 0, unread: unread.toSorted(byAccount), progress, flows };
}

async function reached(ctx: Context, day: Pick<Day, 'day' | 'base'>, places: readonly Place[]) {
	const one = async (place: Place) => [place.account, await load(ctx, of(day, place))] as const;
	return new Map(await pMap(places, one, { concurrency: ACCOUNTS }));
}

const byAccount = (a: { readonly account: string }, b: { readonly account: string }) =>
	a.account < b.account ? -1 : 1;

/**
 * What AWS does not tell of one account holds up no other; what our own store does not, ends the pass. Of the time until
 * `end` those that wait have their part, so that an account with a great many records takes its own alone.
 */
async function inEach(
	pass: Pass,
	places: readonly Place[],
	end: Date | null,
	work: (place: Place) => Promise<void>,
): Promise<void> {
	let waiting = places.length;
	const one = async (place: Place) => {
		if (end !== null) pass.turns.set(place.account, turnOf(pass.ctx.clock(), end, waiting));
		waiting -= 1;
		try {
			await work(place);
		} catch (error) {
			if (!(error instanceof Unread)) throw error;
			pass.unread.set(place.account, error.why);
			// What was gone through to find lost flows is not gone through again.
			if (pass.whole) await keep(pass, place.account, progressOf(pass, place.account));
			if (error.why !== 'unfinished') pass.ctx.warn('completeness: an account cannot be read', error.cause);
		}
	};
	await pMap(places, one, { concurrency: ACCOUNTS });
}

function turnOf(now: Date, end: Date, waiting: number): Date {
	const left = Math.max(0, end.getTime() - now.getTime());
	return new Date(now.getTime() + left / Math.ceil(waiting / ACCOUNTS));
}

/** What was started may take half of the time, for nothing that was read is known before. */
function halfway({ ctx, deadline }: Pass): Date | null {
	if (deadline === null) return null;
	return new Date((ctx.clock().getTime() + deadline.getTime()) / 2);
}
