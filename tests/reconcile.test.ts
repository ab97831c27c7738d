/**
 * Drift made by hand, with the SDK's own clients, as somebody who bypasses Fairlead would: what is Fairlead's is brought
 * back, what is not is told and left alone, and a pass that finds nothing new writes nothing.
 */
import { CreateDatabaseCommand, DeleteDatabaseCommand, GetTableCommand } from '@aws-sdk/client-glue';
import {
	CreateDataCellsFilterCommand,
	DeleteDataCellsFilterCommand,
	GrantPermissionsCommand,
	type LakeFormationClient,
	RevokePermissionsCommand,
	UpdateDataCellsFilterCommand,
} from '@aws-sdk/client-lakeformation';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import * as Reconcile from '#core/reconcile.ts';
import { approve, ask, principalOf, startQuery } from '#local/story/world.ts';
import { ledgerSize, type TestBank } from './fixtures.ts';
import { address, all, asking, type Hands, on, onFilter, onTable, openHands, sql, TABLE } from './reconcile-hands.ts';

const LINK = 'fl_210000000001_lending';

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

describe("what is Fairlead's is brought back, once", () => {
	const name = () => hands.standing().filters[0]?.name ?? '';
	const version = (n: number) => name().replace(/_\d+$/, `_${n}`);
	it.each<[string, () => Promise<unknown>, unknown[][]]>([
		[
			'a filter deleted, with the right on it',
			async () => {
				await lf.send(new RevokePermissionsCommand(on(alice, onFilter(name()))));
				await lf.send(new DeleteDataCellsFilterCommand(address(name())));
			},
			[['missing-filter', 'alice', 'repaired']],
		],
		[
			'a right revoked',
			() => lf.send(new RevokePermissionsCommand(on(alice, onFilter(name())))),
			[['missing-permission', 'alice', 'repaired']],
		],
		[
			'a resource link deleted',
			() => {
				const CatalogId = '210000000004';
				return test.bank.platform.aws.consumer
					.glue(CatalogId)
					.send(new DeleteDatabaseCommand({ CatalogId, Name: LINK }));
			},
			[['missing-link', 'alice', 'repaired']],
		],
		[
			'a filter widened under its name',
			() => lf.send(new UpdateDataCellsFilterCommand({ TableData: { ...address(name()), ...all } })),
			[['widened-filter', 'alice', 'repaired']],
		],
		[
			'somebody else granted on it',
			() => lf.send(new GrantPermissionsCommand(on(other, onFilter(name())))),
			[['extra-permission', expect.stringMatching(/model-validation$/), 'repaired']],
		],
		[
			'its owner allowed to hand it on',
			() => lf.send(new GrantPermissionsCommand(on(alice, onFilter(name()), ['SELECT'], ['SELECT']))),
			[['extra-permission', 'alice', 'repaired']],
		],
		[
			'another filter of its owner, granted',
			async () => {
				const TableData = { ...address(version(1_000)), ...all };
				await lf.send(new CreateDataCellsFilterCommand({ TableData }));
				await lf.send(new GrantPermissionsCommand(on(alice, onFilter(TableData.Name))));
			},
			[['orphaned-filter', 'alice', 'repaired']],
		],
		[
			'a filter of the name of somebody who never held anything',
			async () => {
				const TableData = { ...address(`${Grants.filterPrefix(other, TABLE)}1`), ...all };
				await lf.send(new CreateDataCellsFilterCommand({ TableData }));
				await lf.send(new GrantPermissionsCommand(on(other, onFilter(TableData.Name))));
			},
			[['orphaned-filter', null, 'repaired']],
		],
	])('%s', async (_, damage, expected) => {
		const grant = await hands.loans();
		const before = hands.standing();
		await damage();
		expect(hands.told(await hands.pass())).toEqual(expected);
		const same = before.filters.map((f) => ({ ...f, name: expect.stringMatching(/^fl_[0-9a-f]{24}_\d+$/) }));
		expect(hands.standing()).toEqual({ filters: same, held: [[alice, ['SELECT'], []]] });
		expect((await startQuery(test.world, sql)).status).toBe(202);
		const size = await ledgerSize(test.world);
		for (let again = 0; again < 4; again += 1)
			expect(await hands.tally()).toMatchObject({ repaired: 0, alerted: 0, failed: 0 });
		expect(await ledgerSize(test.world)).toBe(size);
		await hands.revoke(grant.id);
		expect(hands.standing()).toEqual({ filters: [], held: [] });
	});
});

