/** Tree, ranges and proofs against the recursive definition of RFC 6962 section 2.1. */
import { describe, expect, it } from 'vitest';
import { Unverified } from '#verifier/error.ts';
import {
	appendLeaf,
	appendLeaves,
	EMPTY_ROOT,
	emptyRange,
	leafHash,
	nodeHash,
	type Range,
	rootOf,
	verifyConsistency,
	verifyInclusion,
} from '#verifier/merkle.ts';
import { flipped, isRefused, leafOf, reference } from './reference.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const leaves = Array.from({ length: 300 }, (_, i) => leafOf(Buffer.from(`entry ${i}`)));
const tree = reference(leaves);
const at = (i: number) => leaves[i] ?? new Uint8Array();
const inclusion = (index: number, size: number) => ({
	index,
	size,
	leaf: at(index) as Uint8Array,
	root: tree.root(size) as Uint8Array,
	proof: tree.inclusion(index, size) as Uint8Array[],
});
const head = (size: number) => ({ size, root: tree.root(size) as Uint8Array });
const consistency = (m: number, n: number) => ({
	from: head(m),
	to: head(n),
	proof: tree.consistency(m, n) as Uint8Array[],
});

/** Every way a list of hashes can be a little wrong. */
function* mutations(proof: readonly Uint8Array[]): Generator<Uint8Array[]> {
	const other = leafOf(Buffer.from('another'));
	for (const [i, hash] of proof.entries()) {
		for (let byte = 0; byte < hash.length; byte++) yield proof.with(i, flipped(hash, byte, 1 << (byte % 8)));
		yield proof.toSpliced(i, 1);
		yield proof.with(i, hash.subarray(0, 31));
		yield proof.with(i, Buffer.concat([hash, hash.subarray(0, 1)]));
		const next = proof[i + 1];
		if (next !== undefined) yield proof.with(i, next).with(i + 1, hash);
	}
	for (let i = 0; i <= proof.length; i++) yield proof.toSpliced(i, 0, other);
	if (proof.length > 0) yield [...proof, ...proof];
}

