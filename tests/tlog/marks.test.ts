/** Items that carry an index and are not in the log: whoever may insert an entry may write its marks, too. */
import { describe, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { quarantined, type SealCtx, seal } from '#core/tlog.ts';
import { itemOf, keyOf, put } from './damage.ts';
import { checkSealed, faultsIn, faulty, makeWorld, verifies, type World, write } from './world.ts';

const STREAM = 'A#domain#odd';
type Bytes = { readonly bytes: Uint8Array; readonly leaf: string };

const bytesOf = (value: object): Bytes => {
	const bytes = Ledger.canonicalBytes(value);
	return { bytes, leaf: Ledger.leafHash(bytes) };
};

async function insert(world: World, ver: number, { bytes, leaf }: Bytes, marks: object, stream = STREAM) {
	const item = { b: { B: bytes }, z: { BOOL: false }, h: { B: Buffer.from(leaf, 'hex') }, ...marks };
	await put(world, { pk: { S: stream }, sk: { S: Ledger.versionKey(ver) }, ...item });
}

const waits = { u: { S: 'U#0' }, ut: { S: '000000000000001#x' } };

/** Two entries that are sealed, and one that waits. */
async function begun(): Promise<{ world: World; ctx: SealCtx; made: Ledger.Recorded[] }> {
	const world = await makeWorld();
	const ctx = world.process();
	const made = await write(ctx, ['a', 'b']);
	await seal(ctx);
	return { world, ctx, made: [...made, ...(await write(ctx, ['c']))] };
}

describe('what follows an entry that says it is sealed', () => {
	const odd = (entry: object) => bytesOf({ ...entry, stream: STREAM, domain: 'odd' });
	it.each([
		['and was not, with the index of another', '0'],
		['and was not, with the index of the next one', '2'],
		['and was not, with an index that no log has', '-1'],
		['and was not, with a fraction of one', '0.5'],
		['and was not, with an index beyond all', '9007199254740993'],
	])('is not sealed: %s', async (_, li) => {
		const { world, ctx, made } = await begun();
		const [a] = made as [Ledger.Recorded];
		const first = odd(a.entry);
		await insert(world, 1, first, { li: { N: li } });
		await insert(world, 2, odd({ ...a.entry, ver: 2, prev: first.leaf }), waits);
		expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 1 });
		expect(faultsIn(world)).toEqual([`${STREAM} not-in-log`]);
		expect(await seal(ctx)).toMatchObject({ sealed: 1, size: 4, quarantined: 0 });
		expect([await verifies(world), await quarantined(ctx)]).toEqual([4, 1]);
	});

	it('is not sealed where that is a copy of a sealed one under another key', async () => {
		const { world, ctx, made } = await begun();
		const [a] = made as [Ledger.Recorded];
		await insert(world, 1, { bytes: a.stored.bytes, leaf: a.leaf }, { li: { N: '0' } });
		await insert(world, 2, odd({ ...a.entry, ver: 2, prev: a.leaf }), waits);
		expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 1 });
		expect(faultsIn(world)).toEqual([`${STREAM} not-in-log`]);
		expect(await verifies(world)).toBe(3);
	});

	it('is not sealed where that carries the hash of a sealed one over other bytes', async () => {
		const { world, ctx, made } = await begun();
		const [a] = made as [Ledger.Recorded];
		await insert(world, 1, { bytes: odd(a.entry).bytes, leaf: a.leaf }, { li: { N: '0' } });
		await insert(world, 2, odd({ ...a.entry, ver: 2, prev: a.leaf }), waits);
		expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 1 });
		expect(await verifies(world)).toBe(3);
	});

	it('is sealed where it was, and nothing is told', async () => {
		const { world, ctx, made } = await begun();
		made.push(...(await write(ctx, ['a', 'b', 'a'])));
		expect(await seal(ctx)).toMatchObject({ sealed: 4, quarantined: 0 });
		expect(world.warned).toEqual([]);
		checkSealed(world, made);
	});

	it('is told once, and holds up no entry of other streams however often it is asked for', async () => {
		const { world, ctx, made } = await begun();
		const [a] = made as [Ledger.Recorded];
		const first = odd(a.entry);
		await insert(world, 1, first, { li: { N: '1' } });
		for (const ver of [2, 3]) await insert(world, ver, odd({ ...a.entry, ver, prev: first.leaf }), waits);
		await seal(ctx);
		await write(ctx, ['d']);
		await seal(ctx);
		expect(await seal(ctx)).toMatchObject({ sealed: 0, quarantined: 0, more: false });
		expect(faultsIn(world).filter((fault) => fault.endsWith('not-in-log'))).toHaveLength(1);
		expect(await quarantined(ctx)).toBe(2);
	});
});

it('a pass reads a tile once for all that it holds, not once for each entry that follows something in it', async () => {
	const world = await makeWorld();
	const ctx = world.process();
	const names = Array.from({ length: 600 }, (_, i) => `s${i}`);
	const made = await write(ctx, names);
	await seal(ctx);
	made.push(...(await write(ctx, names)));
	const none = faulty(0, 'fails');
	expect(await seal(world.process(none.gate))).toMatchObject({ sealed: 600 });
	const reads = none.calls.filter((name) => name.startsWith('get tile/'));
	// Two full tiles; and the right edge, of two levels, once for the leaves and once to add to it.
	const edge = ['get tile/0/002.p/88', 'get tile/1/000.p/2'];
	const wanted = [...edge, ...edge, 'get tile/0/000', 'get tile/0/001', 'get tile/entries/002.p/88'];
	expect(reads.toSorted()).toEqual(wanted.toSorted());
	checkSealed(world, made);
});

it('an entry that is queued again is looked up with the others, and taken off', async () => {
	const { world, ctx, made } = await begun();
	const item = await itemOf(world, keyOf(made[1] as Ledger.Recorded));
	await put(world, { ...item, u: { S: 'U#1' }, ut: { S: '000000000000001#z' } });
	expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 0 });
	checkSealed(world, made);
});
