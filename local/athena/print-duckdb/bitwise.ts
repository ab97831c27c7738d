/** Bitwise functions: https://trino.io/docs/current/functions/bitwise.html, computed in 64 bits. */
import { bigint, integers, type Named, type Rule, takes, wholeNumber } from './rule.ts';
import { isInteger, type Type, typeText } from './types.ts';

function big(text: string | undefined): string {
	return `CAST(${text} AS BIGINT)`;
}

function both(text: (a: string, b: string) => string): Rule {
	return {
		type: (types) => (takes(types, integers) ? bigint : null),
		text: ([a, b]) => text(big(a), big(b)),
	};
}

const not: Rule = {
	type: (types) => (takes(types, integers) ? bigint : null),
	text: ([value]) => `(~ ${big(value)})`,
};

function ownType([type, count]: readonly Type[]): Type | null {
	return type !== undefined && isInteger(type) && count !== undefined && isInteger(count) ? type : null;
}

/** Of numbers that are not negative: what comes in from the left differs otherwise. What does not fit ends the query. */
function shift(operator: '<<' | '>>'): Rule {
	return {
		type: ownType,
		text: ([value, count], [type = bigint]) =>
			`(CASE WHEN ${value} < 0 OR ${count} < 0 THEN error('runs on Athena only: shifts of or by negative numbers') ` +
			`ELSE CAST((${big(value)} ${operator} CAST(${count} AS BIGINT)) AS ${typeText(type)}) END)`,
	};
}

const count: Rule = {
	type: (types, e) => (takes(types, integers) && wholeNumber(e.arguments[1]) === 64n ? bigint : null),
	text: ([value]) => big(`bit_count(${big(value)})`),
};

export const bitwise: Named = [
	['bitwise_and', both((a, b) => `(${a} & ${b})`)],
	['bitwise_or', both((a, b) => `(${a} | ${b})`)],
	['bitwise_xor', both((a, b) => `xor(${a}, ${b})`)],
	['bitwise_not', not],
	['bitwise_left_shift', shift('<<')],
	['bitwise_right_shift', shift('>>')],
	['bitwise_right_shift_arithmetic', shift('>>')],
	['bit_count', count],
];
