/**
 * The record of drift: what does not fit waits its turn and is not mended unrecorded, races are gone on from, and what
 * nobody ever held is looked at, too.
 */
import {
	CreateDataCellsFilterCommand,
	DeleteDataCellsFilterCommand,
	GrantPermissionsCommand,
	type LakeFormationClient,
	RevokePermissionsCommand,
} from '@aws-sdk/client-lakeformation';
import pMap from 'p-map';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as Grants from '#core/grants.ts';
import { lastOf, record } from '#core/reconcile/record.ts';
import * as Reconcile from '#core/reconcile.ts';
import { principalOf } from '#local/story/world.ts';
import { ledgerSize, type TestBank } from './fixtures.ts';
import { parseLog, readLog } from './log.ts';
import { address, all, type Hands, on, onFilter, onTable, openHands, TABLE } from './reconcile-hands.ts';

let hands: Hands;
let test: TestBank;
let lf: LakeFormationClient;
let alice: string;
let other: string;
beforeAll(async () => {
	hands = await openHands();
	({ test, lf, alice, other } = hands);
});
afterAll(() => test.close());

const make = (names: readonly string[]) =>
	pMap(names, (name) => lf.send(new CreateDataCellsFilterCommand({ TableData: { ...address(name), ...all } })), {
		concurrency: 8,
	});
const numbers = Array.from({ length: 105 }, (_, i) => i);

describe('more findings than fit an entry', () => {
	it("Fairlead's own are recorded and mended, however many rights of others there are", async () => {
		const grant = await hands.loans();
		const names = numbers.map((i) => `by_hand_${i}`);
		await make(names);
		const holder = (i: number) => (i % 2 === 0 ? alice : other);
		await pMap(names, (n, i) => lf.send(new GrantPermissionsCommand(on(holder(i), onFilter(n)))), { concurrency: 8 });
		const ours = hands.standing().filters.find((f) => f.name.startsWith('fl_'))?.name ?? '';
		await lf.send(new RevokePermissionsCommand(on(alice, onFilter(ours))));
		expect(await hands.tally()).toMatchObject({ repaired: 1, alerted: 105, failed: 0 });
		const last = await lastOf(hands.later(), TABLE);
		expect(last?.all[0]).toMatchObject({ kind: 'missing-permission', outcome: 'repaired' });
		expect(last?.all).toHaveLength(100);
		await pMap(names, (n, i) => lf.send(new RevokePermissionsCommand(on(holder(i), onFilter(n)))), { concurrency: 8 });
		await pMap(names, (n) => lf.send(new DeleteDataCellsFilterCommand(address(n))), { concurrency: 8 });
		await hands.revoke(grant.id);
	});

	it('what is not recorded is not mended: the next pass does both', async () => {
		await make(numbers.map((i) => `${Grants.filterPrefix(alice, TABLE)}${1_000 + i}`));
		expect(await hands.tally()).toMatchObject({ repaired: 100, alerted: 5, failed: 5 });
		expect((await lastOf(hands.later(), TABLE))?.all).toHaveLength(100);
		expect(hands.standing().filters).toHaveLength(5);
		expect(await hands.tally()).toMatchObject({ repaired: 5, alerted: 0, failed: 0 });
		expect(hands.standing().filters).toEqual([]);
	});
});

it('whoever loses a race to record goes on from what the other one recorded, and says nothing twice', async () => {
	const ctx = hands.later();
	const before = await lastOf(ctx, TABLE);
	const finding = { kind: 'extra-permission', principal: alice, filter: null, outcome: 'alerted' } as const;
	const told = [{ ...finding, permissions: ['SELECT'] }];
	const one = await record(ctx, TABLE, before, told);
	const size = await ledgerSize(test.world);
	expect(await record(ctx, TABLE, before, told)).toEqual(one);
	expect(await ledgerSize(test.world)).toBe(size);
	const gone = { kind: 'table-gone', principal: null, filter: null, permissions: [], outcome: 'alerted' } as const;
	const two = await record(ctx, TABLE, before, [{ ...gone, permissions: [] }]);
	expect(two?.recorded.ver).toBe((one?.recorded.ver ?? 0) + 1);
});

it.each(['IAM_ALLOWED_PRINCIPALS', '210000000004:IAMPrincipals'])(
	'what %s holds on a table concerns every principal that holds something there',
	async (everybody) => {
		const ctx = hands.later();
		const fraud = principalOf(test.world, 'risk', 'fraud-detection');
		const finding = { kind: 'extra-permission' as const, filter: null, permissions: ['SELECT'] };
		const tell = async (principal: string) =>
			record(ctx, TABLE, await lastOf(ctx, TABLE), [{ ...finding, principal, outcome: 'alerted' }]);
		await tell(alice);
		expect(await Reconcile.health(ctx, [TABLE], fraud)).toBe('healthy');
		await tell(everybody);
		expect(await Reconcile.health(ctx, [TABLE], fraud)).toBe('drifted');
		await record(ctx, TABLE, await lastOf(ctx, TABLE), []);
	},
);

describe('a published table that nobody ever held', () => {
	const Resource = { Table: { CatalogId: TABLE.account, DatabaseName: 'lending', Name: 'accounts' } };

	it('is looked at by the schedule; what is found is told with its kind, and in the log without names', async () => {
		expect(hands.told(await hands.pass())).toEqual([]);
		await lf.send(new GrantPermissionsCommand(on(alice, Resource)));
		await lf.send(new GrantPermissionsCommand(on(other, onTable)));
		const expected = [
			['extra-permission', 'alice', 'alerted'],
			['extra-permission', other, 'alerted'],
		];
		const found = hands.told(await hands.pass());
		expect(found).toHaveLength(2);
		expect(found).toEqual(expect.arrayContaining(expected));
		const warned: { message: string; error: unknown }[] = [];
		const warn = (message: string, error: unknown) => void warned.push({ message, error });
		await Reconcile.reconcile({ ...hands.later(), warn });
		expect(warned).toHaveLength(2);
		expect(warned.map((w) => [w.message, String(w.error)])).toEqual(
			expect.arrayContaining([
				['reconcile: drift', `Drift: extra-permission on ${TABLE.account}.lending.accounts`],
				['reconcile: drift', `Drift: extra-permission on ${TABLE.account}.lending.loans`],
			]),
		);
		const lines = (await parseLog(readLog(test.bank))).filter((l) => l.message === 'reconcile: drift');
		expect(lines.length).toBeGreaterThanOrEqual(2);
		expect(lines.at(-1)).toMatchObject({ error: 'Drift', code: 'extra-permission' });
	});
});
