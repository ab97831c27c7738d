/** Contracts of views: published only if Fairlead could follow them; and nobody asks for a view itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { get, post, refused, requestBody } from './harness.ts';
import { column, contractOf, land, loanId, prestoView, publish, publishedView, type ViewMade, views } from './views.ts';

let test: TestBank;
const plain = views.altered;

beforeAll(async () => {
	test = await testBank();
	for (const name of ['arrears', 'districts', 'of_view', 'over_raw'] as const) await publishedView(test, views[name]);
});

afterAll(() => test.close());

describe('a view that is no data product', () => {
	it('is published as a view alone, and a table as a table', async () => {
		const asTable = contractOf(test, { ...plain, name: 'altered_2' }, 'table');
		await land(test, { ...plain, name: 'altered_2' });
		const problem = await refused(test, () => publish(test, asTable), 422, 'contract-invalid');
		expect(problem.errors).toMatchObject([{ pointer: '/schema/0', detail: expect.stringContaining('a view') }]);
		const loans = contractOf(test, { name: 'loans', columns: [loanId] }, 'view');
		const other = await refused(test, () => publish(test, { ...loans, version: '9.0.0' }), 422, 'contract-invalid');
		expect(other.errors).toMatchObject([{ pointer: '/schema/0/physicalType' }]);
	});

	const sound: ViewMade = { name: 'unsound', sql: 'SELECT loan_id FROM loans', columns: [loanId] };
	const stored = (value: unknown) => `/* Presto View: ${Buffer.from(JSON.stringify(value)).toString('base64')} */`;
	it.each<[string, string, RegExp]>([
		['a definition that writes', prestoView({ ...sound, sql: 'DROP TABLE loans' }), /line 1, column 1/],
		['a definition that is no SQL', prestoView({ ...sound, sql: 'SELECT FROM' }), /line 1/],
		[
			'a definition of another catalog',
			stored({ originalSql: 'SELECT 1', catalog: 'hive', columns: [loanId] }),
			/catalog/,
		],
		['a definition without columns', stored({ originalSql: 'SELECT 1', catalog: 'awsdatacatalog' }), /columns/],
		['a definition that lacks a column', prestoView({ ...sound, columns: [column('other')] }), /loan_id/],
		['a definition that reads itself', prestoView({ ...sound, sql: 'SELECT loan_id FROM unsound' }), /reads itself/],
		[
			'a definition that reads itself in a sub-query',
			prestoView({ ...sound, sql: 'SELECT loan_id FROM loans WHERE loan_id IN (SELECT loan_id FROM lending.unsound)' }),
			/reads itself/,
		],
		[
			'a definition that reads a table of another account',
			prestoView({ ...sound, sql: 'SELECT card_id AS loan_id FROM payments.cards' }),
			/payments\.cards, which is of another account/,
		],
		[
			'a definition that is too long',
			prestoView({ ...sound, sql: `SELECT loan_id FROM loans -- ${'x'.repeat(40_000)}` }),
			/at most 40000 bytes/,
		],
		['a definition of another engine', 'SELECT loan_id FROM loans', /Athena/],
		['no definition', '', /Athena/],
		['a definition that is no JSON', '/* Presto View: bm9uZQ== */', /Athena/],
		['a definition without end', `/* Presto View: ${'A'.repeat(1_100_000)} */`, /too long/],
	])('stays so with %s', async (_, text, reason) => {
		await land(test, sound, text);
		const problem = await refused(test, () => publish(test, contractOf(test, sound)), 422, 'contract-invalid');
		expect(problem.errors).toMatchObject([{ pointer: '/schema/0', detail: expect.stringMatching(reason) }]);
	});

	it('stays so with other columns or types than Glue has', async () => {
		await land(test, sound);
		const columns = [column('loan_id', 'varchar'), column('nosuch')];
		const document = contractOf(test, { ...sound, columns });
		const problem = await refused(test, () => publish(test, document), 422, 'contract-invalid');
		const pointers = problem.errors?.map((e) => e.pointer) ?? [];
		expect(pointers).toContain('/schema/0/properties/0/physicalType');
		expect(pointers).toContain('/schema/0/properties/1');
	});
});

describe('a request for a view', () => {
	const asking = (name: string) =>
		post(
			'alice',
			'/requests',
			requestBody(test.world, { product: `lending.${name}`, tables: [{ table: name, columns: ['loan_id'] }] }),
		);

	it.each([
		['districts', 'lending.accounts, lending.loans'],
		['of_view', 'lending.loans'],
		['over_raw', 'cannot be read through Fairlead'],
	])('of %s is refused, and says what to ask for', async (name, advice) => {
		const problem = await refused(test, asking(name), 422, 'validation');
		expect(problem.errors).toMatchObject([{ pointer: '/tables/0/table', detail: expect.stringContaining(advice) }]);
	});
});

describe('a view that is a data product', () => {
	it('says that it is a view, and has no place in S3', async () => {
		const { body } = await test.world.call(get('alice', '/dataproducts/lending.arrears'));
		const { contract } = body as { contract: { tables: Record<string, unknown>[] } };
		expect(contract.tables).toMatchObject([{ name: 'arrears', view: true }]);
		expect(contract.tables[0]).not.toHaveProperty('location');
	});
});
