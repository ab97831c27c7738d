/**
 * Verifies a whole log: its signed checkpoint, each entry's bytes against the root, each hash tile against what the
 * entries make, each stream's chain, and the checkpoints that are known from before.
 *
 * Nothing is believed because it is there: the root is made again from the entries alone. Entries are read once, in
 * order, a few bundles ahead; what is held is those, one tile a level, 64 to 192 bytes for a stream, and 8 to 24 for an
 * archived checkpoint of a folder.
 */
import { type Checkpoint, openCheckpoint, type SignedCheckpoint } from './checkpoint.ts';
import { sameBytes } from './encoding.ts';
import { CannotVerify } from './error.ts';
import { diagnose, same } from './log/diagnose.ts';
import { archiveOf, assertReaches, type Marks, marksOf, type Trust, within } from './log/marks.ts';
import { objectsOf, readAhead } from './log/objects.ts';
import { type Streams, streamsOf } from './log/streams.ts';
import { tower } from './log/tower.ts';
import { leafHash } from './merkle.ts';
import { ED25519, MAX_NOTE_BYTES, type VerifierKey } from './note.ts';
import type { Source } from './source.ts';
import { FULL } from './tile.ts';

export type LogOptions = {
	/** One key of the log must have signed each checkpoint; the witnesses among them must have cosigned the last. */
	readonly keys: readonly VerifierKey[];
	/** How many of the witnesses; all of them unless given. */
	readonly quorum?: number | undefined;
	/** The name of the log's key, unless it is given. */
	readonly origin?: string | undefined;
	/** A checkpoint from before, as a signed note: the log must go on from it. */
	readonly known?: string | Uint8Array | undefined;
	/** Whether every archived checkpoint is looked at, and not a thousand of them. */
	readonly allArchived?: boolean | undefined;
};

export type VerifiedLog = {
	readonly checkpoint: SignedCheckpoint;
	/** Number of streams that the entries belong to. */
	readonly streams: number;
	/** Size of the known checkpoint. */
	readonly known?: number;
	/** Number of archived checkpoints that were looked at: the log goes on from each. */
	readonly archived: number;
	/** Number of archived checkpoints that there are. */
	readonly archivedInAll: number;
};

/** Throws `Unverified`, with a finding that names the first fault, or `CannotVerify`. */
export async function verifyLog(source: Source, options: LogOptions): Promise<VerifiedLog> {
	const origin = originOf(options);
	const logKeys = options.keys.filter((k) => k.algorithm === ED25519);
	const known = options.known === undefined ? undefined : openKnown(options.known, { keys: logKeys, origin });
	const note = await source.read('checkpoint', MAX_NOTE_BYTES);
	if (note === null) throw new CannotVerify('there is no log here: it has no checkpoint');
	const { keys, quorum } = options;
	const checkpoint = within('checkpoint', () => openCheckpoint(note, { keys, origin, quorum }));
	if (known !== undefined) assertReaches(checkpoint, known.size, 'known');
	const archive = await archiveOf(source, checkpoint, { keys: logKeys, origin, all: options.allArchived === true });
	const streams = streamsOf();
	await verifyEntries(source, checkpoint, { marks: marksOf(known, archive), streams });
	return {
		checkpoint,
		streams: streams.count(),
		...(known === undefined ? {} : { known: known.size }),
		archived: archive.sizes.length,
		archivedInAll: archive.total,
	};
}

/** The origin that is asked for; without one, the name that all keys of the log share. */
export function originOf({ keys, origin }: Pick<LogOptions, 'keys' | 'origin'>): string {
	const names = new Set(keys.filter((k) => k.algorithm === ED25519).map((k) => k.name));
	const [name] = names;
	if (name === undefined) throw new CannotVerify('no key of the log was given');
	if (origin !== undefined) return origin;
	if (names.size > 1) throw new CannotVerify('keys of several names were given: the origin must be named');
	return name;
}

function openKnown(note: string | Uint8Array, trust: Trust): Checkpoint {
	try {
		return openCheckpoint(note, trust);
	} catch (cause) {
		const why = cause instanceof Error ? cause.message : 'unreadable';
		throw new CannotVerify(`the known checkpoint is of no use: ${why}`, { cause });
	}
}

type Held = { readonly marks: Marks; readonly streams: Streams };

async function verifyEntries(source: Source, checkpoint: Checkpoint, { marks, streams }: Held): Promise<void> {
	const objects = objectsOf(source, checkpoint.size);
	const whole = tower();
	let index = 0;
	for await (const { bundle, tile } of readAhead(objects, source.ahead)) {
		const leaves = bundle.entries.map(leafHash);
		if (bundle.rest !== 'none' || !same(tile.hashes, leaves)) {
			return diagnose(objects, checkpoint, { level: 0, index });
		}
		await marks.pass(index * FULL, leaves, whole);
		streams.take(index * FULL, bundle.entries, leaves);
		for (const made of whole.push(leaves)) {
			if (made.level === 0) continue;
			const stored = await objects.tile(made.level, made.index);
			if (!same(stored.hashes, made.hashes)) return diagnose(objects, checkpoint, made);
		}
		index += 1;
	}
	for (const made of whole.partial().filter(({ level }) => level > 0)) {
		const stored = await objects.tile(made.level, made.index);
		if (!same(stored.hashes, made.hashes)) return diagnose(objects, checkpoint, made);
	}
	if (!sameBytes(whole.root(), checkpoint.root)) return diagnose(objects, checkpoint);
	await marks.pass(checkpoint.size, [], whole);
	// Both speak of entries that are those that were signed.
	marks.settle();
	streams.settle();
}
