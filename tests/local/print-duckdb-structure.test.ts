/**
 * The clauses of a query around its expressions: what DuckDB does otherwise is refused, the rest gives the rows of
 * https://trino.io/docs/current/sql/select.html and the pages it links to.
 */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Relation, type RowFilter, resolve } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { formatValue } from '#local/athena/format.ts';
import { printDuckDB } from '#local/athena/print-duckdb.ts';
import structure from './duckdb-structure.json' with { type: 'json' };

const columns = {
	loan_id: 'int',
	status: 'string',
	amount: 'decimal(10,2)',
	opened: 'date',
	big: 'bigint',
	rate: 'double',
	tags: 'array<string>',
	notes: 'array<int>',
	scores: 'map<string,int>',
	party: 'struct<name:string,age:int>',
	parts: 'array<struct<k:int,v:string>>',
};

const loans: Relation = {
	id: 'lending.loans',
	printed: ['lending', 'loans'],
	columns: Object.entries(columns).map(([name, type]) => ({ name, type, granted: true })),
	rowFilter: null,
};

let connection: DuckDBConnection;

beforeAll(async () => {
	connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
	await connection.run("SET TimeZone = 'UTC'");
	await connection.run('CREATE SCHEMA lending');
	await connection.run(`CREATE TABLE lending.loans (loan_id INTEGER, status VARCHAR, amount DECIMAL(10,2), opened DATE,
		big BIGINT, rate DOUBLE, tags VARCHAR[], notes INTEGER[], scores MAP(VARCHAR, INTEGER),
		party STRUCT(name VARCHAR, age INTEGER), parts STRUCT(k INTEGER, v VARCHAR)[])`);
	await connection.run(`INSERT INTO lending.loans VALUES
		(1, 'A', 10.00, DATE '2024-01-31', 100, 0.5, ['x', 'y'], [7], MAP {'a': 1, 'b': 2}, {'name': 'Ann', 'age': 30},
			[{'k': 1, 'v': 'p'}, NULL]),
		(2, 'B', 20.00, DATE '2024-02-29', 200, 1.5, [], [8, 9], MAP {}, NULL, []),
		(3, 'B', 20.01, NULL, 9007199254740993, NULL, NULL, NULL, NULL, {'name': NULL, 'age': 5}, NULL),
		(4, NULL, NULL, DATE '2024-03-02', NULL, 2.5, ['z', NULL], [], MAP {'c': NULL}, NULL, [{'k': 3, 'v': NULL}])`);
});

afterAll(() => connection.closeSync());

function print(sql: string, rowFilter: RowFilter | null = null): string {
	const relation = { ...loans, rowFilter };
	return printDuckDB(resolve(parseQuery(sql), ({ table }) => (table === 'loans' ? relation : undefined)));
}

/** Each row as Athena writes it; NULL is a dash. */
async function rows(sql: string, rowFilter: RowFilter | null = null): Promise<string[]> {
	const reader = await connection.runAndReadAll(print(sql, rowFilter));
	const types = reader.columnTypes();
	return reader.getRows().map((row) =>
		row
			.map((value, index) => {
				const type = types[index];
				if (type === undefined) throw new Error('a value without a type');
				return formatValue(value, type) ?? '-';
			})
			.join(' | '),
	);
}

function refusal(sql: string): unknown {
	try {
		return print(sql);
	} catch (error) {
		return error;
	}
}

function pairs(cases: readonly (readonly string[])[]): (readonly [string, string])[] {
	return cases.map(([what = '', sql = '']) => [what, sql] as const);
}

describe('what has no equal in DuckDB runs on Athena only', () => {
	test.each(pairs(structure.athenaOnly))('%s', (_, sql) => {
		expect(refusal(sql)).toMatchObject({
			code: 'unsupported',
			message: expect.stringMatching(/^runs on Athena only: /),
			extensions: { line: 1 },
		});
	});

	test.each(pairs(structure.refused))('%s is refused, as Trino refuses it', (_, sql) => {
		expect(refusal(sql)).toMatchObject({
			code: expect.stringMatching(/^(?:validation|column-not-found)$/),
			extensions: { line: 1 },
		});
	});

	test.each(pairs(structure.ends))('%s ends the query', async (_, sql) => {
		const text = print(sql);
		await expect(connection.run(text)).rejects.toThrow(/^Invalid Input Error/);
	});
});

const rowsOf = structure.rows.map(([what, sql, expected]) => [String(what), String(sql), expected] as const);

describe('the rows are those of Trino', () => {
	test.each(rowsOf)('%s', async (_, sql, expected) => {
		expect(await rows(sql)).toEqual(expected);
	});
});

/** Queries over the table alone, none of which gives a row where the table has none. */
const generated: fc.Arbitrary<string> = fc.letrec<{ query: string }>((tie) => {
	const column = fc.constantFrom('loan_id', 'status', 'amount', 'big', 'opened');
	const condition = fc.constantFrom(
		'loan_id > 1',
		"status = 'B'",
		'amount IS NOT NULL',
		'TRUE',
		'loan_id IN (SELECT loan_id FROM loans)',
	);
	const plain = fc.tuple(column, condition).map(([c, w]) => `SELECT ${c} AS x FROM loans WHERE ${w}`);
	const inner = tie('query');
	return {
		query: fc.oneof(
			{ depthSize: 'small', withCrossShrink: true },
			plain,
			inner.map((q) => `SELECT x FROM (${q}) AS d`),
			inner.map((q) => `WITH c (x) AS (${q}) SELECT p.x FROM c AS p LEFT JOIN c AS q ON p.x = q.x`),
			fc
				.tuple(inner, fc.constantFrom('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT', 'EXCEPT ALL'))
				.map(([q, op]) => `SELECT x FROM (${q}) AS a ${op} SELECT x FROM (${q}) AS b`),
			inner.map((q) => `SELECT max(x) AS x FROM (${q}) AS g GROUP BY x`),
			inner.map((q) => `SELECT first_value(x) OVER (PARTITION BY x ORDER BY x) AS x FROM (${q}) AS w`),
			inner.map(
				(q) =>
					`SELECT e AS x FROM (SELECT array_agg(x) AS l FROM (${q}) AS g GROUP BY x) AS t CROSS JOIN UNNEST(l) AS u (e)`,
			),
			inner.map((q) => `SELECT d.x FROM (${q}) AS o CROSS JOIN LATERAL (SELECT o.x) AS d`),
			inner.map(
				(q) => `SELECT x FROM (${q}) AS s WHERE EXISTS (SELECT * FROM loans) AND x IN (SELECT y FROM (${q}) AS i (y))`,
			),
			inner.map(
				(q) =>
					`WITH RECURSIVE r (x, n) AS (SELECT x, 1 FROM (${q}) AS a UNION ALL SELECT x, n + 1 FROM r WHERE n < 3) SELECT x FROM r`,
			),
		),
	};
}).query;

describe('a row filter', () => {
	const always: RowFilter = { op: 'compare', column: 'loan_id', operator: '>', value: { type: 'number', value: '0' } };
	const never: RowFilter = { ...always, operator: '<' };

	test('that is true of every row changes no result, one that is true of none leaves no row', async () => {
		await fc.assert(
			fc.asyncProperty(generated, async (sql) => {
				const sorted = async (filter: RowFilter | null) => (await rows(sql, filter)).toSorted();
				expect(await sorted(always)).toEqual(await sorted(null));
				expect(await sorted(never)).toEqual([]);
			}),
			{ numRuns: 60 },
		);
	});
});
