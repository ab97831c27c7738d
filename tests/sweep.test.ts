/**
 * The sweep's turns: what is stuck holds up nothing, endings are not behind what is being built, and a pass that was cut
 * off is gone on with where it stood.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as Access from '#core/access.ts';
import * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import { sweep } from '#core/sweep.ts';
import type { FaultRule } from '#local/aws/faults.ts';
import type { Handle } from '#local/people.ts';
import { approve, ask, ownerOf } from '#local/story/world.ts';
import { decision, file, post, requestBody } from './api/harness.ts';
import { enrol } from './api/registration.ts';
import { inLakeFormation, type TestBank, testBank } from './fixtures.ts';

let test: TestBank;
beforeAll(async () => {
	test = await testBank();
});
afterEach(() => test.bank.aws.faults.clear());
afterAll(() => test.close());

const denied = { name: 'AccessDeniedException', message: 'no' };
const refuse = (operation: string): FaultRule => ({
	service: 'lakeformation',
	operation,
	when: 'before',
	error: denied,
});

const open = async (product: string, purpose: string): Promise<Grants.GrantView> => {
	const contract = test.world.contracts.find((c) => c.contract.product === product)?.contract;
	const columns = [contract?.tables[0]?.columns[0]?.name ?? ''];
	return approve(test.world, await ask(test.world, { product, purpose, columns, duration: 'P1D' }));
};
const revoke = async ({ id, product }: Grants.GrantView, query = '') => {
	const who = ownerOf(test.world, product.split('.')[0] ?? '');
	const path = `/api/v1/grants/${id}/revoke${query}`;
	await test.world.call({ who, method: 'POST', path, body: { reason: 'over' } });
};
const stateOf = async ({ id }: Grants.GrantView) => (await Grants.get(test.bank.platform, id))?.state;
const LANES = [
	['lending.loans', 'credit-risk'],
	['lending.loans', 'model-validation'],
	['customers.districts', 'credit-risk'],
] as const;

/** Resolves when so many of these grants are in this state. */
async function come(grants: readonly Grants.GrantView[], state: Grants.GrantState, count: number): Promise<void> {
	for (;;) {
		const states = await Promise.all(grants.map(stateOf));
		if (states.filter((s) => s === state).length >= count) return;
		await pause(20);
	}
}

describe('one thing that is stuck', () => {
	it('holds up no other ending', async () => {
		const grants = [];
		for (const [product, purpose] of LANES) grants.push(await open(product, purpose));
		test.bank.aws.faults.set([refuse('DeleteDataCellsFilter')]);
		for (const grant of grants) await revoke(grant);
		expect(await Promise.all(grants.map(stateOf))).toEqual(grants.map(() => 'revoke_failed'));
		// Whichever comes first hangs, however often it is tried; the others are gone before it gets an answer.
		let stuck: string | undefined;
		const hangs = (input: unknown) => (stuck ??= JSON.stringify(input)) === JSON.stringify(input);
		test.bank.aws.faults.set([
			{ service: 'lakeformation', operation: 'DeleteDataCellsFilter', when: 'hang', match: hangs },
		]);
		const sweeping = test.bank.sweep();
		await come(grants, 'revoked', 2);
		expect(await Promise.all(grants.map(stateOf))).toEqual(expect.arrayContaining(['revoke_failed', 'revoked']));
		test.bank.aws.faults.clear();
		await sweeping;
		await test.bank.sweep();
		expect(await Promise.all(grants.map(stateOf))).toEqual(grants.map(() => 'revoked'));
		expect(inLakeFormation(test.bank)).toEqual({ filters: [], permissions: [] });
	});

	it('holds up no ending while it is being built', async () => {
		test.bank.aws.faults.set([refuse('CreateDataCellsFilter')]);
		const building = [];
		for (const [product, purpose] of LANES.slice(1)) building.push(await open(product, purpose));
		test.bank.aws.faults.clear();
		const [product, purpose] = LANES[0];
		const over = await open(product, purpose);
		test.bank.aws.faults.set([refuse('DeleteDataCellsFilter')]);
		await revoke(over);
		test.bank.aws.faults.set([{ service: 'lakeformation', operation: 'CreateDataCellsFilter', when: 'hang' }]);
		const sweeping = test.bank.sweep();
		await come([over], 'revoked', 1);
		expect(await Promise.all(building.map(stateOf))).toEqual(building.map(() => 'failed'));
		test.bank.aws.faults.clear();
		await sweeping;
		await test.bank.sweep();
		expect(await Promise.all(building.map(stateOf))).toEqual(building.map(() => 'granted'));
		for (const grant of building) await revoke(grant);
		expect(inLakeFormation(test.bank)).toEqual({ filters: [], permissions: [] });
	});
});

