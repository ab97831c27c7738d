/** A printed query means what was read, names nothing that is not granted, and holds values as they are. */
import { describe, expect, test } from 'vitest';
import { lineageFacet, normalise, printTrino, type Relation, resolve } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { validCases } from './sql/fixture.ts';
import { columnsRead, meaning, plainTables, run } from './sql/run.ts';
import { lookup } from './sql/tables.ts';

describe('the printed text', () => {
	const printable = validCases.filter(({ facts }) => Object.keys(facts.reads).every((name) => !name.endsWith('!')));
	const unfiltered = (name: Parameters<typeof lookup>[0]): Relation | undefined => {
		const found = lookup(name);
		return found === undefined ? undefined : { ...found, rowFilter: null };
	};
	const print = (sql: string) => printTrino(resolve(parseQuery(sql), unfiltered));

	test.each(printable.map(({ sql }) => sql))('of %j means the same, and is printed the same again', (sql) => {
		const first = resolve(parseQuery(sql), unfiltered);
		const text = printTrino(first);
		const second = resolve(parseQuery(text), unfiltered);
		expect(columnsRead(second)).toEqual(expect.arrayContaining([...columnsRead(first)]));
		expect(meaning(second)).toEqual(meaning(first));
		const plain = plainTables(text);
		expect(plainTables(print(plain))).toBe(plain);
	});

	test('reads each table through a sub-query of the columns read, in table order, with the row filter', () => {
		expect(printTrino(run("SELECT l.status, l.loan_id FROM lending.loans AS l WHERE l.status <> 'x'"))).toBe(
			'SELECT "l"."status" AS "status", "l"."loan_id" AS "loan_id" FROM (SELECT "loan_id", "status" FROM ' +
				'"lending"."loans" WHERE "status" = \'it\'\'s\') AS "l" WHERE ("l"."status" <> \'x\')',
		);
	});

	test('reads the first granted column where the query names none', () => {
		expect(printTrino(run('SELECT count(*) FROM loans'))).toContain('(SELECT "loan_id" FROM "lending"."loans"');
	});

	test('has no row filter whose column is not granted', () => {
		const loans = lookup({ catalog: null, database: null, table: 'loans' });
		const hidden = loans?.columns.map((column) => ({ ...column, granted: column.name === 'loan_id' })) ?? [];
		const query = parseQuery('SELECT loan_id FROM loans');
		expect(
			printTrino(resolve(query, () => (loans === undefined ? loans : { ...loans, columns: hidden }))),
		).not.toContain('WHERE');
	});

	test.each([
		['SELECT duration FROM loans', 'column-not-granted'],
		['SELECT 1 FROM loans WHERE duration = 1', 'column-not-granted'],
		['WITH dead AS (SELECT duration FROM loans) SELECT 1', 'column-not-granted'],
		['SELECT count(*) FROM hidden', 'table-not-granted'],
	])('never has a column that is not granted: %s', (sql, code) => {
		const resolved = run(sql);
		expect(() => printTrino(resolved)).toThrow(expect.objectContaining({ code }));
	});

	test('keeps apart tables of the same name, and inner from outer ones', () => {
		const text = printTrino(run("SELECT t.a FROM t WHERE EXISTS (SELECT 1 FROM s2.t AS t WHERE t.a = 'x')"));
		expect(text).toContain('"s2"."t") AS "t_2" WHERE ("t_2"."a" = \'x\')');
	});

	test('names no table of the query around as a nearer column is named', () => {
		// Unchanged, "t"."a" inside would be a field of the nearer column t.
		const text = printTrino(run('SELECT (SELECT max(shade.k) FROM shade WHERE s2.t.a = shade.t.a) AS m FROM s2.t'));
		expect(text).toContain('FROM (SELECT "a" FROM "s2"."t") AS "t_2"');
		expect(text).toContain('("t_2"."a" = "shade"."t"."a")');
	});

	test('names no table as an output is named that ORDER BY would take for it', () => {
		expect(printTrino(run('SELECT b AS t FROM t ORDER BY c, lower(t)'))).toBe(
			'SELECT "t_2"."b" AS "t" FROM (SELECT "b", "c" FROM "s"."t") AS "t_2" ' +
				'ORDER BY "t_2"."c" ASC NULLS LAST, lower("t_2"."b") ASC NULLS LAST',
		);
	});

	test('gives no common table the name that a base table is printed with', () => {
		const plain = (name: Parameters<typeof lookup>[0]) => {
			const found = lookup(name);
			return found === undefined ? undefined : { ...found, printed: [name.table] };
		};
		const query = parseQuery('WITH t AS (SELECT a FROM u) SELECT t.a FROM t, s.t AS z');
		expect(printTrino(resolve(query, plain))).toBe(
			'WITH "t_2" ("a") AS (SELECT "u"."a" AS "a" FROM (SELECT "a" FROM "u") AS "u") ' +
				'SELECT "t"."a" AS "a" FROM "t_2" AS "t" ("a"), (SELECT "a" FROM "t") AS "z"',
		);
	});

	test('gives each of many like names one of its own', () => {
		const text = printTrino(run('SELECT * FROM (SELECT a, a, a, 1 AS a_2, a FROM t) AS d (p, q, r, s, z)'));
		const names = [...(/ AS "d" \((.*?)\)/.exec(text)?.[1] ?? '').matchAll(/"[a-z0-9_]+"/g)].map(([name]) => name);
		expect(names).toHaveLength(5);
		expect(new Set(names).size).toBe(5);
	});

	test('has decimals with their type, since Athena takes a bare one as a double', () => {
		const text = printTrino(run('SELECT 1.50 AS p, -.5 AS q, 1e0 AS r FROM t'));
		expect(text).toContain(`SELECT DECIMAL '1.50' AS "p", DECIMAL '-0.5' AS "q", 1E0 AS "r"`);
		expect(printTrino(run(text))).toContain(`DECIMAL '-0.5'`);
	});

	test('sorts by places and by what names stand for', () => {
		const text = printTrino(run('SELECT b AS a FROM t ORDER BY a, lower(a) DESC NULLS FIRST'));
		expect(text).toMatch(/ORDER BY 1 ASC NULLS LAST, lower\("t"\."b"\) DESC NULLS FIRST$/);
	});

	test.each([
		[
			'SELECT a FROM t UNION SELECT x FROM u ORDER BY lower(a)',
			'SELECT "t"."a" AS "a" FROM (SELECT "a" FROM "s"."t") AS "t" UNION SELECT "u"."x" AS "x" FROM (SELECT "x" FROM "s"."u") AS "u" ORDER BY lower("a") ASC NULLS LAST',
		],
		[
			'SELECT transform(tags, x -> x || id) AS k FROM deep',
			'SELECT transform("deep"."tags", ("x") -> ("x" || "deep"."id")) AS "k" FROM (SELECT "id", "tags" FROM "s"."deep") AS "deep"',
		],
		[
			'SELECT who.home.city FROM deep TABLESAMPLE BERNOULLI (10)',
			'SELECT "deep"."who"."home"."city" AS "city" FROM (SELECT "who" FROM "s"."deep") AS "deep" TABLESAMPLE BERNOULLI (10)',
		],
		[
			"SELECT listagg(a, ',') WITHIN GROUP (ORDER BY b) FILTER (WHERE c = 'x') AS k FROM t",
			`SELECT LISTAGG("t"."a", ',') WITHIN GROUP (ORDER BY "t"."b" ASC NULLS LAST) FILTER (WHERE ("t"."c" = 'x')) AS "k" FROM (SELECT "a", "b", "c" FROM "s"."t") AS "t"`,
		],
		[
			"SELECT trim(LEADING 'x' FROM a) AS p, rtrim(a) AS q, normalize(a, NFD) AS r FROM t",
			`SELECT TRIM(LEADING 'x' FROM "t"."a") AS "p", rtrim("t"."a") AS "q", NORMALIZE("t"."a", NFD) AS "r" FROM (SELECT "a" FROM "s"."t") AS "t"`,
		],
		[
			'SELECT first_value(a) IGNORE NULLS OVER (w ROWS 2 PRECEDING) AS k FROM t WINDOW w AS (PARTITION BY b ORDER BY c)',
			'SELECT first_value("t"."a") IGNORE NULLS OVER ("w" ROWS 2 PRECEDING) AS "k" FROM (SELECT "a", "b", "c" FROM "s"."t") AS "t" WINDOW "w" AS (PARTITION BY "t"."b" ORDER BY "t"."c" ASC NULLS LAST)',
		],
		[
			"SELECT CAST(a AS map(varchar, array(row(f decimal(3, 1), g timestamp(3) with time zone)))), INTERVAL '1-2' YEAR TO MONTH, X'0F' FROM t",
			`SELECT CAST("t"."a" AS MAP(VARCHAR, ARRAY(ROW("f" DECIMAL(3, 1), "g" TIMESTAMP(3) WITH TIME ZONE)))) AS "_col0", INTERVAL '1-2' YEAR TO MONTH AS "_col1", X'0F' AS "_col2" FROM (SELECT "a" FROM "s"."t") AS "t"`,
		],
	])('of %s', (sql, text) => {
		expect(printTrino(run(sql))).toBe(text);
	});

	test.each(["'", "''", "\\'", '"', '--', '/*', "it's", '\n', '\r', 'ü', '; DROP TABLE t'])(
		'holds the string %j as the value it is',
		(value) => {
			const text = printTrino(run(`SELECT '${value.replaceAll("'", "''")}' AS k`));
			expect(parseQuery(text).body).toMatchObject({ items: [{ expression: { kind: 'string', value } }] });
		},
	);
});

