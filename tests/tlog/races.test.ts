/**
 * Sealers and a writer at once, each call of each at a moment that a seed picks, on an index that lags. 1,000 seeds in
 * `npm run soak`, 100 in the short one.
 */
import { expect, it } from 'vitest';
import type * as Ledger from '#core/ledger.ts';
import { type Pass, seal } from '#core/tlog.ts';
import { chance, checkSealed, type Gate, makeWorld, write } from './world.ts';

const SEEDS = process.env['FAIRLEAD_SOAK'] === 'whole' ? 1000 : 100;

/** Lets one waiting call go on at a time. */
function scheduler(next: () => number) {
	const waiting: (() => void)[] = [];
	const gate: Gate = async (name, call) => {
		// Who asks which shard when decides little, and there are many.
		if (name !== 'QueryCommand') await new Promise<void>((resolve) => waiting.push(resolve));
		return call();
	};
	const run = async (work: Promise<unknown>, between: () => void) => {
		const state = { done: false };
		const ended = work.finally(() => {
			state.done = true;
		});
		ended.catch(() => {});
		while (!state.done) {
			await new Promise((resolve) => setImmediate(resolve));
			between();
			const [resume] = waiting.splice(Math.floor(next() * waiting.length), 1);
			resume?.();
		}
		await ended;
	};
	return { gate, run };
}

async function race(seed: number): Promise<{ overtaken: number; passes: number }> {
	const next = chance(seed);
	const world = await makeWorld(seed);
	world.store.lagging = true;
	const { gate, run } = scheduler(next);
	const made: Ledger.Recorded[] = [];
	const passes: Pass[] = [];
	const sealer = async () => {
		for (let i = 0; i < 3; i++) passes.push(await seal(world.process(gate), { batch: 1 + Math.floor(next() * 6) }));
	};
	const writer = async () => {
		for (let i = 0; i < 8; i++) made.push(...(await write(world.process(gate), [`s${Math.floor(next() * 3)}`])));
	};
	await run(Promise.all([sealer(), sealer(), writer()]), () => world.store.catchUp(() => next() < 0.2));
	world.store.lagging = false;
	world.store.catchUp();
	await seal(world.process());
	checkSealed(world, made);
	return { overtaken: passes.filter((pass) => pass.overtaken).length, passes: passes.length };
}

it('of two sealers each entry is sealed once, whatever the order of their steps', {
	timeout: 900 * SEEDS,
}, async () => {
	let overtaken = 0;
	for (let seed = 1; seed <= SEEDS; seed++) {
		const outcome = await race(seed).catch((error: unknown) => {
			throw new Error(`seed ${seed}`, { cause: error });
		});
		overtaken += outcome.overtaken;
	}
	// They did get into each other's way.
	expect(overtaken).toBeGreaterThan(SEEDS / 10);
});
