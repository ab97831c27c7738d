import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openLanes } from '#local/athena/lanes.ts';

const calm = () => new AbortController().signal;
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a lane that waits with many does not hold up another one', async () => {
	const lanes = openLanes(2);
	const order: string[] = [];
	const take = (lane: string, name: string) => void lanes.take(lane, calm()).then(() => order.push(name));
	for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) take('a', name);
	take('b', 'b1');
	take('b', 'b2');
	take('c', 'c1');
	await turn();
	expect(order).toEqual(['a1', 'a2']);
	for (const lane of ['a', 'a', 'b', 'c']) {
		lanes.give(lane);
		await turn();
	}
	expect(order).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2']);
});

test('lanes with as many inside take turns', async () => {
	const lanes = openLanes(1);
	const order: string[] = [];
	await lanes.take('a', calm());
	for (const name of ['a1', 'a2', 'a3', 'b1', 'b2', 'b3']) {
		const lane = name.charAt(0);
		void lanes.take(lane, calm()).then(() => order.push(name));
	}
	let inside = 'a';
	for (let i = 0; i < 6; i++) {
		lanes.give(inside);
		await turn();
		inside = order.at(-1)?.charAt(0) ?? '';
	}
	expect(order).toEqual(['b1', 'a1', 'b2', 'a2', 'b3', 'a3']);
});

test('who gives up is not let in, and his place goes to the next', async () => {
	const lanes = openLanes(1);
	await lanes.take('a', calm());
	const impatient = new AbortController();
	const first = lanes.take('a', impatient.signal);
	const second = lanes.take('a', calm());
	impatient.abort();
	expect(await first).toBe(false);
	lanes.give('a');
	expect(await second).toBe(true);
	expect(await lanes.take('b', AbortSignal.abort())).toBe(false);
});

test('never more are inside than there is room for, and everybody gets in', async () => {
	const arrivals = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 20 });
	await fc.assert(
		fc.asyncProperty(fc.integer({ min: 1, max: 3 }), arrivals, async (most, all) => {
			const lanes = openLanes(most);
			let inside = 0;
			let served = 0;
			await Promise.all(
				all.map(async (lane) => {
					await lanes.take(lane, calm());
					expect(++inside).toBeLessThanOrEqual(most);
					await turn();
					inside--;
					served++;
					lanes.give(lane);
				}),
			);
			expect(served).toBe(all.length);
		}),
		{ numRuns: 50 },
	);
});
