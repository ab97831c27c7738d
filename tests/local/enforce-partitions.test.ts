/** Athena user guide, "partitions"; Lake Formation developer guide, "data-filtering-notes". */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseQuery } from '#core/syntax.ts';
import { type Grant, materialise, type Source, visibleColumns } from '#local/athena/enforce.ts';
import { openInstance } from '#local/athena/execute.ts';
import { plan } from '#local/athena/plan.ts';

const NAME = { database: 'lending', table: 'loans' };
const COLUMNS = [
	{ name: 'loan_id', type: 'int' },
	{ name: 'status', type: 'string' },
	{ name: 'day', type: 'int' },
	{ name: 'region', type: 'string' },
];
const ALL: Grant = { columns: COLUMNS.map(({ name }) => name), expression: null };

let folder: string;
let csv: Source;
let parquet: Source;
beforeAll(async () => {
	folder = mkdtempSync(path.join(tmpdir(), 'fairlead-parts-'));
	const file = (name: string, text = '') => {
		writeFileSync(path.join(folder, name), text);
		return path.join(folder, name);
	};
	const part = (values: string[], ...files: string[]) => ({ values, files });
	const common = { columns: COLUMNS, files: [], partitionKeys: ['day', 'region'] };
	csv = {
		...common,
		format: { kind: 'csv', delimiter: ',', header: true, quote: '"' },
		partitions: [
			part(['1', 'north'], file('a.csv', 'loan_id,status\n1,A\n2,\n'), file('b.csv', 'loan_id,status\n3,B\n')),
			part(['2', '__HIVE_DEFAULT_PARTITION__'], file('c.csv', 'loan_id,status\n4,A\n')),
			part(['3', 'empty']),
		],
	};
	const instance = await DuckDBInstance.create(':memory:');
	const connection = await instance.connect();
	const written = async (name: string, select: string) => {
		await connection.run(`COPY (${select}) TO '${path.join(folder, name)}' (FORMAT parquet)`);
		return path.join(folder, name);
	};
	parquet = {
		...common,
		format: { kind: 'parquet' },
		partitions: [
			part(['1', 'north'], await written('a.parquet', "SELECT 1 AS loan_id, 'A' AS status UNION ALL SELECT 2, NULL")),
			// Another order, another type, a column that the table does not have, and one that the file does not have.
			part(['1', 'south'], await written('b.parquet', "SELECT 'x' AS hidden, 'B' AS status, 3::BIGINT AS loan_id")),
			part(
				['2', 'south'],
				await written('c.parquet', 'SELECT 4 AS loan_id'),
				await written('d.parquet', "SELECT 5 AS loan_id, 'D' AS status"),
			),
		],
	};
	connection.closeSync();
	instance.closeSync();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function rows(source: Source, grants: readonly Grant[], sql = 'SELECT * FROM lending.loans ORDER BY loan_id') {
	const { connection, close } = await openInstance(materialise(NAME, source, grants));
	try {
		return (await connection.runAndReadAll(sql)).getRowsJson();
	} finally {
		close();
	}
}

describe('a partitioned table', () => {
	test('has the rows of every partition, with the values of its keys typed and NULL where Hive says so', async () => {
		expect(await rows(csv, [ALL])).toEqual([
			[1, 'A', 1, 'north'],
			[2, null, 1, 'north'],
			[3, 'B', 1, 'north'],
			[4, 'A', 2, null],
		]);
	});

	test('finds columns by name: what a file lacks is NULL, what the table lacks is not there', async () => {
		expect(await rows(parquet, [ALL])).toEqual([
			[1, 'A', 1, 'north'],
			[2, null, 1, 'north'],
			[3, 'B', 1, 'south'],
			[4, null, 2, 'south'],
			[5, 'D', 2, 'south'],
		]);
	});

	test('takes nothing from the paths of its files', async () => {
		const instance = await DuckDBInstance.create(':memory:');
		const connection = await instance.connect();
		const target = path.join(folder, 'hive');
		await connection.run(
			`COPY (SELECT 7 AS loan_id, 'Z' AS status, 99 AS day) TO '${target}' (FORMAT parquet, PARTITION_BY (day))`,
		);
		connection.closeSync();
		instance.closeSync();
		const files = [path.join(target, 'day=99', 'data_0.parquet')];
		const partitions = [{ values: ['5', 'west'], files }];
		expect(await rows({ ...parquet, partitions }, [ALL])).toEqual([[7, 'Z', 5, 'west']]);
	});

	test('without a partition has its columns and no row', async () => {
		const none = { ...parquet, partitions: [] };
		expect(await rows(none, [ALL])).toEqual([]);
		expect(await rows(none, [ALL], 'SELECT count(*) FROM lending.loans')).toEqual([['0']]);
	});

	test('shows its keys with any column that it shows, in table order, and alone to nobody', async () => {
		const some: Grant = { columns: ['status'], expression: null };
		expect(visibleColumns(csv, [some]).map(({ name }) => name)).toEqual(['status', 'day', 'region']);
		expect(visibleColumns(csv, [{ columns: [], expression: null }])).toEqual([]);
		expect(await rows(csv, [{ columns: ['loan_id'], expression: "status = 'A'" }])).toEqual([
			[1, 1, 'north'],
			[4, 2, null],
		]);
	});

	test('is filtered by its keys, and a key that is NULL is no match', async () => {
		const by = (expression: string): Grant => ({ columns: ['loan_id'], expression });
		expect(await rows(csv, [by("region = 'north' AND day < 2")])).toEqual([
			[1, 1, 'north'],
			[2, 1, 'north'],
			[3, 1, 'north'],
		]);
		expect(await rows(csv, [by("region <> 'north'")])).toEqual([]);
	});

	test('is closed by a filter that asks whether a key is NULL, which is not allowed', () => {
		for (const expression of ['day IS NULL', "status = 'A' OR region IS NOT NULL"])
			expect(() => materialise(NAME, csv, [{ columns: ['loan_id'], expression }])).toThrow('tested for NULL');
	});

	test('with a value that is none of its type is not read', async () => {
		const bad = { ...csv, partitions: [{ values: ['secret', 'x'], files: csv.partitions?.[0]?.files ?? [] }] };
		await expect(rows(bad, [ALL])).rejects.toThrow();
		expect(() => materialise(NAME, { ...csv, partitions: [{ values: ['1'], files: [] }] }, [ALL])).toThrow(
			'other keys',
		);
	});

	test('is read under its own location only, and every file of it counts as scanned', () => {
		const located = (location: string): Source => ({
			...csv,
			location: 's3://lake/loans',
			partitions: (csv.partitions ?? []).map((part) => ({ ...part, location })),
		});
		const planned = (source: Source) =>
			plan(parseQuery('SELECT loan_id FROM lending.loans'), { catalog: null, database: null }, () => ({
				kind: 'table',
				source: { ...source, account: '210000000001', database: 'lending', name: 'loans' },
				grants: [ALL],
			}));
		expect(planned(located('s3://lake/loans/day=1')).scannedBytes).toBe('loan_id,status\n'.length * 3 + 15);
		for (const elsewhere of ['s3://lake/other/day=1', 's3://lake/loans-of-others', 's3://lake/loan'])
			expect(() => planned(located(elsewhere))).toThrow(`Permission denied on S3 path: ${elsewhere}`);
	});
});

test('a table of Parquet files whose columns differ is read by name, too', async () => {
	const { partitionKeys: _keys, ...plain } = parquet;
	const files = (parquet.partitions ?? []).flatMap((part) => part.files);
	const source: Source = { ...plain, columns: COLUMNS.slice(0, 2), files };
	expect(await rows(source, [{ columns: ['loan_id', 'status'], expression: 'loan_id > 2' }])).toEqual([
		[3, 'B'],
		[4, null],
		[5, 'D'],
	]);
});
