/** What a query reads is found in whatever corner; what is not understood is refused, with its place. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BrokerError } from '#core/error.ts';
import { printTrino, resolve, tableNames, type View } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { refusalOf } from '#tests/refusal.ts';
import { type Facts, factsOf, refusedCases, validCases } from './sql/fixture.ts';
import { generated } from './sql/generated.ts';
import { columnsRead, meaning, plainTables, run } from './sql/run.ts';
import { lookup } from './sql/tables.ts';

describe('refused, with a code and a place', () => {
	test.each(refusedCases.map((item) => [item.sql, item] as const))('%j', (sql, { code, line, column }) => {
		const { code: got, extensions } = refusalOf(() => run(sql));
		expect([got, extensions.line, extensions.column]).toEqual([code, line, column]);
	});

	test('a column that is not there is named with the table it was looked for in', () => {
		const more = (sql: string) => refusalOf(() => run(sql)).extensions;
		expect(more('SELECT nosuch FROM t')).toMatchObject({ name: 'nosuch', table: 's.t' });
		expect(more('SELECT u.nosuch FROM t, u')).toMatchObject({ name: 'nosuch', table: 's.u' });
		expect(more('SELECT nosuch FROM t, u')).not.toHaveProperty('table');
	});

	test('no refusal repeats a literal of the text', () => {
		for (const sql of [
			"SELECT nosuch('hush')",
			"SELECT a FROM t WHERE nosuch = 'hush'",
			"SELECT 'hush' FROM t, t GROUP BY a",
		]) {
			expect(refusalOf(() => run(sql)).message).not.toContain('hush');
		}
	});
});

describe('no text makes many times more columns than it has words', () => {
	const repeat = (part: string, times: number) => part.repeat(times);
	test.each([
		['stars in stars', `SELECT * FROM ${repeat('(SELECT *, * FROM ', 10)}t${repeat(')', 10)}`],
		['a select list', `SELECT ${repeat('a, ', 1000)}a FROM t`],
		['stars side by side', `SELECT 1 FROM t${repeat(`, (SELECT ${repeat('*, ', 299)}* FROM t) AS q`, 6)}`],
		[
			'common tables',
			`WITH c0 AS (SELECT * FROM t), ${Array.from({ length: 12 }, (_, i) => `c${i + 1} AS (SELECT x.*, y.* FROM c${i} AS x, c${i} AS y)`).join(', ')} SELECT 1`,
		],
		[
			'a recursive table',
			`WITH RECURSIVE r (${Array.from({ length: 101 }, (_, i) => `c${i}`).join(', ')}) AS (SELECT ${repeat('a, ', 100)}a FROM t UNION ALL SELECT * FROM r) SELECT 1 FROM r`,
		],
	])('%s', (_name, sql) => {
		expect(refusalOf(() => run(sql)).code).toBe('too-large');
	});

	test('as many as the bounds allow are read', () => {
		expect(run(`SELECT ${repeat('a, ', 999)}a FROM t`).outputs).toHaveLength(1000);
	});
});

describe('reads and lineage', () => {
	const sorted = ({ tables, reads, outputs, rows }: Facts) => ({ tables: tables.toSorted(), reads, outputs, rows });

	test.each(validCases.map((item) => [item.sql, item] as const))('%j', (sql, { facts }) => {
		const query = parseQuery(sql);
		expect(factsOf(resolve(query, lookup))).toEqual(sorted(facts));
		const names = new Set(tableNames(query).map((name) => lookup(name)?.id ?? '?'));
		expect([...names].toSorted()).toEqual(facts.tables.toSorted());
	});

	test('a read says where it is first written', () => {
		const [, read] = run('SELECT a,\n  b FROM t').reads;
		expect(read).toMatchObject({ column: 'b', at: { line: 2, column: 3 } });
	});
});

describe('a recursive table', () => {
	test('holds what any number of steps brings from column to column', () => {
		const { outputs } = run(
			'WITH RECURSIVE r (p, q, n) AS (SELECT a, b, c FROM t UNION ALL SELECT q, n || x, p FROM r JOIN u ON u.a = r.p) SELECT p FROM r',
		);
		const sources = outputs[0]?.sources.map(({ table, column, kind }) => `${table}.${column} ${kind}`);
		expect(sources?.toSorted()).toEqual([
			's.t.a transformation',
			's.t.b transformation',
			's.t.c transformation',
			's.u.x transformation',
		]);
	});

	test('is used where its columns are, also inside the step', () => {
		const { reads } = run(
			"WITH RECURSIVE r (p) AS (SELECT a FROM t UNION SELECT p FROM r WHERE p > 'k') SELECT 1 FROM r",
		);
		expect(reads.map(({ table, column, uses }) => [table, column, uses])).toEqual([['s.t', 'a', ['select', 'filter']]]);
	});
});

describe('a view', () => {
	const views: Readonly<Record<string, View>> = {
		v: {
			view: parseQuery("WITH t AS (SELECT a, b FROM s.t WHERE c = 'x') SELECT b AS k, a FROM t"),
			columns: ['p', 'Q'],
		},
		w: { view: parseQuery('SELECT p AS only FROM v'), columns: ['only'] },
		loop: { view: parseQuery('SELECT n FROM loop'), columns: ['n'] },
		broken: { view: parseQuery('SELECT\n\n  nosuch FROM t'), columns: ['n'] },
	};
	const find = (name: Parameters<typeof lookup>[0]) =>
		name.database === null || name.database === 's' ? (views[name.table] ?? lookup(name)) : lookup(name);
	const see = (sql: string) => resolve(parseQuery(sql), find);

	test('is read as its query is, in its own scope', () => {
		const facts = factsOf(see('WITH t AS (SELECT x FROM u) SELECT v.p FROM s.v WHERE EXISTS (SELECT 1 FROM w)'));
		expect(facts).toMatchObject({
			tables: ['s.t', 's.u'],
			reads: { 's.t.a': 'select', 's.t.b': 'select', 's.t.c': 'filter' },
			outputs: [['p', { 's.t.b': 'identity' }, {}]],
		});
		expect(Object.keys(facts.reads)).toContain('s.u.x');
	});

	test('is printed expanded, each use by itself', () => {
		const text = printTrino(see('SELECT x.p, y.q FROM v AS x JOIN v AS y ON x.q = y.q'));
		expect(text).not.toMatch(/"s"\."v"/);
		expect(text.match(/"s"\."t"/g)).toHaveLength(2);
		expect(factsOf(run(text)).outputs).toEqual(
			factsOf(see('SELECT x.p, y.q FROM v AS x JOIN v AS y ON x.q = y.q')).outputs,
		);
	});

	test('is refused where it is named, when its query cannot be read', () => {
		expect(refusalOf(() => see('SELECT a,\n n FROM broken')).extensions).toMatchObject({ line: 2, column: 9 });
		expect(refusalOf(() => see('SELECT n FROM loop')).code).toBe('too-large');
	});
});

describe('for any query', () => {
	const many = { numRuns: 60 };
	const read = (sql: string) => Object.entries(factsOf(run(sql)).reads).map(([name, uses]) => `${name}: ${uses}`);

	test('printing and reading again keeps its meaning, and prints the same', () => {
		fc.assert(
			fc.property(generated, (make) => {
				const sql = make('z');
				const first = run(sql);
				const text = printTrino(first);
				expect(columnsRead(run(text))).toEqual(expect.arrayContaining([...columnsRead(first)]));
				expect(meaning(run(text))).toEqual(meaning(first));
				const plain = plainTables(text);
				expect(plainTables(printTrino(run(plain)))).toBe(plain);
			}),
			many,
		);
	});

	test('other aliases change nothing', () => {
		fc.assert(
			fc.property(generated, (make) => {
				expect(factsOf(run(make('other')))).toEqual(factsOf(run(make('z'))));
			}),
			many,
		);
	});

	test('a common table that nothing uses removes no read', () => {
		fc.assert(
			fc.property(generated, (make) => {
				const sql = `SELECT * FROM (${make('z')}) AS whole`;
				const more = read(`WITH dead AS (SELECT k FROM secret) ${sql}`);
				expect(more).toEqual(expect.arrayContaining(read(sql)));
				expect(more).toContain('s.secret.k: select');
			}),
			many,
		);
	});
});

test('any text is read or refused, never anything else', () => {
	const tokens =
		'SELECT FROM t u a , ( ) * . WHERE = 1 JOIN ON AS GROUP BY ORDER IN NOT CASE END -- /* count OVER UNNEST ; "q" WITH VALUES UNION -> [ ]'.split(
			' ',
		);
	const pieces = fc.constantFrom(...tokens, "'x'", '\n');
	const text = fc.oneof(
		fc.array(pieces, { maxLength: 25 }).map((list) => list.join(' ')),
		fc.string({ maxLength: 60 }),
	);
	fc.assert(
		fc.property(text, (sql) => {
			try {
				printTrino(run(sql));
			} catch (error) {
				expect(error).toBeInstanceOf(BrokerError);
				expect(error).not.toMatchObject({ code: 'internal' });
			}
		}),
		{ numRuns: 400 },
	);
});
