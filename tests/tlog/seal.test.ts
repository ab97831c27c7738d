/** The sealer on a store in memory: what it makes, what it refuses, and what it puts aside. */
import { describe, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { seal } from '#core/tlog.ts';
import { checkSealed, makeWorld, readLog, write } from './world.ts';

describe('sealing', () => {
	it('takes what waits into a log that verifies from its files alone', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		const made = await write(ctx, ['a', 'b', 'a', 'c', 'a']);
		expect(await seal(ctx)).toMatchObject({ sealed: 5, size: 5, overtaken: false, more: false });
		expect(checkSealed(world, made)).toHaveLength(5);
		expect(await seal(ctx)).toMatchObject({ sealed: 0, size: 5 });
		const more = await write(ctx, ['a', 'd']);
		expect(await seal(ctx)).toMatchObject({ sealed: 2, size: 7 });
		checkSealed(world, [...made, ...more]);
		expect(readLog(world.objects.files).size).toBe(7);
		expect([...world.objects.files.keys()].filter((k) => k.startsWith('staging/'))).toEqual([]);
		expect((await Ledger.verifyAll(ctx)).entries).toBe(7);
	});
});
