/** Text to the closed tree: queries, SELECT, FROM and windows; positions, sizes and whole texts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BrokerError } from '#core/error.ts';
import { parseExpression, parseQuery, warm } from '#core/syntax.ts';
import {
	bodyOf,
	call,
	column,
	integer,
	item,
	plain,
	query,
	refusalOf,
	select,
	sort,
	star,
	string,
	table,
} from './syntax/plain.ts';

describe('refused, with a place and what to change', () => {
	test.each([
		['SELECT a FROM t; SELECT 1', 'sql-syntax', 18, /cannot be read/],
		['SELECT lower((SELECT a FROM t) FROM t', 'sql-syntax', 32, /cannot be read/],
		['DROP TABLE t', 'unsupported', 1, /Only a query/],
		['unload (SELECT 1) TO x', 'unsupported', 1, /Only a query/],
		['WITH FUNCTION f() RETURNS int RETURN 1 SELECT f()', 'unsupported', 1, /expressions where they are used/],
		['SELECT a FROM t TABLESAMPLE SYSTEM (10)', 'unsupported', 29, /BERNOULLI/],
		['SELECT a FROM t TABLESAMPLE BERNOULLI (101)', 'validation', 40, /between 0 and 100/],
		['SELECT a FROM t TABLESAMPLE BERNOULLI (a)', 'unsupported', 40, /as a number/],
		['SELECT a FROM (t JOIN u ON true) TABLESAMPLE BERNOULLI (1)', 'unsupported', 15, /sub-query/],
		['SELECT a FROM t NATURAL JOIN u', 'unsupported', 30, /ON or USING/],
		['SELECT a FROM t MATCH_RECOGNIZE (PATTERN (A) DEFINE A AS true)', 'unsupported', 17, /window functions/],
		['SELECT a FROM TABLE(f(1))', 'unsupported', 15, /Table functions/],
		["SELECT a FROM JSON_TABLE(b, 'lax $' COLUMNS (c int))", 'unsupported', 15, /json_extract/],
		['SELECT a FROM t FOR TIMESTAMP AS OF now()', 'unsupported', 17, /another time/],
		['SELECT a FROM t JOIN u USING ("$path")', 'unsupported', 31, /Hidden columns/],
		['SELECT grouping("$path") FROM t', 'unsupported', 17, /Hidden columns/],
		['SELECT f."$path" FROM t', 'unsupported', 10, /Hidden columns/],
		['SELECT a FROM "t$files"', 'unsupported', 15, /Metadata tables/],
		['TABLE other.s.t', 'unsupported', 7, /awsdatacatalog/],
		['SELECT a FROM information_schema.tables', 'unsupported', 15, /information schema/],
		['SELECT (r).* FROM t', 'unsupported', 8, /Name the fields/],
		['SELECT count(t.*) FROM t', 'unsupported', 14, /count\(\*\)/],
		['SELECT `a` FROM t', 'unsupported', 8, /double quotes/],
		['SELECT 1a FROM t', 'unsupported', 8, /double quotes/],
		['SELECT ? FROM t', 'unsupported', 8, /Parameters/],
		['SELECT a FROM t LIMIT ?', 'unsupported', 23, /Parameters/],
		['SELECT current_user', 'unsupported', 8, /session/],
		['SELECT x -> x FROM t', 'unsupported', 8, /argument of a function/],
		['SELECT coalesce(a, (x -> x)) FROM t', 'unsupported', 21, /argument of a function/],
		['SELECT m OVER w FROM t WINDOW w AS ()', 'unsupported', 8, /Measures/],
		['SELECT sum(a) OVER (ROWS (SELECT 1) PRECEDING) FROM t', 'unsupported', 26, /window frame/],
		['SELECT FINAL sum(a) FROM t', 'unsupported', 8, /row patterns/],
		['SELECT a FROM t FETCH FIRST ROW WITH TIES', 'validation', 1, /ORDER BY/],
		['SELECT a FROM t FETCH FIRST 0 ROWS ONLY', 'validation', 29, /one row or more/],
		['VALUES CAST(a AS row(x int))', 'unsupported', 8, /in parentheses/],
		['SELECT current_timestamp(3)', 'unsupported', 8, /without a precision/],
		[
			"SELECT listagg(a, ',' ON OVERFLOW TRUNCATE WITH COUNT) WITHIN GROUP (ORDER BY a) FROM t",
			'unsupported',
			35,
			/ERROR/,
		],
		["SELECT json_value(a, 'lax $' NULL ON EMPTY) FROM t", 'unsupported', 8, /defaults/],
		["SELECT json_exists(a, 'lax $x' PASSING b AS x) FROM t", 'unsupported', 20, /PASSING/],
		['SELECT CAST(a AS text) FROM t', 'unsupported', 18, /Write varchar/],
		['SELECT CAST(a AS decimal(10, 11)) FROM t', 'validation', 18, /out of range/],
		["SELECT U&'\\D83D' FROM t", 'validation', 8, /no character/],
		["SELECT U&'x' UESCAPE 'ab' FROM t", 'validation', 8, /one character/],
		["SELECT X'0' FROM t", 'validation', 8, /hexadecimal/],
		["SELECT INTERVAL '1' DAY TO YEAR", 'validation', 8, /smaller/],
		["SELECT time '10:00+01:00'", 'unsupported', 8, /CAST/],
		["SELECT date '2023-02-30'", 'validation', 8, /does not exist/],
		['SELECT 1e999', 'validation', 8, /double/],
	] as const)('%j', (sql, code, at, detail) => {
		const { code: got, extensions, message } = refusalOf(sql);
		expect([got, extensions.line, extensions.column]).toEqual([code, 1, at]);
		expect(message).toMatch(detail);
	});

	test.each(['SELECT 1', 'WITH a AS (SELECT 1) SELECT 1', 'VALUES 1', 'TABLE t'])(
		'an expression with %s in it',
		(sub) => {
			expect(refusalOf(`a = 1 OR EXISTS (${sub})`, parseExpression)).toMatchObject({
				code: 'unsupported',
				extensions: { line: 1, column: 18 },
			});
		},
	);

	test('half of a surrogate pair', () => {
		expect(refusalOf("SELECT '\u{1f600}',\n'\ude00'")).toMatchObject({
			code: 'validation',
			extensions: { line: 2, column: 2 },
		});
	});

	test('without a literal of the text in what is said', () => {
		for (const text of [
			"SELECT 'hush' FROM",
			"SELECT hush 'hush' 'hush'",
			"SELECT date 'hush'",
			"SELECT time 'hush'",
		]) {
			expect(refusalOf(text).message).not.toContain("'hush'");
		}
	});
});

describe('queries', () => {
	test('WITH has its tables in order, each with its columns', () => {
		expect(plain(parseQuery('WITH RECURSIVE x (A) AS (SELECT 1), "Y" AS (TABLE x) SELECT a FROM y'))).toEqual(
			query(select([item(column('a'))], { from: [table('y')] }), {
				recursive: true,
				commons: [
					{ name: { text: 'x' }, columns: [{ text: 'a' }], query: query(select([item(integer(1n))])) },
					{ name: { text: 'y' }, columns: null, query: query(select([star], { from: [table('x')] })) },
				],
			}),
		);
	});

	test('set operations are flat from the left, and INTERSECT stands inside', () => {
		const one = (value: bigint) => select([item(integer(value))]);
		expect(bodyOf('SELECT 1 UNION ALL SELECT 2 INTERSECT SELECT 3 EXCEPT DISTINCT SELECT 4')).toEqual({
			kind: 'set',
			first: one(1n),
			rest: [
				{
					operator: 'union',
					all: true,
					body: { kind: 'set', first: one(2n), rest: [{ operator: 'intersect', all: false, body: one(3n) }] },
				},
				{ operator: 'except', all: false, body: one(4n) },
			],
		});
	});

	test('a query in parentheses keeps its order and limit to itself', () => {
		expect(plain(parseQuery('(SELECT 1 ORDER BY 1 LIMIT 2) OFFSET 3 ROWS FETCH FIRST ROW ONLY'))).toEqual(
			query(query(select([item(integer(1n))]), { orderBy: [sort(integer(1n))], limit: 2n }), { offset: 3n, limit: 1n }),
		);
	});

	test('VALUES has rows, whether in parentheses, as ROW or bare', () => {
		expect(bodyOf("VALUES (1, 'a'), ROW(2, 'b')")).toEqual({
			kind: 'values',
			rows: [
				[integer(1n), string('a')],
				[integer(2n), string('b')],
			],
		});
		expect(bodyOf('VALUES 1, (2)')).toEqual({ kind: 'values', rows: [[integer(1n)], [integer(2n)]] });
	});

	test('LIMIT ALL is none, WITH TIES is kept, numbers may be written in other bases', () => {
		expect(parseQuery('SELECT 1 LIMIT ALL')).toMatchObject({ limit: null, ties: false });
		expect(parseQuery('SELECT 1 ORDER BY 1 FETCH NEXT 3 ROWS WITH TIES')).toMatchObject({ limit: 3n, ties: true });
		expect(parseQuery('SELECT 1 LIMIT 0x1_0')).toMatchObject({ limit: 16n });
		expect(parseQuery('SELECT 1 LIMIT 9223372036854775807')).toMatchObject({ limit: 2n ** 63n - 1n });
	});
});

describe('SELECT', () => {
	test('has stars, with a qualifier and with names', () => {
		expect(bodyOf('SELECT *, s.T.*, u.* AS (x, "Y")')).toMatchObject({
			items: [
				star,
				{ kind: 'star', qualifier: ['s', 't'], aliases: null },
				{ kind: 'star', qualifier: ['u'], aliases: [{ text: 'x' }, { text: 'y' }] },
			],
		});
	});

	test('groups by terms, sets, ROLLUP and CUBE', () => {
		const [a, b] = [column('a'), column('b')];
		const text =
			'SELECT 1 FROM t GROUP BY DISTINCT a, (a, b), (), (a) + 1, ROLLUP (a, (a, b)), CUBE (b), GROUPING SETS ((a), ())';
		expect(bodyOf(text).groupBy).toEqual({
			distinct: true,
			elements: [
				{ kind: 'terms', terms: [a] },
				{ kind: 'terms', terms: [a, b] },
				{ kind: 'terms', terms: [] },
				{ kind: 'terms', terms: [{ kind: 'arithmetic', first: a, rest: [{ operator: '+', operand: integer(1n) }] }] },
				{ kind: 'rollup', sets: [[a], [a, b]] },
				{ kind: 'cube', sets: [[b]] },
				{ kind: 'sets', sets: [[a], []] },
			],
		});
	});

	test('has windows by name and in place, with their frames', () => {
		const body = bodyOf(
			'SELECT sum(n) OVER (w ORDER BY b DESC NULLS FIRST ROWS BETWEEN 2 PRECEDING AND CURRENT ROW), rank() OVER v ' +
				'FROM t WINDOW w AS (PARTITION BY a, b), v AS (ORDER BY c GROUPS UNBOUNDED PRECEDING)',
		);
		const window = { kind: 'window', base: null, partitionBy: [], orderBy: [], frame: null };
		expect(body.windows).toEqual([
			{ name: { text: 'w' }, window: { ...window, partitionBy: [column('a'), column('b')] } },
			{
				name: { text: 'v' },
				window: {
					...window,
					orderBy: [sort(column('c'))],
					frame: { unit: 'groups', start: { kind: 'unbounded-preceding' }, end: null },
				},
			},
		]);
		const frame = { unit: 'rows', start: { kind: 'preceding', value: integer(2n) }, end: { kind: 'current-row' } };
		const over = { ...window, base: { text: 'w' }, orderBy: [sort(column('b'), true, 'first')], frame };
		expect(body.items).toEqual([
			item(call('sum', [column('n')], { over })),
			item(call('rank', [], { over: { kind: 'named-window', name: 'v' } })),
		]);
	});
});

describe('FROM', () => {
	const fromOf = (text: string) => (bodyOf(`SELECT 1 FROM ${text}`).from as unknown[])[0];
	const derived = { kind: 'derived', lateral: false, alias: null, columns: null, sample: null };

	test('has joins flat, with ON and USING', () => {
		expect(fromOf('t LEFT JOIN u ON t.a = u.a CROSS JOIN v AS x (p) JOIN w USING (a, B)')).toEqual({
			kind: 'joins',
			first: table('t'),
			rest: [
				{
					type: 'left',
					right: table('u'),
					on: { kind: 'compare', operator: '=', left: column('t', 'a'), right: column('u', 'a') },
					using: null,
				},
				{ type: 'cross', right: table('v', { alias: 'x', columns: [{ text: 'p' }] }), on: null, using: null },
				{ type: 'inner', right: table('w'), on: null, using: [{ text: 'a' }, { text: 'b' }] },
			],
		});
	});

	test('a join whose right side is a join keeps it together', () => {
		expect(fromOf('t JOIN u JOIN v ON true ON false')).toMatchObject({
			first: { name: { table: 't' } },
			rest: [{ on: { value: false }, right: { kind: 'joins', rest: [{ on: { value: true } }] } }],
		});
	});

	test('an alias for a join, or for what has one, names all its columns', () => {
		const join = {
			kind: 'joins',
			first: table('t'),
			rest: [{ type: 'cross', right: table('u'), on: null, using: null }],
		};
		expect(fromOf('(t CROSS JOIN u) AS x (p, q)')).toEqual({
			...derived,
			query: query(select([star], { from: [join] })),
			alias: 'x',
			columns: [{ text: 'p' }, { text: 'q' }],
		});
		expect(fromOf('(t AS y) AS x')).toEqual(table('t', { alias: 'x' }));
		expect(fromOf('(t AS y (p)) AS x')).toMatchObject({ kind: 'derived', alias: 'x' });
		expect(fromOf('((t)) AS x')).toEqual(table('t', { alias: 'x' }));
	});

	test('sees LATERAL, UNNEST, samples and tables in parentheses for what they are', () => {
		expect(fromOf('LATERAL (TABLE secret) AS l')).toEqual({
			...derived,
			query: query(select([star], { from: [table('secret')] })),
			lateral: true,
			alias: 'l',
		});
		expect(fromOf('UNNEST(a, b) WITH ORDINALITY AS u (x, y, n)')).toEqual({
			kind: 'unnest',
			expressions: [column('a'), column('b')],
			ordinality: true,
			alias: 'u',
			columns: [{ text: 'x' }, { text: 'y' }, { text: 'n' }],
		});
		expect(fromOf('t AS x TABLESAMPLE BERNOULLI (1.5)')).toEqual(
			table('t', { alias: 'x', sample: { kind: 'decimal', text: '1.5' } }),
		);
		expect(fromOf('AwsDataCatalog."S".t')).toEqual(
			table('t', { name: { catalog: 'awsdatacatalog', database: 's', table: 't' } }),
		);
		expect(fromOf('lateral')).toEqual(table('lateral'));
	});
});

describe('texts that a parser with little lookahead reads wrongly', () => {
	test.each([
		'SELECT lower((SELECT max(a) FROM t))',
		'SELECT a FROM t WHERE x > ALL (SELECT 1)',
		'SELECT a FROM t WHERE x = ANY (VALUES 1, 2)',
		'SELECT a FROM LATERAL (TABLE secret)',
		'SELECT ((SELECT 1) + 1), ((SELECT 1) UNION SELECT 2), ((WITH x AS (SELECT 1) TABLE x))',
		'SELECT * FROM ((SELECT 1) UNION SELECT 2) AS x, ((SELECT 1) AS y CROSS JOIN t)',
		'SELECT filter, over, row, position, array, limit, all FROM t AS offset WHERE a > any LIMIT 1',
		'SELECT a FROM t WHERE (a, b) IN (SELECT 1, 2) AND (a IN (1)) = (b IN ((SELECT 2)))',
	])('%s', (sql) => {
		expect(parseQuery(sql).kind).toBe('query');
	});

	test('IN with a query in two pairs of parentheses is a list of one value, as Trino has it', () => {
		expect(parseExpression('a IN (1, (2))')).toMatchObject({ kind: 'in-list' });
		expect(parseQuery('SELECT a FROM t WHERE a IN (SELECT 1)').body).toMatchObject({ where: { kind: 'in-query' } });
		expect(parseQuery('SELECT a FROM t WHERE a IN ((SELECT 1))').body).toMatchObject({
			where: { kind: 'in-list', items: [{ kind: 'scalar-query' }] },
		});
	});
});

test('nodes say where they begin, in characters', () => {
	const { body } = parseQuery(
		"SELECT a,\n  b + c AS k, /* \u{1f600} */ min_by('\u{1f600}', d)\nFROM t AS x, (SELECT 1) AS y",
	);
	expect(body).toMatchObject({
		at: { line: 1, column: 1 },
		items: [
			{ at: { line: 1, column: 8 } },
			{ expression: { at: { line: 2, column: 3 }, rest: [{ operand: { at: { line: 2, column: 7 } } }] } },
			{
				expression: {
					at: { line: 2, column: 23 },
					arguments: [{ at: { line: 2, column: 30 } }, { at: { line: 2, column: 35 } }],
				},
			},
		],
		from: [{ at: { line: 3, column: 6 } }, { at: { line: 3, column: 14 } }],
	});
});

test('warming leaves the parser as it was', () => {
	warm();
	expect(plain(parseQuery('SELECT a FROM t;'))).toEqual(query(select([item(column('a'))], { from: [table('t')] })));
});

test('any text is read or refused with a place, never anything else', () => {
	const tokens =
		'SELECT FROM t u a , ( ) * . WHERE = 1 JOIN ON AS GROUP BY ORDER IN NOT CASE END -- /* count OVER UNNEST ; "q" WITH UNION VALUES TABLE ALL LATERAL -> [ ] ROW ARRAY || AND LIMIT PARTITION'.split(
			' ',
		);
	const pieces = fc.constantFrom(...tokens, "'x'", '\n');
	const text = fc.oneof(
		fc.array(pieces, { maxLength: 25 }).map((list) => list.join(' ')),
		fc.string({ maxLength: 60, unit: 'binary' }),
	);
	fc.assert(
		fc.property(text, (sql) => {
			try {
				parseQuery(sql);
			} catch (error) {
				expect(error).toBeInstanceOf(BrokerError);
				expect(error).not.toMatchObject({ code: 'internal' });
				expect(error).toMatchObject({ extensions: { line: expect.any(Number), column: expect.any(Number) } });
			}
		}),
		{ numRuns: 300 },
	);
});