test('a normalised text has no literal and folds names, comments and spacing', () => {
	const one = normalise(parseQuery("SELECT A FROM T WHERE b = 'secret' AND c IN (1, 2.5) -- x\nLIMIT 5"));
	const two = normalise(parseQuery("select a\nfrom t where b = 'other' and c in (3, 4e0) limit 9"));
	expect(one).toBe(two);
	expect(one).not.toMatch(/secret|2\.5|5/);
	expect(normalise(parseQuery('SELECT a FROM t WHERE c = 1'))).not.toBe(one);
});

test('a normalised text has no literal of any clause', () => {
	const query =
		parseQuery(`WITH x (p) AS (VALUES 71, 72) SELECT json_value(a, 'lax $.k73'), sum(n) OVER (ROWS 74 PRECEDING)
		FROM numbers TABLESAMPLE BERNOULLI (75) CROSS JOIN UNNEST(ARRAY[76]) AS z (e) OFFSET 77 FETCH FIRST 78 ROWS ONLY`);
	expect(normalise(query)).not.toMatch(/7[1-8]/);
});

test('the lineage is told as OpenLineage has it, what decides on rows once for all columns', () => {
	const resolved = run("SELECT a, CASE WHEN b = 'x' THEN a END, count(c) AS a FROM t WHERE c > 'y' GROUP BY 1, 2");
	const name = (table: string) => ({ namespace: 'lake', name: table });
	const facet = lineageFacet(resolved, name, 'https://fairlead.example');
	const from = (field: string, type: string, subtype: string) => ({
		namespace: 'lake',
		name: 's.t',
		field,
		transformations: [{ type, subtype, description: '', masking: false }],
	});
	expect(facet.fields).toEqual({
		a: { inputFields: [from('a', 'DIRECT', 'IDENTITY')] },
		_col1: { inputFields: [from('a', 'DIRECT', 'TRANSFORMATION'), from('b', 'INDIRECT', 'CONDITIONAL')] },
		a_2: { inputFields: [from('c', 'DIRECT', 'AGGREGATION')] },
	});
	const rows = facet.dataset.map(({ field, transformations }) => [
		field,
		transformations.map(({ subtype }) => subtype),
	]);
	expect(rows).toEqual([
		['c', ['FILTER']],
		['a', ['GROUP_BY']],
		['b', ['CONDITIONAL']],
	]);
});
