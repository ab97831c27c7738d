/**
 * Text forms of numbers and bytes, one form each: what two readers could take for the same value, or for two values,
 * is refused. Base64 is RFC 4648 section 4 with padding and without stray bits; numbers are ASCII decimals without
 * sign or leading zeros up to 2^53 - 1; text is well-formed UTF-8 whose bytes are all kept, a byte order mark too.
 */
import { Unverified } from './error.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function decodeUtf8(bytes: Uint8Array, what: string): string {
	try {
		return decoder.decode(bytes);
	} catch (cause) {
		throw new Unverified(`${what} is not UTF-8`, undefined, { cause });
	}
}

/** A text given as text or as bytes, of at most `most` bytes. */
export function textOf(input: string | Uint8Array, most: number, what: string): string {
	const long = () => new Unverified(`${what} is longer than ${most} bytes`);
	if (typeof input !== 'string') {
		if (input.length > most) throw long();
		return decodeUtf8(input, what);
	}
	if (input.length > most || Buffer.byteLength(input) > most) throw long();
	if (!input.isWellFormed()) throw new Unverified(`${what} is not well-formed Unicode`);
	return input;
}

/** Whether a text holds an ASCII control character, newlines too. */
export function holdsControl(text: string): boolean {
	for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 0x20) return true;
	return false;
}

export function decodeBase64(text: string, what: string): Uint8Array {
	const bytes = Buffer.from(text, 'base64');
	// Buffer skips what it does not know; only the one canonical form comes back the same.
	if (bytes.toString('base64') !== text) throw new Unverified(`${what} is not canonical base64`);
	return new Uint8Array(bytes);
}

export function encodeBase64(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

export function hexOf(bytes: Uint8Array): string {
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

export function parseDecimal(text: string, what: string): number {
	if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) throw new Unverified(`${what} is not a decimal number`);
	return safeInteger(Number(text), what);
}

/** The number, if it counts something: an integer of 0 to 2^53 - 1. */
export function safeInteger(value: number, what: string): number {
	if (!Number.isSafeInteger(value) || value < 0) throw new Unverified(`${what} is not an integer of 0 to 2^53 - 1`);
	return value;
}

/** Whether two byte strings are the same. Nothing here is secret, so time may tell. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && Buffer.compare(a, b) === 0;
}
