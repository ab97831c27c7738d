import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Grant, materialise, type Source, visibleColumns } from '#local/athena/enforce.ts';
import { execute, openInstance } from '#local/athena/execute.ts';

type Loan = { loan_id: number; amount: string | null; status: string | null };
const LOANS: readonly Loan[] = [
	{ loan_id: 1, amount: '10.50', status: 'A' },
	{ loan_id: 2, amount: null, status: 'B' },
	{ loan_id: 3, amount: '30.25', status: null },
	{ loan_id: 4, amount: null, status: null },
	{ loan_id: 5, amount: '7.00', status: 'D' },
	{ loan_id: 6, amount: '10.50', status: '' },
];
const NAME = { database: 'lending', table: 'loans' };
const COLUMNS = ['loan_id', 'amount', 'status'] as const;

let folder: string;
let csv: Source;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'fairlead-cells-'));
	const file = path.join(folder, 'loans.csv');
	const line = (loan: Loan) =>
		`${loan.loan_id},${loan.amount ?? ''},${loan.status === '' ? '""' : (loan.status ?? '')}`;
	writeFileSync(file, ['loan_id,amount,status', ...LOANS.map(line), ''].join('\n'));
	csv = {
		columns: [
			{ name: 'loan_id', type: 'int' },
			{ name: 'amount', type: 'decimal(10,2)' },
			{ name: 'status', type: 'char(1)' },
		],
		format: { kind: 'csv', delimiter: ',', header: true, quote: '"' },
		files: [file],
	};
});
afterAll(() => {
	rmSync(folder, { recursive: true, force: true });
});

async function query(load: readonly string[], sql: string): Promise<unknown[][]> {
	const { connection, close } = await openInstance(load);
	try {
		return (await connection.runAndReadAll(sql)).getRowsJson();
	} finally {
		close();
	}
}

/** Predicates in Lake Formation's grammar beside when they are TRUE; NULL is not. */
const PREDICATES: readonly (readonly [string, (loan: Loan) => boolean])[] = [
	["status IN ('B', 'D')", ({ status }) => status === 'B' || status === 'D'],
	["NOT (status = 'A')", ({ status }) => status !== null && status !== 'A'],
	['amount > 10', ({ amount }) => amount !== null && Number(amount) > 10],
	['amount IS NULL', ({ amount }) => amount === null],
	['loan_id BETWEEN 2 AND 4', ({ loan_id }) => loan_id >= 2 && loan_id <= 4],
	["status = ''", ({ status }) => status === ''],
	["amount > 10 AND status = 'A'", ({ amount, status }) => status === 'A' && Number(amount) > 10],
	["amount > 100 OR status = 'B'", ({ status }) => status === 'B'],
];

const grants = fc.array(
	fc.record({
		columns: fc.subarray([...COLUMNS], { minLength: 1 }),
		predicate: fc.option(fc.constantFrom(...PREDICATES), { nil: null }),
	}),
	{ minLength: 1, maxLength: 4 },
);

