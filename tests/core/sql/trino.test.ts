/** Texts that Trino reads otherwise than they look: what is printed means to it what was analysed, or they are refused. */
import { describe, expect, test } from 'vitest';
import { printTrino, type Relation, resolve } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { refusalOf } from '#tests/refusal.ts';
import { factsOf } from './fixture.ts';
import { run } from './run.ts';

const printed = (sql: string) => printTrino(run(sql));

describe('a sub-query in more parentheses than one pair', () => {
	test.each([
		['SELECT a FROM t WHERE a NOT IN ((SELECT x FROM u) LIMIT ALL)', 'NOT IN (SELECT'],
		['SELECT a FROM t WHERE a > ALL ((SELECT x FROM u))', '> ALL (SELECT'],
		['SELECT a FROM t WHERE a IN (((SELECT x FROM u) LIMIT ALL) LIMIT ALL)', 'IN (SELECT'],
	])('%s is printed in one, since a list of one scalar query is something else', (sql, expected) => {
		expect(printed(sql)).toContain(expected);
	});

	test('keeps what stands around it', () => {
		expect(printed('SELECT a FROM t WHERE a IN ((SELECT x FROM u) OFFSET 0)')).toMatch(/IN \(\(SELECT.*\) OFFSET 0\)/);
	});
});

test.each([
	['7.', "DECIMAL '7'"],
	['7.0', "DECIMAL '7.0'"],
	['-(2147483648)', '(- (2147483648))'],
	['CAST(ROW(1) AS ROW("customerId" integer, PlainName integer))', 'ROW("customerId" INTEGER, "plainname" INTEGER)'],
])('%s keeps its type and its case: %s', (expression, expected) => {
	expect(printed(`SELECT ${expression} AS k FROM t`)).toContain(expected);
});

test.each([
	['SELECT +a FROM t', 'unsupported', 8],
	['SELECT 1 AS "\u0131" FROM t', 'unsupported', 13],
	['SELECT "\u03c2" FROM t', 'unsupported', 8],
	['SELECT s.t.a FROM t', 'column-not-found', 8],
	['SELECT p FROM deep CROSS JOIN LATERAL (VALUES who) AS x (p)', 'unsupported', 47],
])('%s is refused as %s', (sql, code, column) => {
	expect(refusalOf(() => run(sql))).toMatchObject({ code, extensions: { line: 1, column } });
});

test('the field of a row that is named by its number is that one, and not the first', () => {
	const sql = 'SELECT p, q FROM t CROSS JOIN UNNEST(ROW(ARRAY[ROW(t.a, t.a)], ARRAY[t.b])[2]) AS x (p, q)';
	expect(refusalOf(() => run(sql))).toMatchObject({ code: 'validation' });
	const one = run('SELECT p FROM t CROSS JOIN UNNEST(ROW(ARRAY[ROW(t.a, t.a)], ARRAY[t.b])[2]) AS x (p)');
	expect(one.outputs).toHaveLength(1);
});

test('parentheses around a name change nothing of it', () => {
	const columns = [
		{ name: 'a', type: 'int', granted: true },
		{ name: 'u', type: 'struct<a:int>', granted: true },
	];
	const relation: Relation = { id: 'x', printed: ['db', 'u'], columns, rowFilter: null };
	const facts = (sql: string) => factsOf(resolve(parseQuery(sql), () => relation));
	expect(facts('SELECT (u).a FROM u')).toEqual(facts('SELECT u.a FROM u'));
});
