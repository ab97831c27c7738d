/**
 * The right edge of the tree as the last tiles hold it (C2SP tlog-tiles, RFC 6962 section 2.1): what it takes to add
 * entries, and the files that they add. Nothing of it is believed until it leads to the root of the head.
 */

import { sameBytes } from '#verifier/encoding.ts';
import { EMPTY_ROOT, nodeHash, leafHash as treeLeaf } from '#verifier/merkle.ts';
import { encodeBundle, encodeTile, entriesPath, FULL, tilePath, widthOf } from '#verifier/tile.ts';
import { readBundle, readTile } from './files.ts';
import type { Tree } from './head.ts';
import { alarm, type Objects } from './ports.ts';

export type Edge = {
	readonly size: number;
	/** By level, the hashes of its partial tile; empty where the last one is full. */
	readonly levels: readonly (readonly Uint8Array[])[];
	/** The entries of the partial bundle. */
	readonly entries: readonly Uint8Array[];
};

/** A file of the log: path and bytes. */
export type File = { readonly key: string; readonly bytes: Uint8Array };
export type Grown = Tree & { readonly files: readonly File[] };

/** Root over neighbouring complete subtrees of one size, of which the last may be a smaller tree. */
export function rootOver(nodes: readonly Uint8Array[]): Uint8Array {
	const [only] = nodes;
	if (only === undefined) return EMPTY_ROOT;
	if (nodes.length === 1) return only;
	let split = 1;
	while (split * 2 < nodes.length) split *= 2;
	return nodeHash(rootOver(nodes.slice(0, split)), rootOver(nodes.slice(split)));
}

/** The root of the whole tree, from its partial tiles. */
function rootOfLevels(levels: readonly (readonly Uint8Array[])[]): Uint8Array {
	let below: Uint8Array[] = [];
	for (const hashes of levels) {
		const nodes = [...hashes, ...below];
		below = nodes.length === 0 ? [] : [rootOver(nodes)];
	}
	return rootOver(below);
}

/** Reads the partial tiles and checks them. Throws an alarm where a file is missing, or they do not lead to the root. */
export async function loadLevels(objects: Objects, { size, root }: Tree): Promise<Edge['levels']> {
	const levels: Uint8Array[][] = [];
	for (let level = 0; widthOf(size, level, 0) > 0; level++) {
		const index = Math.floor(size / FULL ** (level + 1));
		levels.push(widthOf(size, level, index) === 0 ? [] : await readTile(objects, size, level, index));
	}
	if (!sameBytes(rootOfLevels(levels), root)) {
		throw alarm('files-differ', 'The tiles of the log do not lead to the root of its head.', { size });
	}
	return levels;
}

/** The right edge with its entries, checked alike. */
export async function loadEdge(objects: Objects, tree: Tree): Promise<Edge> {
	const { size } = tree;
	const levels = await loadLevels(objects, tree);
	if (size % FULL === 0) return { size, levels, entries: [] };
	const index = Math.floor(size / FULL);
	const entries = await readBundle(objects, size, index);
	const leaves = levels[0] ?? [];
	const wrong = entries.findIndex((entry, i) => !sameBytes(treeLeaf(entry), leaves[i] ?? EMPTY_ROOT));
	if (wrong === -1) return { size, levels, entries };
	const object = entriesPath(index, size % FULL);
	throw alarm('files-differ', 'An entry of the log is not the one that was sealed.', { object });
}

/** Adds entries: the tree that it becomes, and every tile and bundle that it has and the tree before had not. */
export function grow(edge: Edge, added: readonly Uint8Array[]): Grown {
	const files: File[] = [];
	const levels = edge.levels.map((hashes) => [...hashes]);
	const touched = new Set<number>();
	const counts = levels.map((_, level) => Math.floor(edge.size / FULL ** level));
	const push = (level: number, hash: Uint8Array) => {
		const hashes = (levels[level] ??= []);
		const count = (counts[level] ?? 0) + 1;
		counts[level] = count;
		hashes.push(hash);
		touched.add(level);
		if (hashes.length < FULL) return;
		files.push({ key: tilePath(level, count / FULL - 1), bytes: encodeTile(hashes) });
		levels[level] = [];
		push(level + 1, rootOver(hashes));
	};
	for (const entry of added) push(0, treeLeaf(entry));
	for (const level of touched) {
		const hashes = levels[level] ?? [];
		if (hashes.length === 0) continue;
		const index = Math.floor((counts[level] ?? 0) / FULL);
		files.push({ key: tilePath(level, index, hashes.length), bytes: encodeTile(hashes) });
	}
	files.push(...bundles(edge, added));
	return { size: edge.size + added.length, root: rootOfLevels(levels), files };
}

function bundles(edge: Edge, added: readonly Uint8Array[]): File[] {
	const entries = [...edge.entries, ...added];
	const first = Math.floor(edge.size / FULL);
	return Array.from({ length: Math.ceil(entries.length / FULL) }, (_, i) => {
		const bundle = entries.slice(i * FULL, (i + 1) * FULL);
		return { key: entriesPath(first + i, bundle.length), bytes: encodeBundle(bundle) };
	});
}
