/** Where the sealer stops: it alarms, signs nothing, and leaves the log as it was. */

import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { type SealCtx, seal } from '#core/tlog.ts';
import { formatCheckpoint } from '#verifier/checkpoint.ts';
import { signatureLine, verifierKey } from '#verifier/note.ts';
import { damage, head, put, remove } from './damage.ts';
import { memoryObjects } from './memory.ts';
import { checkSealed, faulty, makeWorld, ORIGIN, signerWith, type World, write } from './world.ts';

/** A log that was sealed twice, and an entry that waits. */
async function twice(): Promise<{
	world: World;
	ctx: SealCtx;
	before: Awaited<ReturnType<typeof head>>;
	older: Uint8Array;
}> {
	const world = await makeWorld();
	const ctx = world.process();
	await write(ctx, ['a', 'b']);
	await seal(ctx);
	const before = await head(world);
	const older = world.objects.files.get('checkpoint') ?? new Uint8Array();
	await write(ctx, ['a']);
	await seal(ctx);
	await write(ctx, ['c']);
	return { world, ctx, before, older };
}

/** A checkpoint of another tree, signed with the key of the log. */
async function noteOf(size: number): Promise<Uint8Array> {
	const signer = signerWith();
	const text = formatCheckpoint({ origin: ORIGIN, size, root: new Uint8Array(32) });
	const { name, id } = verifierKey(signer.vkey);
	return Buffer.from(`${text}\n${signatureLine(name, id, await signer.sign(Buffer.from(text)))}`);
}

/** The pass raises this alarm, and neither signs nor writes anything of the log. */
async function stops(world: World, kind: string, log?: SealCtx['log']): Promise<void> {
	const files = new Map(world.objects.files);
	const item = await head(world);
	const none = faulty(0, 'fails');
	const ctx = world.process(none.gate);
	const pass = seal(log === undefined ? ctx : { ...ctx, log: { ...ctx.log, ...log } });
	await expect(pass).rejects.toMatchObject({ extensions: { alarm: kind } });
	expect(none.calls).not.toContain('sign');
	expect(published(world.objects.files)).toEqual(published(files));
	expect(await head(world)).toEqual(item);
}

/** What there is besides staging, in short. */
const published = (files: ReadonlyMap<string, Uint8Array>) =>
	[...files].filter(([key]) => !key.startsWith('staging/')).map(([key, bytes]) => `${key} ${Ledger.sha256(bytes)}`);

