/** What comes into a batch, in which order, and what is put aside. */
import { describe, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { quarantined, release, type SealCtx, seal } from '#core/tlog.ts';
import { domain } from '#tests/core/ledger-context.ts';
import { damage, itemOf, keyOf, put, remove } from './damage.ts';
import { entitle, flow, HASH, principal, table } from './entries.ts';
import { chance, checkSealed, faulty, makeWorld, readLog, type World, write } from './world.ts';

const named = (world: World) => readLog(world.objects.files).lines.map((line) => `${line.stream} ${line.ver}`);
const faultsIn = (world: World) =>
	world.store
		.items('ledger')
		.filter((item) => item['pk']?.S?.startsWith('A#integrity#'))
		.map(
			(item) =>
				JSON.parse(Buffer.from(item['b']?.B ?? []).toString()) as { of: string; version: string; fault: string },
		)
		.map(({ of, version, fault }) => `${of} ${Number(version.slice(2))} ${fault}`);

describe('the order of a batch', () => {
	it('puts a flow after the entitlement that allowed it, whatever the clocks of their writers said', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		world.now += 10_000;
		const first = await entitle(ctx);
		const second = await entitle(ctx, first);
		world.now -= 10_000;
		const made = [await flow(ctx, 'q2', 2, second.leaf), await flow(ctx, 'q1', 1, first.leaf)];
		world.now += 20_000;
		expect(await seal(ctx)).toMatchObject({ sealed: 4 });
		const lines = checkSealed(world, [first, second, ...made]).map(({ stream, ver }) => `${stream[0]}${ver}`);
		expect(lines).toEqual(['A1', 'A2', 'F1', 'F1']);
	});

	it('puts the versions of a stream in theirs, though every one was written by a slower clock', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		const made: Ledger.Recorded[] = [];
		for (let i = 0; i < 40; i++) {
			made.push(...(await write(ctx, ['back'])));
			world.now -= 1000;
		}
		world.now += 100_000;
		for (let i = 0; i < 12; i++) await seal(ctx, { batch: 7 });
		expect(checkSealed(world, made).map((line) => line.ver)).toEqual(made.map((_, i) => i + 1));
	});

	it('takes along what the index does not show yet', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		world.store.lagging = true;
		const entitled = await entitle(ctx);
		const made = [entitled, ...(await write(ctx, ['a', 'a', 'a']))];
		const [, , , third] = made;
		const flowing = await flow(ctx, 'q', 1, entitled.leaf);
		world.store.catchUp((item) => item['pk']?.S === flowing.stored.stream || item['sk'] === undefined);
		world.store.catchUp((item) => item['sk']?.S === keyOf(third as Ledger.Recorded).sk.S);
		expect(await seal(ctx)).toMatchObject({ sealed: 5, waiting: 0 });
		// The index still shows, or shows only now, what is sealed already.
		world.store.catchUp((item) => item['li'] === undefined);
		expect(await seal(ctx)).toMatchObject({ sealed: 0 });
		world.store.catchUp();
		expect(await seal(ctx)).toMatchObject({ sealed: 0 });
		checkSealed(world, [...made, flowing]);
	});

	it('is the same log however it is cut into batches', async () => {
		const scene = await makeWorld();
		const ctx = scene.process();
		const next = chance(3);
		const names = Array.from({ length: 300 }, () => `s${Math.floor(next() * 20)}`);
		const made = await write(ctx, names);
		const roots = new Set<string>();
		for (let run = 0; run < 4; run++) {
			const world = await makeWorld(run + 10, scene);
			for (;;) {
				const pass = await seal(world.process(), { batch: run === 0 ? 4096 : 1 + Math.floor(next() * 90) });
				if (pass.size === 300) break;
				expect(pass.sealed).toBeGreaterThan(0);
			}
			checkSealed(world, made);
			roots.add(Buffer.from(world.objects.files.get('checkpoint') ?? []).toString());
		}
		expect(roots.size).toBe(1);
	});

	it.each([
		[255, 1],
		[255, 2],
		[256, 1],
		[257, 254],
		[257, 255],
		[257, 256],
		[1, 512],
	])('grows from %i entries by %i', async (before, more) => {
		const world = await makeWorld();
		const ctx = world.process();
		const one = (from: number, count: number) =>
			write(
				ctx,
				Array.from({ length: count }, (_, i) => `s${from + i}`),
			);
		const made = await one(0, before);
		expect(await seal(ctx)).toMatchObject({ size: before });
		made.push(...(await one(before, more)));
		expect(await seal(ctx)).toMatchObject({ size: before + more });
		checkSealed(world, made);
	});
});

