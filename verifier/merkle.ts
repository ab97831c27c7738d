/**
 * The Merkle tree of RFC 6962 section 2.1 (RFC 9162 sections 2.1.3.2 and 2.1.4.2 for the checks), with SHA-256.
 *
 * Sizes and indexes are integers up to 2^53 - 1 and never meet a 32-bit operator. A compact range holds the roots of
 * the complete subtrees of a tree from the left: all that is needed to append to it and to know its root.
 */
import * as crypto from 'node:crypto';
import { safeInteger, sameBytes } from './encoding.ts';
import { Unverified } from './error.ts';

export const HASH_BYTES = 32;

/** `crypto.hash` is twice as fast on small inputs, and came with Node 20.12. */
const sha256: (bytes: Uint8Array) => Uint8Array =
	typeof crypto.hash === 'function'
		? (bytes) => crypto.hash('sha256', bytes, 'buffer')
		: (bytes) => crypto.createHash('sha256').update(bytes).digest();

/** The root of the tree without entries. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array());

/** The prefix and the entry, side by side; as long as the longest entry that a bundle can frame. */
const leafInput = new Uint8Array(1 + 0xffff);
const nodeInput = new Uint8Array(1 + 2 * HASH_BYTES).fill(1, 0, 1);

/** The hash of an entry's bytes as a leaf. */
export function leafHash(bytes: Uint8Array): Uint8Array {
	if (bytes.length < leafInput.length) {
		leafInput.set(bytes, 1);
		return sha256(leafInput.subarray(0, 1 + bytes.length));
	}
	const input = new Uint8Array(1 + bytes.length);
	input.set(bytes, 1);
	return sha256(input);
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
	assertHash(left, 'the left hash');
	assertHash(right, 'the right hash');
	nodeInput.set(left, 1);
	nodeInput.set(right, 1 + HASH_BYTES);
	return sha256(nodeInput);
}

function assertHash(hash: Uint8Array, what: string): void {
	if (hash.length !== HASH_BYTES) throw new Unverified(`${what} has ${hash.length} bytes instead of ${HASH_BYTES}`);
}

/** Roots of the complete subtrees of the tree of `size` leaves, largest (leftmost) first: one for each bit set. */
export type Range = { readonly size: number; readonly hashes: readonly Uint8Array[] };

export const emptyRange: Range = { size: 0, hashes: [] };

export function appendLeaf(range: Range, leaf: Uint8Array): Range {
	return appendLeaves(range, [leaf]);
}

/** Appends leaf hashes in their order. */
export function appendLeaves(range: Range, leaves: readonly Uint8Array[]): Range {
	const hashes = assertRange(range).slice();
	let { size } = range;
	safeInteger(size + leaves.length, 'the size of the tree');
	for (const leaf of leaves) {
		assertHash(leaf, 'a leaf');
		let node = leaf;
		for (let rest = size; rest % 2 === 1; rest = half(rest)) {
			const left = hashes.pop();
			if (left === undefined) throw new Unverified('the range has too few hashes');
			node = nodeHash(left, node);
		}
		hashes.push(node);
		size += 1;
	}
	return { size, hashes };
}

/** The root of the whole tree. */
export function rootOf(range: Range): Uint8Array {
	const hashes = assertRange(range);
	return hashes.length === 0 ? EMPTY_ROOT : hashes.reduceRight((right, left) => nodeHash(left, right));
}

function assertRange({ size, hashes }: Range): readonly Uint8Array[] {
	let count = 0;
	for (let rest = safeInteger(size, 'the size of the range'); rest > 0; rest = half(rest)) count += rest % 2;
	if (count !== hashes.length)
		throw new Unverified(`a range of ${size} leaves has ${count} hashes, not ${hashes.length}`);
	for (const hash of hashes) assertHash(hash, 'a hash of the range');
	return hashes;
}

const half = (n: number): number => Math.floor(n / 2);

export type Head = { readonly size: number; readonly root: Uint8Array };

