/**
 * Signed notes and verifier keys (C2SP signed-note), with Ed25519 signatures (type 0x01) and timestamped Ed25519
 * cosignatures (type 0x04, C2SP tlog-cosignature).
 *
 * Nothing in a note counts until `verifyNote` has returned its text.
 */
import { createHash } from 'node:crypto';
import { assertPublicKey, ed25519Verifies, PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from './ed25519.ts';
import { decodeBase64, encodeBase64, holdsControl, safeInteger, textOf } from './encoding.ts';
import { CannotVerify, Unverified } from './error.ts';

/** Room for many signatures of 5 kB each, which is what post-quantum ones take. */
export const MAX_NOTE_BYTES = 256 * 1024;
/** The specification asks for 16 at least. */
const MAX_SIGNATURES = 64;
const MAX_NAME_BYTES = 1024;
const ID_BYTES = 4;

/** Signature types: by a log over the text, and by a witness over the text and a time. */
export const ED25519 = 0x01;
export const COSIGNATURE = 0x04;
export type Algorithm = typeof ED25519 | typeof COSIGNATURE;

export type VerifierKey = {
	readonly name: string;
	readonly id: number;
	readonly algorithm: Algorithm;
	readonly publicKey: Uint8Array;
};

export type NoteSignature = { readonly name: string; readonly id: number; readonly signature: Uint8Array };

/** `text` ends in a newline and is what was signed. */
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] };

function assertName(name: string): void {
	if (name === '' || /[\p{White_Space}+]/u.test(name) || holdsControl(name) || !name.isWellFormed()) {
		throw new Unverified('the name of a key is empty or holds a space, a control character or a plus');
	}
	if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw new Unverified('the name of a key is too long');
}

/** SHA-256(name || 0x0A || type || public key), the first four bytes. */
function keyId(name: string, algorithm: Algorithm, publicKey: Uint8Array): number {
	const hash = createHash('sha256').update(`${name}\n`).update(Uint8Array.of(algorithm)).update(publicKey).digest();
	return hash.readUInt32BE(0);
}

/** Writes a verifier key: `<name>+<key id>+<base64 of type and key>`. */
export function vkeyOf(name: string, publicKey: Uint8Array, algorithm: Algorithm = ED25519): string {
	assertName(name);
	assertPublicKey(publicKey);
	const id = keyId(name, algorithm, publicKey)
		.toString(16)
		.padStart(2 * ID_BYTES, '0');
	return `${name}+${id}+${encodeBase64(Uint8Array.of(algorithm, ...publicKey))}`;
}

/**
 * Reads a verifier key. Throws `Unverified` on one that is malformed or nobody can hold, `CannotVerify` on one of a type
 * that is not read here.
 */
export function verifierKey(vkey: string): VerifierKey {
	const [, name = '', id = '', encoded = ''] = /^([^+]*)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{1,4096})$/u.exec(vkey) ?? [];
	if (encoded === '') throw new Unverified('not a verifier key: <name>+<key id>+<key> is one');
	assertName(name);
	const [algorithm, ...rest] = decodeBase64(encoded, 'the verifier key');
	if (algorithm !== ED25519 && algorithm !== COSIGNATURE) {
		throw new CannotVerify(`the key of ${name} is of type ${algorithm}; only Ed25519 (1 and 4) is read here`);
	}
	if (rest.length !== PUBLIC_KEY_BYTES) throw new Unverified(`the key of ${name} has ${rest.length} bytes`);
	const publicKey = Uint8Array.from(rest);
	assertPublicKey(publicKey);
	const key: VerifierKey = { name, id: Number.parseInt(id, 16), algorithm, publicKey };
	if (key.id !== keyId(name, algorithm, publicKey))
		throw new Unverified(`the id ${id} is not that of the key of ${name}`);
	return key;
}

/** Writes the signature line of a note, with its newline. For a cosignature, `signature` begins with its time. */
export function signatureLine(name: string, id: number, signature: Uint8Array): string {
	assertName(name);
	const bytes = Buffer.alloc(ID_BYTES + signature.length);
	bytes.writeUInt32BE(id);
	bytes.set(signature, ID_BYTES);
	return `— ${name} ${encodeBase64(bytes)}\n`;
}

/** Takes a note apart. The signatures are not looked at yet. */
export function parseNote(note: string | Uint8Array): Note {
	const whole = textOf(note, MAX_NOTE_BYTES, 'the note');
	if (holdsControl(whole.replaceAll('\n', ''))) throw new Unverified('the note holds a control character');
	const split = whole.lastIndexOf('\n\n');
	if (split === -1 || !whole.endsWith('\n')) throw new Unverified('not a signed note');
	const lines = whole
		.slice(split + 2)
		.split('\n')
		.slice(0, -1);
	if (lines.length === 0) throw new Unverified('the note has no signature');
	if (lines.length > MAX_SIGNATURES) throw new Unverified(`the note has more than ${MAX_SIGNATURES} signatures`);
	return { text: whole.slice(0, split + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string): NoteSignature {
	const [, name = '', encoded = ''] = /^— ([^ ]+) ([^ ]+)$/u.exec(line) ?? [];
	assertName(name);
	const bytes = Buffer.from(decodeBase64(encoded, 'a signature of the note'));
	if (bytes.length <= ID_BYTES) throw new Unverified('a signature of the note is too short');
	return { name, id: bytes.readUInt32BE(0), signature: new Uint8Array(bytes.subarray(ID_BYTES)) };
}

/** A key that signed; a witness says when (seconds since the epoch). */
export type Signed = { readonly key: VerifierKey; readonly time?: number };
export type VerifiedNote = { readonly text: string; readonly signedBy: readonly Signed[] };

/**
 * The text of a note that one of the keys signed at least, and which of them did, each once. Signatures of other keys
 * say nothing; a wrong one of a key that is known, the second one of a key too, fails the note.
 */
export function verifyNote(note: string | Uint8Array, keys: readonly VerifierKey[]): VerifiedNote {
	const { text, signatures } = parseNote(note);
	const signedBy = new Map<VerifierKey, Signed>();
	for (const { name, id, signature } of signatures) {
		for (const key of keys.filter((k) => k.name === name && k.id === id)) {
			const signed = verifySignature(text, key, signature);
			// Of two cosignatures the later one says more.
			if ((signed.time ?? 0) >= (signedBy.get(key)?.time ?? 0)) signedBy.set(key, signed);
		}
	}
	if (signedBy.size === 0) throw new Unverified('no key that was given signed the note');
	return { text, signedBy: [...signedBy.values()] };
}

function verifySignature(text: string, key: VerifierKey, signature: Uint8Array): Signed {
	const wrong = () => new Unverified(`the signature of ${key.name} is wrong`);
	if (key.algorithm === ED25519) {
		if (!ed25519Verifies(key.publicKey, Buffer.from(text), signature)) throw wrong();
		return { key };
	}
	if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) throw wrong();
	const time = safeInteger(
		Number(Buffer.from(signature).readBigUInt64BE(0)),
		`the time of the cosignature of ${key.name}`,
	);
	const message = cosignedMessage(text, time);
	if (!ed25519Verifies(key.publicKey, message, signature.subarray(TIME_BYTES))) throw wrong();
	return { key, time };
}

const TIME_BYTES = 8;

/** What a witness signs for the text of a checkpoint (C2SP tlog-cosignature). */
export function cosignedMessage(text: string, time: number): Uint8Array {
	return new TextEncoder().encode(`cosignature/v1\ntime ${safeInteger(time, 'the time')}\n${text}`);
}
