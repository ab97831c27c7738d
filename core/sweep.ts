/**
 * The schedule's work: ends what is due and carries forward whatever was begun and not finished. It runs the same
 * functions as the calls that began it, so repair is the normal path run again. One broken thing never holds up the rest:
 * what Lake Formation refuses takes many retries, so several things are worked on at once, endings in lanes of their own,
 * and where a pass stands is kept as a hint: one that is cut off is gone on with by the next.
 */
import pMap from 'p-map';
import * as Access from './access.ts';
import { type Context, type Platform, systemContext } from './context.ts';
import { BrokerError } from './error.ts';
import * as Grants from './grants.ts';
import * as Ledger from './ledger.ts';
import * as Lineage from './lineage.ts';
import * as Query from './query.ts';

export type Swept = {
	readonly relisted: number;
	readonly expired: number;
	readonly advanced: number;
	readonly failed: number;
};

const { key, SHARDS } = Ledger.Listing;
const SHARD_NUMBERS = Array.from({ length: SHARDS }, (_, shard) => shard);

/** Worked on at once; afterwards endings and everything else beside each other, half of it each. */
const AT_ONCE = 8;
const LANES = 4;
/** Begun before where a pass stands is kept again. */
const KEPT_EVERY = 8;

/** A line of a listing; a grant's with the state that it was found in, null where that cannot be read. */
type Item = {
	readonly of: 'due' | 'affected' | 'open' | 'moving' | 'filed' | 'pending' | 'reviews';
	readonly shard: number;
	readonly line: string;
	readonly id: string;
	readonly state: Grants.GrantState | null;
	/** It was to end before, and Lake Formation did not follow. */
	readonly tried: boolean;
};
type Pass = { readonly ctx: Context; readonly tally: { -readonly [K in keyof Swept]: Swept[K] } };

const ending: ReadonlySet<Grants.GrantState | null> = new Set(['suspending', 'revoking', 'expiring', 'revoke_failed']);
const ended: ReadonlySet<Grants.GrantState | null> = new Set(['revoked', 'expired']);

/** One pass. Safe to run at any time and beside another one. */
export async function sweep(platform: Platform, runId: string): Promise<Swept> {
	const ctx = systemContext(platform, runId);
	const pass: Pass = { ctx, tally: { relisted: 0, expired: 0, advanced: 0, failed: 0 } };
	const due = await items(pass, 'due');
	// Endings first: what is due waits neither for what is stuck nor for listings that cannot be repaired.
	const [now, late] = split(due, (item) => item.state !== null && !item.tried && !ended.has(item.state));
	const left = await workOff(pass, now, AT_ONCE);
	await attempt(pass, async () => {
		pass.tally.relisted = await Ledger.repairListings(ctx, ctx.now);
	});
	// What stands in both listings is tried once in a pass.
	const taken = new Set([...left, ...late].map((item) => item.id));
	const open = (await items(pass, 'open')).filter((item) => !taken.has(item.id));
	const [endings, others] = split(open, (item) => ending.has(item.state));
	const [urgent, rest] = split(endings, (item) => !item.tried);
	const affected = await items(pass, 'affected');
	await Promise.all([
		inTurn(pass, 'sweep-endings', urgent, [...rest, ...late]),
		inTurn(pass, 'sweep-others', [], others),
		inTurn(pass, 'sweep-affected', [], affected),
	]);
	if (affected.length > 0) await takeOut(pass, new Set([...taken, ...open.map((item) => item.id)]));
	await inTurn(pass, 'sweep-moving', [], await items(pass, 'moving'));
	await followFiled(pass);
	await inTurn(pass, 'sweep-pending', [], await items(pass, 'pending'));
	await inTurn(pass, 'sweep-reviews', [], await items(pass, 'reviews'));
	return pass.tally;
}

/** What was shut since for a change follows in the same pass. */
async function takeOut(pass: Pass, known: ReadonlySet<string>): Promise<void> {
	const fresh = (await items(pass, 'open')).filter((item) => !known.has(item.id) && ending.has(item.state));
	await workOff(pass, fresh, LANES);
}

/** Clocks may differ by so much, and a write may take so long. */
const LATE_MS = 5 * 60_000;
/** After that it is for people: a rule that is deployed later does not approve what was left to them. */
const LOOK_BACK_MS = 60 * 60_000;
/** As many as fit into a hint by far. */
const KEPT_ASIDE = 1000;

/**
 * What was asked for since the pass before: a rule may approve it, and whoever asked not have lived to see that. What
 * could not be looked at is kept aside and tried once in each pass, so that one broken request holds up no other.
 */
