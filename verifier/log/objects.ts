/**
 * Tiles and bundles of one tree, read from a hostile source. A partial one that is gone is looked for in its full one,
 * which takes its place (C2SP tlog-tiles, partial tiles).
 */
import { Unverified } from '../error.ts';
import { HASH_BYTES } from '../merkle.ts';
import type { Source } from '../source.ts';
import { decodeTile, entriesPath, FULL, MAX_BUNDLE_BYTES, tilePath, widthOf } from '../tile.ts';

/** Entries of a bundle, as far as it can be read. */
export type Bundle = {
	readonly entries: readonly Uint8Array[];
	/** What is left of its bytes after them, or after the entries that the tree has of it. */
	readonly rest: 'none' | 'cut' | 'more';
	readonly path: string;
};

export type Tile = {
	/** Null if its length is not that of its hashes. */
	readonly hashes: readonly Uint8Array[] | null;
	readonly path: string;
};

export type Objects = {
	readonly size: number;
	bundle(index: number): Promise<Bundle>;
	tile(level: number, index: number): Promise<Tile>;
};

export function objectsOf(source: Source, size: number): Objects {
	return {
		size,
		async bundle(index) {
			const width = widthOf(size, 0, index);
			const found = await find(source, (w) => entriesPath(index, w), width, MAX_BUNDLE_BYTES);
			if (found === null) {
				throw missing(index * FULL, entriesPath(index, width), `the entries from ${index * FULL} on are missing`);
			}
			return { ...readBundle(found.bytes, width, found.width), path: entriesPath(index, found.width) };
		},
		async tile(level, index) {
			const width = widthOf(size, level, index);
			const found = await find(source, (w) => tilePath(level, index, w), width, FULL * HASH_BYTES);
			const path = tilePath(level, index, found?.width ?? width);
			if (found === null) throw missing(index * FULL ** (level + 1), path, `the hash tile ${path} is missing`);
			const hashes = hashesOf(found.bytes, found.width)?.slice(0, width) ?? null;
			return { hashes, path };
		},
	};
}

function missing(index: number, object: string, message: string): Unverified {
	return new Unverified(message, { kind: 'missing', index, object });
}

async function find(source: Source, pathOf: (width: number) => string, width: number, most: number) {
	for (const w of width === FULL ? [FULL] : [width, FULL]) {
		const bytes = await source.read(pathOf(w), most);
		if (bytes !== null) return { bytes, width: w };
	}
	return null;
}

function hashesOf(bytes: Uint8Array, width: number): Uint8Array[] | null {
	return bytes.length === width * HASH_BYTES ? decodeTile(bytes, width) : null;
}

/** The first `width` entries of a bundle of `framed`. What follows those that the tree has is not of this tree. */
function readBundle(bytes: Uint8Array, width: number, framed: number): Pick<Bundle, 'entries' | 'rest'> {
	const entries: Uint8Array[] = [];
	let at = 0;
	while (entries.length < width && at < bytes.length) {
		const end = at + 2 + (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
		if (at + 1 >= bytes.length || end > bytes.length) return { entries, rest: 'cut' };
		entries.push(bytes.subarray(at + 2, end));
		at = end;
	}
	return { entries, rest: at < bytes.length && width === framed ? 'more' : 'none' };
}

export type Leaf = { readonly bundle: Bundle; readonly tile: Tile };

/** All bundles from the left with their tiles, a few asked for at once. */
export async function* readAhead(objects: Objects, ahead: number): AsyncGenerator<Leaf> {
	const count = Math.ceil(objects.size / FULL);
	const asked: Promise<Leaf>[] = [];
	for (let next = 0; next < count || asked.length > 0; ) {
		for (; next < count && asked.length < ahead; next++) {
			const leaf = Promise.all([objects.bundle(next), objects.tile(0, next)]).then(([bundle, tile]) => ({
				bundle,
				tile,
			}));
			// Its turn comes; until then, its failure is nobody's.
			leaf.catch(() => undefined);
			asked.push(leaf);
		}
		const first = await asked.shift();
		if (first !== undefined) yield first;
	}
}
