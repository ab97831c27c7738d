/** Every sample has the value that Trino documents; what DuckDB cannot give is refused, never different. */
import { readdirSync, readFileSync } from 'node:fs';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bareFunctions, functionNames, type Relation, resolve } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { columnType } from '#local/athena/format.ts';
import { printDuckDB } from '#local/athena/print-duckdb.ts';

/** One file for each family of functions; what its parts mean is said in base.json. */
type Family = {
	readonly values?: readonly (readonly [expression: string, value: string | null])[];
	readonly queries?: readonly (readonly [sql: string, value: string | null])[];
	readonly ends?: readonly string[];
	readonly refused?: readonly (readonly [expression: string, reason: string])[];
	readonly mismatched?: readonly string[];
};

const folder = new URL('./duckdb/', import.meta.url);
const families = readdirSync(folder).map(
	(name): Family => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Family,
);
const samples = {
	values: families.flatMap(({ values = [] }) => values),
	queries: families.flatMap(({ queries = [] }) => queries),
	ends: families.flatMap(({ ends = [] }) => ends),
	refused: families.flatMap(({ refused = [] }) => refused),
	mismatched: families.flatMap(({ mismatched = [] }) => mismatched),
};

const loans: Relation = {
	id: 'lending.loans',
	printed: ['lending', 'loans'],
	columns: [
		{ name: 'loan_id', type: 'int', granted: true },
		{ name: 'status', type: 'string', granted: true },
		{ name: 'amount', type: 'decimal(10,2)', granted: true },
		{ name: 'rate', type: 'double', granted: true },
		{ name: 'share', type: 'float', granted: true },
		{ name: 'opened', type: 'date', granted: true },
		{ name: 'tags', type: 'array<string>', granted: true },
		{ name: 'active', type: 'boolean', granted: true },
	],
	rowFilter: null,
};

let connection: DuckDBConnection;

beforeAll(async () => {
	connection = await (await DuckDBInstance.create(':memory:')).connect();
	await connection.run('CREATE SCHEMA lending');
	await connection.run(`CREATE TABLE lending.loans (loan_id INTEGER, status VARCHAR, amount DECIMAL(10,2), rate DOUBLE,
		share FLOAT, opened DATE, tags VARCHAR[], active BOOLEAN)`);
	await connection.run(`INSERT INTO lending.loans VALUES
		(1, 'A', 10.00, 0.5, 0.1, DATE '2024-01-31', ['x'], true), (2, 'B', 20.00, 1.5, 0.2, DATE '2024-02-29', [], false),
		(3, 'B', 20.01, NULL, NULL, NULL, NULL, NULL), (4, NULL, NULL, 2.5, 0.3, DATE '2023-12-31', ['y'], true)`);
});

afterAll(() => connection.closeSync());

function print(sql: string): string {
	return printDuckDB(resolve(parseQuery(sql), ({ table }) => (table === 'loans' ? loans : undefined)));
}

async function rows(sql: string): Promise<unknown[][]> {
	return (await connection.runAndReadAll(print(sql))).getRowsJson();
}

function written(value: unknown): string | null {
	if (value === null || value === undefined) return null;
	return typeof value === 'string' ? value : JSON.stringify(value);
}

function codeOf(sql: string): unknown {
	try {
		print(sql);
	} catch (error) {
		return error;
	}
	return 'printed';
}

describe('what differs is refused', () => {
	test.each(samples.refused)('%s runs on Athena only: %s', (expression) => {
		const detail = expect.stringContaining('runs on Athena only');
		expect(codeOf(`SELECT ${expression}`)).toMatchObject({ code: 'unsupported', message: detail });
	});

	test.each(samples.mismatched)('%s is refused, as Trino refuses it', (expression) => {
		expect(codeOf(`SELECT ${expression}`)).toMatchObject({
			code: expect.stringMatching(/^(?:validation|unsupported)$/),
			extensions: { line: 1 },
		});
	});

	test.each(samples.ends)('%s ends the query', async (expression) => {
		await expect(rows(expression.startsWith('SELECT') ? expression : `SELECT ${expression}`)).rejects.toThrow(/./);
	});

	test.each([
		'SELECT tags || tags FROM loans',
		'SELECT loan_id FROM loans WHERE tags = tags',
		'SELECT count(*) FROM loans GROUP BY tags',
		'SELECT loan_id FROM loans ORDER BY tags',
	])('%s runs on Athena only', (sql) => {
		expect(codeOf(sql)).toMatchObject({ code: 'unsupported' });
	});

	test.each([
		'SELECT 1 FROM loans WHERE loan_id',
		'SELECT 1 FROM loans WHERE status = 1',
		"SELECT 1 FROM loans WHERE opened >= '2024-01-01'",
		'SELECT sum(loan_id) FROM loans HAVING sum(loan_id)',
		'SELECT 1 FROM loans AS a JOIN loans AS b ON a.loan_id',
	])('%s is refused for its types', (sql) => {
		expect(codeOf(sql)).toMatchObject({ code: 'validation' });
	});
});

