/**
 * Queries made at random over tests/core/sql/tables.ts, as functions of the alias of their tables: with common tables, set
 * operations, windows, UNNEST, lambdas and sub-queries in any clause. Each is valid by construction.
 */
import * as fc from 'fast-check';

/** Text with `@` where the alias of the nearest table stands. */
type Template = string;

const literal = fc.oneof(
	fc.integer({ min: 0, max: 99 }).map(String),
	fc
		.string({ maxLength: 6 })
		.map((value) => `'${value.replaceAll("'", "''").replaceAll('\0', '').replaceAll('@', '')}'`),
	fc.constantFrom('NULL', 'TRUE', '1.5', '2e3', "DATE '2024-01-31'"),
);

const column = fc.constantFrom('a', 'b', '@.a', '@.b', '"b"', 'A');

const { expression } = fc.letrec<{ expression: Template }>((tie) => {
	const e = tie('expression');
	const two = fc.tuple(e, e);
	return {
		expression: fc.oneof(
			{ maxDepth: 3, depthSize: 'small' },
			column,
			literal,
			fc
				.tuple(e, fc.constantFrom('+', '-', '*', '/', '%', '||', '=', '<>', '<', '>='), e)
				.map(([l, op, r]) => `(${l}) ${op} (${r})`),
			fc.tuple(e, fc.constantFrom('AND', 'OR'), e).map(([l, op, r]) => `(${l}) ${op} (${r})`),
			e.map((x) => `NOT (${x})`),
			e.map((x) => `coalesce(${x}, 'x')`),
			two.map(([x, y]) => `if(${x}, ${y})`),
			two.map(([x, y]) => `CASE WHEN ${x} THEN ${y} END`),
			two.map(([x, y]) => `(${x}) NOT IN (${y}, 1)`),
			two.map(([x, y]) => `(${x}) BETWEEN (${y}) AND 3`),
			two.map(([x, y]) => `(${x}) IS NOT DISTINCT FROM (${y})`),
			e.map((x) => `(${x}) IN (SELECT x FROM u WHERE y = (@.b))`),
			e.map((x) => `EXISTS (SELECT * FROM u WHERE u.x = (${x.replaceAll(/(?<![.@"])\b[aA]\b/g, '@.a')}))`),
			e.map((x) => `CAST(${x} AS varchar(3))`),
			two.map(([x, y]) => `cardinality(transform(ARRAY[${x}, ${y}], q -> q || @.a))`),
			e.map((x) => `(SELECT max(x) FROM u) > ANY (VALUES ${x})`),
		),
	};
});

const select = fc
	.tuple(
		fc.array(expression, { minLength: 1, maxLength: 3 }),
		fc.option(expression),
		fc.constantFrom('t', 's2.t', '(SELECT a, b FROM t WHERE c = a)'),
	)
	.map(([items, where, table]): Template => {
		const list = items.map((item, index) => `${item} AS k${index}`).join(', ');
		return `SELECT ${list} FROM ${table} AS @${where === null ? '' : ` WHERE ${where}`}`;
	});

/** Of one column, k0. */
const single = fc
	.tuple(expression, fc.constantFrom('t', 's2.t'), fc.constantFrom('', 'DISTINCT '))
	.map(([item, table, distinct]): Template => `SELECT ${distinct}${item} AS k0 FROM ${table} AS @`);

const operators = fc.constantFrom('UNION', 'UNION ALL', 'INTERSECT', 'EXCEPT');

const query = fc.oneof(
	select,
	fc.tuple(single, operators, single).map(([l, op, r]): Template => `${l} ${op} ${r} ORDER BY k0, lower(k0) DESC`),
	fc.tuple(single, operators, single).map(([l, op, r]): Template => `(${l} LIMIT 3) ${op} (${r})`),
	fc
		.tuple(single, single)
		.map(([c, q]): Template => `WITH c (n) AS (${c}) SELECT n, k0 FROM c CROSS JOIN (${q}) AS d WHERE n = k0`),
	fc
		.tuple(single)
		.map(
			([c]): Template =>
				`WITH RECURSIVE r (n) AS (${c} UNION ALL SELECT n || y FROM r JOIN u ON x = n) SELECT max(n) AS m FROM r`,
		),
	fc
		.tuple(expression, expression)
		.map(
			([x, y]): Template =>
				`SELECT rank() OVER w AS k, sum(1) OVER (PARTITION BY ${y} ORDER BY b ROWS 2 PRECEDING) AS l FROM t AS @ WINDOW w AS (ORDER BY ${x})`,
		),
	fc
		.tuple(expression, expression)
		.map(
			([x, y]): Template =>
				`SELECT e, o FROM t AS @ CROSS JOIN UNNEST(ARRAY[${x}, ${y}]) WITH ORDINALITY AS n (e, o) WHERE o < 2`,
		),
	fc
		.tuple(expression, expression)
		.map(
			([x, y]): Template =>
				`SELECT a, count(*) FILTER (WHERE ${x}) AS n, array_agg(b ORDER BY ${y}) AS l FROM t AS @ GROUP BY GROUPING SETS ((a), ()) HAVING max(b) > 'k'`,
		),
	fc
		.tuple(expression)
		.map(
			([x]): Template =>
				`SELECT a, l.m FROM t AS @, LATERAL (SELECT max(x) AS m FROM u WHERE u.y = (${x.replaceAll(/(?<![.@"])\b[aA]\b/g, '@.a')})) AS l`,
		),
);

/** Give an alias, and it is the query with it. */
export const generated: fc.Arbitrary<(alias: string) => string> = query.map(
	(text) => (alias) => text.replaceAll('@', alias),
);