describe('refused', () => {
	it('is every inclusion proof with a hash changed, dropped, swapped, cut, or added', () => {
		for (let size = 1; size <= 16; size++) {
			for (let index = 0; index < size; index++) {
				const right = inclusion(index, size);
				for (const proof of mutations(right.proof)) {
					if (!isRefused(() => verifyInclusion({ ...right, proof })))
						expect.fail(`${index} of ${size}: ${proof.map(hex).join()}`);
				}
			}
		}
	});

	it('is an inclusion proof of another index, leaf or root', () => {
		for (let size = 1; size <= 24; size++) {
			for (let index = 0; index < size; index++) {
				const right = inclusion(index, size);
				for (let other = 0; other <= size; other++) {
					if (other === index) continue;
					expect(() => verifyInclusion({ ...right, index: other })).toThrow(Unverified);
					expect(() => verifyInclusion({ ...right, leaf: leafOf(Buffer.from(`x${other}`)) })).toThrow(Unverified);
				}
				expect(() => verifyInclusion({ ...right, root: tree.root(size + 1) })).toThrow(Unverified);
			}
		}
	});

	it('is every consistency proof with a hash changed, dropped, swapped, cut, or added', () => {
		for (let n = 1; n <= 16; n++) {
			for (let m = 0; m <= n; m++) {
				const right = consistency(m, n);
				for (const proof of mutations(right.proof)) {
					if (!isRefused(() => verifyConsistency({ ...right, proof })))
						expect.fail(`${m} to ${n}: ${proof.map(hex).join()}`);
				}
			}
		}
	});

	it('is a consistency proof of other trees, or of the two the wrong way round', () => {
		const other = reference(leaves.toReversed());
		for (let n = 1; n <= 24; n++) {
			for (let m = 0; m < n; m++) {
				const right = consistency(m, n);
				expect(() => verifyConsistency({ ...right, from: right.to, to: right.from })).toThrow(Unverified);
				expect(() => verifyConsistency({ ...right, from: { size: m, root: leafOf(at(1)) } })).toThrow(Unverified);
				if (m > 0)
					expect(() => verifyConsistency({ ...right, to: { size: n, root: other.root(n) } })).toThrow(Unverified);
			}
			const fork = { from: head(n), to: { size: n, root: leafOf(at(0)) }, proof: [] };
			expect(() => verifyConsistency(fork)).toThrow(Unverified);
		}
	});

	it.each([2 ** 53, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('is %d as a size or an index', (n) => {
		expect(() => verifyInclusion({ ...inclusion(1, 3), size: n })).toThrow(Unverified);
		expect(() => verifyInclusion({ ...inclusion(1, 3), index: n })).toThrow(Unverified);
		expect(() => verifyConsistency({ ...consistency(1, 3), to: { ...head(3), size: n } })).toThrow(Unverified);
		expect(() => verifyConsistency({ ...consistency(1, 3), from: { ...head(1), size: n } })).toThrow(Unverified);
		expect(() => rootOf({ size: n, hashes: [] })).toThrow(Unverified);
	});

	it('is a range whose hashes are not those of its size', () => {
		const hashes = [at(0), at(1)];
		expect(() => rootOf({ size: 2, hashes })).toThrow(Unverified);
		expect(() => appendLeaf({ size: 2, hashes }, at(0))).toThrow(Unverified);
		expect(() => rootOf({ size: 3, hashes: [at(0), new Uint8Array(31)] })).toThrow(Unverified);
		expect(() => appendLeaf(emptyRange, new Uint8Array(31))).toThrow(Unverified);
		const full = { size: Number.MAX_SAFE_INTEGER, hashes: Array.from({ length: 53 }, () => at(0)) };
		expect(() => appendLeaf(full, at(0))).toThrow(Unverified);
	});
});

describe('the tree', () => {
	// certificate-transparency, cpp/merkletree/merkle_tree_test.cc: inputs and roots of its first eight trees.
	const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
	const roots = [
		'6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
		'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
		'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
		'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
		'4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
		'76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
		'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
		'5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
	];

	it('has the roots that others publish', () => {
		expect(hex(EMPTY_ROOT)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
		let range: Range = emptyRange;
		for (const [i, input] of inputs.entries()) {
			range = appendLeaf(range, leafHash(Buffer.from(input, 'hex')));
			expect(hex(rootOf(range))).toBe(roots[i]);
		}
	});

	it('hashes leaves and nodes with different prefixes, at any length', () => {
		for (const length of [0, 1, 32, 65, 0xffff, 0x10000, 100_000]) {
			const bytes = Buffer.alloc(length, 7);
			expect(hex(leafHash(bytes))).toBe(hex(leafOf(bytes)));
		}
		expect(hex(nodeHash(at(0), at(1)))).not.toBe(hex(leafHash(Buffer.concat([at(0), at(1)]))));
	});

	it('is that of the recursive definition for all sizes up to 300, however the leaves come', () => {
		let one: Range = emptyRange;
		for (let n = 0; n <= 300; n++) {
			expect(hex(rootOf(one))).toBe(hex(tree.root(n)));
			const cut = (n * 7) % (n + 1);
			const two = appendLeaves(appendLeaves(emptyRange, leaves.slice(0, cut)), leaves.slice(cut, n));
			expect(two).toEqual(one);
			if (n < 300) one = appendLeaf(one, at(n));
		}
	});

	it('does not change a range that it appends to', () => {
		const range = appendLeaves(emptyRange, leaves.slice(0, 7));
		const before = hex(rootOf(range));
		appendLeaves(range, leaves.slice(7, 100));
		expect(hex(rootOf(range))).toBe(before);
	});
});

describe('proofs', () => {
	it('of inclusion hold for every entry of every tree up to 130', () => {
		for (let size = 1; size <= 130; size++) {
			for (let index = 0; index < size; index++) verifyInclusion(inclusion(index, size));
		}
	});

	it('of consistency hold between all trees up to 130', () => {
		for (let n = 0; n <= 130; n++) {
			for (let m = 0; m <= n; m++) verifyConsistency(consistency(m, n));
		}
	});

	it('hold in trees of more than 2^32 entries', () => {
		// All leaves alike: then all subtrees of one height are, and the largest tree takes 53 of them.
		const heights: Uint8Array[] = [at(0)];
		for (let h = 1; h < 53; h++) heights.push(nodeHash(heights[h - 1] ?? at(0), heights[h - 1] ?? at(0)));
		const size = Number.MAX_SAFE_INTEGER;
		const range = { size, hashes: heights.toReversed() };
		const root = rootOf(range);
		const left = rootOf({ size: 2 ** 52 - 1, hashes: heights.slice(0, 52).toReversed() });
		const proof = [...heights.slice(0, 52), left];
		verifyInclusion({ index: 2 ** 33 + 5, size, leaf: at(0), root, proof });
		expect(() => verifyInclusion({ index: 2 ** 52 + 5, size, leaf: at(0), root, proof })).toThrow(Unverified);
		verifyConsistency({ from: { size: 2 ** 52, root: heights[52] ?? at(0) }, to: { size, root }, proof: [left] });
	});
});
