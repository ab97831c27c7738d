/** A dry run says what a query would read and what is missing; it runs nothing, records nothing and shows no rows. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GrantView } from '#core/grants.ts';
import type { ForeignLineage, QueryPlan } from '#core/query.ts';
import type { Handle } from '#local/people.ts';
import { principalOf } from '#local/story/world.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { finished, get, grantTo, post, refused, requestBody } from './harness.ts';

let test: TestBank;
let grant: GrantView;

beforeAll(async () => {
	test = await testBank();
	const tables = [{ table: 'loans', columns: ['loan_id', 'account_id', 'status'], rowFilter: "status IN ('B','D')" }];
	grant = await grantTo(test.world, 'alice', requestBody(test.world, { tables }));
});

afterAll(() => test.close());

const body = (sql: string) => ({ sql, principal: principalOf(test.world, 'risk', 'credit-risk'), dryRun: true });

/** The plan, after nothing was left behind. */
async function planOf(sql: string, who: Handle = 'alice'): Promise<QueryPlan> {
	const before = await ledgerSize(test.world);
	const answer = await test.world.call(post(who, '/queries', body(sql)));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 });
	expect(answer.headers.get('location')).toBeNull();
	expect(await ledgerSize(test.world)).toBe(before);
	return answer.body as QueryPlan;
}

describe('refused as the run would be', () => {
	it('for who may not query for the domain', async () => {
		await refused(test, post('mia', '/queries', body('SELECT 1 FROM lending.loans')), 403, 'not-permitted');
	});

	it('for another purpose', async () => {
		const call = post('alice', '/queries', { ...body('SELECT 1 FROM lending.loans'), purpose: 'marketing' });
		await refused(test, call, 403, 'purpose-mismatch');
	});

	it.each([
		['SELECT loan_id FROM', 'sql-syntax'],
		['DROP TABLE loans', 'unsupported'],
		['SELECT nosuch FROM lending.loans', 'column-not-found'],
		['SELECT card_id FROM nowhere.cards', 'table-not-found'],
		[`SELECT card_id FROM "${'x'.repeat(3000)}".cards`, 'table-not-found'],
		[`SELECT card_id FROM payments."${'é'.repeat(2000)}"`, 'table-not-found'],
	] as const)('%s', async (sql, code) => {
		const problem = await refused(test, post('alice', '/queries', body(sql)), 422, code);
		expect(problem).toMatchObject({ line: 1, column: expect.any(Number) });
	});

	const many = (count: number, from: string) =>
		`SELECT ${Array.from({ length: count }, () => 's').join(', ')} FROM (SELECT ${from} AS s FROM lending.loans) AS x`;
	it.each([
		[
			'more than Athena takes, once it is printed',
			`SELECT status || '${'x'.repeat(30_000)}' AS x FROM lending.loans ORDER BY ${Array.from({ length: 10 }, () => 'x').join(' || ')}`,
			/Athena takes at most 262144/,
		],
		[
			'so much more than that, that it is not printed',
			`SELECT status || '${'x'.repeat(200_000)}' AS x FROM lending.loans ORDER BY ${Array.from({ length: 2000 }, () => 'x').join(' || ')}`,
			/Athena takes at most: 262144/,
		],
	])('for %s', async (_, sql, reason) => {
		const dry = await refused(test, post('alice', '/queries', body(sql)), 413, 'too-large');
		expect(dry).toMatchObject({ line: 1, column: 1, detail: expect.stringMatching(reason) });
		const run = await refused(test, post('alice', '/queries', { ...body(sql), dryRun: false }), 413, 'too-large');
		expect(run.detail).toBe(dry.detail);
	});

	it('for a lineage that nobody reads, which is not known elsewhere either', async () => {
		const sum = 'loan_id + account_id + amount + duration + payments';
		const sql = many(999, `CASE WHEN ${sum} > 1 AND status = 'D' THEN ${sum} END`);
		const reason = { line: 1, column: 1, detail: expect.stringContaining('more than 10000 links') };
		expect(await refused(test, post('alice', '/queries', body(sql)), 413, 'too-large')).toMatchObject(reason);
		const { body: found } = await test.world.call(post('rita', '/lineage', { sql }));
		expect(found).toMatchObject({ known: false, reason: { code: 'too-large', ...reason } });
	});

	it('for a table without a grant, at its name', async () => {
		const call = post('alice', '/queries', { ...body('SELECT 1 AS one\nFROM payments.cards'), dryRun: false });
		const problem = await refused(test, call, 403, 'table-not-granted');
		expect(problem).toMatchObject({ table: 'payments.cards', line: 2, column: 6 });
		expect(problem['view']).toBeUndefined();
	});

	it('for a dryRun that is no boolean', async () => {
		const call = post('alice', '/queries', { ...body('SELECT 1 FROM lending.loans'), dryRun: 'yes' });
		await refused(test, call, 422, 'validation');
	});
});

