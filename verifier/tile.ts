/**
 * Names and contents of tiles and entry bundles (C2SP tlog-tiles): 256 hashes or entries in a full one, and the
 * right-most of each level partial. A bundle frames each entry with a big-endian 16-bit length.
 */
import { parseDecimal, safeInteger } from './encoding.ts';
import { Unverified } from './error.ts';
import { HASH_BYTES } from './merkle.ts';

/** Entries of a full tile or bundle. */
export const FULL = 256;

/** What the 16-bit length of a bundle can say. */
export const MAX_FRAMED_BYTES = 0xffff;

/** Bytes of the longest bundle. */
export const MAX_BUNDLE_BYTES = FULL * (2 + MAX_FRAMED_BYTES);

const MAX_LEVEL = 63;

/** Path of the hash tile `index` of a level. `width` is left out for a full one. */
export function tilePath(level: number, index: number, width = FULL): string {
	if (safeInteger(level, 'the level') > MAX_LEVEL) throw new Unverified(`there is no level ${level}`);
	return `tile/${level}/${indexPath(index, width)}`;
}

/** Path of the entry bundle `index`. */
export function entriesPath(index: number, width = FULL): string {
	return `tile/entries/${indexPath(index, width)}`;
}

function indexPath(index: number, width: number): string {
	if (safeInteger(width, 'the width') < 1 || width > FULL) throw new Unverified(`no tile is ${width} wide`);
	const digits = String(safeInteger(index, 'the index of a tile'));
	const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.{3}/g) ?? [];
	const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
	return width === FULL ? path : `${path}.p/${width}`;
}

export type TileName = {
	/** Absent for an entry bundle. */
	readonly level?: number;
	readonly index: number;
	readonly width: number;
};

const PATH = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/;

/** Reads a path back. Throws `Unverified` on every other spelling. */
export function parsePath(path: string): TileName {
	const [, kind = '', groups = '', partial] = PATH.exec(path) ?? [];
	const digits = groups.replaceAll(/[x/]/g, '').replace(/^0+(?=[0-9])/, '');
	const index = parseDecimal(digits, 'the index of a tile');
	const width = partial === undefined ? FULL : parseDecimal(partial, 'the width of a tile');
	const name = kind === 'entries' ? { index, width } : { level: parseDecimal(kind, 'the level'), index, width };
	const written = name.level === undefined ? entriesPath(index, width) : tilePath(name.level, index, width);
	if (written !== path) throw new Unverified('not the path of a tile');
	return name;
}

/** Hashes (or, at level 0, entries) of the tile `index` of a level in a tree of `size` entries: 0 if it has none. */
export function widthOf(size: number, level: number, index: number): number {
	const hashes = Math.floor(safeInteger(size, 'the size of the tree') / FULL ** level);
	return Math.max(0, Math.min(FULL, hashes - index * FULL));
}

/** The hash tiles of a tree of `size` entries, level by level from the left. */
export function* tilesOf(size: number): Generator<TileName & { readonly level: number }> {
	for (let level = 0; widthOf(size, level, 0) > 0; level++) {
		for (let index = 0; widthOf(size, level, index) > 0; index++) {
			yield { level, index, width: widthOf(size, level, index) };
		}
	}
}

/** Bytes of a hash tile. */
export function encodeTile(hashes: readonly Uint8Array[]): Uint8Array {
	if (hashes.length < 1 || hashes.length > FULL) throw new Unverified(`no tile is ${hashes.length} wide`);
	if (hashes.some((h) => h.length !== HASH_BYTES)) throw new Unverified('a tile holds hashes of 32 bytes');
	return new Uint8Array(Buffer.concat(hashes));
}

/** The hashes of a tile of exactly this width. */
export function decodeTile(bytes: Uint8Array, width: number): Uint8Array[] {
	if (bytes.length !== width * HASH_BYTES) {
		throw new Unverified(`a tile of ${width} hashes has ${width * HASH_BYTES} bytes, not ${bytes.length}`);
	}
	return Array.from({ length: width }, (_, i) => bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

/** Bytes of an entry bundle. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
	if (entries.length < 1 || entries.length > FULL) throw new Unverified(`no bundle holds ${entries.length} entries`);
	const bytes = new Uint8Array(entries.reduce((sum, e) => sum + 2 + e.length, 0));
	let at = 0;
	for (const entry of entries) {
		if (entry.length > MAX_FRAMED_BYTES) throw new Unverified(`an entry of ${entry.length} bytes fits no bundle`);
		bytes[at] = Math.floor(entry.length / 256);
		bytes[at + 1] = entry.length % 256;
		bytes.set(entry, at + 2);
		at += 2 + entry.length;
	}
	return bytes;
}

/** The entries of a bundle of exactly this width, as views of its bytes. */
export function decodeBundle(bytes: Uint8Array, width: number): Uint8Array[] {
	const entries: Uint8Array[] = [];
	let at = 0;
	while (entries.length < width) {
		const start = at + 2;
		const end = start + (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
		if (start > bytes.length || end > bytes.length) {
			throw new Unverified(`the bundle ends within its entry ${entries.length} of ${width}`);
		}
		entries.push(bytes.subarray(start, end));
		at = end;
	}
	if (at !== bytes.length) throw new Unverified(`the bundle goes on after its ${width} entries`);
	return entries;
}