describe('several grants on one table', () => {
	test('add up to the union of columns and rows; a cell that no grant covers is NULL', async () => {
		await fc.assert(
			fc.asyncProperty(grants, async (given) => {
				const asked: Grant[] = given.map(({ columns, predicate }) => ({ columns, expression: predicate?.[0] ?? null }));
				const columns = COLUMNS.filter((column) => given.some((grant) => grant.columns.includes(column)));
				const sees = (grant: (typeof given)[number], loan: Loan) =>
					grant.predicate === null || grant.predicate[1](loan);
				const expected = LOANS.filter((loan) => given.some((grant) => sees(grant, loan))).map((loan) =>
					columns.map((column) =>
						given.some((grant) => grant.columns.includes(column) && sees(grant, loan)) ? loan[column] : null,
					),
				);
				const rows = await query(materialise(NAME, csv, asked), 'SELECT * FROM lending.loans');
				expect(visibleColumns(csv, asked).map(({ name }) => name)).toEqual(columns);
				expect(rows).toEqual(expected);
			}),
			{ numRuns: 40 },
		);
	});

	test.each<[string, Grant[], (string | number | null)[][]]>([
		[
			'one filter: rows disappear, no cell is NULLed',
			[{ columns: ['loan_id', 'amount'], expression: "status = 'A'" }],
			[[1, '10.50']],
		],
		[
			'an all-rows grant of some columns prevails over a predicate on them, and hides cells of the others',
			[
				{ columns: ['loan_id'], expression: null },
				{ columns: ['loan_id', 'status'], expression: 'loan_id <> 5' },
			],
			[
				[1, 'A'],
				[2, 'B'],
				[3, null],
				[4, null],
				[5, null],
				[6, ''],
			],
		],
		[
			'two filters of the same columns show the rows of both',
			[
				{ columns: ['loan_id'], expression: "status = 'A'" },
				{ columns: ['loan_id'], expression: "status = 'D'" },
			],
			[[1], [5]],
		],
		[
			'a predicate that is NULL shows nothing',
			[{ columns: ['loan_id'], expression: "status <> 'A'" }],
			[[2], [5], [6]],
		],
	])('%s', async (_name, given, expected) => {
		expect(await query(materialise(NAME, csv, given), 'SELECT * FROM lending.loans')).toEqual(expected);
	});

	test('an expression that cannot be read lets nothing through', () => {
		expect(() => materialise(NAME, csv, [{ columns: ['loan_id'], expression: '1 = 1 OR true' }])).toThrow();
		expect(() => materialise(NAME, csv, [{ columns: ['nosuch'], expression: null }])).toThrow();
	});
});

describe('the instance of a query', () => {
	const load = () => materialise(NAME, csv, [{ columns: ['loan_id', 'amount'], expression: "status IN ('A', 'D')" }]);

	test('holds the authorised table, columns and rows and nothing else', async () => {
		expect(
			await query(load(), 'SELECT schema_name, table_name, column_count, estimated_size FROM duckdb_tables()'),
		).toEqual([['lending', 'loans', '2', '2']]);
		expect(await query(load(), 'SELECT column_name FROM duckdb_columns() WHERE NOT internal')).toEqual([
			['loan_id'],
			['amount'],
		]);
		expect(await query(load(), 'SELECT count(*) FROM duckdb_views() WHERE NOT internal')).toEqual([['0']]);
		expect(await query(load(), 'SELECT * FROM lending.loans')).toEqual([
			[1, '10.50'],
			[5, '7.00'],
		]);
	});

	test.each([
		'SELECT * FROM read_csv($file)',
		'SELECT * FROM $file',
		'SELECT * FROM glob($folder)',
		'COPY lending.loans TO $out',
		'ATTACH $out',
		'INSTALL httpfs',
		'LOAD httpfs',
		'SET enable_external_access = true',
		'SET lock_configuration = false',
		"SET memory_limit = '100GB'",
		'RESET memory_limit',
		"SET disabled_filesystems = ''",
		"SELECT * FROM enable_logging(storage='file', storage_config={'path': '$folder/log'})",
		"CALL enable_logging(storage='file', storage_config={'path': '$folder/log'})",
		"EXPORT DATABASE '$folder/all'",
		"SELECT * FROM read_text('/proc/self/environ')",
		'SELECT * FROM sniff_csv($file)',
		'PRAGMA threads = 8',
	])('is shut before the statement runs: %s', async (statement) => {
		const sql = statement
			.replace('$file', `'${csv.files[0]}'`)
			.replace("'$folder/", `'${folder}/`)
			.replace('$folder', `'${folder}/*'`)
			.replace('$out', `'${folder}/out.db'`);
		await expect(query(load(), sql)).rejects.toThrow(/disabled|locked|Permission|Cannot|configuration/);
	});

	test('is another one for each query: nothing that one leaves is there for the next', async () => {
		for (const left of [
			'CREATE TABLE left_behind AS SELECT 1',
			'CREATE TEMP TABLE left_behind AS SELECT 1',
			'CREATE VIEW left_behind AS SELECT * FROM lending.loans',
			'CREATE MACRO left_behind() AS TABLE SELECT 1',
		]) {
			await query(load(), left);
			await expect(query(load(), 'SELECT * FROM left_behind')).rejects.toThrow('does not exist');
			await expect(query(load(), 'SELECT * FROM left_behind()')).rejects.toThrow('does not exist');
		}
		expect(await query(load(), 'SELECT count(*) FROM duckdb_functions() WHERE NOT internal')).toEqual([['0']]);
		expect(await query(load(), 'SELECT count(*) FROM duckdb_databases() WHERE NOT internal')).toEqual([['1']]);
	});

	test('is open beside another one without either seeing the other', async () => {
		const one = await openInstance(load());
		const other = await openInstance(materialise(NAME, csv, [{ columns: ['status'], expression: "status = 'B'" }]));
		const rows = async ({ connection }: typeof one) =>
			(await connection.runAndReadAll('SELECT * FROM lending.loans')).getRowsJson();
		expect(await rows(other)).toEqual([['B']]);
		expect(await rows(one)).toEqual([
			[1, '10.50'],
			[5, '7.00'],
		]);
		one.close();
		expect(await rows(other)).toEqual([['B']]);
		other.close();
	});
});

