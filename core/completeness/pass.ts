/**
 * The check of one day in one account after another: first what was started there, which may tell as what a flow was
 * started, then what was read and what Athena itself lists. Page by page: judged, recorded where it is a bypass, and only then
 * counted and the place kept. So memory does not grow with the day, and a check may be cut off anywhere.
 */
import pMap from 'p-map';
import type { Context } from '../context.ts';
import type { Lease } from '../lease.ts';
import { Unread, type Why } from './asking.ts';
import { type Evidence, record } from './bypass.ts';
import type { Catalog } from './catalog.ts';
import { ATHENA_EVERY_MS, executions, workGroups } from './executions.ts';
import { type Flows, readFlows } from './flows.ts';
import { judgeAccess, judgeExecution, judgeStart, type Verdict } from './judge.ts';
import {
	beyond,
	counted,
	load,
	NONE,
	type Of,
	type Progress,
	plus,
	type Stretch,
	save,
	withOwn,
	withUnreadable,
} from './progress.ts';
import { type Access, type EventName, read, type Start, type Unreadable } from './record.ts';
import { union } from './seek.ts';
import { type Line, LOOKUP_EVERY_MS, lookUp, type Place } from './trail.ts';

/** Accounts looked at at once, and records of one page judged at once. */
const ACCOUNTS = 4;
const RECORDS = 8;
const DAY_MS = 86_400_000;

/** How fast AWS is asked. */
export type Pace = { readonly lookupMs: number; readonly athenaMs: number };
export const PACE: Pace = { lookupMs: LOOKUP_EVERY_MS, athenaMs: ATHENA_EVERY_MS };

export type Day = {
	readonly day: string;
	/** The version of its record that is to be followed. */
	readonly base: number;
	readonly catalog: Catalog;
	readonly lease: Pick<Lease, 'held'>;
	/** When to stop, for whoever has only so long. */
	readonly deadline: Date | null;
	readonly pace: Pace;
};

export type Passed = {
	/** False where time ran out or somebody else took over: the rest is left to whoever goes on. */
	readonly whole: boolean;
	/** `unfinished`: its time ran out; what was done is kept. */
	readonly unread: readonly { readonly account: string; readonly why: Why }[];
	readonly progress: ReadonlyMap<string, Progress>;
	readonly flows: Flows;
};

type Pass = Day & {
	readonly ctx: Context;
	readonly flows: Flows;
	readonly unread: Map<string, Why>;
	readonly progress: Map<string, Progress>;
	/** When the turn of an account ends, for whoever has only so long. */
	readonly turns: Map<string, Date>;
	whole: boolean;
};

