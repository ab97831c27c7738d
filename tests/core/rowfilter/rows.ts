/** Filters and rows to try them on, and SQL's own account of what passes: brute force as the judge. */
import * as fc from 'fast-check';
import type { Constant, RowFilter } from '#core/rowfilter.ts';

const text = fc.constantFrom('a', 'B', "it's", '', 'a ', '%', 'ü');
const word = text.map((value): Constant => ({ type: 'string', value }));
const number = fc.constantFrom('-1', '0', '1', '2', '2.5', '10').map((value): Constant => ({ type: 'number', value }));
const operator = fc.constantFrom('=', '<>', '<', '<=', '>', '>=');
export const atom: fc.Arbitrary<RowFilter> = fc.oneof(
	fc.record({ op: fc.constant('compare'), column: fc.constantFrom('x', 'm'), operator, value: number }),
	fc.record({ op: fc.constant('compare'), column: fc.constantFrom('s', 'v'), operator, value: word }),
	fc.record({ op: fc.constant('between'), column: fc.constant('x'), low: number, high: number }),
	fc.record({
		op: fc.constant('in'),
		column: fc.constant('x'),
		values: fc.array(number, { minLength: 1, maxLength: 3 }),
	}),
	fc.record({
		op: fc.constant('in'),
		column: fc.constant('s'),
		values: fc.array(word, { minLength: 1, maxLength: 3 }),
	}),
	fc.record({ op: fc.constant('like'), column: fc.constant('s'), pattern: fc.constantFrom('a%', '%', '_', 'B') }),
	fc.record({ op: fc.constant('is-null'), column: fc.constantFrom('x', 's') }),
);
/** Any filter over the columns of {@link rows}. */
export const { filter } = fc.letrec<{ filter: RowFilter }>((tie) => ({
	filter: fc.oneof(
		{ maxDepth: 3, depthSize: 'small' },
		atom,
		fc.record({ op: fc.constant('not'), operand: tie('filter') }),
		fc.record({ op: fc.constantFrom('and', 'or'), operands: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }),
	),
}));

export type Row = Readonly<Record<string, string | number | null>>;

const numbers = [null, -1, 0, 1, 1.5, 2, 2.5, 3, 10, 11];
const words = [null, '', 'a', 'B', "it's", 'ab', '%', 'ü'];
/** Two columns of numbers and two of words, not every mix of them: enough to tell filters apart. */
export const rows: readonly Row[] = numbers.flatMap((x, i) =>
	words.map((s, j) => ({
		x,
		s,
		m: numbers[(i + j) % numbers.length] ?? null,
		v: words[(i * 3 + j) % words.length] ?? null,
	})),
);

/** SQL's three-valued logic, spelt out. */
export function holds(f: RowFilter, row: Row): boolean | null {
	if ('operand' in f) {
		const inner = holds(f.operand, row);
		return inner === null ? null : !inner;
	}
	if ('operands' in f) {
		const all = f.operands.map((operand) => holds(operand, row));
		const decisive = f.op === 'or';
		if (all.includes(decisive)) return decisive;
		return all.includes(null) ? null : !decisive;
	}
	const value = row[f.column] ?? null;
	if (f.op === 'is-null') return value === null;
	if (value === null) return null;
	if (f.op === 'like')
		return new RegExp(`^${f.pattern.replaceAll('%', '.*').replaceAll('_', '.')}$`, 'su').test(String(value));
	if (f.op === 'in') return f.values.some((constant) => value === valueOf(constant));
	if (f.op === 'between') return value >= valueOf(f.low) && value <= valueOf(f.high);
	const other = valueOf(f.value);
	return {
		'=': value === other,
		'<>': value !== other,
		'<': value < other,
		'<=': value <= other,
		'>': value > other,
		'>=': value >= other,
	}[f.operator];
}

function valueOf({ type, value }: Constant): string | number {
	return type === 'number' ? Number(value) : String(value);
}
