/** Which tables a query writes, told apart from its common tables exactly as the resolver tells them. */
import { describe, expect, it } from 'vitest';
import { inSchema, mentions } from '#core/catalog/mentions.ts';
import { type Query, resolve, type TableName, tableNames } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { validCases } from './sql/fixture.ts';
import { lookup } from './sql/tables.ts';

const within = (names: readonly { database: string | null; table: string }[]) =>
	[...new Set(names.map(({ database, table }) => `${database ?? 's'}.${table}`))].toSorted();

/** The fixture's tables without a database are in `s`, or in `lending`. */
const inEither = (name: TableName) => lookup(name) ?? lookup({ ...name, database: null });

function meaning(query: Query) {
	const { reads, outputs, rows, tables } = resolve(query, inEither);
	return { reads, outputs, rows, tables };
}

describe('the fixture of the front end', () => {
	it.each(validCases.map(({ sql }) => sql))('%s', (sql) => {
		const query = parseQuery(sql);
		expect(within(mentions(query, 's'))).toEqual(within(tableNames(query)));
		const qualified = inSchema(query, 's');
		expect(tableNames(qualified).filter(({ database }) => database === null)).toEqual([]);
		expect(meaning(qualified)).toEqual(meaning(query));
	});
});

it('the query that is given a schema stays as it was', () => {
	const query = parseQuery('SELECT 1 FROM t');
	expect(mentions(inSchema(query, 's'))).toHaveLength(1);
	expect(mentions(query)).toEqual([]);
});

describe('WITH', () => {
	it.each([
		['WITH t AS (SELECT 1 FROM t) SELECT 1 FROM t', ['t']],
		['WITH RECURSIVE t(a) AS (SELECT 1 UNION ALL SELECT a FROM t) SELECT a FROM t', []],
		['WITH a AS (SELECT 1 FROM b), b AS (SELECT 1 FROM a) SELECT 1 FROM a, b', ['b']],
		[
			'SELECT (SELECT 1 FROM a) IN (SELECT 1 FROM b) FROM c WHERE (SELECT 1 FROM d) > ALL (SELECT 1 FROM e)',
			['a', 'b', 'c', 'd', 'e'],
		],
		['SELECT 1 FROM t WHERE EXISTS (WITH t AS (SELECT 1) SELECT 1 FROM t)', ['t']],
		['SELECT 1 FROM (WITH t AS (SELECT 1) SELECT 1 FROM t) x, t', ['t']],
		['WITH t AS (SELECT 1) SELECT 1 FROM (SELECT 1 FROM t) x ORDER BY (SELECT 1 FROM t)', []],
	])('%s', (sql, tables) => {
		expect(mentions(parseQuery(sql), 's').map(({ table }) => table)).toEqual(tables);
	});

	it('never hides a name with a database', () => {
		const query = parseQuery('WITH t AS (SELECT 1) SELECT 1 FROM s.t, awsdatacatalog.s.t');
		expect(mentions(query)).toHaveLength(2);
	});
});
