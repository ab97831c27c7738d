/**
 * Division of decimals: https://trino.io/docs/current/functions/decimal.html#binary-arithmetic-decimal-operators. DuckDB
 * makes doubles of it; here it is done on whole numbers of the last place, rounded half away from zero.
 */
import type { Expression } from '#core/sql.ts';
import { asDecimal, athenaOnly, type Type, typeText } from './types.ts';

type Decimal = { readonly precision: number; readonly scale: number };
export type Operand = { readonly text: string; readonly type: Type };

/** The type of `/` and `%`. */
export function divided(operator: string, a: Decimal, b: Decimal): Type {
	const scale = Math.max(a.scale, b.scale);
	const precision =
		operator === '/'
			? a.precision + b.scale + Math.max(0, b.scale - a.scale)
			: Math.min(a.precision - a.scale, b.precision - b.scale) + scale;
	return { kind: 'decimal', precision: Math.min(38, Math.max(1, precision)), scale };
}

export function dividedText(operator: string, left: Operand, right: Operand, e: Expression, result: Type): string {
	const [a, b, to] = [asDecimal(left.type), asDecimal(right.type), asDecimal(result)];
	if (a === null || b === null || to === null) throw athenaOnly(e.at, `${operator} of decimals`);
	const places = operator === '/' ? to.scale - a.scale + b.scale : to.scale - a.scale;
	const dividend = whole(left.text, places);
	const divisor = whole(right.text, operator === '/' ? 0 : to.scale - b.scale);
	const half = `CASE WHEN 2 * abs(${dividend} % ${divisor}) >= abs(${divisor}) THEN sign(${dividend}) * sign(${divisor}) ELSE 0 END`;
	const units = operator === '/' ? `${dividend} // ${divisor} + (${half})` : `${dividend} % ${divisor}`;
	const value = `CAST(CAST(${units} AS DECIMAL(38, 0))${unit(to.scale)} AS ${typeText(result)})`;
	const zero = `${right.text} = 0 AND ${left.text} IS NOT NULL`;
	return `(CASE WHEN ${zero} THEN error('division by zero') ELSE ${value} END)`;
}

/** In units of its last place, with so many zeros more. */
function whole(text: string, places: number): string {
	const units = `CAST(replace(CAST(${text} AS VARCHAR), '.', '') AS HUGEINT)`;
	return places === 0 ? units : `(${units} * CAST('1${'0'.repeat(places)}' AS HUGEINT))`;
}

function unit(scale: number): string {
	return scale === 0 ? '' : ` * CAST('0.${'1'.padStart(scale, '0')}' AS DECIMAL(${scale}, ${scale}))`;
}
