/** What nobody can do to the log who may only insert entries, or only write what is not locked: stop it, or bend it. */
import { describe, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { quarantined, type SealCtx, seal } from '#core/tlog.ts';
import { damage, head, itemOf, keyOf, put } from './damage.ts';
import {
	checkSealed,
	type Fault,
	faultsIn,
	faulty,
	makeWorld,
	ORIGIN,
	readLog,
	verifies,
	type World,
	write,
} from './world.ts';

/** Lets a pass go wrong at its last call of this name (or the first that begins so), and die there. */
async function dies(world: World, name: string, fault: Fault): Promise<void> {
	const probe = faulty(0, 'fails');
	await seal((await makeWorld(9, world)).process(probe.gate));
	const n = probe.calls.findIndex((call) => call.startsWith(name)) + 1;
	expect(n).toBeGreaterThan(0);
	const cut = faulty(n, fault);
	await seal(world.process(cut.gate)).catch(() => null);
}

/** Inserts bytes as an entry that waits, as the role of a writer may. */
async function insert(world: World, stream: string, bytes: Uint8Array): Promise<void> {
	await put(world, {
		pk: { S: stream },
		sk: { S: Ledger.versionKey(1) },
		b: { B: bytes },
		z: { BOOL: false },
		h: { B: Buffer.from(Ledger.leafHash(bytes), 'hex') },
		u: { S: Ledger.shardOf(world.process(), stream) },
		ut: { S: '000000000000001#x' },
	});
}

async function begun(names: readonly string[]): Promise<{ world: World; ctx: SealCtx; made: Ledger.Recorded[] }> {
	const world = await makeWorld();
	const ctx = world.process();
	const made = await write(ctx, ['z']);
	await seal(ctx);
	return { world, ctx, made: [...made, ...(await write(ctx, names))] };
}

describe('what is staged', () => {
	it.each([
		['nothing, after the tree itself', (_: Uint8Array, heading: string) => Buffer.from(heading)],
		['an entry less', (bytes: Uint8Array) => bytes.subarray(0, bytes.length - 1)],
		['nothing', () => new Uint8Array()],
	])('cannot have a committed batch sealed twice or not at all: %s', async (_, change) => {
		const { world, ctx, made } = await begun(['a', 'b', 'c', 'd']);
		await dies(world, 'replace checkpoint', 'fails after');
		const item = await head(world);
		const key = item['staging']?.S ?? '';
		const bytes = world.objects.files.get(key) ?? new Uint8Array();
		const root = Buffer.from(item['root']?.B ?? []).toString('hex');
		const heading = { v: 1, origin: ORIGIN, size: Number(item['size']?.N), root, entries: 0 };
		world.objects.files.set(key, change(bytes, `${JSON.stringify(heading)}\n`));
		for (let i = 0; i < 2; i++) {
			await expect(seal(ctx)).rejects.toMatchObject({ extensions: { alarm: 'staging-differs' } });
		}
		world.objects.files.set(key, bytes);
		expect(await seal(ctx)).toMatchObject({ recovered: 4, sealed: 0 });
		checkSealed(world, made);
	});

	it.each(['create staging', 'UpdateItemCommand'])(
		'in vain, by a pass that died around %s, holds up no other batch',
		async (name) => {
			const { world, ctx, made } = await begun(['a', 'b', 'c', 'd']);
			await dies(world, name, name === 'UpdateItemCommand' ? 'fails' : 'fails after');
			expect(await seal(ctx, { batch: 2 })).toMatchObject({ sealed: 2 });
			expect(await seal(ctx, { batch: 2 })).toMatchObject({ sealed: 2 });
			checkSealed(world, made);
		},
	);
});

const text = (value: object) => Buffer.from(Ledger.canonicalBytes(value)).toString();

describe('an entry that is no entry', () => {
	const own = (good: Ledger.Recorded, name: string) => ({
		...good.entry,
		stream: `A#domain#${name}`,
		domain: name,
	});
	const nested = (depth: number): unknown => (depth === 0 ? null : { a: nested(depth - 1) });
	it.each([
		['is longer than any that is written', 'too-large', (e: object) => text({ ...e, trace: 'x'.repeat(66_000) })],
		['is a little longer', 'too-large', (e: object) => text({ ...e, trace: 'x'.repeat(61_440) })],
		['begins with a space', 'not-canonical', (e: object) => ` ${text(e)}`],
		['begins with a mark of byte order', 'not-canonical', (e: object) => `\u{feff}${text(e)}`],
		['says twice which stream it is', 'not-canonical', (e: object) => `{"stream":"A#o",${text(e).slice(1)}`],
		['holds a fraction', 'not-canonical', (e: object) => text(e).replace('"v":1', '"v":1,"w":0.5')],
		[
			'is nested too deeply',
			'not-canonical',
			(e: object) => text(e).replace('"v":1', `"v":1,"w":${JSON.stringify(nested(70))}`),
		],
	] as const)('is put aside, and the rest is sealed and verifies: one that %s', async (_, fault, make) => {
		const world = await makeWorld();
		const ctx = world.process();
		const [good] = await write(ctx, ['s']);
		await insert(world, 'A#domain#odd', Buffer.from(make(own(good as Ledger.Recorded, 'odd'))));
		expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 1 });
		expect(faultsIn(world)).toEqual([`A#domain#odd ${fault}`]);
		expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 0, size: 2 });
		expect(await verifies(world)).toBe(2);
	});

	it('and lies where its fault would be told holds up nothing', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		const [bad] = await write(ctx, ['a', 'ok']);
		const { stream } = (bad as Ledger.Recorded).stored;
		const told = Ledger.stream.integrity(Ledger.sha256(`${stream}\n${Ledger.versionKey(1)}`).slice(0, 32));
		await insert(world, told, Buffer.from('{}'));
		await damage(world, bad as Ledger.Recorded, { b: { B: Buffer.from('{}') } });
		expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 2 });
		expect(await quarantined(ctx)).toBe(2);
		expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 0 });
	});

	it('and cannot be put aside fails no pass, and is told again', async () => {
		const world = await makeWorld();
		const [bad] = await write(world.process(), ['a', 'b', 'ok']);
		await damage(world, bad as Ledger.Recorded, { b: { B: Buffer.from('{}') } });
		const gate = async (name: string, call: () => Promise<unknown>) => {
			if (name === 'ExecuteStatementCommand') throw new Error('no');
			return call();
		};
		for (const sealed of [2, 0]) {
			expect(await seal(world.process(gate))).toMatchObject({ sealed, quarantined: 0, more: false });
		}
		expect(world.warned).toHaveLength(4);
		expect(await seal(world.process())).toMatchObject({ quarantined: 1 });
	});
});

