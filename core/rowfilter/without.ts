/**
 * The rows that one filter lets through and another does not, as a filter. Exact in three-valued logic: what the other
 * leaves undecided, because a value is NULL, it does not let through.
 */
import { type RowFilter, unreachable } from '../sql.ts';
import { canonical } from './canonical.ts';
import { covers } from './covers.ts';

/** null is all rows, `none` is certainly no row. */
export type Rows = RowFilter | null | 'none';

/** Rows that `filter` lets through and `other` does not. Where that is no row but nobody can be certain, it is a filter. */
export function without(filter: RowFilter | null, other: RowFilter | null): Rows {
	if (other === null || covers(other, filter)) return 'none';
	const hidden = canonical(notTrue(canonical(other)));
	if (filter === null) return hidden;
	const left = shrink(canonical(filter), other);
	return left === 'none' ? left : meet(canonical(left), hidden);
}

/** Without the alternatives that `other` lets through whole. */
function shrink(f: RowFilter, other: RowFilter): RowFilter | 'none' {
	if (covers(other, f)) return 'none';
	if (f.op === 'or') {
		const operands = f.operands.map((operand) => shrink(operand, other)).filter((o) => o !== 'none');
		return operands.length === 0 ? 'none' : { op: 'or', operands };
	}
	if (f.op !== 'in') return f;
	const { column } = f;
	const values = f.values.filter((value) => !covers(other, { op: 'compare', column, operator: '=', value }));
	return values.length === 0 ? 'none' : { ...f, values };
}

/** Where `f` is FALSE or NULL. */
function notTrue(f: RowFilter): RowFilter {
	switch (f.op) {
		case 'and':
		case 'or':
			return { op: f.op === 'and' ? 'or' : 'and', operands: f.operands.map(notTrue) };
		case 'not':
			return notFalse(f.operand);
		case 'is-null':
			return { op: 'not', operand: f };
		case 'compare':
		case 'between':
		case 'in':
		case 'like':
			return orNull(f.column, { op: 'not', operand: f });
	}
	return unreachable(f);
}

/** Where `f` is TRUE or NULL. */
function notFalse(f: RowFilter): RowFilter {
	switch (f.op) {
		case 'and':
		case 'or':
			return { op: f.op, operands: f.operands.map(notFalse) };
		case 'not':
			return notTrue(f.operand);
		case 'is-null':
			return f;
		case 'compare':
		case 'between':
		case 'in':
		case 'like':
			return orNull(f.column, f);
	}
	return unreachable(f);
}

const orNull = (column: string, f: RowFilter): RowFilter => ({ op: 'or', operands: [f, { op: 'is-null', column }] });

/** Rows of `f` where `clause` holds; what follows from `f` is not said again. */
function meet(f: RowFilter, clause: RowFilter): RowFilter {
	const left = (clause.op === 'and' ? clause.operands : [clause]).map((part) => possible(f, part));
	return canonical({ op: 'and', operands: [f, ...left.filter((part) => !covers(part, f))] });
}

/** Of alternatives, those that a row of `f` can still be. */
function possible(f: RowFilter, part: RowFilter): RowFilter {
	if (part.op !== 'or') return part;
	const operands = part.operands.filter((operand) => !covers(canonical({ op: 'not', operand }), f));
	return operands.length === 0 ? part : canonical({ op: 'or', operands });
}
