/**
 * One ledger entry: a flat envelope, made once into RFC 8785 bytes and never serialised again.
 *
 * `leaf = SHA-256(0x00 || bytes)` (RFC 6962 section 2.1), `prev` is the leaf of the stream's previous version.
 * The bytes are I-JSON without fractions: what a verifier in any language reads back is what was hashed.
 * People appear by pseudonym; names, free text and literals live in the payload whose salted hash is `piiHash`.
 */
import { createHash } from 'node:crypto';
import canonicalizeJson from 'canonicalize';
import * as z from 'zod';
import { MAX_DEPTH } from '#verifier/log/entry.ts';
import { BrokerError } from '../error.ts';
import { idOf } from '../id.ts';
import { isKnown, type Upcasts } from './upcast.ts';

/** C2SP tlog-tiles frames an entry with a 16-bit length; some room is left for later members. */
export const MAX_ENTRY_BYTES = 60 * 1024;

export const Hash = z.string().regex(/^[0-9a-f]{64}$/);

export const Envelope = z.looseObject({
	/** Version of the schema of its type (upcast.ts). */
	v: z.int().min(1),
	type: z.string(),
	stream: z.string(),
	ver: z.int().min(1),
	id: idOf('entry'),
	at: z.iso.datetime({ precision: 3 }),
	actor: z.string(),
	trace: z.string(),
	piiHash: Hash.optional(),
	prev: Hash.optional(),
});
export type Envelope = z.infer<typeof Envelope>;

export type Entry = Envelope & { readonly [member: string]: unknown };

/** An entry as it lies in the store: the bytes are the truth, `leaf` is hex. */
export type Sealable = { readonly entry: Entry; readonly bytes: Uint8Array; readonly leaf: string };

/** RFC 8785 bytes of an I-JSON value. Throws on what two readers could understand differently, or not read at all. */
export function canonicalBytes(value: unknown): Uint8Array {
	assertIJson(value, '', 0);
	const text = canonicalizeJson(value);
	if (text === undefined) throw new TypeError('nothing to canonicalise');
	return new TextEncoder().encode(text);
}

function assertIJson(value: unknown, path: string, depth: number): void {
	if (depth > MAX_DEPTH) throw refused(path, `is nested more than ${MAX_DEPTH} deep`, 'A value is nested too deeply.');
	if (typeof value === 'string') {
		if (!value.isWellFormed()) throw illFormed(path);
	} else if (typeof value === 'number') {
		if (!Number.isSafeInteger(value)) throw new TypeError(`not a safe integer at ${path}`);
	} else if (Array.isArray(value)) {
		for (const [i, item] of value.entries()) assertIJson(item, `${path}/${i}`, depth + 1);
	} else if (typeof value === 'object' && value !== null) {
		for (const [key, item] of Object.entries(value)) {
			if (!key.isWellFormed()) throw illFormed(path);
			if (item !== undefined) assertIJson(item, `${path}/${key}`, depth + 1);
		}
	} else if (value !== null && typeof value !== 'boolean') {
		throw new TypeError(`not JSON at ${path}`);
	}
}

const illFormed = (path: string) =>
	refused(path, 'holds half of a surrogate pair', 'A text is not well-formed Unicode.');

const refused = (pointer: string, detail: string, what: string) =>
	new BrokerError('validation', what, { errors: [{ pointer, detail }] });

/** RFC 6962 leaf hash, hex. */
export function leafHash(bytes: Uint8Array): string {
	return createHash('sha256').update(Uint8Array.of(0)).update(bytes).digest('hex');
}

export function sha256(data: Uint8Array | string): string {
	return createHash('sha256').update(data).digest('hex');
}

/** Hash of an erasable payload: `SHA-256(salt || JCS(pii))`, of the bytes as they are kept. */
export function payloadHash(salt: Uint8Array, bytes: Uint8Array): string {
	return createHash('sha256').update(salt).update(bytes).digest('hex');
}

/** Makes the bytes and the leaf. Throws `too-large` unless `reserve` bytes below {@link MAX_ENTRY_BYTES} stay free. */
export function seal(entry: Entry, reserve = 0): Sealable {
	const bytes = canonicalBytes(entry);
	const most = MAX_ENTRY_BYTES - reserve;
	if (bytes.length > most) {
		throw new BrokerError('too-large', `The record would take ${bytes.length} bytes; at most ${most} fit.`);
	}
	return { entry, bytes, leaf: leafHash(bytes) };
}

/** Reads stored bytes back. Throws `record-corrupt` on anything that is not exactly one envelope of a known version. */
export function open(bytes: Uint8Array, known?: Upcasts): Sealable {
	try {
		const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
		const entry = Envelope.parse(JSON.parse(text)) as Entry;
		if (!isKnown(entry, known)) throw new Error(`${entry.type} has no version ${entry.v} here`);
		return { entry, bytes, leaf: leafHash(bytes) };
	} catch (cause) {
		throw new BrokerError('record-corrupt', 'A ledger entry cannot be read.', {}, { cause });
	}
}
