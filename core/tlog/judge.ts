/**
 * What may be sealed of the entries that were read, and in which order: a stream's versions in theirs, and
 * each entry after the versions of other streams that it rests on ({@link requiredBy}).
 * Pure. What cannot be read or does not chain is a fault, and what follows a fault is held with it.
 */

import { Unverified } from '#verifier/error.ts';
import { versionOf } from '#verifier/log/entry.ts';
import { BrokerError } from '../error.ts';
import type { BodyOf } from '../ledger.ts';
import * as Ledger from '../ledger.ts';
import { type Item, keyOf, nameOf } from './items.ts';
import { type ItemKey, QUARANTINE } from './marker.ts';

type Fault = BodyOf<'IntegrityFault'>['fault'];
/** What is wrong, at which key; `item` is the entry that must wait, if it is there. */
export type FaultFound = ItemKey & { readonly fault: Fault; readonly item: Item | null };

export type Judged = {
	readonly ready: readonly Ledger.Recorded[];
	readonly faults: readonly FaultFound[];
	/** Entries that follow a fault, or something in quarantine. */
	readonly held: readonly Item[];
	/** How many follow something that was not read for want of room. */
	readonly waiting: number;
};

type Reading =
	| { readonly recorded: Ledger.Recorded; readonly fault?: undefined }
	| { readonly fault: Fault; readonly recorded?: undefined };
const readings = new WeakMap<Item, Reading | null>();

/** The entry of an item that waits, as the ledger reads it; null of one that does not wait to be sealed. */
export function reading(item: Item): Reading | null {
	const known = readings.get(item);
	if (known !== undefined) return known;
	const fresh = item.shard === null || item.shard === QUARANTINE || item.index !== null ? null : read(item);
	readings.set(item, fresh);
	return fresh;
}

/** What is sealed is what a verifier reads as the same entry: a log with one that it refuses would never verify again. */
function read({ stored }: Item): Reading {
	if (stored === null) return { fault: 'unreadable' };
	if (stored.bytes.length > Ledger.MAX_ENTRY_BYTES) return { fault: 'too-large' };
	try {
		if (Ledger.leafHash(stored.bytes) !== stored.leaf) return { fault: 'hash-differs' };
		const recorded = Ledger.readEntry(stored.bytes);
		const own = recorded.stored;
		if (own.stream !== stored.stream || own.ver !== stored.ver) return { fault: 'misplaced' };
		const { stream, ver, prev } = versionOf(stored.bytes);
		const same = stream === own.stream && ver === own.ver && prev === recorded.entry.prev;
		return same ? { recorded } : { fault: 'not-canonical' };
	} catch (error) {
		if (error instanceof Unverified) return { fault: 'not-canonical' };
		if (error instanceof BrokerError && error.code === 'record-corrupt') return { fault: 'unreadable' };
		throw error;
	}
}

/** A version that must be in the log before; where only its leaf is named, `ver` is null. */
export type Required = { readonly stream: string; readonly ver: number | null; readonly leaf: string | undefined };

/**
 * What must be in the log before it: its predecessor, and each version of another stream that it names by its leaf and
 * whose stream it names, too: for a flow the entitlements and its columns, for an entitlement the grants, for a grant the
 * decision and the contract, for a request and what it was edited to the contract, for a decision the delegation. That
 * leaves what names a leaf and not its stream: the outcome of a grant (its entitlements), and edits of before they named
 * the product. These come after what the same batch holds of that, and no more is promised.
 */
export function requiredBy(recorded: Ledger.Recorded): Required[] {
	const { entry, stored, ver } = recorded;
	const before = ver > 1 ? [{ stream: stored.stream, ver: ver - 1, leaf: entry.prev }] : [];
	return [...before, ...causesOf(recorded.body)];
}

function causesOf(body: Ledger.Recorded['body']): Required[] {
	const contract = (product: string, leaf: string) => ({ stream: Ledger.stream.product(product), ver: null, leaf });
	if (body.type === 'FlowIntended') {
		const entitlements = body.auth.map((a) => ({
			stream: Ledger.stream.entitlement(body.principal, a.table),
			ver: a.ver,
			leaf: a.leaf,
		}));
		if (body.columns === undefined) return entitlements;
		const { hash, ver, leaf } = body.columns;
		return [...entitlements, { stream: Ledger.stream.columns(hash), ver, leaf }];
	}
	if (body.type === 'EntitlementChanged') {
		return body.grants.map(({ grant, leaf }) => ({ stream: Ledger.stream.grant(grant), ver: 1, leaf }));
	}
	if (body.type === 'GrantOpened') {
		const decision = { stream: Ledger.stream.request(body.request), ver: null, leaf: body.decisionLeaf };
		return [decision, contract(body.product, body.contract.leaf)];
	}
	if (body.type === 'AccessRequested' || body.type === 'AccessEdited') {
		return body.product === undefined ? [] : [contract(body.product, body.contract.leaf)];
	}
	if (body.type === 'AccessDecided' && body.delegation !== undefined) {
		return [{ stream: Ledger.stream.delegation(body.delegation.id), ver: 1, leaf: body.delegation.leaf }];
	}
	return [];
}

