/** A filter that is called no restriction lets every row through in which its columns have a value; brute force judges. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Limit } from '#core/rowfilter/points.ts';
import {
	type ColumnFacts,
	type Constant,
	columnsOf,
	inWords,
	printRowFilter,
	type RowFilter,
	vacuous,
} from '#core/rowfilter.ts';
import { parseRowFilter } from '#local/rowfilter.ts';
import { atom, filter, holds, type Row, rows } from './rowfilter/rows.ts';

const facts = (name: string, type: string, more: Partial<ColumnFacts> = {}): ColumnFacts => ({
	name,
	type,
	required: false,
	values: null,
	limits: [],
	...more,
});
/** Bounds as `>= 0`, `< 9`. */
const within = (...written: string[]): Limit[] =>
	written.map((text) => {
		const [operator = '', value = ''] = text.split(' ');
		return { side: operator.startsWith('>') ? 'low' : 'high', value, strict: !operator.endsWith('=') };
	});
const words = (...values: string[]): Constant[] => values.map((value) => ({ type: 'string', value }));

/** What is known of the columns: s and n by their contract, the others by their type alone. */
const known: readonly ColumnFacts[] = [
	facts('s', 'string', { values: words('A', 'B', 'C') }),
	facts('r', 'string', { required: true }),
	facts('c', 'char(3)'),
	facts('v', 'varchar(9)'),
	facts('n', 'int', { limits: within('>= 0', '<= 100') }),
	facts('i', 'bigint'),
	facts('m', 'decimal(10,2)'),
	facts('x', 'double'),
	facts('e', 'real'),
	facts('f', 'boolean'),
	facts('t', 'tinyint'),
	facts('w', 'int', { limits: within('> 0', '< 10') }),
	facts('p', 'decimal(10,2)', { limits: within('> 0', '>= -5', '< 0.5') }),
	facts('d', 'double', { limits: within('> 0', '< 0.1') }),
];
const columns = known.map(({ name, type }) => ({ name, type, partition: false }));

function found(text: string): string[] {
	return vacuous(parseRowFilter(text, columns), known).map(({ part, whole, hides, trusting }) =>
		[
			whole ? 'all' : printRowFilter(part),
			...hides.map((h) => `but ${h.column} ${h.what}`),
			...trusting.map((c) => `trusting ${c}`),
		].join(', '),
	);
}

describe('nothing is said of', () => {
	it.each([
		['a filter that hides a value', 'm <> 1'],
		['all values but one', 'm < 1 OR m > 1'],
		['a gap between ranges', 'm < 5 OR m > 6'],
		['a gap of no width, if there are numbers in it', 'm <= 1 OR m >= 2'],
		['bounds that engines may round to one', 'x < 0.1000000000000000000001 OR x > 0.1'],
		['ranges of words, whose order is not known', "v <= 'b' OR v > 'a'"],
		['words that differ by blanks at the end alone', "c <> 'a' OR c <> 'a '"],
		['a pattern that asks for something', "v LIKE '_%'"],
		['some of the known values', "s IN ('A', 'B')"],
		['exclusion of a known value', "s NOT IN ('A', 'Z')"],
		['a bound within the known ones', 'n > 0'],
		['a bound within those of the type', 't <= 126'],
		['the lowest bigint but one', 'i >= -9223372036854775807'],
		['the first number within a bound that is excluded', 'w > 1'],
		['a number that a fraction comes before', 'p >= 0.01'],
		['an excluded bound that is rounded in the column', 'd < 0.1'],
		[
			'more values than can be tried',
			`v LIKE 'a%' OR v LIKE 'b%' OR v LIKE 'c%' OR v LIKE 'd%' OR v LIKE 'e%' OR v NOT LIKE 'a%' OR v IN (${Array.from({ length: 99 }, (_, i) => `'${i}'`).join()})`,
		],
		['IS NOT NULL, which says what it does', 'v IS NOT NULL'],
		['two columns that never exclude each other', "v = 'a' OR m <> 1"],
		['nothing at all', "v LIKE '%' AND v = 'a' AND v = 'b' AND m = 1 OR m = 2"],
	])('%s: %s', (_, text) => {
		expect(found(text)).toEqual([]);
	});

	it('all rows, which say so themselves', () => {
		expect(vacuous(null, known)).toEqual([]);
	});
});

