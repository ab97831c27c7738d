/** Texts of any size and depth: refused by a bound, or read. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { bounds } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { refusalOf } from './plain.ts';

describe('hostile sizes are refused, not suffered', () => {
	const repeat = (part: string, times: number) => part.repeat(times);
	test.each([
		['bytes', `SELECT ${repeat('a', 1_000_000)}`, 'too-large'],
		['a string', `SELECT '${repeat('x', 300_000)}'`, 'too-large'],
		['items', `SELECT 1 FROM t WHERE a IN (${repeat("'x',", 100_000)}'x')`, 'too-large'],
		['short items', `SELECT 1 FROM t WHERE a IN (${repeat('1,', 100_000)}1)`, 'too-large'],
		['commas', `SELECT ${repeat(',', 200_000)}`, 'too-large'],
		['conditions', `SELECT 1 FROM t WHERE ${repeat('a AND ', 5000)}true`, 'too-large'],
		['parentheses', `SELECT ${repeat('(', 5000)}1${repeat(')', 5000)}`, 'too-large'],
		['negations', `SELECT ${repeat('NOT ', 5000)}true`, 'too-large'],
		['signs', `SELECT ${repeat('- ', 3000)}1`, 'too-large'],
		['joins', `SELECT 1 FROM t ${repeat('JOIN u ON true ', 10_000)}`, 'too-large'],
		['comma joins', `SELECT 1 FROM t${repeat(', t', 10_000)}`, 'too-large'],
		['as many comma joins as tokens', `SELECT 1 FROM t${repeat(', t', 128)}`, 'too-large'],
		['unions', `${repeat('SELECT 1 UNION ', 1000)}SELECT 1`, 'too-large'],
		['lambdas', `SELECT ${repeat('x -> ', 1000)}1`, 'too-large'],
		['types', `SELECT cast(a AS ${repeat('array<', 1000)}int${repeat('>', 1000)}) FROM t`, 'too-large'],
		['array types', `SELECT cast(a AS int ${repeat('array ', 4000)}) FROM t`, 'too-large'],
		['subscripts', `SELECT a${repeat('[1]', 3000)} FROM t`, 'too-large'],
		['fields', `SELECT f(a)${repeat('.b', 4000)} FROM t`, 'too-large'],
		['name parts', `SELECT a${repeat('.b', 4000)} FROM t`, 'too-large'],
		['zones', `SELECT a${repeat(" AT TIME ZONE 'UTC'", 2000)} FROM t`, 'too-large'],
		['sub-queries', `SELECT ${repeat('(SELECT ', 1000)}1${repeat(')', 1000)}`, 'too-large'],
		['open parentheses', `SELECT ${repeat('(', 60)}`, 'sql-syntax'],
		['open sub-queries', `SELECT ${repeat('(SELECT ', 60)}`, 'sql-syntax'],
		['a statement in a statement', `${repeat('EXPLAIN ', 3000)}SELECT 1`, 'unsupported'],
		['digits', `SELECT ${repeat('1', 200_000)}`, 'validation'],
	])('%s', (_name, sql, code) => {
		const refusal = refusalOf(sql);
		expect(refusal.code).toBe(code);
		if (code === 'too-large') expect(Object.values(bounds).map(String)).toContain(/\d+/.exec(refusal.message)?.[0]);
	});

	test.each([
		['comma joins', `SELECT 1 FROM t${repeat(', t', 127)}`],
		['joins', `SELECT 1 FROM t ${repeat('JOIN u ON t.a = u.a ', 127)}`],
		['joins in joins', `SELECT 1 FROM t ${repeat('JOIN u ', 127)}${repeat('ON true ', 127)}`],
		['conditions', `SELECT 1 FROM t WHERE ${repeat("a = 'x' OR ", 2000)}true`],
		['sums', `SELECT ${repeat('1 + ', 3000)}1`],
		['sub-queries in a select list', `SELECT ${repeat('(SELECT 1 + ', 30)}1${repeat(')', 30)}`],
		['sub-queries in FROM', `SELECT * FROM ${repeat('(SELECT * FROM ', 60)}t${repeat(')', 60)}`],
		[
			'sub-queries in WHERE',
			`SELECT a FROM t WHERE ${repeat('a IN (SELECT a FROM u WHERE ', 60)}true${repeat(')', 60)}`,
		],
		['sub-queries in GROUP BY', `SELECT 1 FROM t ${repeat('GROUP BY (SELECT 1 FROM t ', 30)}${repeat(')', 30)}`],
		['parentheses', `SELECT ${repeat('(', 60)}a${repeat(')', 60)} FROM t`],
		['parentheses around a query', `SELECT ${repeat('(', 60)}SELECT a FROM t${repeat(')', 60)}`],
		['calls', `SELECT ${repeat('lower(', 60)}a${repeat(')', 60)} FROM t`],
		['joins in parentheses', `SELECT 1 FROM ${repeat('(t JOIN ', 60)}u${repeat(' ON t.a = u.a)', 60)}`],
		['unions', `${repeat('SELECT 1 UNION ', 127)}SELECT 1`],
		['common tables', `WITH ${repeat('c AS (SELECT a FROM t), ', 100)}d AS (TABLE c) SELECT a FROM d`],
	])('but as many %s as the bounds allow are read', (_name, sql) => {
		expect(parseQuery(sql).kind).toBe('query');
	});
});

test('the page about SQL prints every bound, in order', () => {
	const page = readFileSync(new URL('../../../docs/sql.md', import.meta.url), 'utf8');
	const [, point = ''] = /^- Texts beyond the bounds([\s\S]*?)\.\n/m.exec(page) ?? [];
	const printed = [...point.matchAll(/[\d,]*\d/g)].map(([number]) => Number(number.replaceAll(',', '')));
	expect(printed).toEqual(Object.values(bounds));
});
