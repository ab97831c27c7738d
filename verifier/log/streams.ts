/**
 * The chains of all streams at once, in the order of the log: each version follows the one before and names its leaf.
 *
 * A stream takes one slot of 32 bytes, found by eight bytes of a hash whose key is drawn for each run, so that nobody
 * can prepare two streams that share a slot: 64 MB hold a million streams, and while it grows the half of it is there
 * again. Where memory ends (4 GiB in one piece before Node 22), nothing is known of the log.
 */
import * as crypto from 'node:crypto';
import { hexOf } from '../encoding.ts';
import { allocated, type Finding, Unverified } from '../error.ts';
import { type Version, versionOf } from './entry.ts';

type Chains = {
	/** Number of streams so far. */
	count(): number;
	/** Takes the entry at an index. Throws `Unverified` if it does not follow the stream's last version. */
	follow(index: number, version: Version, leaf: Uint8Array): void;
};

export type Streams = {
	/** Number of streams so far. */
	count(): number;
	/** Takes the next entries. What is wrong with one is kept until it is known that the entry was signed at all. */
	take(start: number, entries: readonly Uint8Array[], leaves: readonly Uint8Array[]): void;
	/** Throws what was found first. */
	settle(): void;
};

export function streamsOf(): Streams {
	const all = chains();
	let first: Unverified | undefined;
	return {
		count: () => all.count(),
		take(start, entries, leaves) {
			for (let i = 0; first === undefined && i < entries.length; i++) {
				try {
					all.follow(start + i, readable(start + i, entries[i] ?? new Uint8Array()), leaves[i] ?? new Uint8Array());
				} catch (cause) {
					if (!(cause instanceof Unverified)) throw cause;
					first = cause;
				}
			}
		},
		settle() {
			if (first !== undefined) throw first;
		},
	};
}

function readable(index: number, entry: Uint8Array): Version {
	try {
		return versionOf(entry);
	} catch (cause) {
		if (!(cause instanceof Unverified)) throw cause;
		throw new Unverified(
			`entry ${index} is no entry of a ledger: ${cause.message}`,
			{ kind: 'inserted', index },
			{ cause },
		);
	}
}

const SLOT_BYTES = 32;
const KEY_BYTES = 8;
const VER_AT = 8;
const LEAF_AT = 16;
const LEAF_BYTES = 16;

function chains(): Chains {
	const salt = hexOf(crypto.randomBytes(16));
	let table = slots(1024);
	let used = 0;

	/** Where the stream's slot is, or where it would be. */
	const find = (key: Buffer): number => {
		for (let slot = key.readUInt32LE(0) % table.count; ; slot = (slot + 1) % table.count) {
			const at = slot * SLOT_BYTES;
			if (table.bytes.readDoubleLE(at + VER_AT) === 0) return at;
			if (table.bytes.compare(key, 0, KEY_BYTES, at, at + KEY_BYTES) === 0) return at;
		}
	};
	const grow = () => {
		const old = table;
		table = slots(old.count * 2);
		for (let at = 0; at < old.bytes.length; at += SLOT_BYTES) {
			if (old.bytes.readDoubleLE(at + VER_AT) === 0) continue;
			const slot = old.bytes.subarray(at, at + SLOT_BYTES);
			slot.copy(table.bytes, find(slot));
		}
	};
	return {
		count: () => used,
		follow(index, { stream, ver, prev }, leaf) {
			const key = sha256(salt + stream);
			let at = find(key);
			const last = table.bytes.readDoubleLE(at + VER_AT);
			const before = last === 0 ? undefined : hexOf(table.bytes.subarray(at + LEAF_AT, at + LEAF_AT + LEAF_BYTES));
			const fault = faultOf({ ver, last, named: prev?.slice(0, 2 * LEAF_BYTES), before });
			if (fault !== null) throw broken(fault, { index, stream, ver });
			if (last === 0) {
				used += 1;
				if (used * 2 > table.count) {
					grow();
					at = find(key);
				}
				key.copy(table.bytes, at, 0, KEY_BYTES);
			}
			table.bytes.writeDoubleLE(ver, at + VER_AT);
			table.bytes.set(leaf.subarray(0, LEAF_BYTES), at + LEAF_AT);
		},
	};
}

const slots = (count: number) => ({
	count,
	bytes: allocated('the streams of the log', () => Buffer.alloc(count * SLOT_BYTES)),
});

const sha256: (text: string) => Buffer =
	typeof crypto.hash === 'function'
		? (text) => crypto.hash('sha256', text, 'buffer')
		: (text) => crypto.createHash('sha256').update(text).digest();

type Fault = readonly [Finding['kind'], string];

/** `last` is 0 for a stream not seen yet. */
function faultOf(seen: {
	ver: number;
	last: number;
	named: string | undefined;
	before: string | undefined;
}): Fault | null {
	const { ver, last, named, before } = seen;
	if (ver > last + 1) return ['missing', `version ${last + 1} is missing before it`];
	if (ver === last) return ['forked', 'the stream has two entries of this version'];
	if (ver < last) return ['reordered', `it comes after version ${last}`];
	if (named !== before) return ['forked', 'it does not name the version before it'];
	return null;
}

function broken(
	[kind, why]: Fault,
	{ index, stream, ver }: { index: number; stream: string; ver: number },
): Unverified {
	return new Unverified(`entry ${index} breaks the stream ${stream} at version ${ver}: ${why}`, {
		kind,
		index,
		stream,
		ver,
	});
}
