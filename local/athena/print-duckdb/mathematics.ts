/** Mathematical functions: https://trino.io/docs/current/functions/math.html */
import type { Call } from '#core/sql.ts';
import { dividedText } from './decimal.ts';
import { asDouble } from './double.ts';
import { arithmeticType } from './meet.ts';
import { remainder } from './number.ts';
import {
	bigint,
	boolean,
	double,
	integers,
	type Named,
	numbers,
	type Rule,
	takes,
	varchar,
	wholeNumber,
} from './rule.ts';
import { coerced, common, isInteger, type Type, typeText } from './types.ts';

function keepsFirst(types: readonly Type[]): Type | null {
	return takes(types, numbers) && types[0]?.kind !== 'null' ? (types[0] ?? null) : null;
}

const abs: Rule = { type: keepsFirst, text: ([value]) => `abs(${value})` };

function signType(types: readonly Type[]): Type | null {
	const type = keepsFirst(types);
	return type?.kind === 'decimal' ? { kind: 'decimal', precision: 1, scale: 0 } : type;
}

/** -0.0 and NaN stay what they are. */
const sign: Rule = {
	type: signType,
	text: ([value], types) => {
		const type = signType(types) ?? double;
		const text = `CAST(sign(${value}) AS ${typeText(type)})`;
		const isFloat = type.kind === 'double' || type.kind === 'real';
		return isFloat ? `(CASE WHEN ${value} = 0 OR isnan(${value}) THEN ${value} ELSE ${text} END)` : text;
	},
};

/** A decimal rounded to a whole number has one digit more, since 9.9 becomes 10. */
function whole(types: readonly Type[]): Type | null {
	const type = keepsFirst(types);
	if (type?.kind !== 'decimal') return type;
	const { precision, scale } = type;
	return { kind: 'decimal', precision: Math.min(38, precision - scale + Math.min(scale, 1)), scale: 0 };
}

function toWhole(name: string): Rule {
	return {
		type: (types) => {
			const type = whole(types);
			return type?.kind === 'decimal' && type.precision === 0 ? null : type;
		},
		text: ([value = ''], types) => {
			const type = whole(types) ?? double;
			return isInteger(type) ? value : `CAST(${name}(${value}) AS ${typeText(type)})`;
		},
	};
}

function rounded(types: readonly Type[]): Type | null {
	if (types.length === 1) return whole(types);
	const type = keepsFirst(types.slice(0, 1));
	if (type?.kind !== 'decimal') return type;
	return { kind: 'decimal', precision: Math.min(38, type.precision + 1), scale: type.scale };
}

/** Half away from zero in both; to places of a decimal it keeps its scale. */
const round: Rule = {
	type: (types, e) => {
		const places = wholeNumber(e.arguments[1]);
		if (types.length > 1 && (places === null || places < 0n || places > 30n)) return null;
		return rounded(types);
	},
	text: ([value = ''], types, e) => {
		const type = rounded(types) ?? double;
		if (isInteger(type)) return value;
		const places = wholeNumber(e.arguments[1]);
		return `CAST(round(${value}${places === null ? '' : `, ${places}`}) AS ${typeText(type)})`;
	},
};

function truncatedType(types: readonly Type[]): Type | null {
	const type = types.length === 1 ? keepsFirst(types) : null;
	if (type?.kind !== 'decimal') return type;
	return { kind: 'decimal', precision: Math.max(1, type.precision - type.scale), scale: 0 };
}

const truncate: Rule = {
	type: truncatedType,
	text: ([value = ''], types) => {
		const type = truncatedType(types) ?? double;
		return isInteger(type) ? value : `CAST(trunc(${value}) AS ${typeText(type)})`;
	},
};

/** As the operator %: of integers, or with a decimal. */
function modType([a, b]: readonly Type[], e: Call): Type | null {
	const type = a === undefined || b === undefined ? null : common(a, b);
	if (a === undefined || b === undefined || type === null) return null;
	if (type.kind === 'decimal') return arithmeticType(e, '%', a, b);
	return isInteger(type) ? type : null;
}

const mod: Rule = {
	type: modType,
	text: ([a = '', b = ''], types, e) => {
		const type = modType(types, e) ?? double;
		const [x = type, y = type] = types;
		const divisor = e.arguments[1] ?? e;
		if (type.kind === 'decimal') return dividedText('%', { text: a, type: x }, { text: b, type: y }, divisor, type);
		return remainder(coerced(a, x, type), coerced(b, y, type), type, divisor);
	},
};

