/**
 * The append-only record.
 *
 * Promise: when `append` returns, the entry is durable, it is the next version of its stream, and nobody else wrote
 * that version. A crash before the insert leaves at most an orphaned payload; a crash after it leaves listings
 * behind, which the sweep repairs. State is the fold of a short stream read consistently; listings never decide.
 */
import type { Context } from './context.ts';
import { BrokerError } from './error.ts';
import { newId } from './id.ts';
import { canonicalBytes, type Entry, MAX_ENTRY_BYTES, open, payloadHash, seal, sha256 } from './ledger/entry.ts';
import { applyProjections, project } from './ledger/projection.ts';
import { as, parse, type Recorded, recordedOf } from './ledger/record.ts';
import type { Body } from './ledger/schema.ts';
import {
	deflated,
	inflated,
	insertEntry,
	insertPayload,
	readLast,
	readPayload,
	readVersion,
	readVersions,
	scanEntries,
	shardName,
} from './ledger/store.ts';
import { versionOf } from './ledger/upcast.ts';
import { type Stored, verifyStream } from './ledger/verify.ts';

export { readMany } from './ledger/batch.ts';
export { canonicalBytes, Hash, leafHash, MAX_ENTRY_BYTES, sha256 } from './ledger/entry.ts';
export { erasePayload } from './ledger/erase.ts';
export { rebuildListings, repairListings, verifyAll } from './ledger/maintain.ts';
export * as Listing from './ledger/projection.ts';
export { as, find, type Recorded, readable, recordedOf } from './ledger/record.ts';
export { relist } from './ledger/relist.ts';
export {
	type BodyOf,
	bypassReasons,
	ColumnMap,
	DriftKind,
	erasureFindings,
	erasureReasons,
	GrantEffect,
	GrantStep,
	StreamName,
	stream,
	type TableRef,
	unreadReasons,
} from './ledger/schema.ts';
export {
	headKey,
	insertPayload,
	isHead,
	isSealed,
	readPayload,
	shardNames,
	stored as storedOf,
	UNSEALED_INDEX,
	unavailable,
	unsealed,
	versionKey,
} from './ledger/store.ts';
export { type Finding, type Stored, verifyStream } from './ledger/verify.ts';

type Ctx = Pick<Context, 'aws' | 'config' | 'clock' | 'random' | 'trace' | 'warn' | 'appended'>;
type ReadCtx = Pick<Context, 'aws' | 'config'>;

export type Draft = {
	readonly stream: string;
	/** The version this one follows; null for the first. */
	readonly after: Recorded | null;
	readonly body: Body;
	readonly actor: string;
	/** Names, free text, literals: stored apart, erasable, bound by a salted hash. */
	readonly pii?: Record<string, unknown>;
	/** Bytes below the limit that must stay free, so that what ends this state will fit, too. */
	readonly reserve?: number;
};

/**
 * Writes the next version of a stream. Throws `conflict` when another writer was first; a retry of our own write
 * (same bytes) is success. The payload is written before the entry that names its hash.
 */
export async function append(ctx: Ctx, draft: Draft): Promise<Recorded> {
	const now = ctx.clock();
	const id = newId('entry', { now, random: ctx.random });
	const piiHash = draft.pii === undefined ? undefined : await writePayload(ctx, id, draft.pii);
	const sealed = seal(envelope(ctx, { id, at: now.toISOString() }, draft, piiHash), draft.reserve);
	const item = {
		stream: draft.stream,
		ver: sealed.entry.ver,
		bytes: sealed.bytes,
		leaf: sealed.leaf,
		unsealed: { shard: shardOf(ctx, draft.stream), key: unsealedKey(now, sealed.entry) },
	};
	// Read it as everybody will, before anybody can: what would not be understood is not stored.
	const recorded = parse(sealed, item);
	if (!(await insertEntry(ctx, item))) {
		const existing = await readVersion(ctx, draft.stream, sealed.entry.ver);
		if (existing?.leaf !== sealed.leaf) {
			throw new BrokerError('conflict', 'This changed while you were at it; read it again and retry.');
		}
	}
	ctx.appended?.(item);
	try {
		await applyProjections(ctx, project(recorded));
	} catch (error) {
		ctx.warn('ledger: listing left to the sweep', error);
	}
	return recorded;
}

/** Whether a draft fits into an entry with its reserve free. Writes nothing. */
export function fits(draft: Draft): boolean {
	// What differs from the entry written later is of the same length: id, time, hashes.
	const own = { id: `ent_${'0'.repeat(26)}`, at: '2000-01-01T00:00:00.000Z' };
	const piiHash = draft.pii === undefined ? undefined : '0'.repeat(64);
	const bytes = canonicalBytes(envelope({ trace: '0'.repeat(32) }, own, draft, piiHash));
	return bytes.length <= MAX_ENTRY_BYTES - (draft.reserve ?? 0);
}