it('a way to a database that could not be taken away goes with the next pass', async () => {
	const [product, purpose] = LANES[0];
	const grant = await open(product, purpose);
	const ways = () => {
		const { permissions } = test.bank.aws.lakeFormationState();
		const rights = permissions.filter(({ resource }) => resource.kind === 'database');
		return rights.flatMap(({ principal, resource }) =>
			'database' in resource ? `${principal} ${resource.database}` : [],
		);
	};
	const before = ways().filter((way) => way.includes(':role/fairlead-risk-') && way.includes(' fl_'));
	expect(before).toHaveLength(1);
	test.bank.aws.faults.set([
		{
			...refuse('BatchRevokePermissions'),
			match: (input) => JSON.stringify(input).includes('fl_210000000001_lending'),
		},
	]);
	await revoke(grant);
	expect([await stateOf(grant), ways()]).toEqual(['revoked', expect.arrayContaining(before)]);
	test.bank.aws.faults.clear();
	await test.bank.sweep();
	expect(ways()).not.toEqual(expect.arrayContaining(before));
});

it('a pass that was cut off is gone on with after where it stood, and then takes what lies before', async () => {
	const { platform } = test.bank;
	const { dynamodb } = platform.aws;
	const TableName = platform.config.tables.projections;
	// Lines that lead nowhere, as after a crash: each is read once to be sorted, and once when its turn comes.
	const ids = Array.from({ length: 24 }, (_, i) => `grt_0000000000000000000000${String(i).padStart(4, '0')}`);
	for (const id of ids) {
		const Item = { pk: { S: Ledger.Listing.key.open(0) }, sk: { S: `grant#${id}` } };
		await dynamodb.send(new PutItemCommand({ TableName, Item }));
	}
	await Ledger.Listing.writeHint(platform, 'sweep-others', ids[5] ?? '');
	const read: string[] = [];
	const kept: string[] = [];
	const stop = test.bank.aws.faults.watch(({ operation, input }) => {
		const text = JSON.stringify(input);
		const id = ids.find((i) => text.includes(i));
		if (id !== undefined && operation === 'Query') read.push(id);
		if (id !== undefined && operation === 'PutItem' && text.includes('hint#sweep-others')) kept.push(id);
	});
	await test.bank.sweep();
	stop();
	const turns = read.slice(ids.length);
	expect(turns.slice(0, 4).toSorted()).toEqual(ids.slice(6, 10));
	expect(turns.slice(-2).toSorted()).toEqual(ids.slice(4, 6));
	expect(kept.slice(0, 2)).toEqual([ids[13], ids[21]]);
	expect(await Ledger.Listing.readHint(platform, 'sweep-others')).toBe('');
	expect(await Ledger.Listing.all(platform, Ledger.Listing.key.open(0))).toEqual([]);
});

it('a line whose request was approved anew, while it was being taken off, is put back', async () => {
	await enrol(test, 'lending', { olga: ['owner'] });
	const { dynamodb } = test.bank.platform.aws;
	const asked = await file(test.world, 'alice', requestBody(test.world));
	// The decision is stored, and nothing after it.
	const cut = async (who: Handle) => {
		let left = 1;
		const step = { step: 'initialize', name: 'cut' } as const;
		dynamodb.middlewareStack.add(
			(next, context) => async (args) => {
				if (context.commandName !== 'ExecuteStatementCommand') return next(args);
				left -= 1;
				if (left < 0) throw new Error('injected: cut off');
				return next(args);
			},
			step,
		);
		const answer = await test.world.call(decision(who, asked));
		dynamodb.middlewareStack.remove('cut');
		expect(answer.status).toBe(201);
	};
	await cut('olga');
	await enrol(test, 'lending', { nick: ['owner'] });
	const line = `request#${asked.view.id}`;
	let armed = true;
	dynamodb.middlewareStack.add(
		(next, context) => async (args) => {
			const input = JSON.stringify(args.input);
			if (armed && context.commandName === 'DeleteItemCommand' && input.includes(line)) {
				armed = false;
				await cut('nick');
			}
			return next(args);
		},
		{ step: 'initialize', name: 'again' },
	);
	await test.bank.sweep();
	dynamodb.middlewareStack.remove('again');
	expect(armed).toBe(false);
	const { grant = '' } =
		(await Access.get({ ...test.bank.platform, now: new Date() }, asked.view.id))?.granting?.body ?? {};
	const { all, key, shardOf } = Ledger.Listing;
	expect(await all(test.bank.platform, key.open(shardOf(grant)))).toEqual([line]);
	await test.bank.sweep();
	const opened = await Grants.get(test.bank.platform, grant);
	expect(opened?.state).toBe('granted');
	await test.world.call(post('nick', `/grants/${grant}/revoke`, { reason: 'over' }));
	await enrol(test, 'lending', { olga: ['owner'] });
});

