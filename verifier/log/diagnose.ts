/**
 * Where a log whose tiles are not what its entries make went wrong.
 *
 * Trust comes from the signed root alone: it vouches for the unfinished tiles together, each of their hashes for the
 * full tile below it, and so on down to the place that was found. The first tile that nobody vouches for is made again
 * from the entries: if that fits, the tile was changed, and else the entries were.
 */
import { sameBytes } from '../encoding.ts';
import { type Finding, Unverified } from '../error.ts';
import { type Head, leafHash } from '../merkle.ts';
import { FULL, widthOf } from '../tile.ts';
import type { Bundle, Objects, Tile } from './objects.ts';
import { type Recomputed, rootOfEdge, rootOfTile, tower } from './tower.ts';

type Place = { readonly level: number; readonly index: number };

/** Always throws. `suspect` is the tile that differs from what was recomputed; without one, the root does. */
export async function diagnose(objects: Objects, head: Head, suspect?: Place): Promise<never> {
	const edge = await readEdge(objects);
	if (!sameBytes(rootOfEdge(edge.map((tile) => tile?.hashes ?? [])), head.root) || suspect === undefined) {
		return diagnoseEdge(objects, head, edge, suspect);
	}
	let trusted: readonly Uint8Array[] = [];
	for (const place of pathTo(objects.size, suspect)) {
		const tile = await objects.tile(place.level, place.index);
		const vouched = trusted[place.index % FULL];
		if (vouched !== undefined && !fits(tile, vouched)) return blame(objects, place, tile, vouched);
		trusted = tile.hashes ?? [];
	}
	return suspect.level === 0
		? blameEntry(suspect.index, await objects.bundle(suspect.index), trusted)
		: blameBelow(objects, suspect, trusted);
}

/** The unfinished tile of each level, where it has one. */
async function readEdge(objects: Objects): Promise<(Tile | undefined)[]> {
	const edge: (Tile | undefined)[] = [];
	for (let level = 0; widthOf(objects.size, level, 0) > 0; level++) {
		const index = Math.floor(objects.size / FULL ** (level + 1));
		edge.push(widthOf(objects.size, level, index) > 0 ? await objects.tile(level, index) : undefined);
	}
	return edge;
}

/** From the unfinished tile that vouches for it down to the place. */
function pathTo(size: number, place: Place): Place[] {
	const up: Place[] = [place];
	for (let { level, index } = place; widthOf(size, level, index) === FULL; ) {
		level += 1;
		index = Math.floor(index / FULL);
		up.push({ level, index });
	}
	return up.toReversed();
}

function fits(tile: Tile, vouched: Uint8Array): boolean {
	return tile.hashes !== null && sameBytes(rootOfTile(tile.hashes), vouched);
}

/** A full tile that is not the one vouched for. */
async function blame(objects: Objects, place: Place, tile: Tile, vouched: Uint8Array): Promise<never> {
	const made = await remake(objects, place);
	if (sameBytes(rootOfTile(made), vouched)) throw changedTile(place, tile, made);
	const span = FULL ** (place.level + 1);
	throw changedRange(place.index * span, (place.index + 1) * span - 1, tile.path);
}

/** The entries below a trusted hash are others, and so are the tiles between. */
async function blameBelow(objects: Objects, { level, index }: Place, trusted: readonly Uint8Array[]): Promise<never> {
	const made = await remake(objects, { level, index });
	const span = FULL ** level;
	const first = (index * FULL + firstDifference(trusted, made)) * span;
	throw changedRange(first, Math.min(first + span, objects.size) - 1, (await objects.tile(level, index)).path);
}

/** The unfinished tiles are not what was signed, or all tiles are and the root is not. */
async function diagnoseEdge(
	objects: Objects,
	head: Head,
	edge: readonly (Tile | undefined)[],
	suspect: Place | undefined,
): Promise<never> {
	const whole = await recompute(objects);
	if (sameBytes(whole.root(), head.root)) {
		for (const made of whole.partial()) {
			const tile = edge[made.level];
			if (tile !== undefined && !same(tile.hashes, made.hashes)) throw changedTile(made, tile, made.hashes);
		}
	}
	if (suspect === undefined) {
		throw new Unverified('the entries and tiles are those of another log than the one that was signed', {
			kind: 'forked',
		});
	}
	const span = FULL ** (suspect.level + 1);
	throw changedRange(suspect.index * span, Math.min((suspect.index + 1) * span, objects.size) - 1);
}