function envelope(
	ctx: Pick<Ctx, 'trace'>,
	own: { id: string; at: string },
	draft: Draft,
	piiHash: string | undefined,
): Entry {
	return {
		...draft.body,
		v: versionOf(draft.body.type),
		stream: draft.stream,
		ver: (draft.after?.ver ?? 0) + 1,
		...own,
		actor: draft.actor,
		trace: ctx.trace,
		...(piiHash === undefined ? {} : { piiHash }),
		...(draft.after === null ? {} : { prev: draft.after.leaf }),
	};
}

async function writePayload(ctx: Ctx, id: string, pii: Record<string, unknown>): Promise<string> {
	const salt = ctx.random(16);
	const bytes = canonicalBytes(pii);
	await insertPayload(ctx, `P#${id}`, { salt: { B: salt }, pii: deflated(bytes) });
	return payloadHash(salt, bytes);
}

/** Every version of a stream, in order, its chain checked. Throws `record-corrupt` on the first fault. */
export async function read(ctx: ReadCtx, stream: string): Promise<Recorded[]> {
	const versions = await readVersions(ctx, stream);
	const finding = verifyStream(stream, versions);
	if (finding !== null) throw new BrokerError('record-corrupt', 'A ledger stream does not verify.', { finding });
	return versions.map((stored) => recordedOf(stored));
}

/**
 * The last version of a stream, or null; also null where it is an earlier one than `from`. For streams whose every
 * version carries the whole state.
 */
export async function last<T extends Body['type']>(
	ctx: ReadCtx,
	stream: string,
	type: T,
	from = 1,
): Promise<Recorded<T> | null> {
	const stored = await readLast(ctx, stream, from);
	return stored === null ? null : as(recordedOf(stored), type);
}

/** The erasable part of an entry; null when it has none or it was erased. Throws `record-corrupt` if it was altered. */
export async function payload(ctx: ReadCtx, entry: Entry): Promise<Record<string, unknown> | null> {
	if (entry.piiHash === undefined) return null;
	const item = await readPayload(ctx, `P#${entry.id}`);
	const salt = item?.['salt']?.B;
	if (item === null || salt === undefined) return null;
	const bytes = inflated(item['pii']);
	if (payloadHash(salt, bytes) !== entry.piiHash)
		throw new BrokerError('record-corrupt', 'A payload does not match its entry.');
	return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

/** Stores a text under its own hash; the same text twice is one item. Returns the SHA-256, hex. */
export async function putText(ctx: ReadCtx, content: string): Promise<string> {
	const hash = sha256(content);
	await insertPayload(ctx, `D#${hash}`, { text: deflated(new TextEncoder().encode(content)) });
	return hash;
}

/** A text by its hash. Throws `record-corrupt` when it is missing or altered. */
export async function getText(ctx: ReadCtx, hash: string): Promise<string> {
	const item = await readPayload(ctx, `D#${hash}`);
	const content = item === null ? null : new TextDecoder().decode(inflated(item['text']));
	if (content === null || sha256(content) !== hash) {
		throw new BrokerError('record-corrupt', 'A stored document is missing or altered.');
	}
	return content;
}

/** Raw versions of one stream, for whoever verifies without trusting this code. */
export async function rawStream(ctx: ReadCtx, stream: string): Promise<Stored[]> {
	return readVersions(ctx, stream);
}

/** An entry from its bytes alone, under the key that it names itself. Throws `record-corrupt`. */
export function readEntry(bytes: Uint8Array): Recorded {
	const sealed = open(bytes);
	return parse(sealed, { stream: sealed.entry.stream, ver: sealed.entry.ver, bytes, leaf: sealed.leaf });
}

/** A page of the whole ledger in table order: streams come whole and in order. */
export async function rawPage(ctx: ReadCtx, start: string | null, limit: number) {
	return scanEntries(ctx, start, limit);
}

/** Orders the queue by time, and the entries of one stream within a millisecond by version. */
function unsealedKey(now: Date, { ver, id }: Entry): string {
	return `${String(now.getTime()).padStart(15, '0')}#${String(ver).padStart(10, '0')}#${id}`;
}

/** In which shard of the `unsealed` index a stream's entries wait. */
export function shardOf({ config }: Pick<Context, 'config'>, stream: string): string {
	return shardName(Number.parseInt(sha256(stream).slice(0, 8), 16) % config.unsealedShards);
}
