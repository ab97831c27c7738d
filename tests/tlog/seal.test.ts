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

	it('marks many streams at once, and no more than a client has sockets', async () => {
		const world = await makeWorld();
		const made = await write(
			world.process(),
			Array.from({ length: 64 }, (_, i) => `d${i}`),
		);
		let under = 0;
		let most = 0;
		const ctx = world.process(async (name, call) => {
			if (name !== 'PutItemCommand' && name !== 'UpdateItemCommand') return call();
			most = Math.max(most, ++under);
			await new Promise((resolve) => setImmediate(resolve));
			return call().finally(() => {
				under -= 1;
			});
		});
		await seal(ctx);
		checkSealed(world, made);
		expect(most).toBe(48);
	});
});