describe('the sealer stops', () => {
	it('where the head was put back', async () => {
		const { world, before } = await twice();
		await put(world, before);
		await stops(world, 'head-and-checkpoint-differ');
		await put(world, { ...before, state: { S: 'committed' } });
		await stops(world, 'head-and-checkpoint-differ');
	});

	it('where the head is gone', async () => {
		const { world } = await twice();
		const item = await head(world);
		const lost = await makeWorld(3);
		for (const [key, bytes] of world.objects.files) lost.objects.files.set(key, bytes);
		await write(lost.process(), ['a']);
		expect(item).not.toEqual({});
		await stops(lost, 'head-and-checkpoint-differ');
	});

	it('where the head has another root, or cannot be read', async () => {
		const { world } = await twice();
		const item = await head(world);
		const root = new Uint8Array(32);
		await put(world, { ...item, root: { B: root }, staging: { S: `staging/2-3-${'00'.repeat(32)}` } });
		await stops(world, 'head-and-checkpoint-differ');
		const changes = [{ root: { B: root } }, { size: { N: '4' } }, { state: { S: 'open' } }, { at: undefined }];
		for (const change of [...changes, { fromSize: { N: '1' } }, { fromRoot: undefined }, { staged: undefined }]) {
			await put(world, { ...item, ...change });
			await stops(world, 'head-unreadable');
		}
	});

	it('where the published checkpoint was put back, or taken away', async () => {
		const { world, older } = await twice();
		world.objects.files.set('checkpoint', older);
		await stops(world, 'head-and-checkpoint-differ');
		world.objects.files.delete('checkpoint');
		await stops(world, 'head-and-checkpoint-differ');
	});

	it('where another key signed the checkpoint, or for another log', async () => {
		const { world, ctx } = await twice();
		const { privateKey } = generateKeyPairSync('ed25519');
		await stops(world, 'foreign-checkpoint', { ...ctx.log, signer: signerWith(privateKey) });
		await stops(world, 'foreign-checkpoint', { ...ctx.log, origin: 'bank.example/other' });
		world.objects.files.set('checkpoint', Buffer.from('nothing of the kind'));
		await stops(world, 'foreign-checkpoint');
	});

	it('where another tree of this size was archived, or an archived checkpoint is of another size', async () => {
		for (const [note, kind] of [
			[await noteOf(4), 'head-and-checkpoint-differ'],
			[await noteOf(3), 'foreign-checkpoint'],
		] as const) {
			const { world, ctx } = await twice();
			world.objects.files.set('checkpoints/4', note);
			const before = world.objects.files.get('checkpoint');
			await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: kind } });
			expect(world.objects.files.get('checkpoint')).toBe(before);
			expect(world.objects.files.get('checkpoints/4')).toBe(note);
		}
	});

	it('where another tree of this size is published while it signs', async () => {
		const { world } = await twice();
		const note = await noteOf(4);
		const ctx = world.process(async (name, call) => {
			if (name === 'create checkpoints/4') world.objects.files.set('checkpoint', note);
			return call();
		});
		await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: 'head-and-checkpoint-differ' } });
		expect(world.objects.files.get('checkpoint')).toBe(note);
		await stops(world, 'head-and-checkpoint-differ');
	});

	it('where a file of the right edge was changed, or is gone', async () => {
		const { world } = await twice();
		const files = new Map(world.objects.files);
		for (const path of ['tile/0/000.p/3', 'tile/entries/000.p/3']) {
			const bytes = files.get(path) ?? new Uint8Array();
			for (const wrong of [bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1), bytes.slice(1), null]) {
				if (wrong === null) world.objects.files.delete(path);
				else world.objects.files.set(path, wrong);
				await stops(world, 'files-differ');
			}
			world.objects.files.set(path, bytes);
		}
		expect(await seal(world.process())).toMatchObject({ sealed: 1 });
	});

	it('where the signer signs with another key than it names', async () => {
		const { world, ctx } = await twice();
		const { sign } = signerWith(generateKeyPairSync('ed25519').privateKey);
		const log = { ...ctx.log, signer: { ...ctx.log.signer, sign } };
		await expect(seal({ ...ctx, log })).rejects.toMatchObject({ extensions: { alarm: 'signer' } });
		expect(world.objects.files.has('checkpoints/4')).toBe(false);
		expect(await seal(ctx)).toMatchObject({ recovered: 1, size: 4 });
	});

	it('where what was staged is gone or another, and goes on when it is back', async () => {
		const { world, ctx } = await twice();
		const calls = faulty(0, 'fails');
		const copy = await makeWorld(5, world);
		await seal(copy.process(calls.gate));
		const cut = faulty(calls.calls.findIndex((name) => name.startsWith('create tile')) + 1, 'hangs');
		void seal(world.process(cut.gate)).catch(() => null);
		await cut.met;
		// What it had begun besides comes to its end.
		await new Promise((resolve) => setImmediate(resolve));
		const [path = '', bytes = new Uint8Array()] =
			[...world.objects.files].find(([k]) => k.startsWith('staging/')) ?? [];
		world.objects.files.delete(path);
		await stops(world, 'staging-differs');
		world.objects.files.set(path, bytes.with(bytes.length - 3, 65));
		await stops(world, 'staging-differs');
		world.objects.files.set(path, bytes);
		expect(await seal(ctx)).toMatchObject({ recovered: 1 });
		checkSealed(world, []);
	});

	it('where an entry changed after it was committed, and before it was marked', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		const [a, b] = await write(ctx, ['a', 'b']);
		const calls = faulty(0, 'fails');
		await seal((await makeWorld(5, world)).process(calls.gate));
		const cut = faulty(calls.calls.indexOf('replace checkpoint') + 1, 'hangs');
		void seal(world.process(cut.gate)).catch(() => null);
		await cut.met;
		// What it had begun besides comes to its end.
		await new Promise((resolve) => setImmediate(resolve));
		await damage(world, a as Ledger.Recorded, { h: { B: new Uint8Array(32) } });
		await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: 'entry-differs' } });
		await remove(world, b as Ledger.Recorded);
		await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: 'entry-differs' } });
	});

	it('where a tile or a bundle that it is about to make is there with other bytes', async () => {
		for (const object of ['tile/0/000.p/4', 'tile/entries/000.p/4']) {
			const { world, ctx } = await twice();
			world.objects.files.set(object, new Uint8Array(128));
			const told = { code: 'record-corrupt', extensions: { alarm: 'files-differ', object } };
			await expect(seal(ctx)).rejects.toMatchObject(told);
			// It stays so.
			await expect(seal(world.process())).rejects.toMatchObject(told);
			expect(world.objects.files.has('checkpoints/4')).toBe(false);
		}
	});

	it('where other bytes lie where it is about to stage a batch', async () => {
		const { world } = await twice();
		const copy = await makeWorld(5, world);
		const calls = faulty(0, 'fails');
		await seal(copy.process(calls.gate));
		const [, key = ''] = /^create (staging\/.+)$/.exec(calls.calls.find((c) => c.startsWith('create st')) ?? '') ?? [];
		world.objects.files.set(key, Buffer.from('another batch'));
		await stops(world, 'staging-differs');
	});
});

it('an object store in memory keeps what the port promises', async () => {
	const objects = memoryObjects();
	await objects.create('a', Uint8Array.of(1));
	await objects.create('a', Uint8Array.of(1));
	await expect(objects.create('a', Uint8Array.of(2))).rejects.toMatchObject({ code: 'record-corrupt' });
	expect(await objects.replace('c', Uint8Array.of(1), Uint8Array.of(0))).toBe(false);
	expect(await objects.replace('c', Uint8Array.of(1), null)).toBe(true);
	expect(await objects.replace('c', Uint8Array.of(2), null)).toBe(false);
	expect(await objects.replace('c', Uint8Array.of(2), Uint8Array.of(1))).toBe(true);
	expect(await objects.get('c')).toEqual(Uint8Array.of(2));
});

it('a line that others put under an archived checkpoint is not published', async () => {
	const { world, ctx } = await twice();
	const copy = await makeWorld(5, world);
	await seal(copy.process());
	const own = copy.objects.files.get('checkpoints/4') ?? new Uint8Array();
	const line = signatureLine('somebody.example', 7, new Uint8Array(64));
	world.objects.files.set('checkpoints/4', Buffer.concat([own, Buffer.from(line)]));
	await seal(ctx);
	expect(world.objects.files.get('checkpoint')).toEqual(Uint8Array.from(own));
});
