/** A row filter is what Lake Formation takes, printed one way; `covers` says yes only where that is certain. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BrokerError } from '#core/error.ts';
import {
	canonical,
	columnsOf,
	covers,
	either,
	type FilterColumn,
	MAX_EXPRESSION,
	printRowFilter,
	RowFilter,
} from '#core/rowfilter.ts';
import { parseRowFilter } from '#local/rowfilter.ts';
import { refusalOf } from '#tests/refusal.ts';
import { filter, holds, rows } from './rowfilter/rows.ts';

const columns: readonly FilterColumn[] = [
	{ name: 's', type: 'string', partition: false },
	{ name: 'v', type: 'varchar(10)', partition: false },
	{ name: 'n', type: 'int', partition: false },
	{ name: 'b', type: 'bigint', partition: false },
	{ name: 'x', type: 'double', partition: false },
	{ name: 'm', type: 'decimal(10,2)', partition: false },
	{ name: 'f', type: 'boolean', partition: false },
	{ name: 'p', type: 'string', partition: true },
	{ name: 'd', type: 'date', partition: false },
	{ name: 't', type: 'timestamp', partition: false },
	{ name: 'l', type: 'array<string>', partition: false },
	{ name: 'r', type: 'struct<f:int>', partition: false },
	{ name: 'bin', type: 'binary', partition: false },
	{ name: 'oid', type: 'int', partition: false },
	{ name: 'odd "one', type: 'string', partition: false },
];

const refusal = (text: string): BrokerError => refusalOf(() => parseRowFilter(text, columns));

function print(text: string): string {
	return printRowFilter(parseRowFilter(text, columns));
}

describe('what Lake Formation would not take is refused, with its place', () => {
	test.each([
		['', 1],
		["s = 'a' AND", 12],
		["s = 'a';", 8],
		["s = 'a' OR 1 = 1", 12],
		['true', 1],
		['f', 1],
		["lower(s) = 'a'", 1],
		["s = lower('A')", 5],
		["cast(n AS varchar) = '1'", 1],
		['n = n', 5],
		['s = v', 5],
		['n + 1 = 2', 1],
		['n = 1 + 1', 5],
		['n = -(1)', 5],
		["s || 'x' = 'ax'", 1],
		["s IN (SELECT 'a')", 7],
		['EXISTS (SELECT 1)', 9],
		['n = (SELECT 1)', 6],
		["s LIKE 'a!%' ESCAPE '!'", 21],
		["n LIKE '1%'", 1],
		['s LIKE v', 8],
		["d = DATE '2024-01-01'", 1],
		["d = '2024-01-01'", 1],
		["t > '2024-01-01'", 1],
		["l = 'a'", 1],
		['r = 1', 1],
		["bin = 'a'", 1],
		['oid = 1', 1],
		['p IS NULL', 1],
		['p IS NOT NULL', 1],
		["n = '1'", 5],
		['s = 1', 5],
		['f = 1', 5],
		['f < true', 1],
		['f BETWEEN false AND true', 1],
		["n IN (1, 'a')", 10],
		['n = NULL', 5],
		['n = 1.5', 5],
		['n = 2147483648', 5],
		['b = 9223372036854775808', 5],
		['x = 1e30', 5],
		['x = 1e999999999', 5],
		['m = 0.123456789012345678901234567890123456789', 5],
		["table.s = 'a'", 1],
		["t.s = 'a'", 1],
		['s IS DISTINCT FROM v', 1],
		["CASE WHEN s = 'a' THEN true END", 1],
		['x = ?', 5],
		["`s` = 'a'", 1],
	])('%j', (text, column) => {
		const { code, extensions } = refusal(text);
		expect([code, extensions.line, extensions.column]).toEqual(['row-filter-invalid', 1, column]);
	});

	test('an unknown column is named', () => {
		expect(refusal("s = 'a' AND nosuch = 1")).toMatchObject({
			code: 'column-not-found',
			extensions: { name: 'nosuch', line: 1, column: 13 },
		});
	});

	test('a text with half of a surrogate pair, which would be stored as another', () => {
		expect(refusal("s = 'a' OR s = '\ud800'")).toMatchObject({
			code: 'row-filter-invalid',
			extensions: { line: 1, column: 17 },
		});
		const value = { type: 'string', value: '\udc00' };
		expect(RowFilter.safeParse({ op: 'compare', column: 's', operator: '=', value }).success).toBe(false);
	});

	test('a text of more than 2047 characters as printed', () => {
		const items = (count: number) =>
			`s IN (${Array.from({ length: count }, (_, index) => `'${1000 + index}'`).join(', ')})`;
		expect(print(items(250))).toHaveLength('"s" IN ()'.length + 250 * 8 - 2);
		expect(refusal(items(260)).code).toBe('row-filter-invalid');
		expect(refusal(`s = '${'x'.repeat(300_000)}'`).code).toBe('row-filter-invalid');
		expect(refusal(`${'('.repeat(100)}s = 'a'${')'.repeat(100)}`).code).toBe('row-filter-invalid');
	});

	test.each([
		{ op: 'compare', column: 's', operator: '==', value: { type: 'string', value: 'a' } },
		{ op: 'compare', column: 's', operator: '=', value: { type: 'number', value: '01' } },
		{ op: 'compare', column: 's', operator: '=', value: { type: 'number', value: '1 OR 1=1' } },
		{ op: 'compare', column: 's', operator: '=', value: { type: 'string', value: 'a' }, extra: 1 },
		{ op: 'in', column: 's', values: [] },
		{ op: 'or', operands: [] },
		{ op: 'not', operand: { op: 'sql', text: 'true' } },
	])('a tree of another shape: %j', (tree) => {
		expect(RowFilter.safeParse(tree).success).toBe(false);
	});
});

describe('the printed form', () => {
	test.each([
		["status_free = 'x' OR true", null],
		["S = 'it''s'", `"s" = 'it''s'`],
		["'a' = s", `"s" = 'a'`],
		['5 < n', '"n" > 5'],
		['n != 1', '"n" <> 1'],
		['NOT n = 1', '"n" <> 1'],
		['NOT n <> 1', '"n" = 1'],
		['NOT NOT n > 1', '"n" > 1'],
		['NOT n > 1', 'NOT ("n" > 1)'],
		['n NOT BETWEEN 1 AND 2', 'NOT ("n" BETWEEN 1 AND 2)'],
		['n NOT IN (2, 1, 2)', '"n" NOT IN (1, 2)'],
		['n IN (3)', '"n" = 3'],
		["s IN ('D', 'B')", `"s" IN ('B', 'D')`],
		["s = 'B' OR s = 'D' OR s = 'B'", `"s" IN ('B', 'D')`],
		["v NOT LIKE 'a%'", `"v" NOT LIKE 'a%'`],
		['x IS NOT NULL', '"x" IS NOT NULL'],
		['x > -1.50', '"x" > -1.5'],
		['x > 1e2', '"x" > 100'],
		['m = .50', '"m" = 0.5'],
		['f = TRUE', '"f" = true'],
		["n = 1 AND (s = 'a' AND n = 1)", `("n" = 1) AND ("s" = 'a')`],
		["NOT (n = 1 AND s = 'a')", `("n" <> 1) OR ("s" <> 'a')`],
		['"odd ""one" = \'a\'', `"odd ""one" = 'a'`],
		["p = 'x' AND p LIKE '%y'", `("p" = 'x') AND ("p" LIKE '%y')`],
	])('of %j is %j', (text, printed) => {
		if (printed === null) expect(refusal(text).code).toMatch(/row-filter-invalid|column-not-found/);
		else expect(print(text)).toBe(printed);
	});

	test('names its columns', () => {
		expect(columnsOf(parseRowFilter("n = 1 OR (s = 'a' AND NOT n = 2)", columns))).toEqual(['n', 's']);
	});
});

describe('for any filter', () => {
	test('its printed form is read as its canonical tree', () => {
		fc.assert(
			fc.property(filter, (tree) => {
				const printed = printRowFilter(tree);
				fc.pre(printed.length <= MAX_EXPRESSION);
				expect(parseRowFilter(printed, columns)).toEqual(canonical(tree));
			}),
			{ numRuns: 200 },
		);
	});

	test('the canonical tree is its own canonical tree, of the schema, and means the same on every row', () => {
		fc.assert(
			fc.property(filter, (tree) => {
				const simple = canonical(tree);
				expect(canonical(simple)).toEqual(simple);
				expect(RowFilter.parse(simple)).toEqual(simple);
				for (const row of rows) expect(holds(simple, row)).toBe(holds(tree, row));
			}),
			{ numRuns: 200 },
		);
	});

	test('what covers another lets each of its rows through', () => {
		let yes = 0;
		fc.assert(
			fc.property(filter, filter, (wider, narrower) => {
				if (!covers(wider, narrower)) return;
				yes += 1;
				for (const row of rows) if (holds(narrower, row) === true) expect(holds(wider, row)).toBe(true);
			}),
			{ numRuns: 3000 },
		);
		expect(yes).toBeGreaterThan(20);
	});

	test('either lets through what one of them does, and nothing else', () => {
		fc.assert(
			fc.property(fc.array(filter, { minLength: 1, maxLength: 3 }), (filters) => {
				const all = either(filters);
				for (const row of rows) {
					expect(all !== null && holds(all, row) === true).toBe(filters.some((one) => holds(one, row) === true));
				}
				for (const one of filters) expect(all !== null && covers(all, one)).toBe(true);
			}),
			{ numRuns: 200 },
		);
	});
});

describe('covers', () => {
	const tree = (written: string) => parseRowFilter(written, columns);
	test.each([
		["s IN ('B', 'D')", "s = 'B'", true],
		["s = 'B'", "s IN ('B', 'D')", false],
		["s = 'B' OR n = 1", 'n = 1', true],
		["s = 'B' OR n = 1", "s IN ('B', 'D')", false],
		['n = 1', "n = 1 AND s = 'B'", true],
		['n > 1', 'n > 2', true],
		['n > 1', 'n >= 1', false],
		['n >= 1', 'n > 1', true],
		['n BETWEEN 1 AND 5', 'n BETWEEN 2 AND 5', true],
		['n BETWEEN 1 AND 5', 'n BETWEEN 2 AND 6', false],
		['n <> 3', 'n < 3', true],
		['n <> 3', 'n <= 3', false],
		['n NOT IN (1, 2)', 'n NOT IN (1, 2, 3)', true],
		['n NOT IN (1, 2)', 'n > 2', true],
		['n IS NOT NULL', 'n < 5', true],
		['n IS NULL', 'n < 5', false],
		['x < 0.1000000000000000000001', 'x <= 0.1', false],
		["v <> 'a '", "v = 'a'", false],
		["s > 'a'", "s > 'b'", false],
		["s LIKE 'a%'", "s = 'ab'", false],
		["s LIKE 'a%'", "s LIKE 'a%' AND n = 1", true],
	])('%j over %j: %s', (wider, narrower, answer) => {
		expect(covers(tree(wider), tree(narrower))).toBe(answer);
	});

	test('AND over OR over AND is decided, however deep', () => {
		const is = (value: number): RowFilter => ({
			op: 'compare',
			column: 'x',
			operator: '=',
			value: { type: 'number', value: String(value) },
		});
		const known: RowFilter = { op: 'not', operand: { op: 'is-null', column: 'x' } };
		let [narrower, wider]: RowFilter[] = [is(1), is(1000)];
		for (let n = 2; n < 20; n += 1) {
			if (narrower === undefined || wider === undefined) throw new Error('unreachable');
			narrower = { op: 'and', operands: [is(n), { op: 'or', operands: [is(100 + n), narrower] }] };
			wider = { op: 'or', operands: [is(1000 + n), { op: 'and', operands: [known, wider] }] };
		}
		expect(covers(wider ?? null, narrower ?? null)).toBe(false);
		expect(covers(narrower ?? null, narrower ?? null)).toBe(true);
	});

	test('all rows cover everything, and only all rows cover all rows', () => {
		expect(covers(null, tree('n = 1'))).toBe(true);
		expect(covers(null, null)).toBe(true);
		expect(covers(tree('n = 1 OR n <> 1 OR n IS NULL'), null)).toBe(false);
	});
});

test('either of a filter and all rows is all rows; the covered one is left out', () => {
	const [one, two] = [parseRowFilter('n = 1', columns), parseRowFilter('n IN (1, 2)', columns)];
	expect(either([one, null])).toBeNull();
	expect(either([one, two])).toEqual(two);
	expect(either([two, one])).toEqual(either([one, two]));
	expect(() => either([])).toThrow(BrokerError);
});