describe('a query that would run', () => {
	it('is told with its grants, its rows and the text that Athena would get', async () => {
		const plan = await planOf('SELECT status, count(*) AS n FROM lending.loans WHERE account_id > 1 GROUP BY status');
		expect(plan).toMatchObject({ runs: true, missing: [], purpose: 'credit-risk' });
		expect(plan.tables).toEqual([
			{
				product: 'lending.loans',
				table: 'lending.loans',
				columns: expect.arrayContaining([
					{ name: 'status', uses: ['select', 'group'], granted: true },
					{ name: 'account_id', uses: ['filter'], granted: true },
				]),
				rowFilter: `"status" IN ('B', 'D')`,
				grants: [grant.id],
				until: grant.until,
			},
		]);
		expect(plan.sql).toContain(
			`(SELECT "account_id", "status" FROM "fl_210000000001_lending"."loans" WHERE "status" IN ('B', 'D'))`,
		);
	});

	it('has its lineage, as OpenLineage has it too', async () => {
		const plan = await planOf("SELECT CASE WHEN status = 'D' THEN loan_id END AS bad FROM lending.loans");
		const loans = { table: 'lending.loans/loans' };
		expect(plan.outputs).toEqual([
			{
				name: 'bad',
				sources: [{ ...loans, column: 'loan_id', kind: 'transformation' }],
				indirect: [{ ...loans, column: 'status', use: 'conditional' }],
			},
		]);
		expect(plan.columnLineage).toMatchObject({
			fields: {
				bad: {
					inputFields: expect.arrayContaining([
						expect.objectContaining({
							namespace: 'arn:aws:glue:eu-central-1:210000000001',
							name: 'table/lending/loans',
							field: 'loan_id',
						}),
					]),
				},
			},
		});
	});
});

it('what a run records is what the dry run told, and a report tells it again', async () => {
	const sql = "SELECT max(CASE WHEN status = 'D' THEN loan_id END) AS worst FROM lending.loans WHERE account_id > 1";
	const plan = await planOf(sql);
	const { id } = await finished(test.world, 'alice', sql);
	const { entries } = (await test.world.call(get('rita', `/ledger/entries?stream=F%23${id}`))).body as {
		entries: { bytes: string }[];
	};
	const [intended] = entries.map((e) => JSON.parse(Buffer.from(e.bytes, 'base64').toString('utf8')) as object);
	const [output] = plan.outputs;
	expect(output?.indirect).toEqual([{ table: 'lending.loans/loans', column: 'status', use: 'conditional' }]);
	expect(intended).toMatchObject({
		to: { columns: [{ sources: output?.sources, indirect: output?.indirect }], rows: plan.rows },
	});
	const report = await test.world.call(post('rita', '/reports', { kind: 'flows', product: 'lending.loans' }));
	const path = `/reports/${(report.body as { id: string }).id}/content`;
	const { rows } = (await test.world.call(get('rita', path))).body as { rows: { flow: string }[] };
	expect(rows.find(({ flow }) => flow === id)).toMatchObject({
		outputs: [{ sources: ['lending.loans/loans.loan_id'], decidedBy: ['lending.loans/loans.status'] }],
		rowsDecidedBy: ['lending.loans/loans.account_id'],
	});
});