async function followFiled(pass: Pass): Promise<void> {
	const { ctx, tally } = pass;
	const { readHint, writeHint, shardOf } = Ledger.Listing;
	await attempt(pass, async () => {
		const earliest = new Date(ctx.now.getTime() - LOOK_BACK_MS).toISOString();
		const [stood, kept] = await Promise.all([readHint(ctx, 'sweep-filed'), readHint(ctx, 'sweep-filed-aside')]);
		const late = stood === null ? '' : new Date(Date.parse(stood) - LATE_MS).toISOString();
		const failed = tally.failed;
		const fresh = await items(pass, 'filed', late > earliest ? late : earliest);
		const listed = tally.failed === failed;
		const aside = (kept ?? '').split(' ').filter((line) => line > earliest && !fresh.some((f) => f.line === line));
		const again = aside.map((line): Item => {
			const id = line.slice(line.indexOf('#') + 1);
			return { of: 'filed', shard: shardOf(id), line, id, state: null, tried: true };
		});
		const left = await workOff(pass, [...fresh, ...again], LANES);
		const lines = left.map(({ line }) => line).toSorted();
		if (kept !== null || lines.length > 0) {
			await writeHint(ctx, 'sweep-filed-aside', lines.slice(-KEPT_ASIDE).join(' '));
		}
		// A part that was not listed is listed from the same instant by the next pass.
		if (listed) await writeHint(ctx, 'sweep-filed', ctx.now.toISOString());
	});
}

function split<T>(all: readonly T[], which: (one: T) => boolean): [T[], T[]] {
	return [all.filter(which), all.filter((one) => !which(one))];
}

/** Does the urgent ones, then the others from where the last pass that was cut off stood. */
async function inTurn(pass: Pass, hint: string, urgent: readonly Item[], others: readonly Item[]): Promise<void> {
	const { readHint, writeHint } = Ledger.Listing;
	await workOff(pass, urgent, LANES);
	let stood = '';
	await attempt(pass, async () => {
		stood = (await readHint(pass.ctx, hint)) ?? '';
	});
	const [after, before] = split(
		others.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
		(item) => item.id > stood,
	);
	let begun = 0;
	const keep = async ({ id }: Item) => {
		begun += 1;
		if (begun % KEPT_EVERY === 0) await attempt(pass, () => writeHint(pass.ctx, hint, id));
	};
	await workOff(pass, [...after, ...before], LANES, keep);
	if (stood !== '' || begun >= KEPT_EVERY) await attempt(pass, () => writeHint(pass.ctx, hint, ''));
}

/** Each of them, a few at once; gives back what is left to the next pass. */
async function workOff(
	pass: Pass,
	all: readonly Item[],
	concurrency: number,
	begin: (item: Item) => Promise<void> = async () => {},
): Promise<Item[]> {
	const { ctx, tally } = pass;
	const left: Item[] = [];
	const one = async (item: Item) => {
		await begin(item);
		const { of, shard, line } = item;
		if (!(await attempt(pass, () => works[of](ctx, shard, line)))) left.push(item);
		else if (of === 'due') tally.expired += 1;
		else if (of === 'open') tally.advanced += 1;
	};
	await pMap(all, one, { concurrency });
	return left;
}

async function attempt({ ctx, tally }: Pass, work: () => Promise<void>): Promise<boolean> {
	try {
		await work();
		return true;
	} catch (error) {
		ctx.warn('sweep: an item is left to the next pass', error);
		tally.failed += 1;
		return false;
	}
}

/** All lines of a listing, with what is known of their grants; a part that cannot be listed is left to the next pass. */
async function items(pass: Pass, of: Item['of'], since = ''): Promise<Item[]> {
	const { ctx } = pass;
	const lines: { shard: number; line: string }[] = [];
	for (const shard of SHARD_NUMBERS) {
		await attempt(pass, async () => {
			const found = await linesOf(ctx, of, shard, since);
			lines.push(...found.map((line) => ({ shard, line })));
		});
	}
	const one = async ({ shard, line }: (typeof lines)[number]): Promise<Item> => {
		const id = line.slice(line.indexOf('#') + 1);
		const isGrant = of === 'due' || (of === 'open' && line.startsWith('grant#'));
		// One that cannot be read is told when its turn comes.
		const grant = isGrant ? await Grants.get(ctx, id).catch(() => null) : null;
		const last = grant?.entries.at(-1)?.body.type;
		const tried = ending.has(grant?.state ?? null) && (last === 'GrantEnded' || last === 'GrantSuspended');
		return { of, shard, line, id, state: grant?.state ?? null, tried };
	};
	return pMap(lines, one, { concurrency: AT_ONCE });
}

/** Of the lines `<at>#<what>` the last one of each thing: a look at it does for the earlier ones, too. */
function latestOf(found: readonly string[]): string[] {
	return [...new Map(found.toSorted().map((line) => [line.slice(line.indexOf('#') + 1), line])).values()];
}

