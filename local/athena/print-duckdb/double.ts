/**
 * What becomes a double, and doubles that are compared. Trino divides decimals of up to 18 digits as doubles and reads
 * longer ones as text (io.trino.type.DecimalCasts); DuckDB adds a whole part and a fraction beyond 2^53. NaN is equal to
 * nothing in Trino and to itself in DuckDB: where it would be compared the query ends. Sorting, grouping, DISTINCT and
 * IS DISTINCT FROM take it alike in both: equal to itself, above all others.
 */
import { type Expression, isLiteral } from '#core/sql.ts';
import type { Type } from './types.ts';

/** Digits of which both parts of the division are exact as doubles, and as reals. */
const exactDouble = 15;
const exactReal = 7;

export function asDouble(text: string, from: Type): string {
	if (from.kind !== 'decimal' || from.precision <= exactDouble) return `CAST(${text} AS DOUBLE)`;
	const written = `CAST(${text} AS VARCHAR)`;
	if (from.precision > 18) return `CAST(${written} AS DOUBLE)`;
	return `(CAST(CAST(replace(${written}, '.', '') AS BIGINT) AS DOUBLE) / 1e${from.scale})`;
}

/** Whether a decimal, or one inside, would become another number than in Trino. */
export function isInexact(from: Type, to: Type): boolean {
	return from.kind === 'decimal' && to.kind === 'double' ? false : roundsOtherwise(from, to);
}

function roundsOtherwise(from: Type, to: Type): boolean {
	if (from.kind === 'decimal') {
		return from.precision > (to.kind === 'double' ? exactDouble : to.kind === 'real' ? exactReal : 38);
	}
	if (from.kind === 'array' && to.kind === 'array') return roundsOtherwise(from.element, to.element);
	if (from.kind === 'map' && to.kind === 'map')
		return roundsOtherwise(from.key, to.key) || roundsOtherwise(from.value, to.value);
	if (from.kind !== 'row' || to.kind !== 'row') return false;
	return from.fields.some((field, index) => roundsOtherwise(field.type, to.fields[index]?.type ?? field.type));
}

function isFloat({ kind }: Type): boolean {
	return kind === 'double' || kind === 'real';
}

const refusal = "error('runs on Athena only: comparing NaN')";

/** The text of a value that is compared; `e`: the value as written, where it is known. */
export function comparable(text: string, type: Type, e: Expression | null): string {
	if (!isFloat(type) || (e !== null && isLiteral(e))) return text;
	return `(CASE WHEN isnan(${text}) THEN ${refusal} ELSE ${text} END)`;
}

/** As `comparable`, of the elements of an array. */
export function comparableElements(array: string, element: Type): string {
	if (!isFloat(element)) return array;
	return `list_transform(${array}, lambda fl_n: ${comparable('fl_n', element, null)})`;
}

/** As `comparable`, of a query's one column. */
export function comparableColumn(query: string, type: Type): string {
	if (!isFloat(type)) return query;
	return `SELECT ${comparable('"fl"."v"', type, null)} FROM (${query}) AS "fl" ("v")`;
}
