/**
 * What the next batch is made of: entries that wait, read consistently, each after everything that it follows.
 *
 * The index says where to look and nothing more. It may lag: what it does not show yet and something else follows is
 * read by its key and taken along, so an entry waits for another one only where the batch has no room for that.
 */
import pMap from 'p-map';
import { Unverified } from '#verifier/error.ts';
import { versionOf } from '#verifier/log/entry.ts';
import * as Ledger from '../ledger.ts';
import type { Tree } from './head.ts';
import { type Item, keyOf, nameOf, readItems, versionWith } from './items.ts';
import { type Judged, judge, type Places, placeName, placeOf, type Required, reading, requiredBy } from './judge.ts';
import { leavesOf } from './leaves.ts';
import { type ItemKey, waitingIn } from './marker.ts';
import type { ReadCtx } from './ports.ts';

export const DEFAULT_BATCH = 4096;
/** Of one batch, so that it fits into memory and one object. */
const MAX_BYTES = 32 * 1024 * 1024;
const CHUNK = 512;

export type Gathered = Pick<Judged, 'faults' | 'held'> & {
	/** In the log, and in the queue all the same: whoever queued it (a restore, a hand) did not take it out of the log. */
	readonly requeued: readonly Marked[];
	/** In the order of the log. */
	readonly ready: readonly Ledger.Recorded[];
	readonly waiting: number;
	/** Whether there may be more to seal at once, if this batch leads on. */
	readonly more: boolean;
};

export async function gather(ctx: ReadCtx, head: Tree, limit: number): Promise<Gathered> {
	const queue = await queued(ctx, limit);
	const { items, places, filled, full } = await load(ctx, queue.keys, limit);
	const asked = [...queue.keys, ...filled].filter((key) => items.has(nameOf(key)));
	const logged = await inLog(ctx, head, items.values());
	const judged = judge({ items, places, logged: new Set(logged.map(({ item }) => nameOf(item))) }, asked);
	const requeued = logged.filter(({ item }) => item.shard !== null);
	const ready = withinBounds(judged.ready, limit);
	const more = queue.more || full || ready.length < judged.ready.length;
	return { ...judged, ready, requeued, more };
}

type Marked = { readonly item: Item; readonly index: number };

/**
 * Of the items that carry an index, those that the log does hold there. Whoever may insert may write an index, too: what
 * follows such an entry would be sealed without it, and the log would verify never again.
 */
async function inLog(ctx: ReadCtx, head: Tree, items: Iterable<Item | null>): Promise<Marked[]> {
	const marked = [...items].flatMap((item) => (item?.index == null ? [] : [{ item, index: item.index }]));
	const leaves = await leavesOf(
		ctx.log,
		head,
		marked.map(({ index }) => index),
	);
	return marked.filter(({ item: { stored }, index }) => {
		if (stored === null || leaves.get(index) !== stored.leaf) return false;
		return Ledger.leafHash(stored.bytes) === stored.leaf && liesAtHome(stored);
	});
}

/** Whether it is under the key that its bytes name: of a copy elsewhere the log holds the leaf as well. */
function liesAtHome({ bytes, stream, ver }: Ledger.Stored): boolean {
	try {
		const own = versionOf(bytes);
		return own.stream === stream && own.ver === ver;
	} catch (error) {
		if (error instanceof Unverified) return false;
		throw error;
	}
}

/** A beginning of an order in which nothing comes before what it follows is such an order, too. */
function withinBounds(ready: readonly Ledger.Recorded[], limit: number): Ledger.Recorded[] {
	let bytes = 0;
	const taken: Ledger.Recorded[] = [];
	for (const entry of ready) {
		bytes += entry.stored.bytes.length;
		if (taken.length === limit || (bytes > MAX_BYTES && taken.length > 0)) break;
		taken.push(entry);
	}
	return taken;
}

type Key = ItemKey & { readonly order: string };

/** Of one stream in a batch while others wait; of a small batch all, which is soon over. */
const shareOf = (limit: number) => Math.max(Math.floor(limit / 8), 64);
/** So many batches are looked through for what waits behind a stream that has more than its share. */
const AHEAD = 4;

/**
 * Keys of what waited longest, over all shards. Of one stream no more than its share while others wait: whoever is far
 * behind, or has a clock that is, holds up nobody else for longer than that.
 */
async function queued(ctx: ReadCtx, limit: number): Promise<{ keys: Key[]; more: boolean }> {
	const page = Math.min(limit, CHUNK);
	const seen = new Map<string, Set<string>>();
	const [within, beyond]: [Key[], Key[]] = [[], []];
	const take = (key: Key) => {
		// A stream waits in one shard, in order: what comes first of it here waited longest.
		const own = seen.get(key.pk) ?? new Set();
		if (own.has(key.sk)) return;
		seen.set(key.pk, own.add(key.sk));
		(own.size > shareOf(limit) ? beyond : within).push(key);
	};
	let open: { shard: string; after?: Parameters<typeof waitingIn>[3] }[] = Ledger.shardNames(ctx).map((shard) => ({
		shard,
	}));
	const next = async ({ shard, after }: (typeof open)[number]) => ({
		shard,
		...(await waitingIn(ctx, shard, page, after)),
	});
	while (open.length > 0 && within.length < limit && within.length + beyond.length < AHEAD * limit) {
		const pages = await pMap(open, next, { concurrency: 16 });
		for (const { keys } of pages) for (const key of keys) take(key);
		open = pages.flatMap(({ shard, next: after }) => (after === undefined ? [] : [{ shard, after }]));
	}
	const most = within.toSorted(byOrder).slice(0, limit);
	const keys = [...most, ...beyond.toSorted(byOrder).slice(0, limit - most.length)].toSorted(byOrder);
	return { keys, more: open.length > 0 || within.length + beyond.length > limit };
}