/**
 * Computed in double. Outside the domain, as sqrt(-1) or ln(0), Trino gives NaN or an infinity and DuckDB ends the query;
 * where the result overflows, as exp(1000) or power(0, -1), both give an infinity.
 */
function inDouble(name: string): Rule {
	return {
		type: (types) => (takes(types, numbers) ? double : null),
		text: (texts, types) => `${name}(${doubles(texts, types).join(', ')})`,
	};
}

function doubles(texts: readonly string[], types: readonly Type[]): readonly string[] {
	return texts.map((text, index) => asDouble(text, types[index] ?? double));
}

function constant(text: string): Rule {
	return { type: () => double, text: () => `CAST(${text} AS DOUBLE)` };
}

/** The quotient of natural logarithms; to base 1 there is none. */
const log: Rule = {
	type: (types) => (takes(types, numbers) ? double : null),
	text: (texts, types) => {
		const [base, value] = doubles(texts, types).map((text) => `ln(${text})`);
		return `(CASE WHEN ${base} = 0 THEN error('there is no logarithm to base 1') ELSE ${value} / ${base} END)`;
	},
};

const log2: Rule = {
	type: (types) => (takes(types, numbers) ? double : null),
	text: (texts, types) => `(ln(${doubles(texts, types).join('')}) / ln(2e0))`,
};

/** Of what was measured: NaN, infinite or neither. */
function test(name: string): Rule {
	return {
		type: (types) => (takes(types, numbers) ? boolean : null),
		text: ([value]) => `${name}(CAST(${value} AS DOUBLE))`,
	};
}

/** In lower case, and of numbers that are not negative. */
const toBase: Rule = {
	type: (types, e) => {
		const radix = wholeNumber(e.arguments[1]) ?? 0n;
		return takes(types, integers) && radix >= 2n && radix <= 36n ? varchar : null;
	},
	text: ([value], _types, e) => `lower(to_base(CAST(${value} AS BIGINT), ${wholeNumber(e.arguments[1])}))`,
};

/** Which of so many equal parts of the range; 0 below it, one more than there are above it. */
const bucket: Rule = {
	type: (types) => (types.length === 4 && takes(types, numbers, numbers, numbers, integers) ? bigint : null),
	text: (texts, types) => {
		const [value, low, high, parts] = doubles(texts, types);
		return (
			`(CASE WHEN ${texts.map((text) => `${text} IS NULL`).join(' OR ')} THEN NULL ` +
			`WHEN ${low} >= ${high} OR ${parts} < 1 OR NOT isfinite(${value}) ` +
			`THEN error('runs on Athena only: these buckets') ` +
			`WHEN ${value} < ${low} THEN 0 WHEN ${value} >= ${high} THEN CAST(${parts} AS BIGINT) + 1 ` +
			`ELSE CAST(floor(${parts} * (${value} - ${low}) / (${high} - ${low}) + 1) AS BIGINT) END)`
		);
	},
};

export const mathematics: Named = [
	['abs', abs],
	['sign', sign],
	['round', round],
	['floor', toWhole('floor')],
	['ceil', toWhole('ceil')],
	['ceiling', toWhole('ceil')],
	['truncate', truncate],
	['mod', mod],
	['power', inDouble('power')],
	['pow', inDouble('power')],
	['sqrt', inDouble('sqrt')],
	['exp', inDouble('exp')],
	['ln', inDouble('ln')],
	['log10', inDouble('log10')],
	['log2', log2],
	['log', log],
	['degrees', inDouble('degrees')],
	['radians', inDouble('radians')],
	['sin', inDouble('sin')],
	['cos', inDouble('cos')],
	['tan', inDouble('tan')],
	['asin', inDouble('asin')],
	['acos', inDouble('acos')],
	['atan', inDouble('atan')],
	['atan2', inDouble('atan2')],
	['sinh', inDouble('sinh')],
	['cosh', inDouble('cosh')],
	['tanh', inDouble('tanh')],
	['pi', constant('3.141592653589793')],
	['e', constant('2.718281828459045')],
	['infinity', constant("'Infinity'")],
	['is_nan', test('isnan')],
	['is_finite', test('isfinite')],
	['is_infinite', test('isinf')],
	['to_base', toBase],
	['width_bucket', bucket],
];
