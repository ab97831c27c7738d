/** Names and framing of C2SP tlog-tiles. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Unverified } from '#verifier/error.ts';
import {
	decodeBundle,
	decodeTile,
	encodeBundle,
	encodeTile,
	entriesPath,
	parsePath,
	tilePath,
	tilesOf,
	widthOf,
} from '#verifier/tile.ts';

describe('refused', () => {
	it.each([
		'',
		'tile',
		'tile/0',
		'tile/0/1',
		'tile/0/01',
		'tile/0/0001',
		'tile/00/001',
		'tile/64/001',
		'tile/-1/001',
		'tile/+1/001',
		'tile/0/x000/001',
		'tile/0/001/002',
		'tile/0/x001',
		'tile/0/x01/001',
		'tile/0/X001/001',
		'tile/0/000.p/0',
		'tile/0/000.p/256',
		'tile/0/000.p/01',
		'tile/0/000.p/',
		'tile/0/000.p',
		'tile/0/000.p/1/',
		'tile/0/000/',
		'/tile/0/000',
		'tile/0/000\n',
		'tile/data/000',
		'tile/entries/x009/x999/x999/x999/x999/999',
		'tile/0/x001/x000/x000/x000/x000/x000/000',
		'tile/0/٠٠٠',
		'tile/0/../000',
	])('is the path %j', (path) => {
		expect(() => parsePath(path)).toThrow(Unverified);
	});

	it('is a name of no tile', () => {
		for (const [level, index, width] of [
			[64, 0, 256],
			[-1, 0, 256],
			[0, -1, 256],
			[0, 2 ** 53, 256],
			[0, 0, 0],
			[0, 0, 257],
			[0, 0.5, 1],
		] as const) {
			expect(() => tilePath(level, index, width)).toThrow(Unverified);
		}
	});

	it('is a bundle that is cut anywhere, goes on, or has another number of entries', () => {
		const entries = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(300, 1)];
		const bytes = encodeBundle(entries);
		for (let end = 0; end < bytes.length; end++) {
			expect(() => decodeBundle(bytes.subarray(0, end), 3)).toThrow(Unverified);
		}
		expect(() => decodeBundle(Buffer.concat([bytes, Buffer.of(0)]), 3)).toThrow(Unverified);
		for (const width of [0, 1, 2, 4, 256]) expect(() => decodeBundle(bytes, width)).toThrow(Unverified);
	});

	it('is an entry too long to be framed, and a bundle or tile of 0 or 257', () => {
		expect(() => encodeBundle([Buffer.alloc(0x10000)])).toThrow(Unverified);
		for (const length of [0, 257]) {
			expect(() => encodeBundle(Array.from({ length }, () => Buffer.alloc(1)))).toThrow(Unverified);
			expect(() => encodeTile(Array.from({ length }, () => Buffer.alloc(32)))).toThrow(Unverified);
		}
		expect(() => encodeTile([Buffer.alloc(31)])).toThrow(Unverified);
		expect(() => decodeTile(Buffer.alloc(63), 2)).toThrow(Unverified);
		expect(() => decodeTile(Buffer.alloc(65), 2)).toThrow(Unverified);
	});
});

describe('paths', () => {
	it('are those of the specification', () => {
		expect(tilePath(0, 1234067)).toBe('tile/0/x001/x234/067');
		expect(entriesPath(0, 255)).toBe('tile/entries/000.p/255');
		expect(tilePath(63, 1000, 1)).toBe('tile/63/x001/000.p/1');
	});

	it('are read back as they were written', () => {
		const name = fc.record({ level: fc.nat(63), index: fc.maxSafeNat(), width: fc.integer({ min: 1, max: 256 }) });
		fc.assert(
			fc.property(name, ({ level, index, width }) => {
				expect(parsePath(tilePath(level, index, width))).toEqual({ level, index, width });
				expect(parsePath(entriesPath(index, width))).toEqual({ index, width });
			}),
		);
	});

	it('of a tree of 70,000 entries are those that the specification counts', () => {
		const tiles = [...tilesOf(70_000)].map(({ level, index, width }) => tilePath(level, index, width));
		expect(tiles).toHaveLength(273 + 1 + 1 + 1 + 1);
		expect(tiles.filter((t) => t.includes('.p/'))).toEqual(['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1']);
		expect([...tilesOf(256)].map(({ level, width }) => [level, width])).toEqual([
			[0, 256],
			[1, 1],
		]);
		expect([...tilesOf(0)]).toEqual([]);
	});

	it('reach as far as a size can be counted', () => {
		expect(widthOf(Number.MAX_SAFE_INTEGER, 6, 0)).toBe(31);
		expect(widthOf(Number.MAX_SAFE_INTEGER, 0, 2 ** 45 - 1)).toBe(255);
		expect(widthOf(Number.MAX_SAFE_INTEGER, 0, 2 ** 45)).toBe(0);
	});
});

describe('bundles', () => {
	it('give back the entries that were framed', () => {
		const entries = fc.array(fc.uint8Array({ maxLength: 700 }), { minLength: 1, maxLength: 256 });
		fc.assert(
			fc.property(entries, (some) => {
				const back = decodeBundle(encodeBundle(some), some.length);
				expect(back.map((e) => Buffer.from(e).toString('hex'))).toEqual(
					some.map((e) => Buffer.from(e).toString('hex')),
				);
			}),
			{ numRuns: 50 },
		);
	});

	it('take the longest entry', () => {
		expect(decodeBundle(encodeBundle([Buffer.alloc(0xffff, 3)]), 1)[0]).toHaveLength(0xffff);
	});
});