export type Inclusion = Head & {
	readonly index: number;
	/** The hash of the entry as a leaf. */
	readonly leaf: Uint8Array;
	/** From the leaf's sibling up to the root's child. */
	readonly proof: readonly Uint8Array[];
};

/** Throws `Unverified` unless the proof shows the leaf at the index in the tree. */
export function verifyInclusion({ index, size, leaf, root, proof }: Inclusion): void {
	safeInteger(size, 'the size of the tree');
	safeInteger(index, 'the index');
	assertHash(root, 'the root');
	assertHash(leaf, 'the leaf');
	if (index >= size) throw new Unverified(`a tree of ${size} entries has no entry ${index}`);
	const walk = { node: index, last: size - 1 };
	let hash = leaf;
	for (const sibling of proof) {
		if (walk.last === 0) throw new Unverified('the inclusion proof is too long');
		if (isRight(walk)) {
			hash = nodeHash(sibling, hash);
			climbAlongEdge(walk);
		} else {
			hash = nodeHash(hash, sibling);
		}
		climb(walk);
	}
	if (walk.last !== 0) throw new Unverified('the inclusion proof is too short');
	if (!sameBytes(hash, root)) throw new Unverified(`the inclusion proof of entry ${index} does not lead to the root`);
}

export type Consistency = { readonly from: Head; readonly to: Head; readonly proof: readonly Uint8Array[] };

/** Throws `Unverified` unless the proof shows that the later tree begins with the earlier one. */
export function verifyConsistency({ from, to, proof }: Consistency): void {
	for (const head of [from, to]) {
		assertHash(head.root, 'the root');
		if (safeInteger(head.size, 'the size of the tree') === 0 && !sameBytes(head.root, EMPTY_ROOT)) {
			throw new Unverified('a tree without entries has another root');
		}
	}
	if (from.size > to.size) throw new Unverified(`a tree of ${to.size} entries does not begin with one of ${from.size}`);
	if (from.size === 0 || from.size === to.size) return verifyTrivial(from, to, proof);
	const walk = { node: from.size - 1, last: to.size - 1 };
	while (walk.node % 2 === 1) climb(walk);
	// A tree of 2^k entries is a node of the later one, and its root is left out of the proof.
	const [start, ...rest] = walk.node === 0 ? [from.root, ...proof] : proof;
	if (start === undefined) throw new Unverified('the consistency proof is too short');
	let earlier = start;
	let later = start;
	for (const sibling of rest) {
		if (walk.last === 0) throw new Unverified('the consistency proof is too long');
		if (isRight(walk)) {
			earlier = nodeHash(sibling, earlier);
			later = nodeHash(sibling, later);
			climbAlongEdge(walk);
		} else {
			later = nodeHash(later, sibling);
		}
		climb(walk);
	}
	if (walk.last !== 0) throw new Unverified('the consistency proof is too short');
	if (!sameBytes(earlier, from.root)) throw new Unverified('the consistency proof does not lead to the earlier root');
	if (!sameBytes(later, to.root)) throw new Unverified('the consistency proof does not lead to the later root');
}

function verifyTrivial(from: Head, to: Head, proof: readonly Uint8Array[]): void {
	if (proof.length > 0) throw new Unverified('the consistency proof is too long');
	if (from.size === to.size && !sameBytes(from.root, to.root)) {
		throw new Unverified(`two trees of ${from.size} entries have different roots`);
	}
}

/** A node on its way to the root, and the last node of its level. */
type Walk = { node: number; last: number };

const isRight = ({ node, last }: Walk): boolean => node % 2 === 1 || node === last;

function climb(walk: Walk): void {
	walk.node = half(walk.node);
	walk.last = half(walk.last);
}

/** Past the levels where a node on the right edge has no sibling. */
function climbAlongEdge(walk: Walk): void {
	while (walk.node % 2 === 0 && walk.node !== 0) climb(walk);
}
