/** The allow-list: no function outside of it, and none called otherwise than Trino takes it. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BrokerError } from '#core/error.ts';
import { type FunctionRule, once } from '#core/sql/functions/rules.ts';
import { bareFunctions, functionNames, functionRule } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';

/** What refuses it, with the place in the text; 'read' if nothing does. */
function outcome(expression: string): string {
	try {
		parseQuery(`SELECT ${expression} FROM t`);
	} catch (error) {
		if (!(error instanceof BrokerError)) throw error;
		return `${error.code} ${JSON.stringify(error.extensions.column)} ${error.message}`;
	}
	return 'read';
}

const refused = new Map<string, readonly (readonly [expression: string, what: string])[]>([
	[
		'unknown functions',
		[
			['nosuch(a)', 'unsupported 8 The function nosuch is not supported.'],
			['1 + datediff(a, b)', 'unsupported 12 The function datediff is not supported. Perhaps date_diff'],
			['nvl(a, b)', 'unsupported 8 The function nvl is not supported. Perhaps coalesce'],
			['coalesc(a)', 'unsupported 8 The function coalesc is not supported. Perhaps coalesce'],
			['random()', 'unsupported 8 The function random is not supported: it gives another answer each time.'],
			['shuffle(a)', 'unsupported 8'],
			['uuid()', 'unsupported 8'],
			['now_()', 'unsupported 8 The function now_ is not supported. Perhaps now'],
			['current_date()', 'sql-syntax'],
			['version()', 'unsupported 8'],
			['constructor()', 'unsupported 8 The function constructor is not supported.'],
			['__proto__(a)', 'unsupported 8'],
		],
	],
	[
		'numbers of arguments',
		[
			['lower()', 'validation 8 The function lower does not take 0 arguments.'],
			['lower(a, b)', 'validation 8 The function lower does not take 2 arguments.'],
			['nullif(a)', 'validation 8 The function nullif does not take one argument.'],
			['width_bucket(a, b, c)', 'validation 8 The function width_bucket does not take 3 arguments.'],
			['map(a)', 'validation 8 The function map does not take one argument.'],
			['row_number(a) OVER ()', 'validation 8'],
			['sum(*)', 'validation 8'],
			['count(a, b)', 'validation 8'],
			['count(DISTINCT *)', 'sql-syntax'],
		],
	],
	[
		'what only aggregates take',
		[
			['lower(DISTINCT a)', 'validation 8 The function lower is no aggregate and takes no DISTINCT.'],
			['lower(a ORDER BY b)', 'validation 8 The function lower is no aggregate and takes no ORDER BY.'],
			['lower(a) FILTER (WHERE b)', 'validation 8 The function lower is no aggregate and takes no FILTER.'],
			['rank() FILTER (WHERE b) OVER (ORDER BY a)', 'validation 8'],
			['listagg(a)', 'sql-syntax'],
		],
	],
	[
		'windows',
		[
			['lower(a) OVER ()', 'validation 8 The function lower is no window function and takes no OVER.'],
			['row_number()', 'validation 8 The function row_number is a window function and needs OVER.'],
			['lag(a) OVER ()', 'validation 8 The function lag needs ORDER BY in its window.'],
			['lead(a) OVER (ORDER BY b ROWS 1 PRECEDING)', 'validation 8 The function lead takes no frame in its window.'],
			['count(DISTINCT a) OVER ()', 'validation 8 The function count does not take DISTINCT together with OVER.'],
			['sum(a) FILTER (WHERE b) OVER ()', 'validation 8 The function sum does not take FILTER together with OVER.'],
			['array_agg(a ORDER BY b) OVER ()', 'validation 8'],
			['sum(a) IGNORE NULLS OVER ()', 'validation 8 The function sum does not take IGNORE NULLS.'],
			['rank() RESPECT NULLS OVER (ORDER BY a)', 'validation 8'],
			['sum(rank() OVER (ORDER BY a)) OVER ()', 'validation 12 A window function cannot stand inside another one.'],
			['sum(a) OVER (ORDER BY rank() OVER (ORDER BY a))', 'validation 30'],
		],
	],
	[
		'aggregates in aggregates',
		[
			['sum(sum(a))', 'validation 12 An aggregate, a window function or GROUPING cannot stand inside an aggregate.'],
			['sum(1 + max(a))', 'validation 16'],
			['sum(rank() OVER (ORDER BY a))', 'validation 12'],
			['sum(a) FILTER (WHERE max(b) > 1)', 'validation 29'],
			['array_agg(a ORDER BY max(b))', 'validation 29'],
			['sum(grouping(a))', 'validation 12'],
		],
	],
	[
		'lambdas',
		[
			['transform(a, 1)', 'validation 21 The function transform takes a lambda of one parameter here.'],
			['transform(a, (x, y) -> 1)', 'validation 21 The function transform takes a lambda of one parameter here.'],
			['reduce(a, 0, s -> s, s -> s)', 'validation 21 The function reduce takes a lambda of 2 parameters here.'],
			['lower(x -> x)', 'validation 14 The function lower takes no lambda here.'],
			['transform(x -> x, a)', 'validation 18'],
			['transform(a, x -> sum(x))', 'validation 26 A lambda holds no aggregate, window function or GROUPING.'],
			['transform(a, x -> rank() OVER (ORDER BY x))', 'validation 26'],
			['transform(a, x -> (SELECT x))', 'unsupported 26 A sub-query in a lambda is not supported.'],
			['transform(a, x -> any_match(b, y -> y > max(x)))', 'validation'],
			['1 + (x -> x)', ''],
			['array[x -> x]', ''],
			['CASE WHEN a THEN x -> x END', ''],
			['CAST(x -> x AS integer)', ''],
			['sum(a ORDER BY x -> x)', ''],
		],
	],
]);

