/**
 * Reconciliation under faults: what AWS refuses or loses on the way is never taken for drift, a repair that was cut off
 * is closed at our gate and finished by a later pass, and one broken thing never holds up the others.
 */
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import {
	DeleteDataCellsFilterCommand,
	type LakeFormationClient,
	RevokePermissionsCommand,
	UpdateDataCellsFilterCommand,
} from '@aws-sdk/client-lakeformation';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import { makeLinks } from '#core/reconcile/links.ts';
import { published as publishedTables } from '#core/reconcile/unapproved.ts';
import * as Reconcile from '#core/reconcile.ts';
import { approve, ask, startQuery } from '#local/story/world.ts';
import type { TestBank } from './fixtures.ts';
import { address, all, type Fault, type Hands, on, onFilter, openHands, sql, TABLE } from './reconcile-hands.ts';

let hands: Hands;
let test: TestBank;
let lf: LakeFormationClient;
let alice: string;
let other: string;
beforeAll(async () => {
	hands = await openHands();
	({ test, lf, alice, other } = hands);
});
afterEach(() => hands.inject(null));
afterAll(() => test.close());

/** How many tables are published, in all or in a domain. */
async function published(domain?: string): Promise<number> {
	const ctx = { ...hands.later(), warn: () => {} };
	return (await publishedTables(ctx, domain)).length;
}

describe('faults', () => {
	it.each(['ListPermissions', 'ListDataCellsFilter', 'GetTable'])(
		'%s throttled: asked again, and nothing is taken for drift',
		async (command) => {
			const grant = await hands.loans();
			const fault: Fault = { command, times: 2, error: 'ThrottlingException' };
			hands.inject(fault);
			expect(await hands.pass()).toMatchObject({ tally: { repaired: 0, alerted: 0, failed: 0 }, findings: [] });
			expect(fault.times).toBe(0);
			await hands.revoke(grant.id);
		},
	);

	it('a table that cannot be looked at is counted and left, and the others are looked at', async () => {
		const grant = await hands.loans();
		const districts = await approve(
			test.world,
			await ask(test.world, {
				product: 'customers.districts',
				columns: ['district_id'],
				purpose: 'credit-risk',
				duration: 'P1D',
			}),
		);
		hands.inject({ command: 'ListDataCellsFilter', times: 1_000, error: 'AccessDeniedException' });
		const all = await published();
		expect(await hands.tally()).toMatchObject({ tables: all, checked: 1, failed: await published('lending') });
		hands.inject(null);
		expect(await hands.tally()).toMatchObject({ tables: all, checked: 2, failed: 0 });
		// A pass that was cut off is gone on with where it stopped, and then takes what lies before.
		const places = [
			'210000000001.lending.loans',
			'210000000002.customers.districts',
			'published/',
			'published/lending.loans',
		];
		for (const stopped of places) {
			await Ledger.Listing.writeHint(test.bank.platform, 'reconcile-after', stopped);
			expect(await hands.tally()).toMatchObject({ tables: all, checked: 2, failed: 0 });
			expect(await Ledger.Listing.readHint(test.bank.platform, 'reconcile-after')).toBe('');
		}
		await hands.revoke(grant.id);
		const path = `/api/v1/grants/${districts.id}/revoke`;
		await test.world.call({ who: 'peter', method: 'POST', path, body: { reason: 'over' } });
	});

	it('a repair that fails is told, closed meanwhile, and finished by a later pass', async () => {
		const grant = await hands.loans();
		const [filter] = hands.standing().filters;
		await lf.send(new RevokePermissionsCommand(on(alice, onFilter(filter?.name ?? ''))));
		await lf.send(new DeleteDataCellsFilterCommand(address(filter?.name ?? '')));
		hands.inject({ command: 'CreateDataCellsFilter', times: 1_000, error: 'AccessDeniedException' });
		const found = await hands.pass();
		expect(hands.told(found)).toEqual([['missing-filter', 'alice', 'alerted']]);
		expect(found?.tally.failed).toBe(1);
		expect((await startQuery(test.world, sql)).status).toBe(403);
		// The entitlement is not settled now, and that is no health: neither while it may be worked on, nor afterwards.
		for (const minutes of [0, 1, 10]) {
			expect(hands.told(await hands.pass(minutes))).toEqual([['missing-filter', 'alice', 'alerted']]);
			expect(await Reconcile.health(hands.later(), [TABLE], alice)).toBe('drifted');
		}
		hands.inject(null);
		expect(hands.told(await hands.pass(20))).toEqual([['missing-filter', 'alice', 'repaired']]);
		expect(await Reconcile.health(hands.later(), [TABLE], alice)).toBe('healthy');
		expect((await startQuery(test.world, sql)).status).toBe(202);
		expect(await hands.tally()).toMatchObject({ repaired: 0, failed: 0 });
		await hands.revoke(grant.id);
	});

	it.each(['BatchRevokePermissions', 'DeleteDataCellsFilter', 'CreateDataCellsFilter', 'BatchGrantPermissions'])(
		'%s done, but its answer lost, in the middle of a repair: a later pass brings the same end',
		async (command) => {
			const grant = await hands.loans();
			const { filters } = hands.standing();
			const Name = filters[0]?.name ?? '';
			await lf.send(new UpdateDataCellsFilterCommand({ TableData: { ...address(Name), ...all } }));
			hands.inject({ command, times: 1, error: 'AccessDeniedException', after: true });
			expect(hands.told(await hands.pass())).toEqual([['widened-filter', 'alice', 'alerted']]);
			expect((await startQuery(test.world, sql)).status).toBe(403);
			hands.inject(null);
			expect(await hands.pass(10)).toMatchObject({ tally: { alerted: 0, failed: 0 } });
			expect(hands.standing()).toEqual({
				filters: [{ ...filters[0], name: expect.not.stringMatching(new RegExp(`^${Name}$`)) }],
				held: [[alice, ['SELECT'], []]],
			});
			expect((await startQuery(test.world, sql)).status).toBe(202);
			expect(await hands.pass(10)).toMatchObject({ tally: { repaired: 0, alerted: 0, failed: 0 } });
			await hands.revoke(grant.id);
		},
	);

	it('a repair that died after it took effect is finished by a later pass', async () => {
		const grant = await hands.loans();
		const found = await Grants.standing(hands.later(), alice, TABLE);
		hands.inject({ command: 'ListPermissions', times: 1_000, error: 'AccessDeniedException' });
		await expect(Grants.restore(hands.later(), alice, TABLE, 'again')).rejects.toThrow();
		hands.inject(null);
		expect((await Grants.standing(hands.later(), alice, TABLE))?.step).not.toBe(found?.step);
		expect((await startQuery(test.world, sql)).status).toBe(403);
		expect(await hands.pass()).toMatchObject({ tally: { repaired: 0 } });
		expect(await hands.pass(10)).toMatchObject({ tally: { repaired: 1, failed: 0 }, findings: [] });
		expect((await startQuery(test.world, sql)).status).toBe(202);
		await hands.revoke(grant.id);
	});
});

