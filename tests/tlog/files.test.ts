/** What reads the log while another sealer goes on, and takes away the partial tiles and bundles that it has filled. */
import { beforeAll, expect, it } from 'vitest';
import type * as Ledger from '#core/ledger.ts';
import { leavesOf } from '#core/tlog/leaves.ts';
import { auditStore, readHead, seal } from '#core/tlog.ts';
import { checkSealed, type Gate, makeWorld, type World, write } from './world.ts';

let scene: World;
const made: Ledger.Recorded[] = [];
const names = (from: number, count: number) => Array.from({ length: count }, (_, i) => `s${from + i}`);

beforeAll(async () => {
	scene = await makeWorld();
	made.push(...(await write(scene.process(), names(0, 255))));
	await seal(scene.process());
	made.push(...(await write(scene.process(), names(1000, 3))));
});

/** Lets something happen before the first call of this name. */
function before(name: string, happens: () => Promise<unknown>): { gate: Gate; met: () => boolean } {
	let met = false;
	const gate: Gate = async (called, call) => {
		if (called === name && !met) {
			met = true;
			await happens();
		}
		return call();
	};
	return { gate, met: () => met };
}

it.each(['get tile/0/000.p/255', 'get tile/entries/000.p/255'])(
	'a sealer raises no alarm, and is overtaken, where another one was faster before its %s',
	async (name) => {
		const world = await makeWorld(2, scene);
		const other = before(name, () => seal(world.process()));
		expect(await seal(world.process(other.gate))).toMatchObject({ sealed: 0, overtaken: true });
		expect(other.met()).toBe(true);
		expect(world.objects.files.has(name.slice(4))).toBe(false);
		expect(world.warned).toEqual([]);
		checkSealed(world, made);
	},
);

it('a sealer that was put before the choice of what to put aside does not judge by an older head', async () => {
	const world = await makeWorld(2, scene);
	const whole = world.process();
	// It finds everything marked by the other one, in a tree that it has not seen yet.
	const other = before('BatchGetItemCommand', () => seal(whole));
	expect(await seal(world.process(other.gate))).toMatchObject({ sealed: 0, quarantined: 0, overtaken: true });
	expect(other.met()).toBe(true);
	expect(await seal(whole)).toMatchObject({ sealed: 0, size: 258 });
	expect(world.warned).toEqual([]);
	checkSealed(world, made);
});

it('an audit of what a bundle held finds it in the full one', async () => {
	const world = await makeWorld(2, scene);
	const other = before('get tile/entries/000.p/255', () => seal(world.process()));
	expect(await auditStore(world.process(other.gate))).toMatchObject({ entries: 255, fault: null });
	expect(world.objects.files.has('tile/entries/000.p/255')).toBe(false);
});

it('an audit looks in the full tile for what was sealed since it began', async () => {
	const world = await makeWorld(2, scene);
	const whole = world.process();
	const since = before('ScanCommand', () => seal(whole));
	const more = before('get tile/0/001.p/2', async () => {
		await write(whole, names(2000, 256));
		await seal(whole);
	});
	const gate: Gate = (name, call) => since.gate(name, () => more.gate(name, call));
	expect(await auditStore(world.process(gate))).toMatchObject({ entries: 255, fault: null });
	expect(more.met()).toBe(true);
	expect(world.objects.files.has('tile/0/001.p/2')).toBe(false);
});

it('the leaves of a tree are those of its entries, and none is taken from an altered tile', async () => {
	const world = await makeWorld(2, scene);
	const ctx = world.process();
	await write(ctx, names(3000, 300));
	await seal(ctx);
	const lines = checkSealed(world, []);
	const { size, root } = await readHead(ctx);
	const all = lines.map((_, index) => index);
	const leaves = await leavesOf(ctx.log, { size, root }, [...all, -1, 0.5, size, size + 256, Number.NaN]);
	expect([...leaves.keys()].toSorted((a, b) => a - b)).toEqual(all);
	for (const [index, leaf] of leaves) expect(leaf).toBe(lines[index]?.leaf);
	const tiles = [...world.objects.files.keys()].filter((key) => /^tile\/\d/.test(key) && !/\.p\/(1|2)$/.test(key));
	expect(tiles.toSorted()).toEqual(['tile/0/000', 'tile/0/001', 'tile/0/002.p/46']);
	for (const path of [...tiles, 'tile/1/000.p/2']) {
		const bytes = world.objects.files.get(path) ?? new Uint8Array();
		world.objects.files.set(path, bytes.with(40, (bytes[40] ?? 0) ^ 1));
		// Of another entry of the same tile, or of one above which it stands.
		const index = path === 'tile/0/001' ? 500 : path === 'tile/0/002.p/46' ? 512 : 0;
		await expect(leavesOf(ctx.log, { size, root }, [index]), path).rejects.toMatchObject({
			extensions: { alarm: 'files-differ' },
		});
		world.objects.files.set(path, bytes);
	}
});
