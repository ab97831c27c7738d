/**
 * Fifty grants at once on one principal and table, and fifty endings at once: each call of the API is a process of its
 * own as far as the entitlement is concerned, and Lake Formation asks some of them to come again.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import * as Grants from '#core/grants.ts';
import * as Ledger from '#core/ledger.ts';
import { principalOf } from '#local/story/world.ts';
import { decision, file, get, post, requestBody, rowsOf } from './api/harness.ts';
import { type TestBank, testBank } from './fixtures.ts';

const MANY = 50;
const ALL = ['loan_id', 'account_id', 'granted_on', 'amount', 'duration', 'payments', 'status'];

let test: TestBank;
let columns: string[];

beforeAll(async () => {
	test = await testBank();
	const loans = test.world.contracts.find((c) => c.contract.product === 'lending.loans');
	columns = loans?.contract.tables[0]?.columns.map((c) => c.name) ?? ALL;
});

afterEach(() => test.bank.aws.faults.clear());
afterAll(() => test.close());

/** Every grant has the same rows and some of the columns, so that any union of them is exactly one filter. */
const columnsOf = (i: number) => ['loan_id', ...columns.filter((c, at) => c !== 'loan_id' && (i + at) % 3 === 0)];

const asking = (i: number) =>
	file(
		test.world,
		'alice',
		requestBody(test.world, { tables: [{ table: 'loans', columns: columnsOf(i), rowFilter: "status = 'D'" }] }),
	);

const grantOf = async (id: string) => (await test.world.call(get('alice', `/grants/${id}`))).body as Grants.GrantView;

const table = { account: '210000000001', database: 'lending', table: 'loans' };
const principal = () => principalOf(test.world, 'risk', 'credit-risk');
const onTable = () => {
	const { filters, permissions } = test.bank.aws.lakeFormationState();
	return {
		filters: filters.filter((f) => f.name.startsWith(Grants.filterPrefix(principal(), table))),
		held: permissions.filter((p) => p.principal === principal() && p.resource.kind === 'filter'),
	};
};

describe('many at once', { timeout: 120_000 }, () => {
	const grants: string[] = [];

	it('are all granted, carried by one filter that is exactly their union, though Lake Formation asks to come again', async () => {
		test.bank.aws.faults.set([
			{
				service: 'lakeformation',
				operation: 'BatchGrantPermissions',
				when: 'before',
				error: { name: 'ConcurrentModificationException', message: 'Please retry in a short while' },
				times: 5,
			},
		]);
		const asked = await Promise.all(Array.from({ length: MANY }, (_, i) => asking(i)));
		const decided = await Promise.all(asked.map((a) => test.world.call(decision('olga', a))));
		expect(decided.map((d) => d.status)).toEqual(asked.map(() => 201));
		const ids = decided.map((d) => (d.body as { request: { grant: string } }).request.grant);
		grants.push(...ids);
		const states = await Promise.all(ids.map(async (id) => (await grantOf(id)).state));
		expect(new Set(states)).toEqual(new Set(['granted']));
		const { filters, held } = onTable();
		const union = [...new Set(asked.flatMap((_, i) => columnsOf(i)))].toSorted();
		expect(filters.map((f) => f.columns)).toEqual([union]);
		expect(held.map((p) => p.permissions)).toEqual([['SELECT']]);
		const [row] = await rowsOf(test.world, 'alice', `SELECT ${union.join(', ')} FROM lending.loans LIMIT 1`);
		expect(row).toHaveLength(union.length);
	});

	it('are all revoked, and nothing of them is left', async () => {
		const answers = await Promise.all(
			grants.map((id) => test.world.call(post('olga', `/grants/${id}/revoke`, { reason: 'over' }))),
		);
		expect(new Set(answers.map((a) => a.status))).toEqual(new Set([202]));
		await test.bank.sweep();
		const states = await Promise.all(grants.map(async (id) => (await grantOf(id)).state));
		expect(new Set(states)).toEqual(new Set(['revoked']));
		expect(onTable()).toEqual({ filters: [], held: [] });
		expect((await Ledger.verifyAll(test.bank.platform)).findings).toEqual([]);
	});
});
