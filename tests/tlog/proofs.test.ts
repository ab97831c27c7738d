/** Proofs made from the tiles, and the store compared with the log. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { BrokerError } from '#core/error.ts';
import * as Ledger from '#core/ledger.ts';
import { archived, auditStore, consistencyBetween, find, QUARANTINE, type SealCtx, seal } from '#core/tlog.ts';
import { verifyConsistency, verifyInclusion } from '#verifier/merkle.ts';
import { verifierKey } from '#verifier/note.ts';
import { verifyProof } from '#verifier/proof.ts';
import { widthOf } from '#verifier/tile.ts';
import { damage, itemOf, keyOf, put, remove } from './damage.ts';
import { faulty, inclusionOf, makeWorld, ORIGIN, proofOf, readLog, type World, write } from './world.ts';

const SIZES = [1, 3, 255, 256, 257, 300, 520];
let world: World;
let ctx: SealCtx;
const made: Ledger.Recorded[] = [];

beforeAll(async () => {
	world = await makeWorld();
	ctx = world.process();
	for (const size of SIZES) {
		const names = Array.from({ length: size - made.length }, (_, i) => `s${(made.length + i) % 40}`);
		made.push(...(await write(ctx, names)));
		await seal(ctx);
	}
});

describe('a proof', () => {
	it('of each entry in each tree that was published leads to its checkpoint', async () => {
		const { lines } = readLog(world.objects.files);
		for (const size of SIZES) {
			for (let index = 0; index < size; index += size > 100 ? 7 : 1) {
				const { leaf, proof, checkpoint } = await inclusionOf(ctx, index, size);
				expect(Buffer.from(leaf).toString('hex')).toBe(lines[index]?.leaf);
				verifyInclusion({ index, size, leaf, proof, root: checkpoint.root });
			}
			for (const index of [size, size + 256, -1, 0.5]) {
				await expect(inclusionOf(ctx, index, size)).rejects.toMatchObject({ code: 'not-found' });
			}
		}
		expect(await archived(ctx.log, 2)).toBe(null);
	});

	it('leads from each checkpoint to each later one', async () => {
		for (const from of [0, ...SIZES]) {
			for (const to of SIZES.filter((size) => size >= from)) {
				verifyConsistency(await consistencyBetween(ctx, from, to));
			}
		}
		await expect(consistencyBetween(ctx, 300, 3)).rejects.toMatchObject({ code: 'not-found' });
		await expect(consistencyBetween(ctx, 2, 300)).rejects.toMatchObject({ code: 'not-found' });
	});

	it('is made where no partial tile is left that a full one replaced', () => {
		const left = [...world.objects.files.keys()].filter((path) => path.includes('.p/'));
		expect(left.toSorted()).toEqual(['tile/0/002.p/8', 'tile/1/000.p/1', 'tile/1/000.p/2', 'tile/entries/002.p/8']);
	});

	it('goes on where a partial tile gave way to the full one', async () => {
		const copy = await makeWorld(9, world);
		expect(copy.objects.files.has('tile/0/000.p/255')).toBe(false);
		expect((await inclusionOf(copy.process(), 254, 255)).proof.length).toBeGreaterThan(0);
	});

	it('of an entry by its id is a text that verifies with the entry alone', async () => {
		const keys = [verifierKey(ctx.log.signer.vkey)];
		for (const entry of made.filter((_, i) => i % 50 === 0)) {
			const found = await proofOf(ctx, entry.entry.id);
			if (found.state !== 'sealed') throw new Error(found.state);
			expect(verifyProof(found.text, entry.stored.bytes, { keys, origin: ORIGIN }).index).toBe(found.place.index);
		}
	});

	it('is not given for what is not sealed, was put aside, or is unknown', async () => {
		const copy = await makeWorld(9, world);
		const at = copy.process();
		const [waits] = await write(at, ['s0']);
		const id = waits?.entry.id ?? '';
		expect(await proofOf(at, id)).toEqual({ state: 'not-sealed' });
		await damage(copy, waits as Ledger.Recorded, { b: { B: Buffer.from('{}') } });
		await seal(at);
		expect(await proofOf(at, id)).toEqual({ state: 'quarantined' });
		expect(
			await proofOf(
				at,
				id.replace(/.$/, (c) => (c === '0' ? '1' : '0')),
			),
		).toEqual({ state: 'unknown' });
		expect(await proofOf(at, 'nothing')).toEqual({ state: 'unknown' });
	});

	it('is never made from an altered tile', async () => {
		let tried = 0;
		for (const path of [...world.objects.files.keys()].filter((key) => /^tile\/[0-9]/.test(key))) {
			const copy = await makeWorld(9, world);
			const bytes = copy.objects.files.get(path) ?? new Uint8Array();
			copy.objects.files.set(path, bytes.with(0, (bytes[0] ?? 0) ^ 1));
			const [, level = '', tile = '', partial] = /^tile\/(\d)\/(\d{3})(?:\.p\/(\d+))?$/.exec(path) ?? [];
			const first = Number(tile) * 256 ** (Number(level) + 1);
			const width = partial === undefined ? 256 : Number(partial);
			const size = SIZES.findLast((s) => widthOf(s, Number(level), Number(tile)) === width);
			// Its first hash is the leaf itself, or beside the path of an entry under its second, or under the next tile.
			const index = level === '0' ? first : first + 256;
			if (size === undefined || index >= size) continue;
			const refused = inclusionOf(copy.process(), index, size);
			tried += 1;
			await expect(refused, path).rejects.toMatchObject({ extensions: { alarm: 'files-differ' } });
		}
		expect(tried).toBe(5);
	});

	it('is of the entry that was sealed first with its id, whoever puts in another', async () => {
		const copy = await makeWorld(9, world);
		const at = copy.process();
		const [entry] = made as [Ledger.Recorded];
		const stream = Ledger.stream.domain('other');
		const bytes = Ledger.canonicalBytes({ ...entry.entry, stream });
		await put(copy, {
			pk: { S: stream },
			sk: { S: Ledger.versionKey(1) },
			b: { B: bytes },
			z: { BOOL: false },
			h: { B: Buffer.from(Ledger.leafHash(bytes), 'hex') },
			u: { S: Ledger.shardOf(at, stream) },
			ut: { S: `000000000000001#${entry.entry.id}` },
		});
		expect(await seal(at)).toMatchObject({ sealed: 1 });
		const found = await proofOf(at, entry.entry.id);
		if (found.state !== 'sealed') throw new Error(found.state);
		const keys = [verifierKey(ctx.log.signer.vkey)];
		expect(verifyProof(found.text, entry.stored.bytes, { keys, origin: ORIGIN }).index).toBe(0);
		expect(copy.warned).toMatchObject([
			['ledger: an entry cannot be found by its id', { extensions: { stream, fault: 'id-taken' } }],
		]);
	});

	it('takes the same calls to find or not to find', async () => {
		const calls = async (id: string) => {
			const probe = faulty(0, 'fails');
			await find(world.process(probe.gate), id);
			return probe.calls.toSorted();
		};
		const id = made[3]?.entry.id ?? '';
		expect(await calls(id)).toEqual(await calls(id.replace(/.$/, (c) => (c === '0' ? '1' : '0'))));
	});

	it('that cannot be made is not told with where the entry is', async () => {
		const copy = await makeWorld(9, world);
		const [entry] = made as [Ledger.Recorded];
		const other = made[1] as Ledger.Recorded;
		for (const change of [
			async () => damage(copy, entry, { h: { B: new Uint8Array(32) } }),
			async () => put(copy, { ...(await itemOf(copy, keyOf(other))), ...keyOf(entry) }),
			async () => remove(copy, entry),
		]) {
			await change();
			const error = (await proofOf(copy.process(), entry.entry.id).catch((e: unknown) => e)) as BrokerError;
			expect(error.code).toBe('record-corrupt');
			expect(JSON.stringify([error.message, error.extensions])).not.toContain(entry.stored.stream);
			expect(error.extensions).not.toHaveProperty('index');
		}
		await expect(proofOf(copy.process(), entry.entry.id)).rejects.toMatchObject({
			extensions: { alarm: 'entry-differs' },
			cause: { message: `${entry.stored.stream} version 1, sealed as 0` },
		});
	});

	it('is refused with an alarm where the checkpoint that is published is of before it was sealed', async () => {
		const copy = await makeWorld(9, world);
		copy.objects.files.set('checkpoint', world.objects.files.get('checkpoints/300') ?? new Uint8Array());
		const { lines } = readLog(world.objects.files);
		expect(await proofOf(copy.process(), lines[299]?.id ?? '')).toMatchObject({ state: 'sealed' });
		for (const index of [300, 519]) {
			await expect(proofOf(copy.process(), lines[index]?.id ?? '')).rejects.toMatchObject({
				extensions: { alarm: 'entry-differs' },
			});
		}
	});

	it('is refused where the item is not what was sealed', async () => {
		const copy = await makeWorld(9, world);
		const [entry] = made as [Ledger.Recorded];
		await put(copy, { ...(await itemOf(copy, keyOf(made[1] as Ledger.Recorded))), ...keyOf(entry) });
		await expect(proofOf(copy.process(), entry.entry.id)).rejects.toMatchObject({ code: 'record-corrupt' });
	});
});

describe('auditing the store', () => {
	const audit = async (change: (copy: World) => Promise<void>) => {
		const copy = await makeWorld(9, world);
		await change(copy);
		return auditStore(copy.process());
	};
	const at = (index: number) => {
		const id = readLog(world.objects.files).lines[index]?.id;
		return made.find((entry) => entry.entry.id === id);
	};

	it('finds nothing where nothing was done', async () => {
		const sound = { entries: 520, waiting: 0, quarantined: 0, fault: null };
		expect(await auditStore(ctx)).toEqual(sound);
		expect(await audit(async (copy) => void (await write(copy.process(), ['s0', 'new'])))).toEqual({
			...sound,
			waiting: 2,
		});
	});

	it('names the first entry that was changed, taken away or marked with another index', async () => {
		const entry = at(300) as Ledger.Recorded;
		const other = Ledger.canonicalBytes({ ...entry.entry, name: 'other' });
		const h = { B: Buffer.from(Ledger.leafHash(other), 'hex') };
		for (const [kind, change] of [
			['changed', (copy: World) => damage(copy, entry, { b: { B: other } })],
			['changed', (copy: World) => damage(copy, entry, { b: { B: other }, h })],
			['changed', (copy: World) => damage(copy, entry, { h })],
			['changed', (copy: World) => damage(copy, entry, { li: undefined })],
			['missing', (copy: World) => remove(copy, entry)],
			['changed', (copy: World) => damage(copy, entry, { u: { S: 'U#3' }, ut: { S: '1' } })],
			['changed', (copy: World) => damage(copy, entry, { u: { S: QUARANTINE } })],
			['reordered', (copy: World) => damage(copy, entry, { li: { N: '301' } })],
		] as const) {
			const later = at(400) as Ledger.Recorded;
			const { fault } = await audit(async (copy) => {
				await remove(copy, later);
				await change(copy);
			});
			expect(fault).toMatchObject({ kind, index: 300, pk: entry.stored.stream });
		}
	});

	it('names what the log knows nothing of', async () => {
		const item = await itemOf(world, keyOf(at(7) as Ledger.Recorded));
		const pk = { S: 'A#domain#added' };
		for (const change of [
			{},
			{ li: { N: '520' } },
			{ li: { N: '9999999' } },
			{ li: { N: '1.5' } },
			{ li: undefined },
		]) {
			const { fault } = await audit((copy) => put(copy, { ...item, pk, ...change }));
			expect(fault).toMatchObject({ kind: 'inserted', pk: pk.S });
		}
		const stray = { li: undefined, u: { S: 'U#77' }, ut: { S: '1' } };
		expect((await audit((copy) => put(copy, { ...item, pk, ...stray }))).fault).toMatchObject({ kind: 'inserted' });
	});

	it('does not judge a batch that is half marked', async () => {
		const copy = await makeWorld(9, world);
		await write(copy.process(), ['a']);
		const calls = faulty(0, 'fails');
		await seal((await makeWorld(9, copy)).process(calls.gate));
		const cut = faulty(calls.calls.indexOf('sign') + 1, 'fails');
		await expect(seal(copy.process(cut.gate))).rejects.toThrow('the fault');
		await expect(auditStore(copy.process())).rejects.toMatchObject({ code: 'not-finished' });
	});

	it('does not believe a log whose entries lead to another root', async () => {
		const copy = await makeWorld(9, world);
		const bytes = copy.objects.files.get('tile/entries/001') ?? new Uint8Array();
		copy.objects.files.set('tile/entries/001', bytes.with(60, (bytes[60] ?? 0) ^ 1));
		await expect(auditStore(copy.process())).rejects.toMatchObject({ code: 'record-corrupt' });
	});
});
