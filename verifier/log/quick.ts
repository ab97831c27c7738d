/**
 * Entries as nearly all of them are, read in one pass over their bytes: ASCII without escapes, integers of up to 15 digits,
 * not deep. What is read here is canonical JSON (RFC 8785) by the grammar below; of anything else, right or wrong, nothing is
 * said, and the long way decides.
 */
import type { Version } from './entry.ts';

const [QUOTE, BACKSLASH, COMMA, COLON, MINUS, ZERO, NINE] = [0x22, 0x5c, 0x2c, 0x3a, 0x2d, 0x30, 0x39];
const [OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];
const MAX_DEPTH = 16;
const MAX_DIGITS = 15;
/** Said of what is not read here. */
const NO = -1;

const latin = (bytes: Uint8Array, from: number, to: number) =>
	Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');

/** Null where the long way must decide. */
export function quickVersionOf(bytes: Uint8Array): Version | null {
	if (bytes[0] !== OPEN) return null;
	let stream = '';
	let ver = 0;
	let prev: string | undefined;
	let at = 1;
	let [keyFrom, keyTo] = [0, 0];
	for (;;) {
		const from = at;
		const to = stringEnd(bytes, at);
		if (to === NO || bytes[to + 1] !== COLON) return null;
		if (keyTo !== 0 && !isBefore(bytes, keyFrom, keyTo, from + 1, to)) return null;
		[keyFrom, keyTo] = [from + 1, to];
		const value = to + 2;
		at = valueEnd(bytes, value, 1);
		if (at === NO) return null;
		// Names of other members are of no interest; none of these three has another length.
		if (keyTo - keyFrom <= 6) {
			const name = latin(bytes, keyFrom, keyTo);
			if (name === 'stream') {
				if (bytes[value] !== QUOTE) return null;
				stream = latin(bytes, value + 1, at - 1);
			} else if (name === 'ver') {
				ver = Number(latin(bytes, value, at));
			} else if (name === 'prev') {
				if (bytes[value] !== QUOTE) return null;
				prev = latin(bytes, value + 1, at - 1);
			}
		}
		if (bytes[at] !== COMMA) break;
		at += 1;
	}
	if (bytes[at] !== CLOSE || at + 1 !== bytes.length) return null;
	if (stream === '' || !Number.isSafeInteger(ver) || ver < 1) return null;
	return prev === undefined || /^[0-9a-f]{64}$/.test(prev) ? { stream, ver, prev } : null;
}

/** Where the string that begins here has its closing quote. */
function stringEnd(bytes: Uint8Array, at: number): number {
	if (bytes[at] !== QUOTE) return NO;
	for (let i = at + 1; i < bytes.length; i++) {
		const byte = bytes[i] as number;
		if (byte === QUOTE) return i;
		if (byte < 0x20 || byte > 0x7e || byte === BACKSLASH) return NO;
	}
	return NO;
}

/** Whether the first name comes before the second one. */
function isBefore(bytes: Uint8Array, from: number, to: number, from2: number, to2: number): boolean {
	const both = Math.min(to - from, to2 - from2);
	for (let i = 0; i < both; i++) {
		const difference = (bytes[from + i] as number) - (bytes[from2 + i] as number);
		if (difference !== 0) return difference < 0;
	}
	return to - from < to2 - from2;
}

/** What follows the value that begins here. */
function valueEnd(bytes: Uint8Array, at: number, depth: number): number {
	const byte = bytes[at];
	if (byte === QUOTE) {
		const end = stringEnd(bytes, at);
		return end === NO ? NO : end + 1;
	}
	if (byte === OPEN) return depth === MAX_DEPTH ? NO : objectEnd(bytes, at + 1, depth + 1);
	if (byte === OPEN_LIST) return depth === MAX_DEPTH ? NO : listEnd(bytes, at + 1, depth + 1);
	if (byte === 0x74) return wordEnd(bytes, at, 'true');
	if (byte === 0x66) return wordEnd(bytes, at, 'false');
	if (byte === 0x6e) return wordEnd(bytes, at, 'null');
	return integerEnd(bytes, at);
}

function wordEnd(bytes: Uint8Array, at: number, word: string): number {
	for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return NO;
	return at + word.length;
}

/** No zero comes first but alone, and none is below zero. What is no integer goes on where nothing may. */
function integerEnd(bytes: Uint8Array, at: number): number {
	const first = bytes[at] === MINUS ? at + 1 : at;
	let end = first;
	while ((bytes[end] ?? 0) >= ZERO && (bytes[end] ?? 0) <= NINE) end += 1;
	const digits = end - first;
	if (digits === 0 || digits > MAX_DIGITS) return NO;
	return bytes[first] === ZERO && (digits > 1 || first > at) ? NO : end;
}

function listEnd(bytes: Uint8Array, start: number, depth: number): number {
	let at = start;
	if (bytes[at] === CLOSE_LIST) return at + 1;
	for (;;) {
		at = valueEnd(bytes, at, depth);
		if (at === NO) return NO;
		if (bytes[at] === CLOSE_LIST) return at + 1;
		if (bytes[at] !== COMMA) return NO;
		at += 1;
	}
}

function objectEnd(bytes: Uint8Array, start: number, depth: number): number {
	let at = start;
	if (bytes[at] === CLOSE) return at + 1;
	let [keyFrom, keyTo] = [0, 0];
	for (;;) {
		const from = at + 1;
		const to = stringEnd(bytes, at);
		if (to === NO || bytes[to + 1] !== COLON) return NO;
		if (keyTo !== 0 && !isBefore(bytes, keyFrom, keyTo, from, to)) return NO;
		[keyFrom, keyTo] = [from, to];
		at = valueEnd(bytes, to + 2, depth);
		if (at === NO) return NO;
		if (bytes[at] === CLOSE) return at + 1;
		if (bytes[at] !== COMMA) return NO;
		at += 1;
	}
}
