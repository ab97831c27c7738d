/** Arrays as sets, and what is in them: https://trino.io/docs/current/functions/array.html */
import { distinct, elementOf, hasNull, plainElement } from './arrays.ts';
import { comparable, comparableElements, isInexact } from './double.ts';
import { bigint, boolean, type Named, type Rule, varchar } from './rule.ts';
import { type ArrayType, coerced, common, isPlain, type Type } from './types.ts';

function pairOf(types: readonly Type[]): ArrayType | null {
	const [a, b] = types.map(plainElement);
	const element = a === undefined || b === undefined || a === null || b === null ? null : common(a, b);
	if (element === null || types.some((type) => isInexact(type, { kind: 'array', element }))) return null;
	return { kind: 'array', element };
}

/** Two arrays of one type. */
function pair(type: (both: ArrayType) => Type, text: (a: string, b: string) => string): Rule {
	return {
		type: (types) => {
			const both = pairOf(types);
			return both === null ? null : type(both);
		},
		text: ([a = '', b = ''], types) => {
			const both = pairOf(types) ?? varchar;
			const [x = both, y = both] = types;
			return text(coerced(a, x, both), coerced(b, y, both));
		},
	};
}

const arrayOf = (both: ArrayType) => both;

const union = pair(arrayOf, (a, b) => {
	const all = `list_concat(${a}, ${b})`;
	return `(CASE WHEN ${a} IS NOT NULL AND ${b} IS NOT NULL THEN ${distinct(all)} END)`;
});

const except = pair(
	arrayOf,
	(a, b) =>
		`(CASE WHEN ${b} IS NOT NULL THEN list_filter(${distinct(a)}, lambda fl_e: list_position(${b}, fl_e) IS NULL) END)`,
);

/** In the order of the longer one. */
const intersect = pair(arrayOf, (a, b) => {
	const within = (long: string, short: string) =>
		`list_filter(${distinct(long)}, lambda fl_e: list_position(${short}, fl_e) IS NOT NULL)`;
	return `(CASE WHEN len(${a}) >= len(${b}) THEN ${within(a, b)} WHEN len(${a}) < len(${b}) THEN ${within(b, a)} END)`;
});

const overlap = pair(
	() => boolean,
	(a, b) =>
		`(CASE WHEN ${a} IS NULL OR ${b} IS NULL THEN NULL WHEN len(${a}) = 0 OR len(${b}) = 0 THEN FALSE ` +
		`WHEN list_has_any(${a}, ${b}) THEN TRUE WHEN ${hasNull(a)} OR ${hasNull(b)} THEN NULL ELSE FALSE END)`,
);

/** An array and a value of its elements' type. */
function member(type: (array: ArrayType) => Type, text: (array: string, value: string) => string): Rule {
	const meeting = ([array, value]: readonly Type[]): ArrayType | null => {
		const element = plainElement(array);
		const met = element === null || value === undefined ? null : common(element, value);
		if (array === undefined || met === null || !isPlain(met)) return null;
		return isInexact(array, { kind: 'array', element: met }) ? null : { kind: 'array', element: met };
	};
	return {
		type: (types) => {
			const met = meeting(types);
			return met === null ? null : type(met);
		},
		text: ([array = '', value = ''], types, e) => {
			const met = meeting(types) ?? { kind: 'array', element: varchar };
			const [own = met, other = met.element] = types;
			const elements = comparableElements(coerced(array, own, met), elementOf(own) ?? met.element);
			return text(elements, comparable(coerced(value, other, met.element), other, e.arguments[1] ?? null));
		},
	};
}

const contains = member(
	() => boolean,
	(array, value) =>
		`(CASE WHEN ${array} IS NULL OR ${value} IS NULL THEN NULL WHEN list_contains(${array}, ${value}) THEN TRUE ` +
		`WHEN ${hasNull(array)} THEN NULL ELSE FALSE END)`,
);

const position = member(
	() => bigint,
	(array, value) =>
		`(CASE WHEN ${array} IS NOT NULL AND ${value} IS NOT NULL ` +
		`THEN CAST(coalesce(list_position(${array}, ${value}), 0) AS BIGINT) END)`,
);

const remove = member(
	arrayOf,
	(array, value) =>
		`(CASE WHEN ${value} IS NOT NULL THEN list_filter(${array}, lambda fl_e: fl_e IS DISTINCT FROM ${value}) END)`,
);

export const arraySets: Named = [
	['contains', contains],
	['array_union', union],
	['array_except', except],
	['array_intersect', intersect],
	['arrays_overlap', overlap],
	['array_position', position],
	['array_remove', remove],
];