/** Where the versions are that are named by stream and leaf alone; null where the stream has none of that leaf. */
export type Places = Map<string, ItemKey | null>;
export const placeName = ({ stream, leaf }: Required) => `${stream}\n${leaf}`;
/** Undefined where nobody has looked yet. */
export const placeOf = (places: ReadonlyMap<string, ItemKey | null>, one: Required): ItemKey | null | undefined =>
	one.ver === null ? places.get(placeName(one)) : keyOf(one.stream, one.ver);

type Verdict = 'ready' | 'sealed' | 'faulty' | 'held' | 'waiting';

export type Read = {
	/** By {@link nameOf}; null for what is not there, and nothing for what was not read. */
	readonly items: ReadonlyMap<string, Item | null>;
	readonly places: ReadonlyMap<string, ItemKey | null>;
	/** Of what carries an index, the names of those that the log does hold there. */
	readonly logged: ReadonlySet<string>;
};

export function judge({ items, places, logged }: Read, asked: readonly ItemKey[]): Judged {
	const ready: Ledger.Recorded[] = [];
	const faults: FaultFound[] = [];
	const held: Item[] = [];
	const verdicts = new Map<string, Verdict>();
	const underway = new Set<string>();
	const byLeaf = new Map<string, Item>();
	for (const item of items.values()) {
		if (item?.stored && reading(item)?.recorded) byLeaf.set(item.stored.leaf, item);
	}

	/** Earlier versions first, without recursion: a stream may be as long as the batch. */
	const visit = (key: ItemKey): Verdict => {
		const chain: ItemKey[] = [];
		for (
			let next: ItemKey | null = key;
			next !== null && !verdicts.has(nameOf(next));
			next = predecessor(items, next)
		) {
			chain.push(next);
		}
		for (const one of chain.toReversed()) {
			const name = nameOf(one);
			if (verdicts.has(name) || underway.has(name)) continue;
			underway.add(name);
			verdicts.set(name, decide(one));
		}
		return verdicts.get(nameOf(key)) ?? 'faulty';
	};

	const faulty = (key: ItemKey, fault: Fault, item: Item | null): Verdict => {
		faults.push({ pk: key.pk, sk: key.sk, fault, item });
		return 'faulty';
	};

	const decide = (key: ItemKey): Verdict => {
		const item = items.get(nameOf(key));
		if (item === undefined) return 'waiting';
		if (item === null) return faulty(key, 'missing', null);
		if (logged.has(nameOf(key))) return 'sealed';
		if (item.shard === QUARANTINE) return 'held';
		if (item.index !== null && item.shard === null) return faulty(key, 'not-in-log', null);
		if (item.index !== null) return faulty(key, 'marked-and-queued', item);
		if (item.shard === null) return faulty(key, 'unqueued', null);
		const { recorded, fault } = reading(item) ?? {};
		if (recorded === undefined) return faulty(key, fault ?? 'unreadable', item);
		return follow(item, recorded);
	};

	const follow = (item: Item, recorded: Ledger.Recorded): Verdict => {
		if (recorded.ver === 1 && recorded.entry.prev !== undefined) return faulty(item, 'chain-broken', item);
		for (const leaf of leavesIn(recorded.body)) {
			const cause = byLeaf.get(leaf);
			if (cause !== undefined) visit(cause);
		}
		let worst: Verdict = 'ready';
		for (const required of requiredBy(recorded)) {
			const key = placeOf(places, required);
			const own = required.stream === recorded.stored.stream;
			const found = key ? items.get(nameOf(key)) : key;
			if (found === null && !own) return faulty(item, 'cause-missing', item);
			const verdict = key ? visit(key) : 'waiting';
			if (found?.stored && found.stored.leaf !== required.leaf && verdict !== 'faulty') {
				return faulty(item, own ? 'chain-broken' : 'cause-differs', item);
			}
			if (verdict === 'faulty' || verdict === 'held') worst = 'held';
			else if (verdict === 'waiting' && worst === 'ready') worst = 'waiting';
		}
		if (worst === 'ready') ready.push(recorded);
		if (worst === 'held') held.push(item);
		return worst;
	};

	for (const key of asked) visit(key);
	const waiting = [...verdicts].filter(([name, verdict]) => verdict === 'waiting' && items.has(name)).length;
	return { ready, faults, held, waiting };
}

/** The version before, while it is one that waits to be judged. */
function predecessor(items: ReadonlyMap<string, Item | null>, key: ItemKey): ItemKey | null {
	const item = items.get(nameOf(key));
	const recorded = item ? reading(item)?.recorded : undefined;
	return recorded === undefined || recorded.ver === 1 ? null : keyOf(recorded.stored.stream, recorded.ver - 1);
}

/** Leaves that an entry names as what it rests on. */
function leavesIn(value: unknown): string[] {
	if (Array.isArray(value)) return value.flatMap(leavesIn);
	if (typeof value !== 'object' || value === null) return [];
	return Object.entries(value).flatMap(([member, inner]) =>
		typeof inner === 'string' ? (/^(leaf|decisionLeaf)$/.test(member) ? [inner] : []) : leavesIn(inner),
	);
}
