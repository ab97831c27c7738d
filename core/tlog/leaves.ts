/**
 * What the log has at given indices, believed by its root alone: each tile that is read is hashed once and must come to the
 * hash that stands for it in the tile above, up to the right edge, which must come to the root (RFC 6962 section 2.1).
 */
import pMap from 'p-map';
import { sameBytes } from '#verifier/encoding.ts';
import { FULL, widthOf } from '#verifier/tile.ts';
import { readTile } from './files.ts';
import { hex, type Tree } from './head.ts';
import { alarm, type Log } from './ports.ts';
import { loadLevels, rootOver } from './tree.ts';

type Tiles = (level: number, index: number) => Promise<readonly Uint8Array[]>;

/**
 * Leaf hashes by index, as hex; nothing for an index that the tree has not. One read for each tile of 256 entries that is
 * asked for, and one for each tile above those; the lowest are not kept.
 */
export async function leavesOf(log: Log, tree: Tree, indices: Iterable<number>): Promise<Map<number, string>> {
	const wanted = new Map<number, Set<number>>();
	for (const index of indices) {
		if (!Number.isSafeInteger(index) || index < 0 || index >= tree.size) continue;
		const tile = Math.floor(index / FULL);
		wanted.set(tile, (wanted.get(tile) ?? new Set()).add(index));
	}
	const leaves = new Map<number, string>();
	if (wanted.size === 0) return leaves;
	const tiles = tilesOf(log, tree);
	const look = async ([tile, those]: [number, Set<number>]) => {
		const hashes = await tiles(0, tile);
		for (const index of those) leaves.set(index, hex(hashes[index % FULL] ?? new Uint8Array()));
	};
	await pMap(wanted, look, { concurrency: 8 });
	return leaves;
}

function tilesOf({ objects }: Log, tree: Tree): Tiles {
	const edge = loadLevels(objects, tree);
	const kept = new Map<string, ReturnType<Tiles>>();
	const read: Tiles = async (level, index) => {
		// Not full, it is a part of the right edge.
		if (widthOf(tree.size, level, index) < FULL) return (await edge)[level] ?? [];
		const above = await tile(level + 1, Math.floor(index / FULL));
		const hashes = await readTile(objects, tree.size, level, index);
		if (sameBytes(rootOver(hashes), above[index % FULL] ?? new Uint8Array())) return hashes;
		throw alarm('files-differ', 'A tile of the log is not the one that was sealed.', { level, tile: index });
	};
	const tile: Tiles = (level, index) => {
		if (level === 0) return read(level, index);
		const name = `${level}/${index}`;
		const reading = kept.get(name) ?? read(level, index);
		kept.set(name, reading);
		return reading;
	};
	return tile;
}
