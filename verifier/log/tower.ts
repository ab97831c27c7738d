/**
 * The hash tiles of a tree, recomputed from its leaves from the left: one unfinished tile a level is held, so memory
 * does not grow with the log.
 */
import { appendLeaves, emptyRange, type Range, rootOf } from '../merkle.ts';
import { FULL } from '../tile.ts';

export type Recomputed = { readonly level: number; readonly index: number; readonly hashes: readonly Uint8Array[] };

export type Tower = {
	/** Takes the leaves of the next tile of level 0. Returns the tiles that became full by it, lowest first. */
	push(leaves: readonly Uint8Array[]): Recomputed[];
	/** The tiles that are not full, lowest level first. */
	partial(): Recomputed[];
	/** What was pushed, as a range to go on from. */
	range(): Range;
	root(): Uint8Array;
};

/** The root over a full tile's hashes: one hash of the level above. */
export function rootOfTile(hashes: readonly Uint8Array[]): Uint8Array {
	return rootOf(appendLeaves(emptyRange, hashes));
}

/** The tree of these unfinished tiles, given lowest level first. Empty ones count for nothing. */
function rangeOfEdge(edge: readonly (readonly Uint8Array[])[]): Range {
	const hashes = edge.map((tile) => appendLeaves(emptyRange, tile).hashes).toReversed();
	const size = edge.reduce((sum, tile, level) => sum + tile.length * FULL ** level, 0);
	return { size, hashes: hashes.flat() };
}

export const rootOfEdge = (edge: readonly (readonly Uint8Array[])[]): Uint8Array => rootOf(rangeOfEdge(edge));

export function tower(): Tower {
	/** The unfinished tile of each level, and how many full ones are left of it. */
	const levels: { hashes: Uint8Array[]; full: number }[] = [];
	const range = () => rangeOfEdge(levels.map(({ hashes }) => hashes));
	const at = (level: number) => (levels[level] ??= { hashes: [], full: 0 });
	return {
		push(leaves) {
			const full: Recomputed[] = [];
			at(0).hashes.push(...leaves);
			for (let level = 0; at(level).hashes.length === FULL; level++) {
				const here = at(level);
				full.push({ level, index: here.full, hashes: here.hashes });
				at(level + 1).hashes.push(rootOfTile(here.hashes));
				levels[level] = { hashes: [], full: here.full + 1 };
			}
			return full;
		},
		partial() {
			return levels
				.map(({ hashes, full }, level) => ({ level, index: full, hashes }))
				.filter(({ hashes }) => hashes.length > 0);
		},
		range,
		root: () => rootOf(range()),
	};
}
