/**
 * Earlier checkpoints of a log, held against the root that its entries have at their size.
 */
import * as crypto from 'node:crypto';
import { type Checkpoint, openCheckpoint } from '../checkpoint.ts';
import { parseDecimal, sameBytes } from '../encoding.ts';
import { allocated, CannotVerify, Unverified } from '../error.ts';
import { appendLeaves, rootOf } from '../merkle.ts';
import { MAX_NOTE_BYTES, type VerifierKey } from '../note.ts';
import type { Source } from '../source.ts';
import type { Tower } from './tower.ts';

export type Trust = { readonly keys: readonly VerifierKey[]; readonly origin: string };

/** Names the object in what is wrong with it. */
export function within<T>(object: string, check: () => T): T {
	try {
		return check();
	} catch (cause) {
		if (!(cause instanceof Unverified)) throw cause;
		throw new Unverified(`${object}: ${cause.message}`, cause.finding ?? { kind: 'changed', object }, { cause });
	}
}

/** Throws if the log ends before a checkpoint that its key signed. */
export function assertReaches({ size }: Checkpoint, earlier: number, what: string): void {
	if (earlier <= size) return;
	const message = `the log ends after ${size} entries; its key signed a ${what} checkpoint of ${earlier}`;
	throw new Unverified(message, { kind: 'truncated', index: size });
}

export type Archive = {
	/** Those that are looked at, smallest first: eight bytes each. */
	readonly sizes: Float64Array;
	/** How many there are. */
	readonly total: number;
	read(size: number): Promise<Checkpoint>;
};

/** How many archived checkpoints are looked at unless all are asked for: each takes a signature. */
export const ARCHIVED = 1000;

/**
 * The archived checkpoints that the source tells of. Not all of them, unless it is asked: the newest half of what is
 * looked at, each of which vouches for everything before it, and others drawn from the rest, so that nobody knows which.
 */
export async function archiveOf(
	source: Source,
	checkpoint: Checkpoint,
	{ all, ...trust }: Trust & { readonly all: boolean },
): Promise<Archive> {
	const told = await sizesIn(source);
	const read = async (size: number) => {
		const object = `checkpoints/${size}`;
		const note = await source.read(object, MAX_NOTE_BYTES);
		if (note === null) throw new CannotVerify(`${object} cannot be read`);
		const archived = within(object, () => openCheckpoint(note, trust));
		if (archived.size === size) return archived;
		throw new Unverified(`${object} is of ${archived.size} entries`, { kind: 'changed', object });
	};
	const last = told.at(-1);
	if (last !== undefined && last > checkpoint.size) assertReaches(checkpoint, (await read(last)).size, 'archived');
	return { sizes: all ? told : drawn(told, ARCHIVED), total: told.length, read };
}

async function sizesIn(source: Source): Promise<Float64Array> {
	let sizes = new Float64Array(64);
	let count = 0;
	for await (const name of (await source.list?.('checkpoints')) ?? []) {
		if (!/^[0-9]+$/.test(name)) continue;
		if (count === sizes.length) {
			const more = allocated('the archived checkpoints', () => new Float64Array(2 * sizes.length));
			more.set(sizes);
			sizes = more;
		}
		sizes[count] = within(`checkpoints/${name}`, () => parseDecimal(name, 'the size'));
		count += 1;
	}
	return allocated('the archived checkpoints', () => sizes.subarray(0, count).toSorted());
}

/** At most `most` of them: the last half, and one of each of as many equal parts of the rest. */
export function drawn(sizes: Float64Array, most: number): Float64Array {
	if (sizes.length <= most) return sizes;
	const newest = Math.ceil(most / 2);
	const parts = most - newest;
	const rest = sizes.length - newest;
	const chosen = Float64Array.from({ length: parts }, (_, i) => {
		const [from, to] = [Math.floor((i * rest) / parts), Math.floor(((i + 1) * rest) / parts)];
		return sizes[crypto.randomInt(from, to)] ?? 0;
	});
	return Float64Array.of(...chosen, ...sizes.subarray(rest));
}

export type Marks = {
	/** Looks at the checkpoints that end within the next leaves. */
	pass(start: number, leaves: readonly Uint8Array[], whole: Tower): Promise<void>;
	/** Throws what was found first. */
	settle(): void;
};

export function marksOf(known: Checkpoint | undefined, archive: Archive): Marks {
	let next = 0;
	let isKnownAhead = known !== undefined;
	let first: Unverified | undefined;
	/** The next size to look at, of the one that is known or of those archived; none once something was found. */
	const nextSize = () => {
		if (first !== undefined) return Infinity;
		return Math.min(isKnownAhead ? (known?.size ?? Infinity) : Infinity, archive.sizes[next] ?? Infinity);
	};
	const look = async (size: number, root: Uint8Array) => {
		if (isKnownAhead && known?.size === size) {
			isKnownAhead = false;
			if (!sameBytes(known.root, root)) first ??= split(size, 'known');
		}
		if (archive.sizes[next] === size) {
			next += 1;
			if (!sameBytes((await archive.read(size)).root, root)) first ??= split(size, 'archived');
		}
	};
	return {
		async pass(start, leaves, whole) {
			const end = start + Math.max(1, leaves.length);
			// Most leaves end no checkpoint that is looked at.
			if (nextSize() >= end) return;
			let range = whole.range();
			for (let size = nextSize(); size < end; size = nextSize()) {
				range = appendLeaves(range, leaves.slice(range.size - start, size - start));
				await look(size, rootOf(range));
			}
		},
		settle() {
			if (first !== undefined) throw first;
		},
	};
}

function split(size: number, what: string): Unverified {
	const message = `the key of the log signed two histories: this one does not begin with the ${what} checkpoint of ${size}`;
	return new Unverified(message, { kind: 'split', ...(what === 'archived' ? { object: `checkpoints/${size}` } : {}) });
}
