/** Mathematical functions: https://trino.io/docs/current/functions/math.html */

import { remainder } from './number.ts';
import { double, floats, integers, type Named, numbers, type Rule, takes, wholeNumber } from './rule.ts';
import { coerced, common, isInteger, type Type, typeText } from './types.ts';

function keepsFirst(types: readonly Type[]): Type | null {
	return takes(types, numbers) && types[0]?.kind !== 'null' ? (types[0] ?? null) : null;
}

const abs: Rule = { type: keepsFirst, text: ([value]) => `abs(${value})` };

const sign: Rule = {
	type: (types) => (takes(types, [...integers, ...floats]) && types[0]?.kind !== 'null' ? (types[0] ?? null) : null),
	text: ([value], [type = double]) => `CAST(sign(${value}) AS ${typeText(type)})`,
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

const truncate: Rule = {
	type: (types) => (takes(types, [...integers, 'double']) && types[0]?.kind !== 'null' ? (types[0] ?? null) : null),
	text: ([value = ''], [type = double]) => (isInteger(type) ? value : `trunc(${value})`),
};

function modType([a, b]: readonly Type[]): Type | null {
	const type = a === undefined || b === undefined ? null : common(a, b);
	return type !== null && isInteger(type) ? type : null;
}

const mod: Rule = {
	type: modType,
	text: ([a = '', b = ''], types, e) => {
		const type = modType(types) ?? double;
		const [x = type, y = type] = types;
		const divisor = e.arguments[1] ?? e;
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
		text: (texts) => `${name}(${texts.map((value) => `CAST(${value} AS DOUBLE)`).join(', ')})`,
	};
}

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
	['log2', inDouble('log2')],
];
