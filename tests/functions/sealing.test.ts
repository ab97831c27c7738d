/** The sealer's shift: what a pass that fails does to it, and what is told at its end. */
import { describe, expect, it } from 'vitest';
import type { Platform } from '#core/context.ts';
import { LATE, type Shift, STOPPED, sealFor } from '#functions/sealing.ts';
import { head, put } from '#tests/tlog/damage.ts';
import { checkSealed, type Gate, makeWorld, write } from '#tests/tlog/world.ts';

/** A sealer of a world; its shift lasts for four passes, and what goes on meanwhile happens while it sleeps. */
async function arrange() {
	const world = await makeWorld();
	const slept: number[] = [];
	const scene = {
		world,
		slept,
		meanwhile: async () => {},
		gate: ((_, call) => call()) as Gate,
		told: () => world.warned.map((told) => (told as unknown[])[0]),
		work: () => sealFor(platform, shift),
	};
	const process = world.process((name, call) => scene.gate(name, call));
	const platform = process as unknown as Platform;
	const shift: Shift = {
		lastsMs: 39_000,
		everyMs: 10_000,
		trace: () => '1'.repeat(32),
		async sleep(ms) {
			slept.push(ms);
			world.now += ms;
			await scene.meanwhile();
		},
	};
	return scene;
}

/** Nothing of the store of the log answers. */
const down: Gate = (name, call) => (/^(get|create|replace) /.test(name) ? Promise.reject(new Error('down')) : call());
const FAILED = 'ledger: a pass of the sealer failed';
const UNSEEN = 'ledger: what waits to be sealed could not be looked at';

describe('a shift', () => {
	it('makes passes until its time is over, and tells what it sealed', async () => {
		const scene = await arrange();
		const made = await write(scene.world.process(), ['a', 'b']);
		expect(await scene.work()).toEqual({ passes: 4, failed: 0, sealed: 2, size: 2, quarantined: 0, oldestSeconds: 0 });
		expect(scene.slept).toHaveLength(3);
		expect(scene.told()).toEqual([]);
		checkSealed(scene.world, made);
	});

	it('goes on after a pass that failed, which it tells', async () => {
		const scene = await arrange();
		const made = await write(scene.world.process(), ['a', 'b']);
		scene.gate = down;
		scene.meanwhile = async () => {
			scene.gate = (_, call) => call();
		};
		expect(await scene.work()).toMatchObject({ passes: 4, failed: 1, sealed: 2, size: 2 });
		expect(scene.told()).toEqual([FAILED]);
		checkSealed(scene.world, made);
	});

	it('fails with what its last pass failed with, whatever the others did', async () => {
		const scene = await arrange();
		scene.meanwhile = async () => {
			scene.gate = down;
		};
		await expect(scene.work()).rejects.toThrow('down');
		expect(scene.told()).toEqual([FAILED, FAILED, FAILED]);
	});

	it('tells that sealing is late although no pass comes to an end', async () => {
		const scene = await arrange();
		await write(scene.world.process(), ['a']);
		scene.gate = down;
		scene.world.now += 250_000;
		await expect(scene.work()).rejects.toThrow('down');
		expect(scene.told()).not.toContain(LATE);
		// Not late when it begins, but when it ends.
		await expect(scene.work()).rejects.toThrow('down');
		expect(scene.told().filter((message) => message === LATE)).toHaveLength(1);
		expect(scene.told().at(-1)).toBe(LATE);
	});

	it('tells that sealing is late before its first pass, which may hang until the shift is cut off', async () => {
		const scene = await arrange();
		await write(scene.world.process(), ['a']);
		scene.world.now += 301_000;
		const hangs = new Promise<void>((resolve) => {
			scene.gate = (name, call) => {
				if (!/^(get|create|replace) /.test(name)) return call();
				resolve();
				return new Promise(() => {});
			};
		});
		void scene.work();
		await hangs;
		expect(scene.told()).toEqual([LATE]);
	});

	it('tells once that sealing is late, also where its passes seal what waited', async () => {
		const scene = await arrange();
		const made = await write(scene.world.process(), ['a']);
		scene.world.now += 301_000;
		expect(await scene.work()).toMatchObject({ sealed: 1, oldestSeconds: 0 });
		expect(scene.told()).toEqual([LATE]);
		checkSealed(scene.world, made);
		await write(scene.world.process(), ['b']);
		scene.gate = down;
		scene.world.now += 301_000;
		await expect(scene.work()).rejects.toThrow('down');
		expect(scene.told()).toEqual([LATE, LATE, ...Array(4).fill(FAILED)]);
	});

	it('makes its passes where what waits cannot be looked at before them, which it tells', async () => {
		const scene = await arrange();
		const made = await write(scene.world.process(), ['a']);
		let looked = 0;
		scene.gate = (name, call) => {
			if (name === 'QueryCommand' && ++looked <= 4) return Promise.reject(new Error('no table'));
			return call();
		};
		expect(await scene.work()).toMatchObject({ passes: 4, failed: 0, sealed: 1, oldestSeconds: 0 });
		expect(scene.told()).toEqual([UNSEEN]);
		checkSealed(scene.world, made);
	});

	it('ends with an alarm, as nothing is mended by itself then, and tells that sealing is late', async () => {
		const scene = await arrange();
		const ctx = scene.world.process();
		await write(ctx, ['a']);
		await scene.work();
		const item = await head(scene.world);
		await write(ctx, ['b']);
		await put(scene.world, { ...item, at: undefined });
		scene.world.now += 301_000;
		scene.slept.length = 0;
		await expect(scene.work()).rejects.toMatchObject({ extensions: { alarm: 'head-unreadable' } });
		expect(scene.slept).toEqual([]);
		expect(scene.told()).toEqual([LATE, `${STOPPED}: head-unreadable`]);
	});

	it('fails with what its passes failed with where what waits cannot be looked at either, and tells both', async () => {
		const scene = await arrange();
		scene.gate = (name, call) => (name === 'QueryCommand' ? Promise.reject(new Error('no table')) : down(name, call));
		await expect(scene.work()).rejects.toThrow('down');
		expect(scene.told()).toEqual([UNSEEN, ...Array(4).fill(FAILED), UNSEEN]);
	});

	it('fails where its passes went well and what waits cannot be looked at', async () => {
		const scene = await arrange();
		let looked = 0;
		scene.gate = (name, call) => {
			// Each look is at four shards: that at the beginning, those of the four passes, and that at the end.
			if (name === 'QueryCommand' && ++looked > 20) return Promise.reject(new Error('no table'));
			return call();
		};
		await expect(scene.work()).rejects.toMatchObject({ code: 'unavailable' });
	});
});
