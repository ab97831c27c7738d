/** Window functions: https://trino.io/docs/current/functions/window.html */
import { aggregated, bigint, double, type Named, type Rule, wholeNumber } from './rule.ts';
import { coerced, commonOf, type Type } from './types.ts';

function ranking(result: Type): Rule {
	return {
		type: () => result,
		text: (texts, _types, e, suffix) => aggregated(e.name, texts, e, suffix),
	};
}

const buckets: Rule = {
	type: (_types, e) => ((wholeNumber(e.arguments[0]) ?? 0n) > 0n ? bigint : null),
	text: (texts, _types, e, suffix) => aggregated('ntile', texts, e, suffix),
};

function passedOn(type: Type | undefined): Type | null {
	return type === undefined || type.kind === 'interval' ? null : type;
}

const edge: Rule = {
	type: ([type]) => passedOn(type),
	text: (texts, _types, e, suffix) => aggregated(e.name, texts, e, suffix),
};

const nth: Rule = {
	type: ([type], e) => ((wholeNumber(e.arguments[1]) ?? 0n) > 0n ? passedOn(type) : null),
	text: (texts, _types, e, suffix) => aggregated('nth_value', texts, e, suffix),
};

/** The value and what stands in for it where there is no such row. */
function shiftedType([value, , otherwise]: readonly Type[]): Type | null {
	const type = passedOn(value);
	return type === null || otherwise === undefined ? type : commonOf([type, otherwise]);
}

const shifted: Rule = {
	type: (types, e) => {
		const offset = e.arguments.length === 1 ? 1n : wholeNumber(e.arguments[1]);
		const known = offset !== null && (offset > 0n || (offset === 0n && e.nulls !== 'ignore'));
		return known ? shiftedType(types) : null;
	},
	text: (texts, types, e, suffix) => {
		const to = shiftedType(types) ?? bigint;
		const [value = '', offset, otherwise] = texts;
		const [from = to, , other = to] = types;
		const rest = offset === undefined ? [] : [offset];
		const last = otherwise === undefined ? [] : [coerced(otherwise, other, to)];
		return aggregated(e.name, [coerced(value, from, to), ...rest, ...last], e, suffix);
	},
};

export const windows: Named = [
	['row_number', ranking(bigint)],
	['rank', ranking(bigint)],
	['dense_rank', ranking(bigint)],
	['percent_rank', ranking(double)],
	['cume_dist', ranking(double)],
	['ntile', buckets],
	['first_value', edge],
	['last_value', edge],
	['nth_value', nth],
	['lag', shifted],
	['lead', shifted],
];