describe('quarantine', () => {
	it.each([
		['bytes that are no entry', { b: { B: Buffer.from('{}') } }, 'hash-differs'],
		['a changed byte', { h: { B: new Uint8Array(32) } }, 'hash-differs'],
		['no bytes', { b: undefined }, 'unreadable'],
		['the index of a sealed one', { li: { N: '0' } }, 'marked-and-queued'],
	])('takes an entry with %s, and what follows it', async (_, change, fault) => {
		const world = await makeWorld();
		const ctx = world.process();
		const [first, bad] = await write(ctx, ['s', 's', 's', 'other']);
		await damage(world, bad as Ledger.Recorded, change);
		expect(await seal(ctx)).toMatchObject({ sealed: 2, quarantined: 2, waiting: 0 });
		expect(faultsIn(world)).toEqual([`${first?.stored.stream} 2 ${fault}`]);
		await write(ctx, ['t']);
		expect(await seal(ctx)).toMatchObject({ sealed: 2, quarantined: 0 });
		expect(await quarantined(ctx)).toBe(2);
		expect(world.warned).toHaveLength(1);
		expect(named(world).filter((line) => line.startsWith(first?.stored.stream ?? ''))).toHaveLength(1);
	});

	it('takes what is of no known type, and gives it back once it is known', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		const [good] = await write(ctx, ['s', 's']);
		const item = await itemOf(world, keyOf(good as Ledger.Recorded));
		const bytes = Ledger.canonicalBytes({ ...good?.entry, type: 'OfTomorrow' });
		await put(world, { ...item, b: { B: bytes }, h: { B: Buffer.from(Ledger.leafHash(bytes), 'hex') } });
		expect(await seal(ctx)).toMatchObject({ sealed: 0, quarantined: 2 });
		expect(await release(ctx)).toBe(2);
		expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 2 });
		await put(world, { ...item, u: { S: 'U#quarantine' } });
		expect(await release(ctx)).toBe(2);
		expect(await seal(ctx)).toMatchObject({ sealed: 2, quarantined: 0 });
		expect(await quarantined(ctx)).toBe(0);
		expect(faultsIn(world)).toHaveLength(1);
		checkSealed(world, [good as Ledger.Recorded]);
	});

	it('takes what follows an entry that is gone, and what lies under the key of another', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		const [, gone] = await write(ctx, ['s', 's', 's']);
		const [moved] = await write(ctx, ['m', 'm']);
		await remove(world, gone as Ledger.Recorded);
		const item = await itemOf(world, keyOf(moved as Ledger.Recorded));
		await put(world, { ...item, pk: { S: 'A#domain#else' } });
		expect(await seal(ctx)).toMatchObject({ sealed: 3, quarantined: 2 });
		expect(faultsIn(world).toSorted()).toEqual(['A#domain#else 1 misplaced', 'A#domain#s 2 missing']);
	});

	it('takes a version that does not follow the one before, and a flow that names no such entitlement', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		const [one] = await write(ctx, ['s']);
		await seal(ctx);
		const body = { ...(one as Ledger.Recorded).entry, ver: 2, prev: HASH };
		const bytes = Ledger.canonicalBytes(body);
		const leaf = Buffer.from(Ledger.leafHash(bytes), 'hex');
		const at = { pk: { S: 'A#domain#s' }, sk: { S: Ledger.versionKey(2) }, u: { S: 'U#3' }, ut: { S: '0x' } };
		await put(world, { ...at, b: { B: bytes }, h: { B: leaf } });
		const entitled = await entitle(ctx);
		await flow(ctx, 'wrong', 1, HASH);
		await flow(ctx, 'none', 2, entitled.leaf);
		expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 3 });
		expect(faultsIn(world).toSorted()).toEqual([
			'A#domain#s 2 chain-broken',
			'F#none 1 cause-missing',
			'F#wrong 1 cause-differs',
		]);
	});

	it('holds back a flow whose entitlement is in it', async () => {
		const world = await makeWorld();
		const ctx = world.process();
		const entitled = await entitle(ctx);
		await flow(ctx, 'q', 1, entitled.leaf);
		await damage(world, entitled, { b: { B: Buffer.from('{}') } });
		expect(await seal(ctx)).toMatchObject({ sealed: 0, quarantined: 2 });
		await flow(ctx, 'r', 1, entitled.leaf);
		expect(await seal(ctx)).toMatchObject({ sealed: 1, quarantined: 1 });
		expect(faultsIn(world)).toHaveLength(1);
	});
});