describe.each([...refused])('%s', (_group, cases) => {
	test.each(cases)('%s is refused', (expression, what) => {
		const found = outcome(expression);
		expect(found).not.toBe('read');
		expect(found).toContain(what);
	});
});

test.each([
	'count(*) FILTER (WHERE a > 1)',
	'count()',
	'sum(sum(a)) OVER (ORDER BY max(b))',
	'array_agg(DISTINCT a ORDER BY a DESC)',
	"listagg(a, ',') WITHIN GROUP (ORDER BY b)",
	'lag(a, 1, 0) IGNORE NULLS OVER (PARTITION BY b ORDER BY c)',
	'lag(a) OVER w',
	'nth_value(a, 2) OVER (ORDER BY b ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)',
	'sum((SELECT max(x) FROM u))',
	'transform(a, x -> transform(b, y -> x + y))',
	'array_sort(a)',
	'array_sort(a, (x, y) -> x - y)',
	'reduce_agg(a, 0, (s, x) -> s + x, (s, r) -> s + r)',
	'width_bucket(a, b)',
	'map()',
	'current_date',
	'localtime',
])('%s is read', (expression) => {
	expect(outcome(expression)).toBe('read');
});

test('a name of the list has one rule', () => {
	const [first, second] = ['lower', 'upper'].map((name) => [name, functionRule(name) as FunctionRule] as const);
	if (first === undefined || second === undefined) throw new Error('not on the list');
	expect(once([first, second]).size).toBe(2);
	expect(() => once([first, second, first])).toThrow('two rules');
});

test('a name of the list is written in one way, and no function is on it that tells more than its arguments', () => {
	for (const name of functionNames()) {
		expect(name).toMatch(/^[a-z][a-z0-9_]*$/);
		expect(functionRule(name) === undefined).toBe(bareFunctions.has(name));
	}
	const telling = [
		'current_user',
		'current_catalog',
		'current_schema',
		'invoker_principal',
		'version',
		'query',
		'table',
	];
	for (const name of [...telling, 'random', 'rand', 'uuid', 'shuffle']) expect(functionNames()).not.toContain(name);
});

test('each bound of a rule is one that its lambdas fit in', () => {
	for (const name of functionNames()) {
		const rule = functionRule(name);
		for (const [place, parameters] of rule?.lambdas ?? []) {
			expect(place).toBeLessThan(rule?.most ?? 0);
			expect(parameters).toBeGreaterThan(0);
		}
		expect(rule?.least ?? 0).toBeLessThanOrEqual(rule?.most ?? 0);
	}
});

test('the page about SQL names every function that may be called, and no other', () => {
	const [, list = ''] = readFileSync(new URL('../../../docs/sql.md', import.meta.url), 'utf8').split('## Functions');
	const names = [...list.matchAll(/`([a-z0-9_]+)`/g)].map(([, name]) => name);
	expect(names).toEqual(functionNames().toSorted((a, b) => (a < b ? -1 : 1)));
});
