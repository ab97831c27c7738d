/** Expressions of the text to nodes of the closed tree: values, literals, calls and types. */
import { describe, expect, test } from 'vitest';
import { bodyOf, call, column, expressionOf, integer, item, query, select, sort, string, table } from './plain.ts';

const [a, b] = [column('a'), column('b')];
const lambda = (parameters: readonly string[], body: unknown) => ({
	kind: 'lambda',
	parameters: parameters.map((text) => ({ text })),
	body,
});
const type = (name: string, parameters: readonly number[] = [], of: readonly unknown[] = []) => ({
	name,
	parameters,
	of,
});
const element = (inner: unknown, name: string | null = null) => ({ name, type: inner });

describe('conditions', () => {
	test('AND and OR are flat, NOT and comparisons are not', () => {
		expect(expressionOf('a AND b AND NOT a OR b')).toEqual({
			kind: 'or',
			operands: [{ kind: 'and', operands: [a, b, { kind: 'not', operand: a }] }, b],
		});
	});

	test('comparisons with all or any rows of a query', () => {
		const one = query(select([item(integer(1n))]));
		const where = (text: string) => bodyOf(`SELECT a FROM t WHERE ${text}`).where;
		expect(where('a >= ALL (SELECT 1)')).toEqual({
			kind: 'quantified',
			operator: '>=',
			quantifier: 'all',
			operand: a,
			query: one,
		});
		expect(where('a != SOME (SELECT 1)')).toMatchObject({ kind: 'quantified', operator: '<>', quantifier: 'any' });
		expect(where('a NOT IN (SELECT 1)')).toEqual({ kind: 'in-query', operand: a, query: one, negated: true });
		expect(where('EXISTS (TABLE t)')).toMatchObject({ kind: 'exists', query: { body: { from: [table('t')] } } });
	});

	test.each([
		['a IS NOT DISTINCT FROM b', { kind: 'distinct-from', left: a, right: b, negated: true }],
		['a IS NOT NULL', { kind: 'is-null', operand: a, negated: true }],
		['a NOT BETWEEN b AND 1', { kind: 'between', operand: a, low: b, high: integer(1n), negated: true }],
		["a LIKE b ESCAPE '!'", { kind: 'like', operand: a, pattern: b, escape: string('!'), negated: false }],
		['a IN (b, 1)', { kind: 'in-list', operand: a, items: [b, integer(1n)], negated: false }],
		[
			'(a, b) = ROW(1)',
			{
				kind: 'compare',
				operator: '=',
				left: { kind: 'row', items: [a, b] },
				right: { kind: 'row', items: [integer(1n)] },
			},
		],
	])('%s', (text, tree) => {
		expect(expressionOf(text)).toEqual(tree);
	});
});

describe('values', () => {
	test.each([
		['a || b || a', { kind: 'concat', operands: [a, b, a] }],
		['- a', { kind: 'negate', operand: a }],
		[
			'a - b * 2 + a',
			{
				kind: 'arithmetic',
				first: a,
				rest: [
					{
						operator: '-',
						operand: { kind: 'arithmetic', first: b, rest: [{ operator: '*', operand: integer(2n) }] },
					},
					{ operator: '+', operand: a },
				],
			},
		],
		['ARRAY[a, b]', { kind: 'array', items: [a, b] }],
		['ARRAY[]', { kind: 'array', items: [] }],
		['a[1][b]', { kind: 'subscript', operand: { kind: 'subscript', operand: a, index: integer(1n) }, index: b }],
		['A."B".c', column('a', 'b', 'c')],
		['(a).b', column('a', 'b')],
		['(a.b).c.d', column('a', 'b', 'c', 'd')],
		['a[1].b', { kind: 'field', operand: { kind: 'subscript', operand: a, index: integer(1n) }, name: { text: 'b' } }],
		["a AT TIME ZONE 'UTC'", { kind: 'at-zone', operand: a, zone: string('UTC') }],
		['GROUPING(a, t.b)', { kind: 'grouping', columns: [a, column('t', 'b')] }],
		[
			"JSON_VALUE(a, 'lax $.x' RETURNING bigint)",
			{ kind: 'json-path', name: 'json_value', operand: a, path: 'lax $.x', returning: type('bigint') },
		],
		[
			"JSON_EXISTS(a, 'strict $')",
			{ kind: 'json-path', name: 'json_exists', operand: a, path: 'strict $', returning: null },
		],
		['EXTRACT(DOW FROM a)', { kind: 'extract', field: 'dow', operand: a }],
		[
			'CASE a WHEN b THEN 1 END',
			{ kind: 'case', operand: a, branches: [{ when: b, value: integer(1n) }], otherwise: null },
		],
		[
			'CASE WHEN a THEN b ELSE 1 END',
			{ kind: 'case', operand: null, branches: [{ when: a, value: b }], otherwise: integer(1n) },
		],
	])('%s', (text, tree) => {
		expect(expressionOf(text)).toEqual(tree);
	});
});

