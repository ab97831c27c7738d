/** Window functions: https://trino.io/docs/current/functions/window.html */
import { aggregated, bigint, double, type Named, passed, type Rule, wholeNumber } from './rule.ts';
import { coerced, commonOf, type Type } from './types.ts';

const ranking = (result: Type): Rule => passed(() => result);

const buckets = passed((_types, e) => ((wholeNumber(e.arguments[0]) ?? 0n) > 0n ? bigint : null));

function passedOn(type: Type | undefined): Type | null {
	return type === undefined || type.kind === 'interval' ? null : type;
}

const edge = passed(([type]) => passedOn(type));

const nth = passed(([type], e) => ((wholeNumber(e.arguments[1]) ?? 0n) > 0n ? passedOn(type) : null));

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
