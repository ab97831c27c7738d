/** Whether a filter is TRUE of a value, in SQL's three-valued logic, where NULL and not known are one. Pure. */
import { type Constant, type RowFilter, unreachable } from '../sql.ts';

/** How the value of a row compares with a constant; null is not known. */
export type Point = {
	readonly equals: (constant: Constant) => boolean | null;
	readonly below: (constant: Constant) => boolean | null;
	readonly above: (constant: Constant) => boolean | null;
	readonly like: (pattern: string) => boolean | null;
};

/** NULL: nothing but `IS NULL` is TRUE of it. */
export const NULL: Point = pointOf(
	() => null,
	() => null,
	() => null,
);

export function pointOf(equals: Point['equals'], below: Point['below'], like: Point['like'] = () => null): Point {
	return { equals, below, above: (c) => both(not(below(c)), not(equals(c))), like };
}

/** Whether the filter is TRUE at this point, in SQL's three-valued logic; null is NULL or not known. */
export function holdsAt(f: RowFilter, point: Point): boolean | null {
	switch (f.op) {
		case 'and':
			return all(f.operands, (operand) => holdsAt(operand, point));
		case 'or':
			return any(f.operands, (operand) => holdsAt(operand, point));
		case 'not':
			return not(holdsAt(f.operand, point));
		case 'is-null':
			return point === NULL;
		case 'like':
			return point.like(f.pattern);
		case 'in':
			return any(f.values, point.equals);
		case 'between':
			return both(notBelow(point, f.low), notAbove(point, f.high));
		case 'compare':
			return compared(f, point);
	}
	return unreachable(f);
}

function compared({ operator, value }: Extract<RowFilter, { op: 'compare' }>, point: Point): boolean | null {
	switch (operator) {
		case '=':
			return point.equals(value);
		case '<>':
			return not(point.equals(value));
		case '<':
			return point.below(value);
		case '>':
			return point.above(value);
		case '<=':
			return notAbove(point, value);
		case '>=':
			return notBelow(point, value);
	}
	return unreachable(operator);
}

const notAbove = (point: Point, value: Constant) => either(point.below(value), point.equals(value));
const notBelow = (point: Point, value: Constant) => either(point.above(value), point.equals(value));
const either = (a: boolean | null, b: boolean | null) => not(both(not(a), not(b)));

export function not(known: boolean | null): boolean | null {
	return known === null ? null : !known;
}

function both(a: boolean | null, b: boolean | null): boolean | null {
	if (a === false || b === false) return false;
	return a === null || b === null ? null : true;
}

/** Looks no further than to the first that is FALSE. */
function all<T>(parts: readonly T[], holds: (part: T) => boolean | null): boolean | null {
	let known: boolean | null = true;
	for (const part of parts) {
		known = both(known, holds(part));
		if (known === false) return false;
	}
	return known;
}

/** Looks no further than to the first that is TRUE. */
const any = <T>(parts: readonly T[], holds: (part: T) => boolean | null) => not(all(parts, (part) => not(holds(part))));