describe('it is told that everything passes', () => {
	it.each([
		['m = 1 OR m <> 1', ['all, but m null']],
		['m <> 1 OR m <> 2', ['all, but m null']],
		['m = 1 OR m <> 1 OR m IS NULL', ['all']],
		['m <= 5 OR m > 3', ['all, but m null']],
		['m < 5 OR m = 5 OR m > 5', ['all, but m null']],
		['NOT (m > 5 AND m < 3)', ['all, but m null']],
		['m BETWEEN 1 AND 9 OR m NOT BETWEEN 2 AND 8', ['all, but m null']],
		['i <= 1 OR i >= 2', ['all, but i null']],
		['x <= 5 OR x > 3', ['all, but x null, but x nan']],
		['x = 1 OR x <> 1', ['all, but x null']],
		["v LIKE '%'", ['all, but v null']],
		["v LIKE '%%' OR m = 1", ['all, but v null']],
		["v LIKE 'a%' OR v NOT LIKE 'a%'", ['all, but v null']],
		["v < 'a' OR v >= 'a'", ['all, but v null']],
		["v <> 'a' OR v <> 'b'", ['all, but v null']],
		['v IS NULL OR v IS NOT NULL', ['all']],
		['f = true OR f = false', ['all, but f null']],
		["r LIKE '%'", ['all, trusting r']],
		['r IS NOT NULL', ['all, trusting r']],
		["s IN ('A', 'B', 'C')", ['all, but s null, trusting s']],
		["s NOT IN ('Y', 'Z')", ['all, but s null, trusting s']],
		["s LIKE '_'", ['all, but s null, trusting s']],
		['n >= 0', ['all, but n null, trusting n']],
		['t <= 127', ['all, but t null']],
		['t >= -128 OR t = 1', ['all, but t null']],
		['i >= -9223372036854775808', ['all, but i null']],
		['i <= 9223372036854775807', ['all, but i null']],
		['w > 0', ['all, but w null, trusting w']],
		['w >= 1 AND w <= 9', ['all, but w null, trusting w']],
		['p > 0 AND p < 0.5', ['all, but p null, trusting p']],
		['d > 0', ['all, but d null, trusting d']],
		['d <= 0.1', ['all, but d null, trusting d']],
		['n BETWEEN 0 AND 100', ['all, but n null, trusting n']],
		["m = 1 OR v = 'a' OR m <> 1", ['all, but m null']],
		["v LIKE '%' AND (m = 1 OR m <> 1)", ['all, but v null, but m null']],
		["v = 'a' AND r LIKE '%'", [`"r" LIKE '%', trusting r`]],
		["v = 'a' AND (m <= 5 OR m > 3)", ['("m" <= 5) OR ("m" > 3), but m null']],
	])('%s', (text, told) => {
		expect(found(text)).toEqual(told);
	});

	it('in plain words', () => {
		const say = (text: string) => vacuous(parseRowFilter(text, columns), known).map((v) => inWords(v, printRowFilter));
		expect(say('m IS NULL OR m IS NOT NULL')).toEqual(['This filter lets every row through: it restricts nothing.']);
		expect(say('x <= 5 OR x > 3')).toEqual([
			'This filter lets every row through but those where x is NULL or x is not a number.',
		]);
		expect(say("m = 7 AND s IN ('A', 'B', 'C')")).toEqual([
			`Going by the contract on \`s\`, the part \`"s" IN ('A', 'B', 'C')\` of this filter lets every row through but those where s is NULL.`,
		]);
	});
});

/** Filters that often restrict nothing: what one of them leaves out, another has. */
const inverse = (f: RowFilter): RowFilter => ({ op: 'not', operand: f });
const likely: fc.Arbitrary<RowFilter> = fc.oneof(
	filter,
	fc.array(atom, { minLength: 1, maxLength: 4 }).map((operands): RowFilter => ({ op: 'or', operands })),
	fc.array(fc.oneof(atom, atom.map(inverse)), { minLength: 2, maxLength: 4 }).map((operands): RowFilter => {
		return { op: 'or', operands };
	}),
	fc
		.tuple(filter, atom)
		.map(([f, a]): RowFilter => ({ op: 'and', operands: [f, { op: 'or', operands: [a, inverse(a)] }] })),
);

const isNull = (row: Row, column: string) => row[column] === null;
const untyped = ['x', 'm']
	.map((name) => facts(name, 'decimal(10,2)'))
	.concat(facts('s', 'string'), facts('v', 'string'));

