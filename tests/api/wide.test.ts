/** What no entry of the ledger holds is refused before anything is stored, and the refusal says what to change. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_ENTRY_BYTES } from '#core/ledger.ts';
import { emptyLanding } from '#local/aws.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { file, patch, post, refused, requestBody } from './harness.ts';
import { column, contractOf } from './views.ts';

const ACCOUNT = '210000000001';
const COLUMNS = Array.from({ length: 600 }, (_, i) => `a_column_of_very_many_with_rather_a_long_name_${i}`);
const TABLES = ['wide_1', 'wide_2', 'wide_3'];
const MANY = Array.from({ length: 700 }, (_, i) => `one_of_very_many_tables_with_a_long_name_${i}`);

let test: TestBank;

const tableOf = (name: string, columns: readonly string[]) => ({
	account: ACCOUNT,
	database: 'lending',
	name,
	columns: columns.map((c) => column(c)),
	location: `s3://sample-bank/${name}/`,
	format: { kind: 'parquet' as const },
	files: [],
	registered: true,
});

/** A contract of several tables. */
function contract(product: string, tables: readonly string[], columns: readonly string[]) {
	const made = contractOf(test, { name: product, columns: columns.map((c) => column(c)) }, 'table');
	const [schema] = made['schema'] as [Record<string, unknown>];
	// JSON is YAML, and shorter.
	return JSON.stringify({ ...made, schema: tables.map((name) => ({ ...schema, name })) });
}

const publishing = (product: string, body: string, query = '') => ({
	who: 'olga' as const,
	method: 'PUT' as const,
	path: `/api/v1/dataproducts/lending.${product}${query}`,
	body,
});

beforeAll(async () => {
	test = await testBank();
	const tables = TABLES.map((name) => tableOf(name, COLUMNS));
	await test.bank.aws.provision({ ...emptyLanding('eu-central-1'), tables });
	const answer = await test.world.call(publishing('wide', contract('wide', TABLES, COLUMNS)));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
});

afterAll(() => test.close());

/** The first columns of the first tables. */
const asking = (tables: number, columns: number, rowFilter: string | null = null) =>
	requestBody(test.world, {
		product: 'lending.wide',
		tables: TABLES.slice(0, tables).map((table) => ({ table, columns: COLUMNS.slice(0, columns), rowFilter })),
	});

const advice = { detail: expect.stringMatching(/bytes; at most \d+ fit.*fewer columns.*shorter.*another request/) };

describe('413: a request for more columns than a record holds', () => {
	it.each(['', '?dryRun=true'])('filed %s', async (query) => {
		const call = post('alice', `/requests${query}`, asking(3, 600));
		expect(await refused(test, call, 413, 'too-large')).toMatchObject(advice);
	});

	it('among others, of which none is filed', async () => {
		const requests = [asking(1, 3), asking(3, 600)];
		expect(await refused(test, post('alice', '/requests/batch', { requests }), 413, 'too-large')).toMatchObject(advice);
	});

	it('by an edit', async () => {
		const { view, etag } = await file(test.world, 'alice', asking(1, 3));
		const { tables } = asking(3, 600);
		const call = patch('alice', `/requests/${view.id}`, { tables }, { 'if-match': etag });
		expect(await refused(test, call, 413, 'too-large')).toMatchObject(advice);
	});
});

it('409: more columns of one table than the principal’s record of it has room for', async () => {
	const { detail } = await refused(test, post('alice', '/requests', asking(1, 600)), 409, 'quota-exceeded');
	expect(detail).toMatch(/fewer columns/);
});

it('201: 750 columns at once, of three tables', async () => {
	expect((await file(test.world, 'alice', asking(3, 250))).view.tables).toHaveLength(3);
});

it.each(['', '?dryRun=true'])('413: a contract of more tables than a record names %s', async (query) => {
	const text = contract('many', MANY, ['c']);
	expect(MANY.join('').length).toBeLessThan(MAX_ENTRY_BYTES);
	const { detail } = await refused(test, publishing('many', text, query), 413, 'too-large');
	expect(detail).toMatch(/700 tables.*at most \d+ fit.*several products/);
});