it('an entry that no listing takes is sealed and told, and holds up nothing', async () => {
	const world = await makeWorld();
	const whole = world.process();
	const [good] = await write(whole, ['s']);
	const name = 'd'.repeat(1100);
	const entry = { ...good?.entry, stream: 'A#domain#long', domain: name, id: `led_${'0'.repeat(26)}` };
	await insert(world, 'A#domain#long', Ledger.canonicalBytes(entry));
	// DynamoDB Developer Guide, "Constraints": a sort key is of at most 1024 bytes.
	const send = async (command: { input: { Item?: { sk?: { S?: string } } } }) => {
		if ((command.input.Item?.sk?.S?.length ?? 0) > 1024) {
			throw Object.assign(new Error('One or more parameter values were invalid'), { name: 'ValidationException' });
		}
		return world.store.client.send(command as never);
	};
	const ctx = { ...whole, aws: { ...whole.aws, dynamodb: { send } as unknown as typeof whole.aws.dynamodb } };
	expect(await seal(ctx)).toMatchObject({ sealed: 2 });
	await write(ctx, ['t']);
	expect(await seal(ctx)).toMatchObject({ sealed: 1, recovered: 0 });
	expect(readLog(world.objects.files).size).toBe(3);
	expect(world.warned.map((told) => (told as unknown[])[0])).toEqual(['ledger: a sealed entry cannot be listed']);
});

describe('a clock', () => {
	it('that was ahead once stops nothing, and is told', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		const year = 365 * 86_400_000;
		const made = await write(ctx, ['a']);
		world.now += year;
		await seal(ctx);
		const { at } = await head(world);
		world.now -= year;
		for (const name of ['b', 'c']) {
			made.push(...(await write(ctx, [name])));
			expect(await seal(ctx)).toMatchObject({ sealed: 1 });
		}
		expect((await head(world))['at']?.N).toBe(String(Number(at?.N) + 2));
		expect(world.warned).toHaveLength(2);
		checkSealed(world, made);
	});

	it.each([0, -1, -5000])('that is %i ms past the last batch stops nothing', async (past) => {
		const { world, ctx, made } = await begun(['a']);
		world.now = Number((await head(world))['at']?.N) + past;
		world.standing = true;
		expect(await seal(ctx)).toMatchObject({ sealed: 1 });
		expect(world.warned).toEqual([]);
		checkSealed(world, made);
	});
});

describe('a sealed entry that is made to wait again', () => {
	it.each(['U#3', 'U#quarantine'])('in %s is taken off the queue, and what follows it is sealed', async (shard) => {
		const world = await makeWorld();
		const ctx = world.process();
		const made = await write(ctx, ['a', 'b']);
		await seal(ctx);
		await damage(world, made[0] as Ledger.Recorded, { u: { S: shard }, ut: { S: '000000000000001#z' } });
		made.push(...(await write(ctx, ['a'])));
		expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 0 });
		expect(await quarantined(ctx)).toBe(0);
		expect(faultsIn(world)).toEqual([]);
		expect(world.warned).toHaveLength(1);
		checkSealed(world, made);
	});

	it('and is another one than the log holds there is put aside', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		const [, b] = await write(ctx, ['a', 'b']);
		await seal(ctx);
		const item = await itemOf(world, keyOf(b as Ledger.Recorded));
		await put(world, { ...item, u: { S: 'U#3' }, ut: { S: '000000000000001#z' }, li: { N: '0' } });
		expect(await seal(ctx)).toMatchObject({ sealed: 0, quarantined: 1 });
		expect(faultsIn(world)).toEqual(['A#domain#b marked-and-queued']);
	});
});