async function recompute(objects: Objects) {
	const whole = tower();
	for (let index = 0; widthOf(objects.size, 0, index) > 0; index++) {
		const bundle = await objects.bundle(index);
		if (bundle.rest !== 'none' || bundle.entries.length !== widthOf(objects.size, 0, index)) {
			throw changedRange(index * FULL, index * FULL + widthOf(objects.size, 0, index) - 1, bundle.path);
		}
		whole.push(bundle.entries.map(leafHash));
	}
	return whole;
}

/** The hashes of a tile, from the entries below it. */
async function remake(objects: Objects, { level, index }: Place): Promise<readonly Uint8Array[]> {
	if (level === 0) return (await objects.bundle(index)).entries.map(leafHash);
	const hashes: Uint8Array[] = [];
	for (let child = index * FULL; hashes.length < widthOf(objects.size, level, index); child++) {
		hashes.push(rootOfTile(await remake(objects, { level: level - 1, index: child })));
	}
	return hashes;
}

function firstDifference(a: readonly Uint8Array[], b: readonly Uint8Array[]): number {
	const most = Math.max(a.length, b.length);
	for (let i = 0; i < most; i++) if (!same(a.slice(i, i + 1), b.slice(i, i + 1))) return i;
	return most;
}

export function same(a: readonly Uint8Array[] | null, b: readonly Uint8Array[]): boolean {
	return a?.length === b.length && a.every((hash, i) => sameBytes(hash, b[i] ?? new Uint8Array()));
}

function changedTile({ level, index }: Place, tile: Tile, made: Recomputed['hashes']): Unverified {
	const at = (index * FULL + Math.max(0, firstDifference(tile.hashes ?? [], made))) * FULL ** level;
	const message = `the hash tile ${tile.path} was changed; the entries are those that were signed`;
	return new Unverified(message, { kind: 'changed', index: at, object: tile.path });
}

function changedRange(index: number, last: number, object?: string): Unverified {
	const where = index === last ? `entry ${index} was` : `one or more of the entries ${index} to ${last} were`;
	const finding: Finding = { kind: 'changed', index, last, ...(object === undefined ? {} : { object }) };
	return new Unverified(`${where} changed, and the hash tiles with them`, finding);
}

/** The first entry of a bundle that differs from what its trusted tile says, and how. */
function blameEntry(tile: number, bundle: Bundle, trusted: readonly Uint8Array[]): never {
	const leaves = bundle.entries.map(leafHash);
	const i = firstDifference(trusted, leaves.slice(0, trusted.length));
	const index = tile * FULL + i;
	const kind = kindOf(leaves, trusted, i, bundle.rest);
	throw new Unverified(`entry ${index} was ${words[kind]}`, { kind, index, object: bundle.path });
}

const words = { changed: 'changed', missing: 'removed', inserted: 'put in', reordered: 'put in the place of another' };

function kindOf(
	found: readonly Uint8Array[],
	signed: readonly Uint8Array[],
	i: number,
	rest: Bundle['rest'],
): keyof typeof words {
	if (i === signed.length) return 'inserted';
	const here = found[i];
	const wanted = signed[i];
	if (here === undefined || wanted === undefined) return rest === 'none' ? 'missing' : 'changed';
	const isElsewhere = signed.some((leaf) => sameBytes(leaf, here));
	const wantedIsElsewhere = found.some((leaf) => sameBytes(leaf, wanted));
	if (wantedIsElsewhere) return isElsewhere ? 'reordered' : 'inserted';
	// One that was taken out lets the next ones move up.
	const next = signed.slice(i + 1, i + 3);
	return next.length > 0 && same(found.slice(i, i + next.length), next) ? 'missing' : 'changed';
}
