/**
 * Calls that are overtaken at the worst moment: stalled between the last look and the write, while somebody else ends,
 * holds back or narrows the grant. Whoever was told no stays refused, and nothing is left in Lake Formation.
 */
import { CreateDatabaseCommand, GetDatabaseCommand } from '@aws-sdk/client-glue';
import {
	BatchGrantPermissionsCommand,
	CreateDataCellsFilterCommand,
	type LakeFormationClient,
} from '@aws-sdk/client-lakeformation';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as Grants from '#core/grants.ts';
import type { FaultRule } from '#local/aws/faults.ts';
import type { Answer } from '#local/story/client.ts';
import { principalOf, startQuery } from '#local/story/world.ts';
import { decision, file, finished, get, grantTo, post, requestBody, rowsOf } from './api/harness.ts';
import { inLakeFormation, type TestBank, testBank } from './fixtures.ts';

let test: TestBank;
let lf: LakeFormationClient;
const LENDING = '210000000001';
const table = { account: LENDING, database: 'lending', table: 'loans' };

beforeAll(async () => {
	test = await testBank();
	lf = test.bank.platform.aws.lakeformation(LENDING);
});
afterEach(() => test.bank.aws.faults.clear());
afterAll(() => test.close());

const principal = () => principalOf(test.world, 'risk', 'credit-risk');
const cells = (columns: string[], rowFilter = "status IN ('B', 'D')") =>
	requestBody(test.world, { tables: [{ table: 'loans', columns, rowFilter }] });
const WIDE = ['amount', 'loan_id', 'status'];
const open = (columns = WIDE) => grantTo(test.world, 'alice', cells(columns));
const act = (id: string, verb: string, body: object = {}): Promise<Answer> =>
	test.world.call(post('olga', `/grants/${id}/${verb}`, { reason: 'over', ...body }));
const stateOf = async (id: string) =>
	((await test.world.call(get('alice', `/grants/${id}`))).body as Grants.GrantView).state;
const asks = async (columns = WIDE) =>
	(await startQuery(test.world, `SELECT ${columns.join(', ')} FROM lending.loans`)).status;
const filters = () => inLakeFormation(test.bank).filters.map((f) => f.name);
const held = () => inLakeFormation(test.bank).permissions.filter((p) => p.resource.kind === 'filter').length;

const onEntitlement = (input: unknown) => JSON.stringify(input).includes('A#entitlement#');
const stalledInsert: FaultRule = {
	service: 'dynamodb',
	operation: 'ExecuteStatement',
	when: 'hang',
	match: onEntitlement,
	times: 1,
};
const failedInsert: FaultRule = { ...stalledInsert, when: 'before', per: 'call' };

/** Sets the faults, begins the work, and returns once a call hangs in one of them; then `go` lets it end. */
async function stalling<T>(rules: FaultRule[], work: () => Promise<T>): Promise<{ go: () => Promise<T> }> {
	let hung: () => void = () => {};
	const waits = new Promise<void>((resolve) => {
		hung = resolve;
	});
	const first = rules[0];
	if (first === undefined) throw new Error('no rule');
	const told: FaultRule = {
		...first,
		match: (input, call) => {
			const hit = first.match?.(input, call) ?? true;
			if (hit) hung();
			return hit;
		},
	};
	test.bank.aws.faults.set([told, ...rules.slice(1)]);
	const running = work();
	await waits;
	return {
		go() {
			test.bank.aws.faults.clear();
			return running;
		},
	};
}

async function nothingIsLeft(id: string, state: string): Promise<void> {
	await test.bank.sweep();
	expect(await stateOf(id)).toBe(state);
	expect(await asks()).toBe(403);
	expect([filters(), held()]).toEqual([[], 0]);
}

describe('an opening that stalls before its entitlement is written', () => {
	it('meets a grant that was resumed and held back again meanwhile', async () => {
		const { id } = await open();
		await act(id, 'suspend');
		const resuming = await stalling([stalledInsert], () => act(id, 'resume'));
		expect((await act(id, 'suspend')).status).toBe(202);
		await resuming.go();
		await nothingIsLeft(id, 'suspended');
		await act(id, 'revoke');
	});

	it('meets a grant that was revoked by a call which died before it shut anything', async () => {
		const asked = await file(test.world, 'alice', cells(WIDE));
		const opening = await stalling([stalledInsert, failedInsert], () => test.world.call(decision('olga', asked)));
		const listed = (await test.world.call(get('alice', '/grants?pageSize=1'))).body as { grants: { id: string }[] };
		const id = listed.grants[0]?.id ?? '';
		expect((await act(id, 'revoke')).status).toBe(503);
		await test.bank.sweep();
		expect(await stateOf(id)).toBe('revoked');
		await opening.go();
		await nothingIsLeft(id, 'revoked');
	});
});

