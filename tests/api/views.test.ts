/** Views: a view is open as far as the tables it reads are, is refused with their refusal, and adds no cell to them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Code } from '#core/error.ts';
import type { ForeignLineage, QueryPlan } from '#core/query.ts';
import { principalOf, rawRows } from '#local/story/world.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { finished, get, grantTo, post, refused, requestBody, rowsOf } from './harness.ts';
import { column, contractOf, land, loanId, publish, publishedFees, publishedView, views } from './views.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
	await publishedFees(test);
	for (const view of Object.values(views)) await publishedView(test, view);
	const tables = [{ table: 'loans', columns: ['loan_id', 'account_id', 'status'], rowFilter: "status IN ('B','D')" }];
	await grantTo(test.world, 'alice', requestBody(test.world, { tables }));
	const accounts = [{ table: 'accounts', columns: ['account_id', 'district_id'] }];
	await grantTo(test.world, 'alice', requestBody(test.world, { product: 'lending.accounts', tables: accounts }));
});

afterAll(() => test.close());

const body = (sql: string) => ({ sql, principal: principalOf(test.world, 'risk', 'credit-risk') });
const running = (sql: string) => post('alice', '/queries', body(sql));

async function planOf(sql: string): Promise<QueryPlan> {
	const before = await ledgerSize(test.world);
	const answer = await test.world.call(post('alice', '/queries', { ...body(sql), dryRun: true }));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200 });
	expect(await ledgerSize(test.world)).toBe(before);
	return answer.body as QueryPlan;
}

describe('a view is refused, at its name in the query', () => {
	it.each<[string, string, number, Code, Record<string, unknown>]>([
		['without a grant', 'elsewhere', 403, 'table-not-granted', { product: 'lending.fees' }],
		['where one of two tables is not granted', 'half', 403, 'table-not-granted', { product: 'lending.fees' }],
		['over a column that is not granted', 'durations', 403, 'column-not-granted', { name: 'duration' }],
		['that filters by such a column', 'by_duration', 403, 'column-not-granted', { name: 'duration' }],
		[
			'with a star over more than is granted',
			'all_accounts',
			403,
			'column-not-granted',
			{ product: 'lending.accounts' },
		],
		['over a table of no product', 'over_raw', 403, 'table-not-granted', {}],
		['over a view over such a table', 'over_over_raw', 403, 'table-not-granted', {}],
		['that reads itself through another', 'loop', 422, 'unsupported', {}],
	])('%s', async (_, name, status, code, members) => {
		const view = `lending.${name}`;
		const problem = await refused(test, running(`SELECT 1 AS one\nFROM ${view}`), status, code);
		expect(problem).toMatchObject({ ...members, view, line: 2, column: 6 });
		expect(problem.detail).toContain(view);
		expect(JSON.stringify(problem)).not.toContain('secret_raw');
	});

	it('naming product, table and owner of a table without a grant: metadata is open in the mesh', async () => {
		const problem = await refused(test, running('SELECT fee_id FROM lending.elsewhere'), 403, 'table-not-granted');
		const named = { product: 'lending.fees', table: 'backoffice.fees', owner: 'Lending data' };
		expect(problem).toMatchObject({ ...named, view: 'lending.elsewhere', line: 1, column: 20 });
		expect(problem.detail).toContain('backoffice.fees');
	});

	it('also where the query needs nothing of what is missing', async () => {
		await refused(test, running('SELECT loan_id FROM lending.durations'), 403, 'column-not-granted');
		await refused(test, running('SELECT count(*) FROM lending.half'), 403, 'table-not-granted');
		const dead = 'WITH dead AS (SELECT loan_id FROM lending.half) SELECT loan_id FROM lending.loans';
		await refused(test, running(dead), 403, 'table-not-granted');
	});

	it('for a column it does not have, even if its table does', async () => {
		await refused(test, running('SELECT account_id FROM lending.arrears'), 422, 'column-not-found');
	});

	it.each<[string, string]>([
		['a statement that writes', 'DROP TABLE loans'],
		['no SQL', 'SELECT FROM WHERE'],
		['another catalog', 'SELECT loan_id FROM other.lending.loans'],
		['a column that its table does not have', 'SELECT secret_column AS loan_id FROM loans'],
		['other names than it was made with', 'SELECT account_id FROM loans'],
		['more columns than it was made with', 'SELECT loan_id, account_id FROM loans'],
		['a name of the query around', 'SELECT outer_one.loan_id FROM loans'],
		['a query over itself', 'SELECT loan_id FROM altered'],
		["another account's", 'SELECT card_id AS loan_id FROM payments.cards'],
	])('whose definition became %s', async (_, sql) => {
		await land(test, { ...views.altered, sql });
		const problem = await refused(
			test,
			running('SELECT loan_id FROM lending.altered AS outer_one'),
			422,
			'unsupported',
		);
		expect(problem).toMatchObject({ line: 1, column: 21, view: 'lending.altered' });
		expect(problem.detail).not.toMatch(/secret_column|DROP|other\.|cards/);
		await land(test, views.altered);
	});

	it('that reads a table of another account, also one that the query reads itself, or below another view', async () => {
		await land(test, { ...views.altered, sql: 'SELECT card_id AS loan_id FROM payments.cards' });
		const first = 'SELECT c.card_id FROM payments.cards c, lending.altered v';
		expect(await refused(test, running(first), 422, 'unsupported')).toMatchObject({ line: 1, column: 41 });
		await land(test, { ...views.of_view, sql: 'SELECT loan_id, status FROM arrears, altered' });
		const problem = await refused(test, running('SELECT loan_id FROM lending.of_view'), 422, 'unsupported');
		expect(problem).toMatchObject({ view: 'lending.of_view', line: 1, column: 21 });
		expect(problem.detail).toMatch(/another account/);
		await land(test, views.altered);
		await land(test, views.of_view);
	});

	it('where it nests deeper, or is longer written out, than a query may be', async () => {
		const deep = Array.from({ length: 17 }, (_, i) => ({
			name: `deep_${i}`,
			sql: i === 0 ? 'SELECT loan_id FROM loans' : `SELECT loan_id FROM deep_${i - 1}`,
			columns: [loanId],
		}));
		for (const view of deep) await publishedView(test, view);
		await refused(test, running('SELECT loan_id FROM lending.deep_16'), 413, 'too-large');
		expect((await planOf('SELECT loan_id FROM lending.deep_15')).runs).toBe(true);
		for (const [i, view] of deep.entries()) {
			const twice = `SELECT a.loan_id FROM deep_${i - 1} a JOIN deep_${i - 1} b ON a.loan_id = b.loan_id`;
			if (i > 0) await land(test, { ...view, sql: twice });
		}
		await refused(test, running('SELECT loan_id FROM lending.deep_15'), 413, 'too-large');
		const sql = `SELECT loan_id FROM loans /* ${'x'.repeat(15_000)} */`;
		await publishedView(test, { ...views.altered, name: 'long', sql });
		expect((await planOf('SELECT loan_id FROM lending.long UNION SELECT loan_id FROM lending.long')).runs).toBe(true);
		const thrice = Array.from({ length: 3 }, () => 'SELECT loan_id FROM lending.long').join(' UNION ');
		const problem = await refused(test, running(thrice), 413, 'too-large');
		expect(problem).toMatchObject({ line: 1, column: expect.any(Number), detail: expect.stringContaining('40000') });
	});
});

describe('a query through a view', () => {
	const arrears = async () => {
		const rows = await rawRows(test.world, 'lending.loans');
		return rows.filter((r) => ['B', 'D'].includes(String(r['status'])));
	};
	const sorted = (rows: readonly (readonly (string | null)[])[]) => rows.map((r) => r.join('|')).toSorted();

	it('gives exactly the cells that are granted on the tables it reads', async () => {
		const expected = (await arrears()).map((r) => [String(r['loan_id']), String(r['status'])]);
		expect(expected.length).toBeGreaterThan(0);
		for (const sql of [
			'SELECT loan_id, status FROM lending.arrears',
			'SELECT * FROM lending.arrears',
			'SELECT v.* FROM lending.arrears AS v',
			'SELECT lending.arrears.loan_id, arrears.status FROM awsdatacatalog.lending.arrears',
			'SELECT * FROM lending.of_view',
		]) {
			expect(sorted(await rowsOf(test.world, 'alice', sql))).toEqual(sorted(expected));
		}
		const own = await rowsOf(test.world, 'alice', 'SELECT loan_id FROM lending.own_common');
		expect(own).toEqual([[String(Math.max(...expected.map(([id]) => Number(id))))]]);
	});

	it('is not caught by common tables of the query around', async () => {
		const expected = sorted((await arrears()).map((r) => [String(r['loan_id'])]));
		const base = `WITH loans AS (SELECT 7 AS loan_id, 'X' AS status, 1 AS account_id) SELECT loan_id FROM lending.arrears`;
		expect(sorted(await rowsOf(test.world, 'alice', base))).toEqual(expected);
		const view = 'WITH arrears AS (SELECT 7 AS loan_id) SELECT v.loan_id FROM lending.of_view v';
		expect(sorted(await rowsOf(test.world, 'alice', view))).toEqual(expected);
		const own =
			'WITH arrears AS (SELECT 7 AS loan_id) SELECT loan_id FROM arrears, lending.loans l WHERE l.loan_id = 0';
		const problem = await refused(test, running(own), 422, 'validation');
		expect(problem.detail).toMatch(/ambiguous/);
		const mixed = `WITH arrears AS (SELECT max(loan_id) AS loan_id FROM lending.arrears) SELECT count(*) FROM arrears`;
		expect(await rowsOf(test.world, 'alice', mixed)).toEqual([['1']]);
	});

	it('joins views with tables and with themselves', async () => {
		const count = String((await arrears()).length);
		const sql = `SELECT count(*) FROM lending.arrears a JOIN lending.arrears b ON a.loan_id = b.loan_id
			JOIN lending.districts d ON d.loan_id = a.loan_id JOIN lending.loans l ON l.loan_id = d.loan_id`;
		expect(await rowsOf(test.world, 'alice', sql)).toEqual([[count]]);
	});

	it('offers what its contract names, not what its definition has besides', async () => {
		const wide = { ...views.altered, name: 'wide', sql: 'SELECT status, loan_id, account_id FROM loans' };
		const columns = [column('status', 'varchar'), loanId, column('account_id')];
		await land(test, { ...wide, columns });
		const published = [column('account_id'), column('status', 'varchar')];
		expect((await publish(test, contractOf(test, { ...wide, columns: published }))).status).toBe(201);
		await refused(test, running('SELECT loan_id FROM lending.wide'), 422, 'column-not-found');
		const plan = await planOf('SELECT * FROM lending.wide');
		expect(plan.outputs.map(({ name, sources }) => [name, sources[0]?.column])).toEqual([
			['account_id', 'account_id'],
			['status', 'status'],
		]);
	});

	it('is recorded by the columns of the tables that were read', async () => {
		const { id, tables } = await finished(test.world, 'alice', 'SELECT max(loan_id) AS loan_id FROM lending.of_view');
		expect(tables).toEqual([
			{
				product: 'lending.loans',
				table: 'lending.loans',
				columns: expect.arrayContaining(['loan_id', 'status', 'account_id']),
			},
		]);
		const { entries } = (await test.world.call(get('rita', `/ledger/entries?stream=F%23${id}`))).body as {
			entries: { bytes: string }[];
		};
		const [intended] = entries.map((e) => JSON.parse(Buffer.from(e.bytes, 'base64').toString('utf8')) as object);
		const loans = { table: 'lending.loans/loans' };
		expect(intended).toMatchObject({
			type: 'FlowIntended',
			from: [{ product: 'lending.loans', table: 'loans' }],
			to: {
				columns: [{ name: 'loan_id', sources: [{ ...loans, column: 'loan_id', kind: 'aggregation' }] }],
				rows: [{ ...loans, column: 'account_id', use: 'filter' }],
			},
		});
	});
});

describe('a dry run over a view', () => {
	it('says what its tables give, and what Athena would run', async () => {
		const plan = await planOf('SELECT * FROM lending.districts');
		expect(plan).toMatchObject({ runs: true, missing: [] });
		expect(plan.tables.map((t) => [t.product, t.rowFilter])).toEqual([
			['lending.loans', `"status" IN ('B', 'D')`],
			['lending.accounts', null],
		]);
		expect(plan.sql).toContain('"fl_210000000001_lending"."loans"');
		expect(plan.sql).not.toContain('lending"."districts"');
	});

	it('says whom to ask for what is missing below it', async () => {
		const plan = await planOf('SELECT loan_id FROM lending.durations');
		expect(plan).toMatchObject({ runs: false, sql: null });
		expect(plan.missing).toMatchObject([
			{ product: 'lending.loans', columns: ['duration'], code: 'column-not-granted', owner: 'Lending data' },
		]);
		const star = await planOf('SELECT * FROM lending.all_accounts');
		expect(star.missing).toMatchObject([{ product: 'lending.accounts', columns: ['frequency', 'opened_on'] }]);
		const half = await planOf('SELECT loan_id FROM lending.half');
		expect(half.missing).toMatchObject([
			{ product: 'lending.fees', table: 'backoffice.fees', code: 'table-not-granted', line: 1, column: 21 },
		]);
	});

	it('refuses what cannot be followed', async () => {
		const dry = (sql: string) => post('alice', '/queries', { ...body(sql), dryRun: true });
		await refused(test, dry('SELECT x FROM lending.over_raw'), 403, 'table-not-granted');
		await refused(test, dry('SELECT loan_id FROM lending.pool'), 422, 'unsupported');
	});
});

describe('SQL that runs elsewhere, over a view', () => {
	const read = async (sql: string, more: object = {}): Promise<ForeignLineage> =>
		(await test.world.call(post('rita', '/lineage', { sql, ...more }))).body as ForeignLineage;

	it('is told by the tables that the view reads', async () => {
		expect(await read('SELECT fee_id FROM elsewhere', { database: 'lending' })).toMatchObject({
			known: true,
			tables: [{ product: 'lending.fees', table: 'backoffice.fees' }],
			outputs: [{ sources: [{ table: 'lending.fees/fees', column: 'fee_id', kind: 'identity' }] }],
		});
	});

	it('is not known over a table of no product', async () => {
		const found = await read('SELECT x FROM lending.over_raw');
		expect(found).toMatchObject({ known: false, reason: { code: 'table-not-granted', line: 1, column: 15 } });
		expect(JSON.stringify(found)).not.toContain('secret_raw');
	});
});
