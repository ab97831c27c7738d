/**
 * Checkpoints (C2SP tlog-checkpoint): the head of a log as the text of a signed note.
 */
import { decodeBase64, encodeBase64, hexOf, holdsControl, parseDecimal, safeInteger, textOf } from './encoding.ts';
import { Unverified } from './error.ts';
import { HASH_BYTES, type Head } from './merkle.ts';
import { COSIGNATURE, ED25519, type Signed, type VerifierKey, verifyNote } from './note.ts';

const MAX_TEXT_BYTES = 16 * 1024;
const MAX_EXTENSIONS = 64;

export type Checkpoint = Head & {
	/** The log that issued it. */
	readonly origin: string;
	/** Lines that say nothing here. */
	readonly extensions: readonly string[];
};

/** Reads the text of a checkpoint, without its signatures: see {@link openCheckpoint}. */
export function parseCheckpoint(text: string | Uint8Array): Checkpoint {
	const lines = textOf(text, MAX_TEXT_BYTES, 'the checkpoint').split('\n');
	if (lines.pop() !== '') throw new Unverified('the checkpoint does not end in a newline');
	const [origin, size, root, ...extensions] = lines;
	if (origin === undefined || size === undefined || root === undefined) {
		throw new Unverified('a checkpoint has three lines at least');
	}
	if (origin === '' || extensions.includes('')) throw new Unverified('a line of the checkpoint is empty');
	if (lines.some(holdsControl)) throw new Unverified('the checkpoint holds a control character');
	if (extensions.length > MAX_EXTENSIONS) throw new Unverified('the checkpoint has too many extension lines');
	const hash = decodeBase64(root, 'the root hash of the checkpoint');
	if (hash.length !== HASH_BYTES) throw new Unverified(`the root hash of the checkpoint has ${hash.length} bytes`);
	return { origin, size: parseDecimal(size, 'the size of the checkpoint'), root: hash, extensions };
}

/** Writes the text of a checkpoint, to be signed. */
export function formatCheckpoint(checkpoint: Omit<Checkpoint, 'extensions'> & Partial<Checkpoint>): string {
	const { origin, size, root, extensions = [] } = checkpoint;
	const text = `${[origin, safeInteger(size, 'the size'), encodeBase64(root), ...extensions].join('\n')}\n`;
	const read = parseCheckpoint(text);
	if (read.origin !== origin || read.extensions.length !== extensions.length) {
		throw new Unverified('a line of the checkpoint holds a newline');
	}
	return text;
}

export type SignedCheckpoint = Checkpoint & { readonly signedBy: readonly Signed[] };

/** Whom a reader believes. */
export type Trust = {
	/** Of the log (type 1), and of witnesses (type 4). */
	readonly keys: readonly VerifierKey[];
	readonly origin: string;
	/** How many of the witnesses must have cosigned; all of them unless given. */
	readonly quorum?: number | undefined;
};

/**
 * Reads a signed checkpoint. Of the keys that are given, a log's must have signed it, and enough of the witnesses' must
 * have cosigned it; its origin must be the one that is asked for.
 */
export function openCheckpoint(note: string | Uint8Array, { keys, origin, quorum }: Trust): SignedCheckpoint {
	const { text, signedBy } = verifyNote(note, keys);
	const checkpoint = parseCheckpoint(text);
	if (checkpoint.origin !== origin) {
		throw new Unverified(`the checkpoint is of the log ${checkpoint.origin}, not of ${origin}`);
	}
	if (!signedBy.some(({ key }) => key.algorithm === ED25519))
		throw new Unverified('no key of the log signed the checkpoint');
	assertCosigned(keys, signedBy, quorum);
	return { ...checkpoint, signedBy };
}

/** The witnesses among the keys, by their public keys: one under two names is one, and the log itself is none. */
export function witnessesIn(keys: readonly VerifierKey[]): ReadonlyMap<string, string> {
	const own = new Set(keys.filter((k) => k.algorithm === ED25519).map((k) => hexOf(k.publicKey)));
	const theirs = keys.filter((k) => k.algorithm === COSIGNATURE && !own.has(hexOf(k.publicKey)));
	return new Map(theirs.map((k) => [hexOf(k.publicKey), k.name]));
}

/** A cosignature without a time says nothing of what its witness saw (C2SP tlog-witness). */
function assertCosigned(keys: readonly VerifierKey[], signedBy: readonly Signed[], quorum: number | undefined): void {
	const named = witnessesIn(keys);
	const timed = signedBy.filter(({ key, time = 0 }) => key.algorithm === COSIGNATURE && time > 0);
	const cosigned = new Set(timed.map(({ key }) => hexOf(key.publicKey)).filter((key) => named.has(key)));
	if (cosigned.size >= (quorum ?? named.size)) return;
	if (quorum !== undefined) {
		throw new Unverified(`${cosigned.size} of the witnesses cosigned the checkpoint; ${quorum} are asked for`);
	}
	const [, absent] = [...named].find(([key]) => !cosigned.has(key)) ?? [];
	throw new Unverified(`the witness ${absent} did not cosign the checkpoint`);
}