describe('a grant made narrower', () => {
	it('opens no more than is left from then on, though the call died and Lake Formation cannot be asked', async () => {
		const { id } = await open();
		const less = { tables: [{ table: 'loans', columns: ['loan_id', 'status'] }] };
		test.bank.aws.faults.set([failedInsert]);
		expect((await act(id, 'narrow', less)).status).toBe(503);
		test.bank.aws.faults.set([{ service: 'glue', operation: 'GetTable', when: 'before' }]);
		await test.bank.sweep();
		expect(await asks()).toBe(403);
		expect(await asks(['loan_id'])).toBe(403);
		test.bank.aws.faults.clear();
		await test.bank.sweep();
		expect(await stateOf(id)).toBe('granted');
		expect([await asks(['loan_id']), await asks()]).toEqual([202, 403]);
		await act(id, 'revoke');
	});

	it('takes back results that were read before', async () => {
		const { id } = await open();
		const before = await finished(test.world, 'alice', 'SELECT amount FROM lending.loans');
		const results = () => test.world.call(get('alice', `/queries/${before.id}/results`));
		expect((await results()).status).toBe(200);
		await act(id, 'narrow', { tables: [{ table: 'loans', columns: ['loan_id', 'status'] }] });
		expect(await results()).toMatchObject({ status: 403, body: { code: 'grant-not-proven' } });
		await act(id, 'revoke');
	});
});

describe('a filter that comes too late', () => {
	it('is not granted, and goes', async () => {
		const one = await grantTo(test.world, 'alice', cells(['loan_id'], "status = 'D'"));
		const own = await rowsOf(test.world, 'alice', 'SELECT loan_id FROM lending.loans');
		const asked = await file(test.world, 'alice', cells(['loan_id'], "status IN ('A', 'B', 'C')"));
		const making: FaultRule = { service: 'lakeformation', operation: 'CreateDataCellsFilter', when: 'hang', times: 1 };
		const opening = await stalling([making], () => test.world.call(decision('olga', asked)));
		const listed = (await test.world.call(get('alice', '/grants?pageSize=1'))).body as { grants: { id: string }[] };
		const two = listed.grants[0]?.id ?? '';
		await act(two, 'revoke');
		await opening.go();
		expect([filters().length, held()]).toEqual([1, 1]);
		expect(await rowsOf(test.world, 'alice', 'SELECT loan_id FROM lending.loans')).toEqual(own);
		await act(one.id, 'revoke');
	});

	it('that was granted by a writer who then died is gone after the sweep', async () => {
		const { id } = await open(['loan_id', 'status']);
		const Name = `${Grants.filterPrefix(principal(), table)}0`;
		const TableData = { TableCatalogId: LENDING, DatabaseName: 'lending', TableName: 'loans', Name };
		const more = { ColumnNames: WIDE, RowFilter: { AllRowsWildcard: {} } };
		await lf.send(new CreateDataCellsFilterCommand({ TableData: { ...TableData, ...more } }));
		const Resource = { DataCellsFilter: TableData };
		const Principal = { DataLakePrincipalIdentifier: principal() };
		const Entries = [{ Id: '1', Principal, Resource, Permissions: ['SELECT' as const] }];
		await lf.send(new BatchGrantPermissionsCommand({ Entries }));
		expect(held()).toBe(2);
		await test.bank.sweep();
		expect([filters().length, held()]).toEqual([1, 1]);
		expect(await asks(['loan_id'])).toBe(202);
		await act(id, 'revoke');
	});
});

it('a database of others that has the name of a link stays, and nothing is granted through it', async () => {
	const glue = test.bank.platform.aws.consumer.glue('210000000004');
	const at = { CatalogId: '210000000004', Name: 'fl_210000000001_lending' };
	await glue.send(new CreateDatabaseCommand({ CatalogId: at.CatalogId, DatabaseInput: { Name: at.Name } }));
	const asked = await file(test.world, 'alice', cells(WIDE));
	const decided = await test.world.call(decision('olga', asked));
	const { grant } = decided.body as { grant: Grants.GrantView };
	expect([grant.state, grant.tables[0]?.missing]).toEqual(['failed', 'link']);
	expect((await act(grant.id, 'revoke')).status).toBe(202);
	await nothingIsLeft(grant.id, 'revoked');
	expect((await glue.send(new GetDatabaseCommand(at))).Database?.TargetDatabase).toBeUndefined();
});
