/**
 * Every call of a pass with witnesses that fails, fails after it took effect, or never answers; then another process. And two
 * sealers at once. What comes of it: the log verifies, each entry is in it once, each published checkpoint is cosigned by
 * enough, no two notes were ever published for one size, and no witness saw anything that does not fit.
 */
import { expect, it } from 'vitest';
import type * as Ledger from '#core/ledger.ts';
import { seal } from '#core/tlog.ts';
import { chance, checkSealed, FAULTS, type Fault, faulty, type Gate, write } from '#tests/tlog/world.ts';
import { REPEAT_SECONDS } from '#witness/decide.ts';
import { makeScene, type Scene, signers, uncosigned } from './scene.ts';

/** Each note that was published, as it came; sizes only grow, so a size has one. */
function notesOf({ world }: Scene) {
	const notes: string[] = [];
	const set = world.objects.files.set.bind(world.objects.files);
	world.objects.files.set = (key, bytes) => {
		if (key === 'checkpoint') notes.push(Buffer.from(bytes).toString());
		return set(key, bytes);
	};
	return notes;
}

function check(scene: Scene, made: readonly Ledger.Recorded[], notes: readonly string[]): void {
	checkSealed(uncosigned(scene), made);
	expect(signers(scene)?.by.length).toBeGreaterThan(scene.quorum);
	const sizes = notes.map((note) => Number(note.split('\n')[1]));
	expect(sizes).toEqual([...new Set(sizes)].toSorted((a, b) => a - b));
	expect(sizes.length).toBeGreaterThan(0);
	for (const [i, size] of sizes.entries()) {
		expect(notes[i]).toBe(Buffer.from(scene.world.objects.files.get(`cosigned/${size}`) ?? []).toString());
		expect(signers(scene, `cosigned/${size}`)?.by.length).toBeGreaterThan(scene.quorum);
		expect(signers(scene, `checkpoints/${size}`)?.by).toEqual(['log']);
	}
	for (const { told } of scene.witnesses) expect(told).toEqual([]);
}

async function before(): Promise<Scene & { made: Ledger.Recorded[] }> {
	const scene = await makeScene(['w1', 'w2']);
	scene.quorum = 1;
	const ctx = scene.process();
	const made = await write(ctx, ['a', 'b', 'c']);
	await seal(ctx);
	return Object.assign(scene, { made: [...made, ...(await write(ctx, ['d', 'a']))] });
}

async function copyOf(scene: Scene): Promise<Scene> {
	const copy = await makeScene(['w1', 'w2'], scene);
	copy.quorum = 1;
	// Time goes on between any two requests: no two cosignatures of a size are the same.
	for (const { clock, witness } of copy.witnesses) {
		Object.assign(witness, { now: () => (clock.now += REPEAT_SECONDS * 1000) });
	}
	return copy;
}

async function trial(of: Awaited<ReturnType<typeof before>>, n: number, fault: Fault): Promise<void> {
	const scene = await copyOf(of);
	const notes = notesOf(scene);
	const first = faulty(n, fault);
	const pass = seal(scene.process(first.gate)).catch(() => null);
	await Promise.race([pass, first.met]);
	const healthy = scene.process();
	const more = await write(healthy, ['a', 'late']);
	for (let i = 0; i < 3; i++) await seal(healthy);
	if (fault === 'stalls') {
		first.release();
		await pass;
		await seal(healthy);
	}
	check(scene, [...of.made, ...more], notes);
}

it.each(FAULTS)('a call that %s changes nothing', { timeout: 60_000 }, async (fault) => {
	const of = await before();
	const none = faulty(0, 'fails');
	await seal((await copyOf(of)).process(none.gate));
	expect(none.calls.filter((name) => name.startsWith('witness'))).toHaveLength(4);
	for (const [n, name] of none.calls.entries()) {
		if (name === 'QueryCommand') continue;
		await trial(of, n + 1, fault).catch((error: unknown) => {
			throw new Error(`call ${n + 1}, ${name}`, { cause: error });
		});
	}
});

/** Lets one waiting call go on at a time. */
function scheduler(next: () => number) {
	const waiting: (() => void)[] = [];
	const gate: Gate = async (name, call) => {
		if (name !== 'QueryCommand') await new Promise<void>((resolve) => waiting.push(resolve));
		return call();
	};
	const run = async (work: Promise<unknown>) => {
		const state = { done: false };
		const ended = work.finally(() => {
			state.done = true;
		});
		ended.catch(() => {});
		while (!state.done) {
			await new Promise((resolve) => setImmediate(resolve));
			waiting.splice(Math.floor(next() * waiting.length), 1)[0]?.();
		}
		await ended;
	};
	return { gate, run };
}

it('two sealers publish one note for a size, whatever the order of their steps', { timeout: 60_000 }, async () => {
	const of = await before();
	// A batch that is committed, and not signed yet: both see it to its end.
	const dying: Gate = (name, call) => (name === 'sign' ? Promise.reject(new Error('dies')) : call());
	await seal(of.process(dying)).catch(() => null);
	let both = 0;
	for (let seed = 1; seed <= 60; seed++) {
		const scene = await copyOf(of);
		const notes = notesOf(scene);
		const { gate, run } = scheduler(chance(seed));
		const made = [...of.made];
		const kept: string[] = [];
		const counting: Gate = (name, call) => {
			if (name.startsWith('create cosigned/')) kept.push(name);
			return gate(name, call);
		};
		const sealer = async () => {
			const ctx = scene.process(counting);
			for (let i = 0; i < 3; i++) await seal(ctx, { batch: 2 });
		};
		const writer = async () => {
			for (let i = 0; i < 4; i++) made.push(...(await write(scene.process(gate), [`s${i}`])));
		};
		try {
			await run(Promise.all([sealer(), sealer(), writer()]));
			for (let i = 0; i < 4; i++) await seal(scene.process());
			check(scene, made, notes);
		} catch (error) {
			throw new Error(`seed ${seed}`, { cause: error });
		}
		both += kept.length > new Set(kept).size ? 1 : 0;
	}
	// Both had cosignatures of one size, of two moments.
	expect(both).toBeGreaterThan(10);
});
