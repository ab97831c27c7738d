/**
 * The columns of a flow that are too many for its entry: what `columns.hash` of that entry is of, from the entries of the
 * stream `A#columns#<hash>` alone. Each has a part, in the order of their versions: `data` is base64 of the deflated bytes
 * (RFC 1951) that begin at `from`; all of them are JSON (RFC 8785), whose SHA-256 is the hash.
 */
import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { decodeBase64, decodeUtf8 } from './encoding.ts';
import { Unverified } from './error.ts';
import { versionOf } from './log/entry.ts';

/** More is not written. */
const MOST_BYTES = 4 * 1024 * 1024;

/** The columns, as JSON. Throws `Unverified` unless these entries are all of that stream, in order, and lead to the hash. */
export function columnsOf(hash: string, entries: Iterable<Uint8Array>): string {
	const sum = createHash('sha256');
	const parts: Uint8Array[] = [];
	let length = 0;
	let expected = 1;
	for (const bytes of entries) {
		const { stream, ver } = versionOf(bytes);
		if (stream !== `A#columns#${hash}` || ver !== expected) throw new Unverified('an entry is of something else');
		const { from, data } = JSON.parse(decodeUtf8(bytes, 'the entry')) as Record<string, unknown>;
		if (from !== length || typeof data !== 'string') throw new Unverified('a part does not follow the one before');
		const part = inflated(data, MOST_BYTES - length);
		sum.update(part);
		parts.push(part);
		length += part.length;
		expected += 1;
	}
	if (sum.digest('hex') !== hash) throw new Unverified('the columns are not those of the hash');
	return decodeUtf8(Buffer.concat(parts), 'the columns');
}

function inflated(data: string, most: number): Uint8Array {
	const deflated = decodeBase64(data, 'a part');
	try {
		return inflateRawSync(deflated, { maxOutputLength: Math.max(1, most) });
	} catch (cause) {
		throw new Unverified('a part cannot be read', undefined, { cause });
	}
}
