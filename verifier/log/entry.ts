/**
 * What a verifier reads of an entry: which version of which stream it is, and the leaf of the version before.
 *
 * An entry is I-JSON in the bytes of RFC 8785. Bytes that two readers could understand differently (a member twice,
 * a byte order mark, an escape that need not be) are not an entry.
 */
import { decodeUtf8 } from '../encoding.ts';
import { Unverified } from '../error.ts';
import { quickVersionOf } from './quick.ts';

export type Version = { readonly stream: string; readonly ver: number; readonly prev: string | undefined };

/** Deeper ones are not read: they would exhaust the stack of this reader or the next. */
export const MAX_DEPTH = 64;

export function versionOf(bytes: Uint8Array): Version {
	return quickVersionOf(bytes) ?? thoroughly(bytes);
}

function thoroughly(bytes: Uint8Array): Version {
	const text = decodeUtf8(bytes, 'the entry');
	const value = parsed(text);
	if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Unverified('it is no JSON object');
	if (!isCanonical(value, text)) throw new Unverified('it is not canonical JSON');
	const { stream, ver, prev } = value as Record<string, unknown>;
	if (typeof stream !== 'string' || stream === '') throw new Unverified('it names no stream');
	if (typeof ver !== 'number' || !Number.isSafeInteger(ver) || ver < 1) throw new Unverified('it has no version');
	if (prev !== undefined && (typeof prev !== 'string' || !/^[0-9a-f]{64}$/.test(prev))) {
		throw new Unverified('it does not name a leaf as the version before');
	}
	return { stream, ver, prev };
}

function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch (cause) {
		throw new Unverified('it is not JSON', undefined, { cause });
	}
}

/** Most texts come back from this engine as they were; the few others are written member by member. */
function isCanonical(value: object, text: string): boolean {
	const comesBack = isOrdered(value, 0) && !text.includes('\\ud');
	return (comesBack ? JSON.stringify(value) : canonical(value, 0)) === text;
}

/** Whether this engine writes the members in their order, and nothing but text and safe integers. */
function isOrdered(value: unknown, depth: number): boolean {
	if (typeof value === 'number') return Number.isSafeInteger(value);
	if (typeof value !== 'object' || value === null) return true;
	if (depth === MAX_DEPTH) return false;
	if (Array.isArray(value)) {
		for (const item of value) if (!isOrdered(item, depth + 1)) return false;
		return true;
	}
	let last = '';
	for (const name in value) {
		if (name < last || !isOrdered((value as Record<string, unknown>)[name], depth + 1)) return false;
		last = name;
	}
	return true;
}

/** RFC 8785 without fractions: members by their UTF-16 code units, which is how strings compare here. */
function canonical(value: unknown, depth: number): string {
	if (depth > MAX_DEPTH) throw new Unverified('it is nested too deeply');
	if (typeof value === 'string') {
		if (!value.isWellFormed()) throw new Unverified('it holds half of a surrogate pair');
		return JSON.stringify(value);
	}
	if (typeof value === 'number' && !Number.isSafeInteger(value)) {
		throw new Unverified('it holds a number that is no safe integer');
	}
	if (typeof value !== 'object' || value === null) return JSON.stringify(value);
	if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`;
	const object = value as Record<string, unknown>;
	const members = Object.keys(object).toSorted(byCodeUnits);
	return `{${members.map((name) => `${canonical(name, depth)}:${canonical(object[name], depth + 1)}`).join(',')}}`;
}

const byCodeUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