describe('what an entry rests on', () => {
	const at = '2026-01-01T00:00:00.000Z';
	const open = (ctx: SealCtx, decided: Ledger.Recorded, contract: Ledger.Recorded) =>
		Ledger.append(ctx, {
			stream: Ledger.stream.grant('g'),
			after: null,
			actor: 'system',
			body: {
				type: 'GrantOpened',
				grant: 'g',
				request: 'r',
				decisionLeaf: decided.leaf,
				product: 'lending.loans',
				productDomain: 'lending',
				contract: { version: '1', hash: HASH, leaf: contract.leaf },
				consumerDomain: 'risk',
				principal,
				purpose: 'p',
				legalBasis: '',
				tables: [{ ...table, columns: ['c'], rowFilter: null }],
				beneficiaries: ['per_a'],
				from: at,
				until: at,
			} as never,
		});
	const hold = (ctx: SealCtx, grant: Ledger.Recorded) =>
		Ledger.append(ctx, {
			stream: Ledger.stream.entitlement(principal, table),
			after: null,
			actor: 'system',
			body: {
				type: 'EntitlementChanged',
				principal,
				product: 'lending.loans',
				table,
				grants: [
					{
						grant: 'g',
						leaf: grant.leaf,
						columns: ['c'],
						rowFilter: null,
						purpose: 'p',
						beneficiaries: [],
						from: at,
						until: at,
						proven: true,
						ended: null,
					},
				],
				scope: null,
				filter: { desired: null, retiring: [] },
				step: 'settled',
				made: null,
			},
		});
	/** Any entries do as a decision and a contract: of these only stream and leaf count. */
	const arrange = async (world: World) => {
		const ctx = world.process();
		const any = (stream: string) =>
			Ledger.append(ctx, { stream, after: null, actor: 'system', body: domain('any', 'x') });
		const decided = await any(Ledger.stream.request('r'));
		const contract = await any(Ledger.stream.product('lending.loans'));
		world.now -= 10_000;
		const grant = await open(ctx, decided, contract);
		world.now -= 10_000;
		const entitled = await hold(ctx, grant);
		world.now += 50_000;
		return { ctx, decided, contract, grant, entitled };
	};

	const edit = (ctx: SealCtx, after: Ledger.Recorded, contract: Ledger.Recorded, named = true) =>
		Ledger.append(ctx, {
			stream: after.stored.stream,
			after,
			actor: 'per_a',
			body: {
				type: 'AccessEdited',
				request: 'r',
				...(named ? { product: 'lending.loans' } : {}),
				contract: { version: '1', hash: HASH, leaf: contract.leaf },
				principal,
				purpose: 'p',
				legalBasis: '',
				tables: [{ ...table, columns: ['c'], rowFilter: null }],
				beneficiaries: ['per_a'],
				duration: 'P1D',
				route: ['owner'],
				rules: { policies: [], setHash: HASH },
				contentHash: HASH,
			},
		});

	it('is, for what a request is edited to, the contract that it names', async () => {
		const world = await makeWorld();
		const { ctx, decided, contract } = await arrange(world);
		world.now -= 90_000;
		await edit(ctx, decided, contract);
		world.now += 90_000;
		for (let i = 0; i < 5; i++) await seal(ctx, { batch: 1 });
		expect(named(world).map((line) => line.split('#')[1])).toEqual([
			'request',
			'product',
			'request',
			'grant',
			'entitlement',
		]);
	});

	it('keeps an edit out whose contract is gone, but not one that names no product', async () => {
		for (const [told, sealed] of [
			[true, 1],
			[false, 2],
		] as const) {
			const world = await makeWorld();
			const ctx = world.process();
			const any = (stream: string) =>
				Ledger.append(ctx, { stream, after: null, actor: 'system', body: domain('any', 'x') });
			const [request, contract] = [
				await any(Ledger.stream.request('r')),
				await any(Ledger.stream.product('lending.loans')),
			];
			await edit(ctx, request, contract, told);
			await remove(world, contract);
			expect(await seal(ctx)).toMatchObject({ sealed, quarantined: 2 - sealed });
		}
	});

	it.each([1, 2, 3, 4])('comes into the log before it, though clocks differ, in batches of %i', async (batch) => {
		const world = await makeWorld();
		const { ctx } = await arrange(world);
		for (let i = 0; i < 4; i++) await seal(ctx, { batch });
		expect(named(world).map((line) => line.split('#')[1])).toEqual(['request', 'product', 'grant', 'entitlement']);
	});

	it('is taken along where the index does not show it yet', async () => {
		const world = await makeWorld();
		world.store.lagging = true;
		const { ctx, entitled } = await arrange(world);
		world.store.catchUp((item) => item['pk']?.S === entitled.stored.stream);
		expect(await seal(ctx)).toMatchObject({ sealed: 4 });
	});

	it.each(['decided', 'contract', 'grant'] as const)('keeps it out where it cannot be sealed: %s', async (which) => {
		const world = await makeWorld();
		const arranged = await arrange(world);
		const { ctx } = arranged;
		await damage(world, arranged[which], { b: { B: Buffer.from('{}') } });
		const good = which === 'grant' ? 2 : 1;
		expect(await seal(ctx)).toMatchObject({ sealed: good, quarantined: 4 - good });
		expect(named(world).filter((line) => /entitlement|grant/.test(line))).toEqual([]);
		expect(faultsIn(world)).toEqual([`${arranged[which].stored.stream} 1 hash-differs`]);
	});

	it.each(['decided', 'contract', 'grant'] as const)('keeps it out where it is gone: %s', async (which) => {
		const world = await makeWorld();
		const arranged = await arrange(world);
		await remove(world, arranged[which]);
		const sealed = which === 'grant' ? 2 : 1;
		expect(await seal(arranged.ctx)).toMatchObject({ sealed, quarantined: 3 - sealed });
		const what = which === 'grant' ? 'entitlement' : 'grant';
		expect(faultsIn(world)).toEqual([expect.stringMatching(new RegExp(`#${what}#.* cause-missing$`))]);
	});
});

describe('a stream whose last versions were queued first', () => {
	const backwards = async (world: World, count: number) => {
		const ctx = world.process();
		const made: Ledger.Recorded[] = [];
		for (let i = 0; i < count; i++) {
			made.push(...(await write(ctx, ['back'])));
			world.now -= 1000;
		}
		world.now += 10_000_000;
		made.push(...(await write(ctx, ['late'])));
		return { ctx, made };
	};

	it('gets on with every pass, though it does not fit into one', { timeout: 60_000 }, async () => {
		const world = await makeWorld();
		const { ctx, made } = await backwards(world, 700);
		for (let i = 0; i < 3; i++) expect(await seal(ctx, { batch: 8 })).toMatchObject({ sealed: 8, more: true });
		for (let i = 0; i < 3; i++) await seal(ctx);
		checkSealed(world, made);
	});

	it('is not read version by version', async () => {
		const world = await makeWorld();
		const { made } = await backwards(world, 300);
		const none = faulty(0, 'fails');
		await seal(world.process(none.gate), { batch: 8 });
		expect(none.calls.filter((name) => name === 'BatchGetItemCommand').length).toBeLessThan(30);
		for (let i = 0; i < 3; i++) await seal(world.process());
		checkSealed(world, made);
	});
});