describe("what is not Fairlead's", () => {
	it('is told once and left alone; the grant counts as drifted until it is gone', async () => {
		const grant = await hands.loans();
		const ctx = hands.later();
		await hands.pass();
		expect(await Reconcile.health(ctx, [TABLE])).toBe('healthy');
		await lf.send(new GrantPermissionsCommand(on(alice, onTable)));
		await lf.send(new CreateDataCellsFilterCommand({ TableData: { ...address('johns_filter'), ...all } }));
		await lf.send(new GrantPermissionsCommand(on(other, onFilter('johns_filter'))));
		const expected = [
			['extra-permission', 'alice', 'alerted'],
			['extra-permission', other, 'alerted'],
		];
		expect(hands.told(await hands.pass())).toEqual(expected);
		expect(await Reconcile.health(ctx, [TABLE])).toBe('drifted');
		expect(await Reconcile.health(ctx, [TABLE], principalOf(test.world, 'risk', 'fraud-detection'))).toBe('healthy');
		const size = await ledgerSize(test.world);
		for (let again = 0; again < 4; again += 1) expect(hands.told(await hands.pass())).toEqual(expected);
		expect(await ledgerSize(test.world)).toBe(size);
		const { permissions } = test.bank.aws.lakeFormationState();
		expect(permissions.filter((p) => p.resource.kind === 'table' && p.principal === alice)).toHaveLength(1);
		await lf.send(new RevokePermissionsCommand(on(alice, onTable)));
		await lf.send(new RevokePermissionsCommand(on(other, onFilter('johns_filter'))));
		await lf.send(new DeleteDataCellsFilterCommand(address('johns_filter')));
		expect(hands.told(await hands.pass())).toEqual([]);
		expect(await Reconcile.health(ctx, [TABLE])).toBe('healthy');
		expect(await ledgerSize(test.world)).toBe(size + 1);
		await hands.revoke(grant.id);
	});

	it('keeps names that somebody chose out of the ledger', async () => {
		const entries = await Ledger.read(test.bank.platform, Ledger.stream.table(TABLE));
		expect(JSON.stringify(entries.map((e) => e.body))).not.toContain('johns');
		const told = await Promise.all(entries.map((e) => Ledger.payload(test.bank.platform, e.entry)));
		expect(JSON.stringify(told)).toContain('johns_filter');
	});
});

it('a link that nobody needs goes', async () => {
	const account = '210000000004';
	const glue = test.bank.platform.aws.consumer.glue(account);
	const TargetDatabase = { CatalogId: TABLE.account, DatabaseName: TABLE.database };
	await glue.send(new CreateDatabaseCommand({ CatalogId: account, DatabaseInput: { Name: LINK, TargetDatabase } }));
	expect(await hands.tally()).toMatchObject({ repaired: 1, failed: 0 });
	expect(await hands.tally()).toMatchObject({ repaired: 0, failed: 0 });
});

describe('beside others', () => {
	it('one pass at a time: the second one is told so, and finds the lease free afterwards', async () => {
		const [one, two] = await Promise.all([hands.pass(), hands.pass()]);
		expect([one, two].filter((p) => p === null)).toHaveLength(1);
		expect(await hands.pass()).not.toBeNull();
	});

	it('a normal grant under way is no drift, whenever it is looked at', async () => {
		const asked = await ask(test.world, asking);
		const looks: unknown[][][] = [];
		const over = new AbortController();
		const looking = (async () => {
			while (!over.signal.aborted) looks.push(hands.told(await hands.pass()));
		})();
		const grant = await approve(test.world, asked);
		await hands.revoke(grant.id);
		over.abort();
		await looking;
		expect(looks.length).toBeGreaterThan(0);
		expect(looks.flat()).toEqual([]);
		expect(hands.standing()).toEqual({ filters: [], held: [] });
	});
});

describe('a table', () => {
	it('that was dropped and made again: its grants are held back until somebody resumes them', async () => {
		const grant = await hands.loans();
		const glue = test.bank.platform.aws.glue(TABLE.account);
		glue.middlewareStack.add(
			(next, { commandName }) =>
				async (args) => {
					const answer = await next(args);
					const { Table } = answer.output as { Table?: { Name?: string; CreateTime?: Date } };
					if (commandName === 'GetTableCommand' && Table?.Name === 'loans') Table.CreateTime = new Date('2026-11-11');
					return answer;
				},
			{ step: 'initialize', name: 'recreated' },
		);
		expect(hands.told(await hands.pass())).toEqual([['table-recreated', 'alice', 'suspended']]);
		expect((await hands.read(grant.id)).state).toBe('suspended');
		expect(hands.standing()).toEqual({ filters: [], held: [] });
		expect((await startQuery(test.world, sql)).status).toBe(403);
		expect(hands.told(await hands.pass())).toEqual([]);
		glue.middlewareStack.remove('recreated');
		await hands.revoke(grant.id);
	});

	it('that is gone: told, and nothing else is', async () => {
		const grant = await hands.loans();
		const gone = { command: 'GetTable', times: 1_000, error: 'EntityNotFoundException' };
		hands.inject(gone);
		expect(hands.told(await hands.pass())).toEqual([['table-gone', null, 'alerted']]);
		expect(gone.times).toBeLessThan(1_000);
		hands.inject(null);
		const { Table } = await test.bank.platform.aws
			.glue(TABLE.account)
			.send(new GetTableCommand({ DatabaseName: 'lending', Name: 'loans' }));
		expect(Table?.Name).toBe('loans');
		expect(hands.told(await hands.pass())).toEqual([]);
		await hands.revoke(grant.id);
	});
});
