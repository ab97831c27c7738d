/** The shards in which entries wait, as many as the configuration says: they may become more, and never fewer. */
import { expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { auditStore, find, type SealCtx, seal } from '#core/tlog.ts';
import { checkSealed, faulty, makeWorld, readLog, type World, write } from './world.ts';

const names = Array.from({ length: 60 }, (_, i) => `s${i}`);
const withShards = (ctx: SealCtx, unsealedShards: number): SealCtx => ({
	...ctx,
	config: { ...ctx.config, unsealedShards },
});
const shardsIn = (world: World) =>
	[...new Set(world.store.items('ledger').flatMap((item) => item['u']?.S ?? []))].toSorted();

it('hold the entries that wait, each stream in one of them, and a pass asks each once', async () => {
	const world = await makeWorld();
	const ctx = withShards(world.process(), 3);
	await write(ctx, [...names, ...names]);
	expect(shardsIn(world)).toEqual(['U#0', 'U#1', 'U#2']);
	const streams = world.store.items('ledger').map((item) => `${item['pk']?.S} ${item['u']?.S}`);
	expect(new Set(streams).size).toBe(names.length);
	const none = faulty(0, 'fails');
	expect(await seal(withShards(world.process(none.gate), 3))).toMatchObject({ sealed: 120 });
	expect(none.calls.filter((name) => name === 'QueryCommand')).toHaveLength(3);
});

it('may become more while entries wait: what waits is sealed, found and listed from the old ones and the new', async () => {
	const world = await makeWorld();
	const [few, more] = [withShards(world.process(), 2), withShards(world.process(), 8)];
	const made = await write(few, names);
	made.push(...(await write(more, names)));
	expect(shardsIn(world)).toHaveLength(8);
	for (const { entry } of made) expect(await find(more, entry.id)).toMatchObject({ state: 'not-sealed' });
	expect(await Ledger.repairListings(more, new Date(world.now))).toBe(120);
	expect(await auditStore(more)).toMatchObject({ waiting: 120, fault: null });
	expect(await seal(more)).toMatchObject({ sealed: 120 });
	checkSealed(world, made);
});

it('where they became fewer, what waits beyond them is named by the audit', async () => {
	const world = await makeWorld();
	await write(withShards(world.process(), 8), names);
	const few = withShards(world.process(), 2);
	await seal(few);
	expect(await auditStore(few)).toMatchObject({ fault: { kind: 'inserted', index: null } });
	await seal(withShards(world.process(), 8));
	expect(await auditStore(few)).toMatchObject({ fault: null });
});

it('give no stream more than its share of a batch while others wait, and all that is left', async () => {
	const world = await makeWorld();
	const ctx = world.process();
	const backlog = await write(
		ctx,
		Array.from({ length: 400 }, () => 'busy'),
	);
	const others = await write(ctx, names.slice(0, 20));
	// Of the one that waited longest as much as there is room for beside the others.
	expect(await seal(ctx, { batch: 128 })).toMatchObject({ sealed: 128, more: true });
	const lines = readLog(world.objects.files).lines.map(({ stream }) => stream);
	expect(lines.filter((stream) => stream !== 'A#domain#busy')).toHaveLength(20);
	for (let i = 0; i < 3; i++) await seal(ctx, { batch: 128 });
	checkSealed(world, [...backlog, ...others]);
});