const byOrder = (a: Key, b: Key) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0);

/** What was read, by {@link nameOf}; null for what is not there. */
type Items = Map<string, Item | null>;

/** What is read for one batch. */
type Loading = { readonly items: Items; readonly places: Places; readonly filled: ItemKey[]; bytes: number };

/**
 * The items of the queue and, in turn, what they require. Where a stream has more before what is queued than there is room
 * for, it is taken from its first version that is not sealed: so it gets on, however late its early versions were queued.
 */
async function load(ctx: ReadCtx, keys: readonly ItemKey[], limit: number) {
	const loading: Loading = { items: new Map(), places: new Map(), filled: [], bytes: 0 };
	let taken = 0;
	for (; taken < keys.length && loading.bytes < MAX_BYTES; taken += CHUNK) {
		await read(ctx, loading, keys.slice(taken, taken + CHUNK));
	}
	const room = () => loading.items.size < 3 * limit + CHUNK && loading.bytes < 2 * MAX_BYTES;
	let fresh = await unread(ctx, loading, [...loading.items.values()]);
	for (let depth = 0; fresh.length > 0 && room(); depth++) {
		// Step by step a long stream would be read from its end.
		const more = depth === 0 ? [] : await fill(ctx, loading, fresh, room);
		if (room()) await read(ctx, loading, fresh);
		const found = [...fresh, ...more].map((key) => loading.items.get(nameOf(key)) ?? null);
		fresh = await unread(ctx, loading, found);
	}
	return { ...loading, full: taken < keys.length || !room() };
}

async function read(ctx: ReadCtx, loading: Loading, keys: readonly ItemKey[]): Promise<void> {
	const wanted = keys.filter((key) => !loading.items.has(nameOf(key)));
	const found = await readItems(ctx, wanted);
	for (const key of wanted) loading.items.set(nameOf(key), found.get(nameOf(key)) ?? null);
	for (const { stored } of found.values()) loading.bytes += stored?.bytes.length ?? 0;
}

/** Keys of what these items require and nobody has read. */
async function unread(ctx: ReadCtx, { items, places }: Loading, of: readonly (Item | null)[]): Promise<ItemKey[]> {
	const required = of.flatMap((item) => (item === null ? [] : requiredOf(item)));
	await locate(ctx, places, required);
	const keys = required.flatMap((one) => placeOf(places, one) ?? []);
	const open = keys.map((key) => [nameOf(key), key] as const).filter(([name]) => !items.has(name));
	return [...new Map(open).values()];
}

/** Reads the streams of these keys forward, as far as there is room. Returns what it read. */
async function fill(ctx: ReadCtx, loading: Loading, keys: readonly ItemKey[], room: () => boolean): Promise<ItemKey[]> {
	const begun = loading.filled.length;
	for (const { first, last } of await beginnings(ctx, keys)) {
		for (const chunk of upTo(last, first)) {
			if (!room()) break;
			await read(ctx, loading, chunk);
			loading.filled.push(...chunk);
		}
	}
	return loading.filled.slice(begun);
}

const FORWARD = 128;

/** Keys of a stream's versions, in parts. */
function* upTo(last: ItemKey, first: number): Generator<ItemKey[]> {
	for (let from = first; from <= verOf(last); from += FORWARD) {
		const count = Math.min(FORWARD, verOf(last) - from + 1);
		yield Array.from({ length: count }, (_, i) => keyOf(last.pk, from + i));
	}
}

const verOf = ({ sk }: ItemKey) => Number(sk.slice(2));

/** Of each stream among these, how far it is wanted and where to read it from. */
async function beginnings(ctx: ReadCtx, wanted: readonly ItemKey[]): Promise<{ first: number; last: ItemKey }[]> {
	const streams = new Map<string, ItemKey>();
	for (const key of wanted) {
		const known = streams.get(key.pk);
		if (known === undefined || verOf(known) < verOf(key)) streams.set(key.pk, key);
	}
	return pMap(streams.values(), async (last) => ({ last, first: await beginning(ctx, last) }), { concurrency: 16 });
}

/** Where to read a stream from: what is sealed of it is its beginning, and the last of that is what the next follows. */
async function beginning(ctx: ReadCtx, last: ItemKey): Promise<number> {
	let [low, high] = [1, verOf(last)];
	while (low < high) {
		const middle = Math.floor((low + high) / 2);
		const key = keyOf(last.pk, middle);
		const item = (await readItems(ctx, [key])).get(nameOf(key));
		if (item !== undefined && item.index !== null) low = middle + 1;
		else high = middle;
	}
	return Math.max(1, low - 1);
}

/** Finds the versions that are named by their stream and leaf alone. */
async function locate(ctx: ReadCtx, places: Places, required: readonly Required[]): Promise<void> {
	const open = new Map<string, Required>();
	for (const one of required) {
		if (one.ver === null && !places.has(placeName(one))) open.set(placeName(one), one);
	}
	const find = async ([name, { stream, leaf }]: [string, Required]) => {
		places.set(name, leaf === undefined ? null : await versionWith(ctx, stream, leaf));
	};
	await pMap(open, find, { concurrency: 8 });
}

/** What an entry that waits requires. */
function requiredOf(item: Item): Required[] {
	const recorded = reading(item)?.recorded;
	return recorded === undefined ? [] : requiredBy(recorded);
}
