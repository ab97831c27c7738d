/** A report on one product tells nothing of another product's grants, nor of what was read under them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Handle } from '#local/people.ts';
import { people } from '#local/people.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { finished, get, grantTo, post, requestBody } from './harness.ts';

let test: TestBank;
let flow: string;

/** Alice and Carl may read the loans, Alice alone the accounts; she joins them. */
beforeAll(async () => {
	test = await testBank();
	const issuer = test.bank.issuer.issuer;
	const beneficiaries = (['alice', 'carl'] as const).map((who) => ({ issuer, subject: people[who].subject }));
	const loans = [{ table: 'loans', columns: ['loan_id', 'account_id', 'status'] }];
	await grantTo(test.world, 'alice', requestBody(test.world, { tables: loans, beneficiaries }));
	const accounts = [{ table: 'accounts', columns: ['account_id', 'district_id', 'frequency'] }];
	await grantTo(test.world, 'alice', requestBody(test.world, { product: 'lending.accounts', tables: accounts }));
	const sql = `SELECT l.status, a.frequency, CASE WHEN a.district_id = 1 THEN l.loan_id END AS loan_id
		FROM lending.loans l JOIN lending.accounts a ON a.account_id = l.account_id WHERE a.district_id > 0`;
	({ id: flow } = await finished(test.world, 'alice', sql));
});

afterAll(() => test.close());

type Row = { readonly flow: string; readonly unknown: readonly string[]; readonly [member: string]: unknown };

async function rowsFor(who: Handle, product: string): Promise<{ rows: readonly Row[]; csv: string }> {
	const asked = await test.world.call(post(who, '/reports', { kind: 'flows', product }));
	expect(asked.status).toBe(201);
	const path = `/reports/${(asked.body as { id: string }).id}/content`;
	const { rows } = (await test.world.call(get(who, path))).body as { rows: Row[] };
	const csv = (await test.world.call(get(who, `${path}?format=csv`))).body as string;
	return { rows: rows.filter((row) => row.flow === flow), csv };
}

it('shows nothing of a table that was read under a grant which the caller may not see', async () => {
	const { rows, csv } = await rowsFor('carl', 'lending.loans');
	expect(rows).toMatchObject([
		{
			table: 'lending.loans',
			outputs: [
				{ name: 'status', sources: ['lending.loans/loans.status'], decidedBy: [] },
				{ name: null, sources: [], decidedBy: [] },
				{ name: 'loan_id', sources: ['lending.loans/loans.loan_id'], decidedBy: [] },
			],
			rowsDecidedBy: ['lending.loans/loans.account_id'],
			unknown: [expect.stringContaining('other products')],
		},
	]);
	for (const text of [JSON.stringify(rows), csv]) expect(text).not.toMatch(/accounts|district_id|frequency/);
	expect((await rowsFor('carl', 'lending.accounts')).rows).toEqual([]);
});

it.each(['alice', 'olga', 'rita'] as const)('shows it whole to %s, who may see both grants', async (who) => {
	const { rows } = await rowsFor(who, 'lending.loans');
	expect(rows).toMatchObject([
		{
			outputs: [
				{ name: 'status' },
				{ name: 'frequency', sources: ['lending.accounts/accounts.frequency'] },
				{ name: 'loan_id', decidedBy: ['lending.accounts/accounts.district_id'] },
			],
			rowsDecidedBy: expect.arrayContaining(['lending.accounts/accounts.district_id']),
			unknown: [],
		},
	]);
});