describe('literals are values', () => {
	const interval = (value: string, unit: string, to: string | null, negative = false) => ({
		kind: 'interval',
		negative,
		value,
		unit,
		to,
	});
	test.each([
		["U&'\\0041\\+01F600\\\\''x'", string("A\u{1f600}\\'x")],
		["U&'!0041!!' UESCAPE '!'", string('A!')],
		["X'0a FF'", { kind: 'binary', value: '0AFF' }],
		['-.50', { kind: 'decimal', text: '-0.50' }],
		['1_000.', { kind: 'decimal', text: '1000' }],
		['1.e3', { kind: 'double', text: '1.0E3' }],
		['0b101', integer(5n)],
		["date '2024-1-31'", { kind: 'date', value: '2024-01-31' }],
		["time '1:02'", { kind: 'time', value: '01:02:00' }],
		["timestamp '2024-01-31'", { kind: 'timestamp', value: '2024-01-31 00:00:00' }],
		["timestamp '2024-01-31 1:02:03.456'", { kind: 'timestamp', value: '2024-01-31 01:02:03.456' }],
		[
			"timestamp '2024-01-31 10:00 Europe/Prague'",
			{ kind: 'timestamp-zone', value: '2024-01-31 10:00:00 Europe/Prague' },
		],
		["timestamp '2024-01-31 10:00:00-05:30'", { kind: 'timestamp-zone', value: '2024-01-31 10:00:00 -05:30' }],
		["timestamp '2024-01-31 UTC'", { kind: 'timestamp-zone', value: '2024-01-31 00:00:00 UTC' }],
		["INTERVAL -'2' DAY", interval('2', 'day', null, true)],
		["INTERVAL '1-6' YEAR TO MONTH", interval('1-6', 'year', 'month')],
		["INTERVAL '-1 02:03:04.5' DAY TO SECOND", interval('1 02:03:04.5', 'day', 'second', true)],
		["bigint '12'", { kind: 'cast', operand: string('12'), type: type('bigint'), safe: false }],
		["DOUBLE PRECISION '1.5'", { kind: 'cast', operand: string('1.5'), type: type('double'), safe: false }],
		["JSON '{}'", call('json_parse', [string('{}')])],
	])('%s', (text, tree) => {
		expect(expressionOf(text)).toEqual(tree);
	});
});

describe('calls', () => {
	test.each([
		['count(*)', call('count', [], { star: true })],
		['count()', call('count', [], { star: true })],
		['count(DISTINCT a) FILTER (WHERE b)', call('count', [a], { distinct: true, filter: b })],
		['array_agg(a ORDER BY b DESC NULLS LAST)', call('array_agg', [a], { orderBy: [sort(b, true, 'last')] })],
		[
			"LISTAGG(a, ',' ON OVERFLOW ERROR) WITHIN GROUP (ORDER BY b)",
			call('listagg', [a, string(',')], { orderBy: [sort(b)] }),
		],
		['lag(a) IGNORE NULLS OVER w', call('lag', [a], { nulls: 'ignore', over: { kind: 'named-window', name: 'w' } })],
		['transform(a, x -> x.y)', call('transform', [a, lambda(['x'], column('x', 'y'))])],
		[
			'reduce(a, 0, (S, x) -> s, s -> s)',
			call('reduce', [a, integer(0n), lambda(['s', 'x'], column('s')), lambda(['s'], column('s'))]),
		],
		['TRIM(a)', call('trim', [a])],
		['TRIM(FROM a)', call('trim', [a])],
		['TRIM(LEADING FROM a)', call('ltrim', [a])],
		["TRIM(TRAILING 'x' FROM a)", call('rtrim', [a, string('x')])],
		["TRIM('x' FROM a)", call('trim', [a, string('x')])],
		["TRIM(a, 'x')", call('trim', [a, string('x')])],
		['NORMALIZE(a, nfkc)', call('normalize', [a, string('NFKC')])],
		['POSITION(a IN b)', call('strpos', [b, a])],
		['SUBSTRING(a FROM 2 FOR 3)', call('substr', [a, integer(2n), integer(3n)])],
		['substring(a, 2)', call('substring', [a, integer(2n)])],
		['COALESCE(a, b)', call('coalesce', [a, b])],
		['current_date', call('current_date', [], { bare: true })],
		['localtimestamp', call('localtimestamp', [], { bare: true })],
	])('%s', (text, tree) => {
		expect(expressionOf(text)).toEqual(tree);
	});
});

describe('types of CAST', () => {
	test.each([
		['int', type('integer')],
		['decimal(10, 2)', type('decimal', [10, 2])],
		['array(varchar(3))', type('array', [], [element(type('varchar', [3]))])],
		['array<int>', type('array', [], [element(type('integer'))])],
		['bigint ARRAY', type('array', [], [element(type('bigint'))])],
		[
			'map<varchar, array<date>>',
			type('map', [], [element(type('varchar')), element(type('array', [], [element(type('date'))]))]),
		],
		['row(X int, double)', type('row', [], [element(type('integer'), 'x'), element(type('double'))])],
		['timestamp(6)', type('timestamp', [6])],
		['timestamp(3) with time zone', type('timestamp with time zone', [3])],
		['time without time zone', type('time')],
		['interval day to second', type('interval day to second')],
		['double precision', type('double')],
		['varbinary', type('varbinary')],
	])('%s', (text, tree) => {
		expect(expressionOf(`TRY_CAST(a AS ${text})`)).toEqual({ kind: 'cast', operand: a, type: tree, safe: true });
	});
});
