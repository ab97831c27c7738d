/** Columns of every type as they come out of the lake's files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { duckType, type Format, materialise, type Source } from '#local/athena/enforce.ts';
import { execute, openInstance } from '#local/athena/execute.ts';

const NAME = { database: 'lending', table: 'loans' };
const CSV: Format = { kind: 'csv', delimiter: ',', header: true, quote: '"' };

let folder: string;
beforeAll(() => {
	folder = mkdtempSync(path.join(tmpdir(), 'fairlead-types-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function query(load: readonly string[], sql: string): Promise<unknown[][]> {
	const { connection, close } = await openInstance(load);
	try {
		return (await connection.runAndReadAll(sql)).getRowsJson();
	} finally {
		close();
	}
}

describe('a column of a compound type', () => {
	test.each([
		['array<string>', 'VARCHAR[]'],
		['array<array<decimal(10,2)>>', 'DECIMAL(10, 2)[][]'],
		['map<string,array<int>>', 'MAP(VARCHAR, INTEGER[])'],
		[
			'struct<name:string,home:struct<zip:char(5),at:timestamp>>',
			'STRUCT("name" VARCHAR, "home" STRUCT("zip" VARCHAR, "at" TIMESTAMP))',
		],
		['row(name varchar, at timestamp)', 'STRUCT("name" VARCHAR, "at" TIMESTAMP)'],
	])('%s is read as %s', (type, expected) => {
		expect(duckType(type)).toBe(expected);
	});

	test.each(['array<>', 'array<int,int>', 'map<int>', 'struct<a>', 'array<union<int>>', 'array<int', 'row(int)'])(
		'%s is not read',
		(type) => {
			expect(() => duckType(type)).toThrow('cannot be read here');
		},
	);

	test('comes from Parquet with its values, fields by their names, and from no text file', async () => {
		const file = path.join(folder, 'nested.parquet');
		const instance = await DuckDBInstance.create(':memory:');
		const connection = await instance.connect();
		await connection.run(
			`COPY (SELECT ['a', NULL] AS tags, MAP {'k': 1} AS scores, {'b': 2, 'a': 'x'} AS party) TO '${file}' (FORMAT parquet)`,
		);
		connection.closeSync();
		instance.closeSync();
		const columns = [
			{ name: 'tags', type: 'array<string>' },
			{ name: 'scores', type: 'map<string,bigint>' },
			{ name: 'party', type: 'struct<a:string,b:int>' },
		];
		const source: Source = { columns, format: { kind: 'parquet' }, files: [file] };
		const given = [{ columns: columns.map(({ name }) => name), expression: null }];
		const rows = await query(materialise(NAME, source, given), 'SELECT tags, scores, party FROM lending.loans');
		expect(rows).toEqual([[['a', null], [{ key: 'k', value: '1' }], { a: 'x', b: 2 }]]);
		expect(() => materialise(NAME, { ...source, format: CSV }, given)).toThrow('from text files');
	});
});

describe('a timestamp finer than milliseconds', () => {
	const read = async (type: string, value: string, kind: 'csv' | 'parquet') => {
		const file = path.join(folder, `moments.${kind}`);
		const instance = await DuckDBInstance.create(':memory:');
		const connection = await instance.connect();
		await connection.run("SET TimeZone = 'UTC'");
		await connection.run(`COPY (SELECT 1 AS id, ${value} AS at) TO '${file}' (FORMAT ${kind})`);
		connection.closeSync();
		instance.closeSync();
		const columns = [
			{ name: 'id', type: 'int' },
			{ name: 'at', type },
		];
		const format = kind === 'csv' ? CSV : { kind };
		const source: Source = { columns, format, files: [file] };
		const load = materialise(NAME, source, [{ columns: ['id', 'at'], expression: null }]);
		const sql = 'SELECT CAST("at" AS VARCHAR) FROM lending.loans';
		const outcome = await execute({ id: 'x', load, sql, file: path.join(folder, 'out.rows'), deadlineMs: 10_000 });
		if (outcome.kind === 'failed') return outcome;
		return (await query(load, sql))[0]?.[0];
	};
	const moment = '2024-01-31 12:30:45.123';
	const refused = {
		kind: 'failed',
		reason: 'value',
		hint: 'runs on Athena only: a timestamp finer than milliseconds',
	};

	test.each<[string, string]>([
		['timestamp', 'TIMESTAMP $'],
		['timestamp', 'TIMESTAMP_NS $'],
		['timestamp', 'TIMESTAMPTZ $'],
		['array<timestamp>', '[NULL, TIMESTAMP $]'],
		['array<array<timestamp>>', '[[], [TIMESTAMP $]]'],
		['map<string,timestamp>', "MAP {'a': TIMESTAMP $}"],
		['map<timestamp,string>', "MAP {TIMESTAMP $: 'a'}"],
		['struct<a:int,b:struct<c:array<timestamp>>>', "{'a': 1, 'b': {'c': [TIMESTAMP $]}}"],
	])('is not read as %s from %s', async (type, value) => {
		expect(await read(type, value.replace('$', `'${moment}'`), 'parquet')).toContain(moment);
		expect(await read(type, value.replace('$', `'${moment}001'`), 'parquet')).toEqual(refused);
	});

	test('is not read from nanoseconds or from text', async () => {
		expect(await read('timestamp', `TIMESTAMP_NS '${moment}000001'`, 'parquet')).toEqual(refused);
		expect(await read('timestamp', `'${moment}'`, 'csv')).toBe(moment);
		expect(await read('timestamp', `'${moment}456'`, 'csv')).toEqual(refused);
		expect(await read('timestamp', 'NULL', 'csv')).toBe(null);
		expect(await read('timestamp', "TIMESTAMP '9999-12-31 23:59:59'", 'parquet')).toBe('9999-12-31 23:59:59');
	});

	test('in a text is no timestamp', async () => {
		const value = `{'a': TIMESTAMP '${moment}', 'b': '0.1234'}`;
		expect(await read('struct<a:timestamp,b:string>', value, 'parquet')).toContain('0.1234');
	});
});
