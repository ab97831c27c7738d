/** A whole log: what was done to its files is found, and named as exactly as they tell. */
import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Unverified } from '#verifier/error.ts';
import { entryAt, finding, key, outcome, withFile, without } from './outcome.ts';
import { entriesOf, type Files, flipped, logOf } from './reference.ts';

const SIZE = 700;
const entries = entriesOf(SIZE);
const log = logOf(entries, key);

const startOf = (name: string) => Number(/(\d+)(\.p\/\d+)?$/.exec(name)?.[1]) * 256;
const bundles = [...log.keys()].filter((n) => n.startsWith('tile/entries/'));
const tiles = [...log.keys()].filter((n) => /^tile\/\d/.test(n));

/** The log with other entries, and the hash tiles of the true one. */
function withEntries(changed: readonly Uint8Array[]): Files {
	const other = logOf(changed, key);
	return new Map([...log, ...[...other].filter(([n]) => n.startsWith('tile/entries/'))]);
}

describe('one file', () => {
	it.each(bundles)('%s with a byte flipped: its entry is named', async (name) => {
		const bytes = log.get(name) ?? new Uint8Array();
		for (let i = 0; i < 12; i++) {
			const at = i < 2 ? i : randomInt(bytes.length);
			const found = await finding(withFile(log, name, flipped(bytes, at, 1 << (i % 8))));
			expect(found, `byte ${at}`).toMatchObject({ index: startOf(name) + entryAt(bytes, at), object: name });
		}
	});

	it.each(tiles)('%s with a byte flipped: the tile is named, and the entry under the hash', async (name) => {
		const bytes = log.get(name) ?? new Uint8Array();
		const level = Number(name.split('/')[1]);
		for (let i = 0; i < 8; i++) {
			const at = randomInt(bytes.length);
			const found = await finding(withFile(log, name, flipped(bytes, at, 1 << i)));
			const index = (startOf(name) + Math.floor(at / 32)) * 256 ** level;
			expect(found, `byte ${at}`).toEqual({ kind: 'changed', object: name, index });
		}
	});

	it('the checkpoint with a byte flipped', async () => {
		const bytes = log.get('checkpoint') ?? new Uint8Array();
		for (let at = 0; at < bytes.length; at++) {
			expect(await outcome(withFile(log, 'checkpoint', flipped(bytes, at))), `byte ${at}`).toBeInstanceOf(Unverified);
		}
	});

	it.each([...bundles, ...tiles])('%s removed: it is named as missing', async (name) => {
		expect(await finding(without(log, name))).toMatchObject({ kind: 'missing', object: name, index: startOf(name) });
	});

	it.each([...bundles, ...tiles, 'checkpoint'])('%s cut short', async (name) => {
		const bytes = log.get(name) ?? new Uint8Array();
		for (const end of [0, 1, bytes.length - 1, randomInt(bytes.length), randomInt(bytes.length)]) {
			const found = await finding(withFile(log, name, bytes.subarray(0, end)));
			expect(found?.object, `to ${end}`).toBe(name);
			if (name.startsWith('tile/entries/')) expect(found?.index).toBe(startOf(name) + entryAt(bytes, end));
		}
	});

	it.each([...bundles, ...tiles])('%s with bytes after its end', async (name) => {
		const bytes = log.get(name) ?? new Uint8Array();
		const found = await finding(withFile(log, name, Buffer.concat([bytes, bytes.subarray(0, 40)])));
		expect(found?.object).toBe(name);
	});

	it('swapped with another: the first of the two is named', async () => {
		const names = [...bundles, ...tiles];
		for (const [i, a] of names.entries()) {
			for (const b of names.slice(i + 1)) {
				const swapped = new Map([...log, [a, log.get(b) ?? new Uint8Array()], [b, log.get(a) ?? new Uint8Array()]]);
				const found = await finding(swapped);
				expect([a, b], `${a} and ${b}: ${JSON.stringify(found)}`).toContain(found?.object);
				if (bundles.includes(a) && bundles.includes(b)) expect(found?.index).toBe(startOf(a));
			}
		}
	});
});

describe('entries', () => {
	const alien = Buffer.from('{"stream":"A#x","ver":1}');
	it.each([0, 1, 100, 254, 256, 300, 511, 512, 600, 699])('entry %d changed', async (i) => {
		expect(await finding(withEntries(entries.with(i, alien)))).toMatchObject({ kind: 'changed', index: i });
	});

	it.each([0, 1, 100, 250, 256, 300, 512, 600, 690])('entry %d removed, and the rest moved up', async (i) => {
		// The last bundle is then named by its new width: the signed size asks for the old one.
		const found = await finding(withEntries([...entries.toSpliced(i, 1), alien]));
		expect(found).toMatchObject({ kind: 'missing', index: i });
	});

	it('the last entry removed', async () => {
		const name = 'tile/entries/002.p/188';
		const shorter = logOf(entries.slice(0, -1), key).get('tile/entries/002.p/187') ?? new Uint8Array();
		expect(await finding(withFile(log, name, shorter))).toMatchObject({ kind: 'missing', index: 699, object: name });
	});

	it.each([0, 1, 100, 256, 300, 512, 600, 690])('entry %d put in, and the rest moved down', async (i) => {
		const found = await finding(withEntries(entries.toSpliced(i, 0, alien).slice(0, SIZE)));
		expect(found).toMatchObject({ kind: 'inserted', index: i });
	});

	it('put in after the last', async () => {
		const name = 'tile/entries/002.p/188';
		const longer = logOf([...entries, alien], key).get('tile/entries/002.p/189') ?? new Uint8Array();
		expect(await finding(withFile(log, name, longer))).toMatchObject({ kind: 'inserted', index: 700, object: name });
	});

	it.each([
		[0, 1],
		[3, 200],
		[300, 301],
		[512, 699],
	])('%d and %d swapped', async (a, b) => {
		const [x = alien, y = alien] = [entries[a], entries[b]];
		expect(await finding(withEntries(entries.with(a, y).with(b, x)))).toMatchObject({ kind: 'reordered', index: a });
	});

	it.each([0, 300, 600])('entry %d changed together with its hash tile: its bundle is named', async (i) => {
		const other = logOf(entries.with(i, alien), key);
		const at = `00${Math.floor(i / 256)}${i < 512 ? '' : '.p/188'}`;
		const files = new Map(log);
		for (const name of [`tile/entries/${at}`, `tile/0/${at}`]) files.set(name, other.get(name) ?? new Uint8Array());
		const found = await finding(files);
		// The unfinished tiles are vouched for together: there, only that it is another tree can be told.
		if (i >= 512) expect(found).toMatchObject({ kind: 'forked' });
		else
			expect(found).toMatchObject({
				kind: 'changed',
				index: Math.floor(i / 256) * 256,
				last: Math.floor(i / 256) * 256 + 255,
			});
	});

	it('of another log under this checkpoint', async () => {
		const other = logOf(entriesOf(SIZE, { note: 'fork' }), key);
		const found = await finding(withFile(other, 'checkpoint', log.get('checkpoint') ?? new Uint8Array()));
		expect(found).toEqual({ kind: 'forked' });
	});
});
