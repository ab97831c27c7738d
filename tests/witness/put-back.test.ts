/** Where the sealer stops by what a witness knows: of a later tree than there is, or of another one. */
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { type SealCtx, seal } from '#core/tlog.ts';
import { head, put } from '#tests/tlog/damage.ts';
import { ORIGIN, tables, write } from '#tests/tlog/world.ts';
import { logKey } from '#tests/verifier/reference.ts';
import { logOf } from './arrange.ts';
import { makeScene, type Scene, signers } from './scene.ts';

describe('the sealer stops', () => {
	/** Sealed three times; then head and checkpoint as they were after the first. */
	async function putBack() {
		const scene = await makeScene(['w1', 'w2']);
		scene.quorum = 1;
		const ctx = scene.process();
		const { world } = scene;
		await write(ctx, ['a', 'b']);
		await seal(ctx);
		const then = { head: await head(world), checkpoint: world.objects.files.get('checkpoint') ?? Buffer.of() };
		for (const names of [['c', 'd', 'e'], ['f']]) {
			await write(ctx, names);
			await seal(ctx);
		}
		await put(world, then.head);
		world.objects.files.set('checkpoint', then.checkpoint);
		await write(ctx, ['g', 'h']);
		return scene;
	}
	const filesOf = ({ world }: Scene) =>
		[...world.objects.files].map(([key, bytes]) => `${key} ${Buffer.from(bytes).toString('hex')}`);
	const stopsIn = async (scene: Scene, ctx: SealCtx, kind: string) => {
		const files = filesOf(scene);
		const before = await head(scene.world);
		await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: kind } });
		expect(filesOf(scene)).toEqual(files);
		expect(await head(scene.world)).toEqual(before);
	};
	const stops = async (scene: Scene, kind: string) => {
		const calls: string[] = [];
		const ctx = scene.process((name, call) => {
			calls.push(name);
			return call();
		});
		await stopsIn(scene, ctx, kind);
		expect(calls).not.toContain('sign');
	};

	/** Tables and files as they stand. */
	const standing = ({ world }: Scene) => ({
		items: Object.values(tables).map((name) => [name, world.store.items(name)] as const),
		files: [...world.objects.files],
	});
	async function putBackTo({ world }: Scene, { items, files }: ReturnType<typeof standing>): Promise<void> {
		for (const [TableName, all] of items) {
			world.store.forget(TableName, () => true);
			for (const Item of all) await world.store.client.send(new PutItemCommand({ TableName, Item }));
		}
		world.objects.files.clear();
		for (const [key, bytes] of files) world.objects.files.set(key, bytes);
	}

	it('where head and checkpoint were put back, before it signs or stores anything', async () => {
		await stops(await putBack(), 'witness-ahead');
	});

	it('there by the word of one witness, though others would be enough', async () => {
		const scene = await putBack();
		scene.witnesses[1]?.all.clear();
		await stops(scene, 'witness-ahead');
	});

	it('there in the process that was at work all the time', async () => {
		const scene = await makeScene(['w1']);
		const ctx = scene.process();
		await write(ctx, ['a']);
		await seal(ctx);
		const before = await head(scene.world);
		const checkpoint = scene.world.objects.files.get('checkpoint') ?? Buffer.of();
		await write(ctx, ['b']);
		await seal(ctx);
		await put(scene.world, before);
		scene.world.objects.files.set('checkpoint', checkpoint);
		await write(ctx, ['c']);
		await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: 'witness-ahead' } });
	});

	it('there in the process that brought the witnesses to what it was put back to', async () => {
		const scene = await makeScene(['w1']);
		const [x, y] = [scene.process(), scene.process()];
		await write(x, ['a', 'b', 'c']);
		await seal(x);
		const then = standing(scene);
		await write(y, ['d']);
		await seal(y);
		await putBackTo(scene, then);
		await write(x, ['another']);
		// The very process: its head is the one that it saw to the end itself.
		await stopsIn(scene, x, 'witness-ahead');
		await stopsIn(scene, y, 'witness-ahead');
	});

	it('where head and files were put back to nothing, before it stores anything', async () => {
		const scene = await makeScene(['w1', 'w2']);
		scene.quorum = 1;
		const nothing = standing(scene);
		const [x, y] = [scene.process(), scene.process()];
		await write(x, ['a']);
		await seal(x);
		await write(y, ['b']);
		await seal(y);
		await putBackTo(scene, nothing);
		scene.witnesses[1]?.all.clear();
		await write(x, ['another', 'first']);
		for (const ctx of [x, y, scene.process()]) await stopsIn(scene, ctx, 'witness-ahead');
	});

	it('where a committed batch was put back, with nothing published of it', async () => {
		const scene = await makeScene(['w1']);
		const { world } = scene;
		const ctx = scene.process();
		await write(ctx, ['a']);
		await seal(ctx);
		const checkpoint = world.objects.files.get('checkpoint') ?? Buffer.of();
		let committed: Awaited<ReturnType<typeof head>> = {};
		const files = new Map<string, Uint8Array>();
		await write(ctx, ['b']);
		await seal(
			scene.process(async (name, call) => {
				if (name === 'sign') {
					committed = await head(world);
					for (const [key, bytes] of world.objects.files) if (key.startsWith('staging/')) files.set(key, bytes);
				}
				return call();
			}),
		);
		await write(ctx, ['c']);
		await seal(ctx);
		await put(world, committed);
		world.objects.files.set('checkpoint', checkpoint);
		world.objects.files.delete('cosigned/2');
		for (const [key, bytes] of files) world.objects.files.set(key, bytes);
		await expect(seal(scene.process())).rejects.toMatchObject({ extensions: { alarm: 'witness-ahead' } });
		expect(signers(scene)?.size).toBe(1);
	});

	/** A log whose witness has what the same key signed elsewhere, of so many entries. */
	async function elsewhere(names: readonly string[], signedThere: readonly string[]) {
		const scene = await makeScene(['w1']);
		const other = await makeScene(['w1']);
		await write(other.process(), signedThere);
		await seal(other.process());
		await write(scene.process(), names);
		await seal(scene.process());
		for (const [origin, kept] of other.witnesses[0]?.all ?? []) scene.witnesses[0]?.all.set(origin, kept);
		await write(scene.process(), ['waits']);
		return scene;
	}

	it('where a witness has another tree of a size, or of a size that we never signed', async () => {
		for (const names of [
			['a', 'b'],
			['a', 'b', 'c'],
		]) {
			const scene = await elsewhere(names, ['x', 'y']);
			await stops(scene, 'witness-differs');
			// It stays so.
			await stops(scene, 'witness-differs');
		}
	});

	it('where a witness has a later tree, of which we have nothing', async () => {
		await stops(await elsewhere(['a'], ['x', 'y']), 'witness-ahead');
	});

	it('where a witness comes to have another tree while the batch is committed', async () => {
		const scene = await makeScene(['w1']);
		const other = await makeScene(['w1']);
		await write(other.process(), ['x', 'y']);
		await seal(other.process());
		await write(scene.process(), ['a', 'b']);
		const ctx = scene.process(async (name, call) => {
			if (name === 'create checkpoints/2') {
				for (const [origin, kept] of other.witnesses[0]?.all ?? []) scene.witnesses[0]?.all.set(origin, kept);
			}
			return call();
		});
		await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: 'witness-differs' } });
		expect(signers(scene)).toBeNull();
		await expect(seal(scene.process())).rejects.toMatchObject({ extensions: { alarm: 'witness-differs' } });
	});

	it('where what was archived of the size of a witness is not ours', async () => {
		const scene = await makeScene(['w1']);
		const ctx = scene.process();
		await write(ctx, ['a', 'b']);
		await seal(ctx);
		const forged = logOf(logKey(ORIGIN)).checkpoint(2);
		scene.world.objects.files.set('checkpoints/2', Buffer.from(forged));
		await write(ctx, ['c']);
		await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: 'foreign-checkpoint' } });
	});
});
