/** Operators of numbers, dates and intervals, applied from the left. */
import type { Expression } from '#core/sql.ts';
import type { Context } from './context.ts';
import { dividedText, type Operand } from './decimal.ts';
import { arithmeticType } from './meet.ts';
import { quotient, remainder } from './number.ts';
import { coerced, type Type, typeText } from './types.ts';

export function arithmeticText(e: Extract<Expression, { kind: 'arithmetic' }>, { types, print }: Context): string {
	let type = types.of(e.first);
	let text = print.expression(e.first);
	for (const { operator, operand } of e.rest) {
		const right = types.of(operand);
		const result = arithmeticType(operand, operator, type, right);
		text = step(operator, { text, type }, { text: print.expression(operand), type: right }, operand, result);
		type = result;
	}
	return text;
}

function step(operator: string, left: Operand, right: Operand, e: Expression, result: Type): string {
	if (result.kind === 'date' || result.kind === 'timestamp') {
		return `CAST((${left.text} ${operator} ${right.text}) AS ${typeText(result)})`;
	}
	if (result.kind === 'timestamp-zone') return zonedStep(operator, left, right);
	const divides = operator === '/' || operator === '%';
	if (result.kind === 'decimal' && divides) return dividedText(operator, left, right, e, result);
	// Decimals keep their own scales; DuckDB's rules for them are Trino's.
	if (result.kind === 'decimal') return `(${left.text} ${operator} ${right.text})`;
	const [a, b] = [coerced(left.text, left.type, result), coerced(right.text, right.type, result)];
	if (operator === '/') return quotient(a, b, result, e);
	return operator === '%' ? remainder(a, b, result, e) : `(${a} ${operator} ${b})`;
}

/** Counted in UTC, whatever the zone of the connection. */
function zonedStep(operator: string, left: Operand, right: Operand): string {
	const [a, b] = [left, right].map(({ text, type }) =>
		type.kind === 'interval' ? text : `(${text} AT TIME ZONE 'UTC')`,
	);
	return `((${a} ${operator} ${b}) AT TIME ZONE 'UTC')`;
}
