/**
 * Tiles and entry bundles as they are read. Of an older tree, or while another sealer goes on, a partial one may have given
 * way to the full one (C2SP tlog-tiles, "Partial Tiles"): then that is read, and of it what the tree has. Nothing read here
 * is believed yet: whoever asks leads it to a root.
 */
import { decodeBundle, decodeTile, entriesPath, FULL, tilePath, widthOf } from '#verifier/tile.ts';
import { alarm, type Objects } from './ports.ts';

/** Hashes of a tile, as many as a tree of this size has there. Throws an alarm where there is no such file. */
export async function readTile(objects: Objects, size: number, level: number, index: number): Promise<Uint8Array[]> {
	const path = (width: number) => tilePath(level, index, width);
	return readFile(objects, path, widthOf(size, level, index), decodeTile);
}

/** The same of the entries of a bundle. */
export async function readBundle(objects: Objects, size: number, index: number): Promise<Uint8Array[]> {
	return readFile(objects, (width) => entriesPath(index, width), widthOf(size, 0, index), decodeBundle);
}

async function readFile(
	objects: Objects,
	path: (width: number) => string,
	width: number,
	decode: (bytes: Uint8Array, width: number) => Uint8Array[],
): Promise<Uint8Array[]> {
	for (const wide of width === FULL ? [FULL] : [width, FULL]) {
		const object = path(wide);
		const bytes = await objects.get(object);
		if (bytes === null) continue;
		try {
			return decode(bytes, wide).slice(0, width);
		} catch (cause) {
			throw alarm('files-differ', 'A file of the log cannot be read.', { object }, { cause });
		}
	}
	throw alarm('files-differ', 'A file of the log is missing.', { object: path(width) });
}