it('links that could not be looked at once are looked at again', async () => {
	const grant = await hands.loans();
	const ctx = hands.later();
	const standing = await Grants.standing(ctx, alice, TABLE);
	const links = makeLinks();
	test.bank.aws.faults.set([{ service: 'glue', operation: 'GetDatabase', when: 'before' }]);
	await expect(links.seenBy(ctx, standing === null ? [] : [standing])).rejects.toThrow();
	test.bank.aws.faults.clear();
	expect(await links.seenBy(ctx, standing === null ? [] : [standing])).toContain(alice);
	await hands.revoke(grant.id);
});

// The last one, for it cannot be undone.
it('an entitlement that cannot be read is counted and left as it is, and the others of the table are mended', async () => {
	await hands.loans();
	await hands.loans('model-validation');
	const names = hands.standing().filters.map((f) => f.name);
	const nameOf = (principal: string) => names.find((n) => n.startsWith(Grants.filterPrefix(principal, TABLE))) ?? '';
	for (const principal of [alice, other]) {
		await lf.send(new RevokePermissionsCommand(on(principal, onFilter(nameOf(principal)))));
	}
	const { aws, config } = test.bank.platform;
	const known = await Grants.standing(hands.later(), alice, TABLE);
	const sk = `V#${String(known?.ver).padStart(10, '0')}`;
	await aws.dynamodb.send(
		new UpdateItemCommand({
			TableName: config.tables.ledger,
			Key: { pk: { S: Ledger.stream.entitlement(alice, TABLE) }, sk: { S: sk } },
			UpdateExpression: 'SET b = :b, z = :z',
			ExpressionAttributeValues: { ':b': { B: Buffer.from('{}') }, ':z': { BOOL: false } },
		}),
	);
	const found = await hands.pass();
	expect(hands.told(found)).toEqual([['missing-permission', other, 'repaired']]);
	expect(found?.tally.failed).toBe(1);
	expect(hands.standing().filters.map((f) => f.name)).toEqual(names);
	expect(hands.standing().held).toEqual([[other, ['SELECT'], []]]);
});