test('a text that grows too large is refused, in one expression and in all together', () => {
	const nested = (depth: number) => `${'substr('.repeat(depth)}status${', loan_id)'.repeat(depth)}`;
	const list = Array.from({ length: 100 }, () => nested(8)).join(', ');
	expect(codeOf(`SELECT ${list} FROM loans`)).toMatchObject({ code: 'too-large' });
	const few = Array.from({ length: 4 }, () => nested(8)).join(', ');
	expect(codeOf(`SELECT ${few} FROM loans`)).toMatchObject({ code: 'too-large' });
	expect(codeOf(`SELECT ${nested(4)} FROM loans`)).toBe('printed');
});

describe('what is printed gives what Trino gives', () => {
	test.each(samples.values)('%s is %s', async (expression, value) => {
		const run = rows(`SELECT ${expression}`);
		if (value === 'error') await expect(run).rejects.toThrow(/./);
		else expect(written((await run)[0]?.[0])).toBe(value);
	});

	test.each(samples.queries)('%s gives %s', async (sql, value) => {
		const [[got] = []] = await rows(sql);
		expect(written(got)).toBe(value);
	});

	test('NULLs are last in both directions unless asked', async () => {
		expect(await rows('SELECT loan_id FROM loans ORDER BY status DESC, loan_id')).toEqual([[2], [3], [1], [4]]);
		expect(await rows('SELECT loan_id FROM loans ORDER BY status NULLS FIRST, 1')).toEqual([[4], [1], [2], [3]]);
	});

	test('columns without a name are called by their place', async () => {
		const result = await connection.runAndReadAll(print('SELECT status, count(*) FROM loans GROUP BY 1'));
		expect(result.columnNames()).toEqual(['status', '_col1']);
	});
});

describe('a result that is NULL has the type it has in Trino', () => {
	test.each([
		["'a' || NULL", 'varchar'],
		['NULL || NULL', 'varchar'],
		["concat('a', NULL)", 'varchar'],
		['concat(NULL, NULL)', 'varchar'],
		['concat(array[1], coalesce(NULL, array[2]))', 'array'],
		['array[NULL]', 'array'],
		['lower(NULL)', 'varchar'],
		["date '2024-01-01' = NULL", 'boolean'],
		["x FROM (SELECT 'a' || NULL AS x) AS t", 'varchar'],
		["x || NULL FROM (VALUES 'a') AS t (x)", 'varchar'],
		['upper(x) FROM (VALUES NULL || NULL) AS t (x)', 'varchar'],
		['NULL', 'unknown'],
		['DISTINCT x FROM (SELECT NULL AS x) AS t ORDER BY x', 'unknown'],
		['coalesce(NULL, NULL)', 'unknown'],
	])('SELECT %s is %s', async (expression, type) => {
		const result = await connection.runAndReadAll(print(`SELECT ${expression}`));
		expect(result.columnTypes().map((each) => columnType(each).type)).toEqual([type]);
	});
});

describe('each function of the allow-list without a sample of its value', () => {
	const callOf = (name: string, texts: readonly string[]) => {
		const call = new RegExp(bareFunctions.has(name) ? `\\b${name}\\b` : `\\b${name}\\s*\\(`, 'i');
		return texts.find((text) => call.test(text));
	};
	const valued = [...samples.values, ...samples.queries].map(([text]) => text);
	const others = functionNames().filter((name) => callOf(name, valued) === undefined);

	test.each(others)('%s runs on Athena only, with a sample of its refusal', (name) => {
		const refused = callOf(
			name,
			samples.refused.map(([expression]) => expression),
		);
		expect(codeOf(`SELECT ${refused}`)).toMatchObject({ message: `runs on Athena only: ${name}` });
	});
});