it('a line of a grant that began to end, while it was being taken off, stays', async () => {
	const { platform } = test.bank;
	const { dynamodb } = platform.aws;
	const { all, applyProjections, key, shardOf } = Ledger.Listing;
	const grant = await open(...LANES[0]);
	const line = `grant#${grant.id}`;
	const shard = key.open(shardOf(grant.id));
	await applyProjections(platform, [{ op: 'put', pk: shard, sk: line, ver: 2 }]);
	let armed = true;
	dynamodb.middlewareStack.add(
		(next, context) => async (args) => {
			const input = JSON.stringify(args.input);
			// Not by whoever lists the second version, that it is granted, once more.
			const sweeps = context.commandName === 'DeleteItemCommand' && !input.includes('{":ver":{"N":"2"}}');
			if (armed && sweeps && input.includes(line)) {
				armed = false;
				test.bank.aws.faults.set([refuse('BatchRevokePermissions')]);
				// Sealed, so listed again, before the line is taken off.
				await revoke(grant, '?wait=sealed');
			}
			return next(args);
		},
		{ step: 'initialize', name: 'meanwhile' },
	);
	await test.bank.sweep();
	dynamodb.middlewareStack.remove('meanwhile');
	test.bank.aws.faults.clear();
	expect(armed).toBe(false);
	expect(await all(platform, shard)).toEqual([line]);
	await test.bank.sweep();
	expect([await stateOf(grant), await all(platform, shard)]).toEqual(['revoked', []]);
});

/** By clocks ahead of ours, which the hints keep: nothing after this sees what is filed now. */
describe('what was asked for since the pass before', () => {
	const MINUTE_MS = 60_000;
	let begin = 0;
	/** Whether the whole stream is read, and not one entry of it, to list that again. */
	const ofStream = (input: unknown, id: string) =>
		JSON.stringify(input).includes(id) && !('Limit' in (input as Record<string, unknown>));
	const passAfter = async (minutes: number, ids: readonly string[]): Promise<string[]> => {
		const read: string[] = [];
		const stop = test.bank.aws.faults.watch(({ operation, input }) => {
			const id = ids.find((i) => operation === 'Query' && ofStream(input, i));
			if (id !== undefined) read.push(id);
		});
		const now = new Date(begin + minutes * MINUTE_MS);
		await sweep({ ...test.bank.platform, clock: () => now }, '0'.repeat(32));
		stop();
		return read;
	};
	const unreadable = (id: string): FaultRule => ({
		service: 'dynamodb',
		operation: 'Query',
		when: 'before',
		error: { name: 'ValidationException', message: 'no' },
		match: (input) => ofStream(input, id),
	});
	const ask = async () => {
		const { view } = await file(test.world, 'alice', requestBody(test.world));
		begin = Date.now();
		return view.id;
	};

	it('is looked at once, and what cannot be read by itself in each pass, for an hour', async () => {
		const [broken, mended, fine] = [await ask(), await ask(), await ask()];
		const ids = [broken, mended, fine];
		test.bank.aws.faults.set([unreadable(broken), unreadable(mended)]);
		// Later than a pass looks back behind the one before.
		await passAfter(7, ids);
		expect(await Ledger.Listing.readHint(test.bank.platform, 'sweep-filed')).toBe(
			new Date(begin + 7 * MINUTE_MS).toISOString(),
		);
		expect((await passAfter(15, ids)).toSorted()).toEqual([broken, mended].toSorted());
		test.bank.aws.faults.set([unreadable(broken)]);
		expect((await passAfter(25, ids)).toSorted()).toEqual([broken, mended].toSorted());
		expect(await passAfter(35, ids)).toEqual([broken]);
		expect(await passAfter(90, ids)).toEqual([]);
		test.bank.aws.faults.clear();
		expect(await passAfter(91, ids)).toEqual([]);
	});

	it('is left to people after that, however long no pass was made: no later rule approves it', async () => {
		const id = await ask();
		await Ledger.Listing.writeHint(test.bank.platform, 'sweep-filed', new Date(begin).toISOString());
		expect(await passAfter(120, [id])).toEqual([]);
	});
});
