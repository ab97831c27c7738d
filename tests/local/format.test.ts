import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { columnType, formatValue, javaDouble } from '#local/athena/format.ts';

let instance: DuckDBInstance;
beforeAll(async () => {
	instance = await DuckDBInstance.create(':memory:');
});
afterAll(() => instance.closeSync());

async function formatted(sql: string): Promise<[string, string | null]> {
	const connection = await instance.connect();
	await connection.run("SET TimeZone = 'UTC'");
	const reader = await connection.runAndReadAll(`SELECT ${sql}`);
	const [type] = reader.columnTypes();
	const value = reader.getRows()[0]?.[0];
	connection.closeSync();
	if (type === undefined || value === undefined) throw new Error('no value');
	return [columnType(type).type, formatValue(value, type)];
}

describe('a value is written as Athena writes it', () => {
	test.each<[string, string, string | null]>([
		['NULL', 'integer', null],
		['CAST(NULL AS VARCHAR)', 'varchar', null],
		["''", 'varchar', ''],
		['true', 'boolean', 'true'],
		['CAST(7 AS TINYINT)', 'tinyint', '7'],
		['CAST(7 AS SMALLINT)', 'smallint', '7'],
		['7', 'integer', '7'],
		['9007199254740993', 'bigint', '9007199254740993'],
		['sum(x) FROM (VALUES (1), (2)) t(x)', 'bigint', '3'],
		['CAST(1.5 AS DECIMAL(10,2))', 'decimal', '1.50'],
		['CAST(-0.05 AS DECIMAL(3,2))', 'decimal', '-0.05'],
		['CAST(1e10 AS DOUBLE)', 'double', '1.0E10'],
		['CAST(100 AS DOUBLE)', 'double', '100.0'],
		["CAST('nan' AS DOUBLE)", 'double', 'NaN'],
		["CAST('-inf' AS DOUBLE)", 'double', '-Infinity'],
		['CAST(0.1 AS FLOAT)', 'float', '0.1'],
		["DATE '2020-02-29'", 'date', '2020-02-29'],
		["TIMESTAMP '2020-02-29 10:00:00'", 'timestamp', '2020-02-29 10:00:00.000'],
		["TIMESTAMP '2020-02-29 10:00:00.123456'", 'timestamp', '2020-02-29 10:00:00.123'],
		["TIMESTAMPTZ '2020-02-29 10:00:00+01'", 'timestamp with time zone', '2020-02-29 09:00:00.000 UTC'],
		["TIME '10:00:00'", 'time', '10:00:00.000'],
		["INTERVAL '1 day 2 hours'", 'interval day to second', '1 02:00:00.000'],
		["['a', 'b, c', NULL]", 'array', '[a, b, c, null]'],
		["{'a': 1, 'b': 'x'}", 'row', '{a=1, b=x}'],
		["{'2': 1, '1': 'x'}", 'row', '{2=1, 1=x}'],
		["[{'a': [1, NULL]}, NULL]", 'array', '[{a=[1, null]}, null]'],
		['MAP {1: 1.5}', 'map', '{1=1.5}'],
		["MAP {'k': [DATE '2020-02-29']}", 'map', '{k=[2020-02-29]}'],
		["[TIMESTAMPTZ '2020-02-29 10:00:00+01']", 'array', '[2020-02-29 09:00:00.000 UTC]'],
		['CAST(\'{"a":1}\' AS JSON)', 'json', '{"a":1}'],
		["'\\xAA\\x01'::BLOB", 'varbinary', 'aa 01'],
		["CAST('6f9619ff-8b86-d011-b42d-00cf4fc964ff' AS UUID)", 'varchar', '6f9619ff-8b86-d011-b42d-00cf4fc964ff'],
	])('%s', async (sql, type, text) => {
		expect(await formatted(sql)).toEqual([type, text]);
	});

	test('a sum beyond a bigint fails instead of wrapping or widening', async () => {
		await expect(formatted('sum(x) FROM (VALUES (9223372036854775807), (1)) t(x)')).rejects.toThrow('bigint overflow');
	});
});

test.each([
	[0, '0.0'],
	[-0, '-0.0'],
	[0.001, '0.001'],
	[0.0001, '1.0E-4'],
	[9999999, '9999999.0'],
	[10000000, '1.0E7'],
	[-1.5e300, '-1.5E300'],
	[0.1 + 0.2, '0.30000000000000004'],
])('the double %d is written as Java does', (value, text) => {
	expect(javaDouble(value)).toBe(text);
});
