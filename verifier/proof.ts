/**
 * Offline proofs that an entry is in a log (C2SP tlog-proof@v1): its index, its inclusion proof and the checkpoint.
 */
import { openCheckpoint, type SignedCheckpoint, type Trust } from './checkpoint.ts';
import { decodeBase64, encodeBase64, parseDecimal, safeInteger, textOf } from './encoding.ts';
import { Unverified } from './error.ts';
import { HASH_BYTES, leafHash, verifyInclusion } from './merkle.ts';
import { MAX_NOTE_BYTES } from './note.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';
const MAX_EXTRA_BYTES = 64 * 1024;
/** A tree of 2^53 entries is 53 levels high. */
const MAX_HASHES = 53;
export const MAX_PROOF_BYTES = MAX_NOTE_BYTES + 2 * MAX_EXTRA_BYTES + 4096;

export type Proof = {
	readonly index: number;
	/** From the leaf's sibling up to the root's child. */
	readonly hashes: readonly Uint8Array[];
	/** The signed note. */
	readonly checkpoint: string;
	/** Nobody vouches for it. */
	readonly extra?: Uint8Array;
};

export function formatProof({ index, hashes, checkpoint, extra }: Proof): string {
	const lines = [
		HEADER,
		...(extra === undefined ? [] : [`extra ${encodeBase64(extra)}`]),
		`index ${safeInteger(index, 'the index')}`,
		...hashes.map(encodeBase64),
	];
	const text = `${lines.join('\n')}\n\n${checkpoint}`;
	parseProof(text);
	return text;
}

/** Reads a proof. Nothing of it is verified yet. */
export function parseProof(proof: string | Uint8Array): Proof {
	const text = textOf(proof, MAX_PROOF_BYTES, 'the proof');
	const end = text.indexOf('\n\n');
	if (end === -1) throw new Unverified('the proof holds no checkpoint');
	const [header, ...lines] = text.slice(0, end).split('\n');
	if (header !== HEADER) throw new Unverified(`the proof does not begin with ${HEADER}`);
	const extra = valueOf('extra', lines[0]);
	if (extra !== undefined) lines.shift();
	const index = valueOf('index', lines.shift());
	if (index === undefined) throw new Unverified('the proof has no index');
	if (lines.length > MAX_HASHES) throw new Unverified('the proof has too many hashes');
	return {
		index: parseDecimal(index, 'the index of the proof'),
		hashes: lines.map(parseHash),
		checkpoint: text.slice(end + 2),
		...(extra === undefined ? {} : { extra: parseExtra(extra) }),
	};
}

function valueOf(name: string, line: string | undefined): string | undefined {
	return line?.startsWith(`${name} `) === true ? line.slice(name.length + 1) : undefined;
}

function parseHash(line: string): Uint8Array {
	const hash = decodeBase64(line, 'a hash of the proof');
	if (hash.length !== HASH_BYTES) throw new Unverified(`a hash of the proof has ${hash.length} bytes`);
	return hash;
}

function parseExtra(text: string): Uint8Array {
	const extra = decodeBase64(text, 'the extra data of the proof');
	if (extra.length > MAX_EXTRA_BYTES) throw new Unverified('the extra data of the proof is too long');
	return extra;
}

export type VerifiedProof = { readonly index: number; readonly checkpoint: SignedCheckpoint };

/**
 * Throws `Unverified` unless the proof shows the entry (its bytes, or its hash as a leaf) in the log of this origin,
 * at a checkpoint that {@link openCheckpoint} takes.
 */
export function verifyProof(
	proof: string | Uint8Array,
	entry: Uint8Array | { readonly leaf: Uint8Array },
	trust: Trust,
): VerifiedProof {
	const { index, hashes, checkpoint: note } = parseProof(proof);
	const checkpoint = openCheckpoint(note, trust);
	const leaf = entry instanceof Uint8Array ? leafHash(entry) : entry.leaf;
	verifyInclusion({ index, size: checkpoint.size, root: checkpoint.root, leaf, proof: hashes });
	return { index, checkpoint };
}