describe('for any filter', () => {
	it('a part that is flagged hides no row but those that it says', () => {
		let flagged = 0;
		fc.assert(
			fc.property(likely, (f) => {
				for (const { part, whole, hides } of vacuous(f, untyped)) {
					flagged += 1;
					const seen = rows.filter((row) => !hides.some(({ column }) => isNull(row, column)));
					expect(seen.filter((row) => holds(whole ? f : part, row) !== true)).toEqual([]);
				}
			}),
			{ numRuns: 1000 },
		);
		expect(flagged).toBeGreaterThan(50);
	});

	it('one that is flagged by the contract hides no row that the contract knows', () => {
		const byContract = [
			...untyped.filter(({ name }) => name !== 's' && name !== 'x'),
			facts('s', 'string', { values: words('a', 'B', 'ab') }),
			facts('x', 'decimal(10,2)', { limits: within('>= 0', '<= 2.5'), required: true }),
		];
		const isAllowed = (x: unknown) => typeof x === 'number' && x >= 0 && x <= 2.5;
		const allowed = rows.filter(({ s, x }) => isAllowed(x) && (s === null || ['a', 'B', 'ab'].includes(String(s))));
		let flagged = 0;
		fc.assert(
			fc.property(likely, (f) => {
				for (const { part, hides, trusting } of vacuous(f, byContract)) {
					flagged += trusting.length;
					const seen = allowed.filter((row) => !hides.some(({ column }) => isNull(row, column)));
					expect(seen.filter((row) => holds(part, row) !== true)).toEqual([]);
				}
			}),
			{ numRuns: 1000 },
		);
		expect(flagged).toBeGreaterThan(20);
	});

	it('of whole numbers, just what lets every value of type and contract through is flagged', () => {
		const all = Array.from({ length: 256 }, (_, i) => i - 128);
		const constant = fc.constantFrom('-129', '-128', '-127', '-1', '0', '1', '2', '126', '127', '128');
		const comparison = fc.record({
			op: fc.constant('compare' as const),
			column: fc.constant('t'),
			operator: fc.constantFrom('=', '<>', '<', '<=', '>', '>='),
			value: constant.map((value): Constant => ({ type: 'number', value })),
		});
		const junction = fc.record({
			op: fc.constantFrom('or', 'or', 'and'),
			operands: fc.array(comparison, { minLength: 1, maxLength: 3 }),
		}) as fc.Arbitrary<RowFilter>;
		const limits = fc.array(
			fc.record({ side: fc.constantFrom('low', 'high'), value: constant, strict: fc.boolean() }),
			{ maxLength: 2 },
		);
		const keeps = (at: number, { side, value, strict }: Limit) =>
			!(strict && at === Number(value)) && (side === 'low' ? at >= Number(value) : at <= Number(value));
		const told = { type: 0, contract: 0, nothing: 0 };
		fc.assert(
			fc.property(junction, limits, (f, bounds) => {
				const allowed = all.filter((at) => bounds.every((limit) => keeps(at, limit)));
				if (allowed.length === 0) return;
				const passes = (values: readonly number[]) => values.every((t) => holds(f, { t }) === true);
				const [found] = vacuous(f, [facts('t', 'tinyint', { limits: bounds })]).filter(({ whole }) => whole);
				const expected = passes(all) ? 'type' : passes(allowed) ? 'contract' : 'nothing';
				const flagged = found === undefined ? 'nothing' : found.trusting.length === 0 ? 'type' : 'contract';
				expect(flagged).toBe(expected);
				told[expected] += 1;
			}),
			{ numRuns: 2000 },
		);
		expect(Math.min(...Object.values(told))).toBeGreaterThan(50);
	});

	it('of one column of numbers, just what lets every value through is flagged', () => {
		const numbers = rows.map((row) => row['m']).filter((m): m is number => typeof m === 'number');
		const onM = fc.array(
			fc.oneof(
				fc.record({
					op: fc.constant('compare' as const),
					column: fc.constant('m'),
					operator: fc.constantFrom('=', '<>', '<', '<=', '>', '>='),
					value: fc.constantFrom('1', '2', '10').map((value): Constant => ({ type: 'number', value })),
				}),
			),
			{ minLength: 1, maxLength: 3 },
		);
		fc.assert(
			fc.property(onM, (operands) => {
				const f: RowFilter = { op: 'or', operands };
				const passes = [...numbers, 1.5, 5, 0, 99].every((m) => holds(f, { m }) === true);
				expect(vacuous(f, untyped).length > 0).toBe(passes);
				expect(columnsOf(f)).toEqual(['m']);
			}),
			{ numRuns: 500 },
		);
	});
});
