/**
 * Whether every row that one filter lets through passes another too: true only where that is certain.
 *
 * Numbers are compared exactly and as double and real round them, since the engine compares in the column's type; order
 * of strings is left to the engine, so strings are decided by equality alone.
 */
import type { Constant, RowFilter } from '../sql.ts';
import { canonical } from './canonical.ts';
import { compareNumbers } from './number.ts';

type Bound = { readonly value: Constant; readonly strict: boolean };
type Range = { readonly low: Bound | null; readonly high: Bound | null };

export function covers(wider: RowFilter | null, narrower: RowFilter | null): boolean {
	if (wider === null) return true;
	if (narrower === null) return false;
	return implies(canonical(narrower), canonical(wider), { texts: new Map(), answers: new Map() });
}

/** Each pair of nodes is decided once, or AND over OR over AND would take exponential time. */
type Memory = {
	readonly texts: Map<RowFilter, string>;
	readonly answers: Map<RowFilter, Map<RowFilter, boolean>>;
};

function textOf({ texts }: Memory, f: RowFilter): string {
	const text = texts.get(f) ?? JSON.stringify(f);
	texts.set(f, text);
	return text;
}

/** Whether rows where `n` is TRUE are rows where `w` is TRUE. */
function implies(n: RowFilter, w: RowFilter, memory: Memory): boolean {
	const answers = memory.answers.get(n) ?? new Map<RowFilter, boolean>();
	memory.answers.set(n, answers);
	const answer = answers.get(w) ?? decide(n, w, memory);
	answers.set(w, answer);
	return answer;
}

function decide(n: RowFilter, w: RowFilter, memory: Memory): boolean {
	if (textOf(memory, n) === textOf(memory, w)) return true;
	if (n.op === 'or') return n.operands.every((operand) => implies(operand, w, memory));
	if (w.op === 'and') return w.operands.every((operand) => implies(n, operand, memory));
	if (w.op === 'or' && w.operands.some((operand) => implies(n, operand, memory))) return true;
	if (n.op === 'and') return n.operands.some((operand) => implies(operand, w, memory));
	return w.op !== 'or' && atomImplies(n, w);
}

function columnOf(f: RowFilter): string | null {
	if ('operands' in f) return null;
	return 'operand' in f ? columnOf(f.operand) : f.column;
}

function atomImplies(n: RowFilter, w: RowFilter): boolean {
	if (columnOf(n) === null || columnOf(n) !== columnOf(w)) return false;
	if (w.op === 'not' && w.operand.op === 'is-null') return n.op !== 'is-null';
	const values = valuesOf(n);
	if (values !== null) return values.every((value) => certain(value, w));
	if (n.op === 'not') return excludes(n.operand, w);
	const range = rangeOf(n);
	return range !== null && rangeImplies(range, w);
}

function valuesOf(f: RowFilter): readonly Constant[] | null {
	if (f.op === 'in') return f.values;
	return f.op === 'compare' && f.operator === '=' ? [f.value] : null;
}

/** Whether `w` is surely TRUE of a row with this value. */
function certain(value: Constant, w: RowFilter): boolean {
	if (w.op === 'and' || w.op === 'or' || w.op === 'is-null' || w.op === 'like') return false;
	if (w.op === 'not') return w.operand.op === 'in' && w.operand.values.every((other) => differ(value, other));
	if (w.op === 'in') return w.values.some((other) => same(value, other));
	if (w.op === 'compare' && w.operator === '<>') return differ(value, w.value);
	if (w.op === 'compare' && w.operator === '=') return same(value, w.value);
	const at: Bound = { value, strict: false };
	return rangeImplies({ low: at, high: at }, w);
}

/** `column <> v` and NOT IN as filters that let less through than `w`. */
function excludes(inner: RowFilter, w: RowFilter): boolean {
	const left = valuesOf(inner);
	const right = w.op === 'not' ? valuesOf(w.operand) : w.op === 'compare' && w.operator === '<>' ? [w.value] : null;
	if (left === null || right === null) return false;
	return right.every((value) => left.some((other) => same(value, other)));
}

function same(a: Constant, b: Constant): boolean {
	return a.type === b.type && a.value === b.value;
}

function differ(a: Constant, b: Constant): boolean {
	if (a.type === 'number' && b.type === 'number') return below(a.value, b.value, true) || below(b.value, a.value, true);
	return a.type === b.type && unpadded(a) !== unpadded(b);
}

/** A column of type char ignores blanks at the end. */
function unpadded({ value }: Constant): string {
	return String(value).trimEnd();
}

function rangeOf(f: RowFilter): Range | null {
	if (f.op === 'between') return { low: { value: f.low, strict: false }, high: { value: f.high, strict: false } };
	if (f.op !== 'compare') return null;
	const bound: Bound = { value: f.value, strict: f.operator === '<' || f.operator === '>' };
	if (f.operator === '<' || f.operator === '<=') return { low: null, high: bound };
	return f.operator === '>' || f.operator === '>=' ? { low: bound, high: null } : null;
}

function rangeImplies(n: Range, w: RowFilter): boolean {
	if (w.op === 'compare' && w.operator === '<>') return outside(n, w.value);
	if (w.op === 'not') {
		const values = valuesOf(w.operand);
		return values?.every((value) => outside(n, value)) ?? false;
	}
	if (w.op === 'and' || w.op === 'or') return false;
	const outer = rangeOf(w);
	if (outer === null) return false;
	return (
		within(n.low, outer.low, (inner, edge, strict) => below(edge, inner, strict)) && within(n.high, outer.high, below)
	);
}

function within(inner: Bound | null, edge: Bound | null, order: typeof below): boolean {
	if (edge === null) return true;
	if (inner === null || inner.value.type !== 'number' || edge.value.type !== 'number') return false;
	return order(inner.value.value, edge.value.value, edge.strict && !inner.strict);
}

function outside(range: Range, value: Constant): boolean {
	if (value.type !== 'number') return false;
	const { low, high } = range;
	const under = high !== null && high.value.type === 'number' && below(high.value.value, value.value, !high.strict);
	const over = low !== null && low.value.type === 'number' && below(value.value, low.value.value, !low.strict);
	return under || over;
}

/** a < b, or a <= b when not strict, whichever of the number types the column has. */
function below(a: string, b: string, strict: boolean): boolean {
	const exact = compareNumbers(a, b);
	const rounded = [(n: number) => n, Math.fround].map((round) => round(Number(a)) - round(Number(b)));
	return strict ? exact < 0 && rounded.every((d) => d < 0) : exact <= 0;
}
