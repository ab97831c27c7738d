/** A log of three levels of tiles. */
import { beforeAll, describe, expect, it } from 'vitest';
import { finding, key, outcome, withFile, without } from './outcome.ts';
import { entriesOf, type Files, flipped, logOf } from './reference.ts';

describe('a log of more than 65,536 entries', () => {
	const all = entriesOf(65_537);
	const logs = new Map<number, Files>();
	beforeAll(() => {
		for (const size of [65_535, 65_536, 65_537]) logs.set(size, logOf(all.slice(0, size), key));
	});

	it.each([65_535, 65_536, 65_537])('verifies at %d', async (size) => {
		expect(await outcome(logs.get(size) ?? new Map())).toBeNull();
	});

	it('has each tile above the first level looked at', async () => {
		const files = logs.get(65_537) ?? new Map<string, Uint8Array>();
		for (const [name, index, byte] of [
			['tile/1/000', 9 * 256, 9 * 32 + 3],
			['tile/2/000.p/1', 0, 3],
		] as const) {
			const bytes = files.get(name) ?? new Uint8Array();
			const found = await finding(withFile(files, name, flipped(bytes, byte)));
			expect(found).toEqual({ kind: 'changed', object: name, index });
		}
		expect(await finding(without(files, 'tile/2/000.p/1'))).toMatchObject({
			kind: 'missing',
			object: 'tile/2/000.p/1',
		});
	});

	it('has an entry named that was changed with its tile, and with the tile above', async () => {
		const files = logs.get(65_537) ?? new Map<string, Uint8Array>();
		const other = logOf(all.with(40_000, Buffer.from('{"stream":"A#x","ver":1}')), key);
		const names = ['tile/entries/156', 'tile/0/156', 'tile/1/000'];
		const changed = names.map((n) => [n, other.get(n) ?? new Uint8Array()] as const);
		expect(await finding(new Map([...files, ...changed.slice(0, 2)]))).toMatchObject({ index: 39_936, last: 40_191 });
		expect(await finding(new Map([...files, ...changed]))).toMatchObject({ kind: 'changed', index: 0, last: 65_535 });
		expect(await finding(new Map([...files, ...changed.slice(0, 1)]))).toMatchObject({
			kind: 'changed',
			index: 40_000,
		});
	});
});
