/**
 * Every call of a pass that fails, fails after it took effect, or never answers; then another process. What comes of it
 * is what would have come without: the log verifies from its files alone, each entry is in it once and in the order of its
 * stream, nothing that cannot be read is in it, and no checkpoint went back.
 */
import { describe, expect, it } from 'vitest';
import type * as Ledger from '#core/ledger.ts';
import { quarantined, seal } from '#core/tlog.ts';
import { damage } from './damage.ts';
import { chance, checkSealed, FAULTS, type Fault, faulty, makeWorld, type World, write } from './world.ts';

type Scene = { readonly world: World; readonly made: Ledger.Recorded[]; readonly bad: number };

/** A log of some entries, then a few that wait. */
async function plain(before: number): Promise<Scene> {
	const world = await makeWorld();
	const ctx = world.process();
	const names = Array.from({ length: before }, (_, i) => `p${i}`);
	const made = await write(ctx, names);
	await seal(ctx);
	return { world, made: [...made, ...(await write(ctx, ['a', 'b', 'a', 'p0']))], bad: 0 };
}

/** Among those that wait is one that cannot be read, and one that follows it. */
async function damaged(): Promise<Scene> {
	const scene = await plain(2);
	const ctx = scene.world.process();
	const [bad, , c] = await write(ctx, ['bad', 'bad', 'c']);
	await damage(scene.world, bad as Ledger.Recorded, { b: { B: Buffer.from('{}') } });
	return { ...scene, made: [...scene.made, c as Ledger.Recorded], bad: 2 };
}

async function trial(scene: Scene, n: number, fault: Fault, second?: { n: number; fault: Fault }) {
	const { made, bad } = scene;
	const world = await makeWorld(2, scene.world);
	const first = faulty(n, fault);
	const pass = seal(world.process(first.gate)).catch(() => null);
	await Promise.race([pass, first.met]);
	if (second !== undefined) {
		const next = faulty(second.n, second.fault);
		await Promise.race([seal(world.process(next.gate)).catch(() => null), next.met]);
	}
	const healthy = world.process();
	const more = await write(healthy, ['a', 'late']);
	for (let i = 0; i < 3; i++) await seal(healthy);
	if (fault === 'stalls') {
		first.release();
		await pass;
		await seal(healthy);
	}
	const lines = checkSealed(world, [...made, ...more]);
	expect(await quarantined(healthy)).toBe(bad);
	// The damaged entry is told of once.
	expect(lines).toHaveLength(made.length + more.length + (bad === 0 ? 0 : 1));
}

/** The calls of a pass without a fault. */
async function callsOf(scene: Scene): Promise<string[]> {
	const world = await makeWorld(2, scene.world);
	const none = faulty(0, 'fails');
	await seal(world.process(none.gate));
	return none.calls;
}

describe.each(FAULTS)('a call that %s', (fault) => {
	it.each([
		['of a batch', () => plain(2)],
		['of the first batch', () => plain(0)],
		['of a batch with damage', damaged],
	] as const)('%s changes nothing', { timeout: 60_000 }, async (_, arrange) => {
		const scene = await arrange();
		const calls = await callsOf(scene);
		expect(calls.some((name) => name === 'sign')).toBe(true);
		for (const n of calls.keys()) {
			// The shards of the index are asked one like another.
			if (calls[n] === 'QueryCommand' && calls[n - 1] === 'QueryCommand' && calls[n + 1] === 'QueryCommand') continue;
			await trial(scene, n + 1, fault).catch((error: unknown) => {
				throw new Error(`call ${n + 1}, ${calls[n]}`, { cause: error });
			});
		}
	});

	it('of a batch that fills a tile changes nothing', { timeout: 60_000 }, async () => {
		const scene = await plain(254);
		const calls = await callsOf(scene);
		for (const [n, name] of calls.entries()) {
			if (/^(create|replace|remove|sign)/.test(name)) await trial(scene, n + 1, fault);
		}
	});
});

it('and what recovers from that may fail anywhere, too', { timeout: 60_000 }, async () => {
	const next = chance(7);
	const scene = await damaged();
	const count = (await callsOf(scene)).length;
	const pick = <T>(of: readonly T[]) => of[Math.floor(next() * of.length)] as T;
	for (let i = 0; i < 60; i++) {
		const n = Math.floor(next() * (count - 6)) + 6;
		const second = { n: 1 + Math.floor(next() * count), fault: pick(FAULTS.slice(0, 4)) };
		const fault = pick(FAULTS);
		await trial(scene, n, fault, second).catch((error: unknown) => {
			throw new Error(`call ${n} ${fault}, then ${second.n} ${second.fault}`, { cause: error });
		});
	}
});
