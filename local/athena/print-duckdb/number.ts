/** Division: Trino ends the query at an integer division by zero, where DuckDB gives NULL. */
import type { Expression } from '#core/sql.ts';
import { athenaOnly, isInteger, type Type } from './types.ts';

/** A double divided by zero would be infinite or NaN, which the engines compare differently: that ends the query too. */
function checked(dividend: string, divisor: string, e: Expression, text: string): string {
	if (e.kind === 'integer' && e.value !== 0n) return text;
	if (e.kind === 'double' && Number(e.text) !== 0) return text;
	return `(CASE WHEN ${divisor} = 0 AND ${dividend} IS NOT NULL THEN error('division by zero') ELSE ${text} END)`;
}

/** `e`: the divisor as written. */
export function quotient(a: string, b: string, type: Type, e: Expression): string {
	return checked(a, b, e, isInteger(type) ? `(${a} // ${b})` : `(${a} / ${b})`);
}

export function remainder(a: string, b: string, type: Type, e: Expression): string {
	if (!isInteger(type)) throw athenaOnly(e.at, `the remainder of a division of ${type.kind} values`);
	return checked(a, b, e, `(${a} % ${b})`);
}