describe('what is missing', () => {
	it('is the column that no grant covers, and whom to ask', async () => {
		const plan = await planOf('SELECT loan_id FROM lending.loans WHERE duration > 12');
		expect(plan).toMatchObject({ runs: false, sql: null });
		expect(plan.missing).toEqual([
			{
				product: 'lending.loans',
				table: 'lending.loans',
				columns: ['duration'],
				code: 'column-not-granted',
				detail: expect.stringContaining('Lending data'),
				owner: 'Lending data',
				line: 1,
				column: 41,
			},
		]);
		expect(plan.tables[0]?.columns).toContainEqual({ name: 'duration', uses: ['filter'], granted: false });
	});

	it('is each table without a grant, with the columns to ask for', async () => {
		const plan = await planOf(
			'SELECT l.loan_id, c.type FROM lending.loans l JOIN payments.cards c ON c.card_id = l.loan_id JOIN lending.accounts a ON a.account_id = l.account_id',
		);
		expect(plan.missing.map(({ product, columns, code }) => [product, columns.toSorted(), code])).toEqual([
			['payments.cards', ['card_id', 'type'], 'table-not-granted'],
			['lending.accounts', ['account_id'], 'table-not-granted'],
		]);
		expect(plan.missing.map(({ line, column }) => [line, column])).toEqual([
			[1, 52],
			[1, 99],
		]);
		const cards = plan.tables.find((t) => t.product === 'payments.cards');
		expect(cards).toMatchObject({ grants: [], until: null, rowFilter: null });
		expect(cards?.columns.every((c) => !c.granted)).toBe(true);
	});

	it('is all columns under a star without a grant', async () => {
		const plan = await planOf('SELECT * FROM lending.accounts');
		expect(plan.missing[0]?.columns.length).toBeGreaterThan(2);
	});

	it('is nothing of a star under a grant: it stands for what is granted', async () => {
		const plan = await planOf('SELECT * FROM lending.loans');
		expect(plan.outputs.map((o) => o.name)).toEqual(['loan_id', 'account_id', 'status']);
		expect(plan.runs).toBe(true);
	});
});

describe('SQL that runs elsewhere', () => {
	const read = async (sql: string, more: object = {}): Promise<ForeignLineage> => {
		const answer = await test.world.call(post('rita', '/lineage', { sql, ...more }));
		expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 });
		return answer.body as ForeignLineage;
	};

	it('is for members of the mesh alone', async () => {
		await refused(test, post('carl', '/lineage', { sql: 1 }), 422, 'validation');
		const unknown = post('nick', '/lineage', { sql: 'SELECT 1' });
		await refused(test, unknown, 403, 'not-permitted');
	});

	it.each([
		['SELECT FROM', 'sql-syntax', 1, 8],
		['INSERT INTO lending.loans SELECT * FROM lending.loans', 'unsupported', 1, 1],
		['SELECT a FROM nowhere.t', 'table-not-found', 1, 15],
		['SELECT loan_id FROM loans', 'table-not-found', 1, 21],
		['SELECT nosuch FROM lending.loans', 'column-not-found', 1, 8],
	])('%s could not be known', async (sql, code, line, column) => {
		expect(await read(sql)).toMatchObject({ known: false, reason: { code, line, column } });
	});

	it('is told by products, without any grant', async () => {
		const found = await read('SELECT max(l.amount) AS most FROM loans l WHERE l.status = 1', { database: 'LENDING' });
		expect(found).toMatchObject({
			known: true,
			tables: [
				{
					product: 'lending.loans',
					table: 'lending.loans',
					columns: expect.arrayContaining([
						{ name: 'amount', uses: ['select'] },
						{ name: 'status', uses: ['filter'] },
					]),
				},
			],
			outputs: [
				{
					name: 'most',
					sources: [{ table: 'lending.loans/loans', column: 'amount', kind: 'aggregation' }],
					indirect: [],
				},
			],
			rows: [{ table: 'lending.loans/loans', column: 'status', use: 'filter' }],
		});
	});
});