describe('a query that fails', () => {
	const run = (sql: string, deadlineMs = 10_000) =>
		execute({
			id: 'x',
			load: materialise(NAME, csv, [{ columns: ['loan_id', 'amount'], expression: null }]),
			sql,
			file: path.join(folder, 'out.rows'),
			deadlineMs,
		});

	test.each([
		'CREATE TABLE x (a int)',
		'DROP TABLE lending.loans',
		'INSERT INTO lending.loans SELECT * FROM lending.loans',
		'DELETE FROM lending.loans',
		'CALL pragma_version()',
		"ATTACH ':memory:' AS other",
		'EXPLAIN SELECT 1',
		'SELECT 1; SELECT 2',
		'BEGIN TRANSACTION',
	])('because it is no query does so before anything runs: %s', async (sql) => {
		expect(await run(sql)).toEqual({ kind: 'failed', reason: 'engine', hint: 'NotAQuery' });
	});

	test('over a value says so without the value', async () => {
		const outcome = await run("SELECT CAST(loan_id || 'secret' AS INTEGER) FROM lending.loans");
		expect(outcome).toEqual({ kind: 'failed', reason: 'value', hint: 'Conversion' });
	});

	test('over a bad value of the file says so without the value', async () => {
		const file = path.join(folder, 'bad.csv');
		writeFileSync(file, 'loan_id,amount,status\nsecret,1,A\n');
		const load = materialise(NAME, { ...csv, files: [file] }, [{ columns: ['loan_id'], expression: null }]);
		const outcome = await execute({
			id: 'x',
			load,
			sql: 'SELECT 1',
			file: path.join(folder, 'out.rows'),
			deadlineMs: 10_000,
		});
		expect(outcome).toMatchObject({ kind: 'failed', reason: 'value' });
		expect(JSON.stringify(outcome)).not.toContain('secret');
	});

	test('at its deadline is interrupted', async () => {
		const outcome = await run(
			'SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range * b.range = 7',
			200,
		);
		expect(outcome).toMatchObject({ kind: 'failed', reason: 'deadline' });
	});

	test('out of memory says so', async () => {
		const outcome = await run("SELECT string_agg(repeat('x', 1000000), '') FROM range(2000)", 20_000);
		expect(outcome).toMatchObject({ kind: 'failed', reason: 'memory' });
	});
});

test('Parquet gives the same cells as CSV', async () => {
	const file = path.join(folder, 'loans.parquet');
	const instance = await DuckDBInstance.create(':memory:');
	const connection = await instance.connect();
	for (const statement of materialise(NAME, csv, [{ columns: [...COLUMNS], expression: null }]))
		await connection.run(statement);
	await connection.run(`COPY lending.loans TO '${file}' (FORMAT parquet)`);
	connection.closeSync();
	instance.closeSync();
	const parquet: Source = { ...csv, format: { kind: 'parquet' }, files: [file] };
	const given: Grant[] = [{ columns: ['loan_id', 'status'], expression: 'amount IS NULL' }];
	const rows = await query(materialise(NAME, parquet, given), 'SELECT * FROM lending.loans');
	expect(rows).toEqual([
		[2, 'B'],
		[4, null],
	]);
	expect(await query(materialise(NAME, csv, given), 'SELECT * FROM lending.loans')).toEqual(rows);
});
