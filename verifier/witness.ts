/**
 * What a log and a witness say to each other (C2SP tlog-witness, `add-checkpoint`), as text: the request, its answers,
 * and the line of a cosignature (C2SP tlog-cosignature, Ed25519).
 *
 * Either side may be hostile to the other: both readers throw `Unverified`, and nothing else, on whatever they are given.
 */
import { decodeBase64, encodeBase64, parseDecimal, safeInteger, textOf } from './encoding.ts';
import { Unverified } from './error.ts';
import { HASH_BYTES } from './merkle.ts';
import { cosignedMessage, MAX_NOTE_BYTES, parseNote, signatureLine, type VerifierKey, verifyNote } from './note.ts';

export const ADD_CHECKPOINT = 'add-checkpoint';
/** The type of the answer 409, which is a size. */
export const SIZE_TYPE = 'text/x.tlog.size';

/** Nobody may send more lines of a proof. */
const MAX_PROOF = 63;
/** A hash is a line of 45 bytes. */
export const MAX_REQUEST_BYTES = MAX_NOTE_BYTES + 4096;
/** Room for the answers of a witness with some keys, of which one may be post-quantum. */
export const MAX_ANSWER_BYTES = 64 * 1024;

export type AddCheckpoint = {
	/** Size of the tree that the witness cosigned last. */
	readonly old: number;
	/** Consistency proof from there. */
	readonly proof: readonly Uint8Array[];
	/** The checkpoint as a signed note. */
	readonly note: string;
};

export function formatAddCheckpoint({ old, proof, note }: AddCheckpoint): string {
	if (proof.length > MAX_PROOF) throw new Unverified('the consistency proof is too long');
	return `${[`old ${safeInteger(old, 'the old size')}`, ...proof.map(encodeBase64)].join('\n')}\n\n${note}`;
}

/** Reads a request. Nothing of it is verified yet. */
export function parseAddCheckpoint(body: string | Uint8Array): AddCheckpoint {
	const text = textOf(body, MAX_REQUEST_BYTES, 'the request');
	const end = text.indexOf('\n\n');
	if (end === -1) throw new Unverified('the request holds no checkpoint');
	const [first = '', ...lines] = text.slice(0, end).split('\n');
	if (!first.startsWith('old ')) throw new Unverified('the request does not begin with an old size');
	if (lines.length > MAX_PROOF) throw new Unverified('the consistency proof is too long');
	const old = parseDecimal(first.slice('old '.length), 'the old size');
	return { old, proof: lines.map(parseHash), note: text.slice(end + 2) };
}

function parseHash(line: string): Uint8Array {
	const hash = decodeBase64(line, 'a hash of the proof');
	if (hash.length !== HASH_BYTES) throw new Unverified(`a hash of the proof has ${hash.length} bytes`);
	return hash;
}

/** The answer 409: the size of what the witness cosigned last. */
export const formatSize = (size: number): string => `${safeInteger(size, 'the size')}\n`;

export function parseSize(body: string): number {
	if (!body.endsWith('\n')) throw new Unverified('the size does not end in a newline');
	return parseDecimal(body.slice(0, -1), 'the size');
}

const TIME_BYTES = 8;

/** The line by which a witness cosigns the text of a checkpoint at a time, in seconds since the epoch. */
export async function cosignatureLine(
	key: VerifierKey,
	{ text, time }: { readonly text: string; readonly time: number },
	sign: (message: Uint8Array) => Promise<Uint8Array>,
): Promise<string> {
	const signature = await sign(cosignedMessage(text, time));
	const bytes = Buffer.alloc(TIME_BYTES + signature.length);
	bytes.writeBigUInt64BE(BigInt(time));
	bytes.set(signature, TIME_BYTES);
	return signatureLine(key.name, key.id, bytes);
}

export type Cosignature = { readonly line: string; readonly time: number };

/**
 * The cosignature of this key, of all that a witness answered for the text of a checkpoint; the latest, if there are some.
 * Lines of other keys say nothing. It must have a time (tlog-witness, "The cosignature MUST NOT omit the timestamp").
 */
export function cosignatureIn(answer: string | Uint8Array, text: string, key: VerifierKey): Cosignature {
	const lines = textOf(answer, MAX_ANSWER_BYTES, 'the answer of the witness');
	const note = parseNote(`${text}\n${lines}`);
	// Lines with an empty one among them would make another text of it.
	if (note.text !== text) throw new Unverified('the answer of the witness is no list of signatures');
	let latest: Cosignature | null = null;
	for (const { name, id, signature } of note.signatures.filter((s) => s.name === key.name && s.id === key.id)) {
		const line = signatureLine(name, id, signature);
		const time = verifyNote(`${text}\n${line}`, [key]).signedBy[0]?.time ?? 0;
		if (time > (latest?.time ?? 0)) latest = { line, time };
	}
	if (latest === null) throw new Unverified(`${key.name} did not cosign the checkpoint`);
	return latest;
}