/** Grants by their end and requests by what they wait for are listed as far as that has come. */
async function linesOf(ctx: Context, of: Item['of'], shard: number, since: string): Promise<string[]> {
	if (of === 'due') return lines(ctx, key.due(shard), { upTo: `${ctx.now.toISOString()}~` });
	if (of === 'reviews') return lines(ctx, key.reviews(shard), { upTo: `${ctx.now.toISOString()}~` });
	if (of === 'affected') return latestOf(await lines(ctx, key.affected(shard), { upTo: `${ctx.now.toISOString()}~` }));
	// Whoever edits a request has it listed once more: one line of it is enough at a time.
	if (of === 'pending') return latestOf(await lines(ctx, key.pending(shard), { upTo: Access.dueUpTo(ctx) }));
	if (of === 'filed') return lines(ctx, key.pending(shard), since === '' ? {} : { after: since });
	return Ledger.Listing.all(ctx, key[of](shard));
}

async function lines(ctx: Context, pk: string, range: { upTo?: string; after?: string }): Promise<string[]> {
	const found: string[] = [];
	let after: string | null = range.after ?? null;
	do {
		const page: Ledger.Listing.Page = await Ledger.Listing.list(ctx, pk, { limit: 200, ...range, after });
		found.push(...page.keys);
		after = page.next;
	} while (after !== null);
	return found;
}

async function expire(ctx: Context, shard: number, item: string): Promise<void> {
	const grant = await Grants.get(ctx, item.slice(item.indexOf('#') + 1));
	if (grant !== null && grant.until <= ctx.now.toISOString()) {
		const { state } = await Grants.expire(ctx, grant);
		if (!ended.has(state)) throw new BrokerError('grant-not-proven', 'Lake Formation still carries an expired grant.');
		// Also for one that ended long before: nothing a stalled process left behind outlives the approved window.
		await Grants.tidy(ctx, grant);
	}
	// Taken off only now: killed before, the next pass finds it again. What could not be taken out is also in `open`.
	await Ledger.Listing.remove(ctx, key.due(shard), item);
}

const done: ReadonlySet<Grants.GrantState> = new Set(['granted', 'suspended', 'expired', 'revoked']);
/** Of a line that leads nowhere. */
const NONE: Pick<Grants.Grant, 'state' | 'entries'> = { state: 'revoked', entries: [] };

async function carryOn(ctx: Context, shard: number, item: string): Promise<void> {
	const id = item.slice(item.indexOf('#') + 1);
	if (item.startsWith('request#') || item.startsWith('emergency#')) {
		if (!(await Access.proceed(ctx, id))) return;
		await Ledger.Listing.remove(ctx, key.open(shard), item);
		await putBack(ctx, shard, item, id);
	} else if (item.startsWith('grant#')) {
		const grant = await Grants.get(ctx, id);
		const { state, entries } = grant === null ? NONE : await Grants.advance(ctx, id);
		if (!done.has(state)) return;
		await Ledger.Listing.remove(ctx, key.open(shard), item, entries.at(-1)?.entry.ver ?? 0);
	} else {
		const flow = await Lineage.get(ctx, id);
		const ended = flow === null || (await Query.follow(ctx, flow)).ended !== null;
		if (ended) await Ledger.Listing.remove(ctx, key.open(shard), item);
	}
}

/** Somebody may have approved it anew before the line went: it was his line, too, and leads to a grant that is not begun. */
async function putBack(ctx: Context, shard: number, item: string, request: string): Promise<void> {
	const found = await Access.get(ctx, request);
	const grant = found?.granting?.body.grant;
	// What was found to be without need is not begun any more.
	if (grant === undefined || found?.breakGlass?.review?.verdict === 'unjustified') return;
	if ((await Grants.get(ctx, grant)) !== null) return;
	await Ledger.Listing.applyProjections(ctx, [{ op: 'put', pk: key.open(shard), sk: item }]);
}

/** Longer than a call of Lake Formation and a function live: after that nobody who was overtaken makes a filter any more. */
const MOVING_MS = 20 * 60_000;

/** What an overtaken writer made after somebody else had settled the entitlement goes with the next pass. */
async function tidyMoved(ctx: Context, shard: number, item: string): Promise<void> {
	const [at = '', name = '', principal = ''] = item.split('#');
	const [account = '', database = '', ...table] = name.split('.');
	await Grants.sweepStrays(ctx, principal, { account, database, table: table.join('.') });
	if (ctx.now.getTime() - Date.parse(at) > MOVING_MS) await Ledger.Listing.remove(ctx, key.moving(shard), item);
}

const works = {
	due: expire,
	affected: (ctx: Context, _: number, item: string) => Access.followChange(ctx, item),
	open: carryOn,
	moving: tidyMoved,
	filed: (ctx: Context, _: number, item: string) => Access.approveLate(ctx, item.slice(item.indexOf('#') + 1)),
	pending: (ctx: Context, _: number, item: string) => Access.followUp(ctx, item),
	reviews: (ctx: Context, _: number, item: string) => Access.followReview(ctx, item),
} as const;