export async function passOver(ctx: Context, day: Day): Promise<Passed> {
	const places = day.catalog.placesOn(day.day);
	const left = async (place: Place) => [place.account, await load(ctx, of(day, place))] as const;
	const progress = new Map(await pMap(places, left, { concurrency: ACCOUNTS }));
	const flows = await readFlows(ctx, day.day, union([...progress.values()].map(({ sought }) => sought)));
	const pass: Pass = { ...day, ctx, flows, unread: new Map(), progress, turns: new Map(), whole: true };
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

const byAccount = (a: { readonly account: string }, b: { readonly account: string }) =>
	a.account < b.account ? -1 : 1;
const of = ({ day, base }: Day, { account }: Pick<Place, 'account'>): Of => ({ day, base, account });

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

/** False where somebody else took over. Throws `Unread` where the account's turn is over. */
async function goesOn(pass: Pass, account: string): Promise<boolean> {
	const turn = pass.turns.get(account);
	if (turn !== undefined && pass.ctx.clock() >= turn) throw new Unread('unfinished', new Error('out of time'));
	pass.whole = pass.whole && (await pass.lease.held());
	return pass.whole;
}

/** Whether there is time left to look for a flow, for who would rather leave a record undecided than be stopped. */
async function hasTime(pass: Pass, account: string): Promise<boolean> {
	try {
		return await goesOn(pass, account);
	} catch (error) {
		if (error instanceof Unread) return false;
		throw error;
	}
}

/** Throws `Unread`: the account's turn is over, or another one, whose trail would tell, cannot be read. */
async function undecided(pass: Pass, { account }: Pick<Place, 'account'>): Promise<void> {
	if (await goesOn(pass, account)) throw new Unread('unavailable', new Error('undecided'));
}

function progressOf({ progress }: Pass, account: string): Progress {
	const found = progress.get(account);
	if (found === undefined) throw new Error(`no progress of ${account} was read`);
	return found;
}

async function keep(pass: Pass, account: string, progress: Progress): Promise<void> {
	const all = { ...progress, sought: pass.flows.sought() };
	await save(pass.ctx, of(pass, { account }), all);
	pass.progress.set(account, all);
}

/**
 * The records of one operation, from where it was left. False where it ended at one of which nobody knows yet whether it
 * belongs to a flow: bypasses after it are recorded, and counted by whoever comes back to it.
 */
async function walk(pass: Pass, place: Place, name: EventName): Promise<boolean> {
	const { ctx, day, pace } = pass;
	const { account } = place;
	const stretch = name === 'StartQueryExecution' ? 'starts' : 'accesses';
	const left = progressOf(pass, account)[stretch];
	if (left.done) return true;
	const from = new Date(Date.parse(day));
	// Both ends count, and events have whole seconds.
	const until = left.until === null ? new Date(from.getTime() + DAY_MS - 1000) : new Date(left.until);
	let reached: Stretch = left;
	let sure = true;
	let token: string | null = null;
	do {
		if (!(await goesOn(pass, account))) return sure;
		const page: Awaited<ReturnType<typeof lookUp>> = await lookUp(
			ctx,
			place,
			{ name, from, until, token },
			pace.lookupMs,
		);
		const { fresh, place: next } = beyond(reached, page.lines);
		reached = { done: page.next === null, ...next };
		const all = await judged(pass, account, fresh, name);
		sure = sure && isSure(all);
		if (sure) await keep(pass, account, { ...all.reduce(told, progressOf(pass, account)), [stretch]: reached });
		token = page.next;
	} while (token !== null);
	return sure;
}

type Judged = { readonly seen: Access | Start | Unreadable; readonly verdict: Verdict };

const isSure = (all: readonly Pick<Judged, 'verdict'>[]) => all.every(({ verdict }) => verdict.of !== 'unsure');

/** What each means; what is a bypass for certain is recorded. */
async function judged(pass: Pass, account: string, lines: readonly Line[], name: EventName): Promise<Judged[]> {
	const knowing = { ...pass, unread: new Set(pass.unread.keys()), goesOn: () => hasTime(pass, account) };
	const one = async (line: Line): Promise<Judged> => {
		const seen = read(name, line);
		if (seen.kind === 'unreadable') return { seen, verdict: { of: 'unreadable' } };
		const verdict = seen.kind === 'access' ? await judgeAccess(knowing, seen) : await judgeStart(knowing, seen);
		return { seen, verdict };
	};
	const all = await pMap(lines, one, { concurrency: RECORDS });
	await record(
		pass.ctx,
		all.flatMap((each) => evidenceOf(pass, each)),
	);
	return all;
}

function told(progress: Progress, { seen, verdict }: Judged): Progress {
	const tally = counted(progress.tally, verdict);
	if (verdict.of === 'ownDomain' && seen.kind === 'access') {
		const { table, asker } = seen;
		const { products } = verdict;
		return {
			...progress,
			tally,
			own: withOwn(progress.own, { table, products: [...products], principal: asker.principal }),
		};
	}
	if (verdict.of !== 'unreadable') return { ...progress, tally };
	const lacks = seen.kind === 'unreadable' ? seen.lacks : 'flow';
	return { ...progress, tally, unreadable: withUnreadable(progress.unreadable, { event: seen.id, lacks }) };
}

function evidenceOf({ day, catalog }: Pass, { seen, verdict }: Judged): Evidence[] {
	if (verdict.of !== 'bypassing' || seen.kind === 'unreadable') return [];
	const { asker, id, at, query } = seen;
	const { account, principal, principalId, session, named } = asker;
	const group = seen.kind === 'start' ? seen.workGroup : null;
	const ours = group !== null && catalog.isOurs(account, group, at);
	const service = seen.kind === 'access' ? known(seen.service) : 'ATHENA';
	const { products } = verdict;
	// Of a table that is not published nothing is stored.
	const tables = seen.kind === 'access' && products.length > 0 ? [{ ...seen.table, products: [...products] }] : [];
	return [
		{
			body: {
				day,
				account,
				domain: catalog.domainOf(account, at),
				query,
				event: id,
				seenAt: at,
				principal,
				principalId,
				service,
				workGroup: ours ? group : null,
				flow: verdict.flow,
				reasons: [...verdict.reasons],
				tables,
			},
			more: {
				...(named === null ? {} : { name: named }),
				...(session === null ? {} : { session }),
				...(group === null || ours ? {} : { workGroup: group }),
			},
		},
	];
}

/** A service names itself in capitals; anything else is nobody's to keep. */
const known = (service: string | null) =>
	service !== null && /^[A-Z][A-Z0-9_ -]{0,63}$/.test(service) ? service : null;

/** What Athena itself lists, work group by work group. */
async function list(pass: Pass, account: string): Promise<void> {
	if (progressOf(pass, account).athena.done || !(await goesOn(pass, account))) return;
	const { through } = progressOf(pass, account).athena;
	for (const group of await workGroups(pass.ctx, account, pass.pace.athenaMs)) {
		if (through !== null && group <= through) continue;
		if (!(await listGroup(pass, account, group))) return;
	}
	const after = progressOf(pass, account);
	await keep(pass, account, { ...after, athena: { ...after.athena, done: true } });
}

/** False where the pass ends. */
async function listGroup(pass: Pass, account: string, group: string): Promise<boolean> {
	const { ctx, pace } = pass;
	const { athena } = progressOf(pass, account);
	let place: Pick<Progress['athena'], 'token' | 'inGroup'> =
		athena.group === group ? athena : { token: null, inGroup: NONE };
	for (;;) {
		if (!(await goesOn(pass, account))) return false;
		const page = await executions(ctx, { account, group, token: place.token }, pace.athenaMs);
		const before = progressOf(pass, account);
		if (page === null && place.token !== null) {
			// The place is not known any more: the group is gone through again, or gone.
			place = { token: null, inGroup: NONE };
			continue;
		}
		const seen = page === null ? [] : await listed(pass, { account, group }, page.executions);
		if (!isSure(seen)) {
			await undecided(pass, { account });
			return false;
		}
		const inGroup = seen.reduce((tally, { verdict }) => counted(tally, verdict), place.inGroup);
		const token = page === null || isOver(pass, page.executions) ? null : page.next;
		const lost = seen.filter(({ verdict }) => verdict.of === 'unreadable');
		const unreadable = lost.reduce(
			(all, { id }) => withUnreadable(all, { event: id, lacks: 'flow' }),
			before.unreadable,
		);
		const done = { through: group, group: null, tally: plus(before.athena.tally, inGroup), token: null, inGroup: NONE };
		const next = token === null ? done : { ...before.athena, group, token, inGroup };
		await keep(pass, account, { ...before, unreadable, athena: { ...next, done: false } });
		if (token === null) return true;
		place = { token, inGroup };
	}
}

/**
 * Newest first, so a page that is older than the day by another one is the last of interest. [unverified] The order is
 * Athena's, and nowhere promised; an execution in another place would be missed here, and not in the trail.
 */
function isOver({ day }: Day, page: readonly { readonly at: string }[]): boolean {
	const least = new Date(Date.parse(day) - DAY_MS).toISOString();
	return page.length > 0 && page.every(({ at }) => at < least);
}

async function listed(
	pass: Pass,
	{ account, group }: { readonly account: string; readonly group: string },
	page: readonly { readonly id: string; readonly at: string }[],
): Promise<{ readonly id: string; readonly verdict: Verdict }[]> {
	const { ctx, day, catalog } = pass;
	const knowing = { ...pass, unread: new Set<string>(), goesOn: () => hasTime(pass, account) };
	const one = async ({ id, at }: (typeof page)[number]) => {
		return { id, at, verdict: await judgeExecution(knowing, { account, group, id, at }) };
	};
	const ofDay = page.filter(({ at }) => at.startsWith(day));
	const all = await pMap(ofDay, one, { concurrency: RECORDS });
	const found = all.flatMap(({ id, at, verdict }): Evidence[] => {
		if (verdict.of !== 'bypassing') return [];
		const who = { principal: null, principalId: null, service: 'ATHENA', workGroup: group, flow: verdict.flow };
		const of = { day, account, domain: catalog.domainOf(account, at), query: id, event: null, seenAt: at };
		return [{ body: { ...of, ...who, reasons: [...verdict.reasons], tables: [] }, more: {} }];
	});
	await record(ctx, found);
	return all;
}
