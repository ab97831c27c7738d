/**
 * One tree per meaning, in the simple cases: AND and OR flat, sorted, without repeats; NOT only on comparisons; several
 * values of one column as one IN. Every rewriting holds in three-valued logic, so NULLs stay where they were.
 */
import { type Constant, type RowFilter, unreachable } from '../sql.ts';

type Junction = Extract<RowFilter, { op: 'and' | 'or' }>['op'];

export function canonical(f: RowFilter): RowFilter {
	switch (f.op) {
		case 'not':
			return negate(f.operand);
		case 'and':
		case 'or':
			return junction(f.op, f.operands.map(canonical));
		case 'in':
			return anyOf(f.column, f.values);
		case 'compare':
		case 'between':
		case 'like':
		case 'is-null':
			return ordered(f);
	}
	return unreachable(f);
}

/** Members in one order, so that equal trees have equal texts. */
function ordered(f: RowFilter): RowFilter {
	switch (f.op) {
		case 'compare':
			return { op: f.op, column: f.column, operator: f.operator, value: constant(f.value) };
		case 'between':
			return { op: f.op, column: f.column, low: constant(f.low), high: constant(f.high) };
		case 'like':
			return { op: f.op, column: f.column, pattern: f.pattern };
		case 'is-null':
			return { op: f.op, column: f.column };
		case 'in':
		case 'not':
		case 'and':
		case 'or':
			return f;
	}
	return unreachable(f);
}

function constant({ type, value }: Constant): Constant {
	return { type, value } as Constant;
}

function negate(f: RowFilter): RowFilter {
	switch (f.op) {
		case 'not':
			return canonical(f.operand);
		case 'and':
		case 'or':
			return junction(f.op === 'and' ? 'or' : 'and', f.operands.map(negate));
		case 'compare':
			if (f.operator === '=') return ordered({ ...f, operator: '<>' });
			if (f.operator === '<>') return ordered({ ...f, operator: '=' });
			return { op: 'not', operand: ordered(f) };
		case 'in': {
			const operand = anyOf(f.column, f.values);
			return operand.op === 'compare' ? { ...operand, operator: '<>' } : { op: 'not', operand };
		}
		case 'between':
		case 'like':
		case 'is-null':
			return { op: 'not', operand: ordered(f) };
	}
	return unreachable(f);
}

function anyOf(column: string, values: readonly Constant[]): RowFilter {
	const distinct = new Map(values.map((value) => [keyOf(value), constant(value)]));
	const sorted = [...distinct].toSorted(byKey).map(([, value]) => value);
	const [only, second] = sorted;
	if (only !== undefined && second === undefined) return { op: 'compare', column, operator: '=', value: only };
	return { op: 'in', column, values: sorted };
}

function keyOf(value: Constant): string {
	return JSON.stringify([value.type, value.value]);
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
	return a < b ? -1 : a > b ? 1 : 0;
}

function junction(op: Junction, operands: readonly RowFilter[]): RowFilter {
	const flat = operands.flatMap((operand) => (operand.op === op ? operand.operands : [operand]));
	const merged = op === 'or' ? mergeValues(flat) : flat;
	const distinct = new Map(merged.map((operand) => [JSON.stringify(operand), operand]));
	const sorted = [...distinct].toSorted(byKey).map(([, operand]) => operand);
	const [only, second] = sorted;
	return only !== undefined && second === undefined ? only : { op, operands: sorted };
}

/** a = 1 OR a IN (2, 3) is a IN (1, 2, 3). */
function mergeValues(operands: readonly RowFilter[]): readonly RowFilter[] {
	const values = new Map<string, Constant[]>();
	const others: RowFilter[] = [];
	for (const operand of operands) {
		const found = valuesOf(operand);
		if (found === null) others.push(operand);
		else values.set(found.column, [...(values.get(found.column) ?? []), ...found.values]);
	}
	return [...others, ...[...values].map(([column, list]) => anyOf(column, list))];
}

function valuesOf(f: RowFilter): { readonly column: string; readonly values: readonly Constant[] } | null {
	if (f.op === 'in') return f;
	return f.op === 'compare' && f.operator === '=' ? { column: f.column, values: [f.value] } : null;
}
