/** The map under the tables in memory, against the plain one that it stands for. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Sorted } from './memory/sorted.ts';

const key = fc.integer({ min: 0, max: 2000 }).map(String);

it('holds what a plain map holds, in the order of its keys, from any key on in both directions', () => {
	const steps = fc.array(fc.tuple(fc.constantFrom('set', 'set', 'set', 'delete'), key), {
		maxLength: 3000,
		size: 'max',
	});
	fc.assert(
		fc.property(steps, key, (all, from) => {
			const plain = new Map<string, number>();
			const sorted = new Sorted<number>();
			for (const [i, [what, name]] of all.entries()) {
				if (what === 'set') {
					plain.set(name, i);
					sorted.set(name, i);
				} else {
					plain.delete(name);
					sorted.delete(name);
				}
			}
			const wanted = [...plain].toSorted(([a], [b]) => (a < b ? -1 : 1));
			expect(sorted.size).toBe(plain.size);
			expect([...sorted.entries(null, false)]).toEqual(wanted);
			expect([...sorted.entries(null, true)]).toEqual(wanted.toReversed());
			expect([...sorted.entries(from, false)]).toEqual(wanted.filter(([name]) => name >= from));
			expect([...sorted.entries(from, true)]).toEqual(wanted.filter(([name]) => name <= from).toReversed());
			expect(sorted.get(from)).toBe(plain.get(from));
			const copy = sorted.copy();
			sorted.set('x', 1);
			expect([...copy.entries(null, false)]).toEqual(wanted);
		}),
		{ numRuns: 30 },
	);
});
