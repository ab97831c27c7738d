/**
 * Aggregate functions: https://trino.io/docs/current/functions/aggregate.html. The approximate ones run on Athena only:
 * they tell what their own sketches hold.
 */
import type { Call } from '#core/sql.ts';
import { asDouble, comparable } from './double.ts';
import {
	aggregated,
	bigint,
	boolean,
	double,
	integers,
	type Named,
	numbers,
	passed,
	type Rule,
	type Suffix,
	takes,
	text,
	varchar,
} from './rule.ts';
import { asDecimal, isInteger, isPlain, type Type, typeText } from './types.ts';

/** The first argument's own type, if both engines compare its values alike. */
const keeps: Rule['type'] = ([type]) => (type !== undefined && isPlain(type) ? type : null);

/** The text of a sum without digits before the point would not show that it has grown beyond its type. */
function isSummed(type: Type): boolean {
	return type.kind !== 'decimal' || type.scale < 38;
}

function sumType([type]: readonly Type[]): Type | null {
	if (type === undefined) return null;
	if (isInteger(type)) return bigint;
	if (type.kind === 'decimal') return isSummed(type) ? { kind: 'decimal', precision: 38, scale: type.scale } : null;
	return type.kind === 'real' || type.kind === 'double' ? type : null;
}

const sum: Rule = {
	type: sumType,
	text: (texts, types, e, suffix) => {
		const result = sumType(types);
		const value = types[0]?.kind === 'real' ? [`CAST(${texts.join('')} AS DOUBLE)`] : texts;
		const total = aggregated('sum', value, e, suffix);
		// DuckDB lets it grow beyond the 38 digits of its type; its text does not become that type again.
		const read = result?.kind === 'decimal' ? `CAST(${total} AS VARCHAR)` : total;
		return `CAST(${read} AS ${typeText(result ?? double)})`;
	},
};

function avgType([type]: readonly Type[]): Type | null {
	if (type === undefined) return null;
	if (isInteger(type)) return double;
	if (!isSummed(type)) return null;
	return type.kind === 'decimal' || type.kind === 'real' || type.kind === 'double' ? type : null;
}

/** A decimal's average keeps its scale and rounds half away from zero: on whole numbers of its last place. */
function decimalAverage(texts: readonly string[], type: Type, e: Call, suffix: Suffix): string {
	const scale = asDecimal(type)?.scale ?? 0;
	const sumOfAll = aggregated('sum', texts, e, suffix);
	const total = `CAST(replace(CAST(${sumOfAll} AS VARCHAR), '.', '') AS HUGEINT)`;
	const count = aggregated('count', texts, e, suffix);
	const half = `CASE WHEN 2 * abs(${total} % ${count}) >= ${count} THEN sign(${total}) ELSE 0 END`;
	const whole = `CAST(${total} // ${count} + (${half}) AS DECIMAL(38, 0))`;
	const unit = scale === 0 ? '' : ` * CAST('0.${'1'.padStart(scale, '0')}' AS DECIMAL(${scale}, ${scale}))`;
	return `CAST(${whole}${unit} AS ${typeText(type)})`;
}

const avg: Rule = {
	type: avgType,
	text: (texts, types, e, suffix) => {
		const type = avgType(types) ?? double;
		if (type.kind === 'decimal') return decimalAverage(texts, type, e, suffix);
		return `CAST(${aggregated('avg', texts, e, suffix)} AS ${typeText(type)})`;
	},
};

/** Values that DISTINCT tells apart as Trino does. */
function isTold(types: readonly Type[], e: Call): boolean {
	return !e.distinct || types.every(isPlain);
}

const count: Rule = {
	type: (types, e) => (isTold(types, e) ? bigint : null),
	text: (texts, _types, e, suffix) => aggregated('count', e.arguments.length === 0 ? ['*'] : texts, e, suffix),
};

const countIf: Rule = {
	type: (types, e) => (takes(types, ['boolean']) && !e.distinct ? bigint : null),
	text: ([condition], _types, e, suffix) => aggregated('count', [`CASE WHEN ${condition} THEN 1 END`], e, suffix),
};

/** With a number: so many of them, from the greatest (or the least) on. */
function extreme(name: string): Rule {
	return {
		type: (types, e) => {
			const own = keeps(types, e);
			if (types.length === 1 || own === null) return own;
			const few = e.arguments[1];
			const known = few?.kind === 'integer' && few.value > 0n && few.value <= 1000n;
			return known && !e.distinct && e.over === null ? { kind: 'array', element: own } : null;
		},
		text: ([value = '', ...rest], [type = bigint], e, suffix) =>
			aggregated(name, [comparable(value, type, null), ...rest], e, suffix),
	};
}

function by(name: string): Rule {
	return {
		type: (types, e) => {
			const key = types[1];
			const exact = types.length === 2 && key !== undefined && isPlain(key) && !e.distinct;
			return exact ? (types[0] ?? null) : null;
		},
		text: ([value = '', key = ''], [, type = bigint], e, suffix) =>
			aggregated(name, [value, comparable(key, type, null)], e, suffix),
	};
}

/** Any one of the values that are not NULL. */
const one = passed(([type]) => (type === undefined || type.kind === 'interval' ? null : type), 'any_value');

function ofBooleans(name: string): Rule {
	return passed((types) => (takes(types, ['boolean']) ? boolean : null), name);
}

function inDouble(texts: readonly string[], types: readonly Type[]): readonly string[] {
	return texts.map((value, index) => asDouble(value, types[index] ?? double));
}

/** Spread and deviation, computed in double as Trino does. */
function spread(name: string): Rule {
	return {
		type: (types) => (takes(types, numbers) ? double : null),
		text: (texts, types, e, suffix) => aggregated(name, inDouble(texts, types), e, suffix),
	};
}

/** Of pairs; Trino gives NULL where the result is no finite number. */
function correlation(name: string): Rule {
	return {
		type: (types, e) => (takes(types, numbers) && !e.distinct ? double : null),
		text: (texts, types, e, suffix) => {
			const value = aggregated(name, inDouble(texts, types), e, suffix);
			return `(CASE WHEN isfinite(${value}) THEN ${value} END)`;
		},
	};
}

const geometricMean: Rule = {
	type: (types) => (takes(types, numbers) ? double : null),
	text: (texts, types, e, suffix) => `exp(${aggregated('avg', [`ln(${inDouble(texts, types).join('')})`], e, suffix)})`,
};

/** Empty: NULL, as for all aggregates but the counts. */
const arrayAgg = passed(([element], e) =>
	element === undefined || element.kind === 'interval' || !isTold([element], e) ? null : { kind: 'array', element },
);

/** A key that is NULL counts for nothing. One that comes twice ends the query: which value Trino keeps is not said. */
const mapAgg: Rule = {
	type: ([key, value], e) =>
		key !== undefined && value !== undefined && isPlain(key) && value.kind !== 'interval' && !e.distinct
			? { kind: 'map', key, value }
			: null,
	text: ([key, value], _types, e, suffix) => {
		const all = aggregated('array_agg', [`struct_pack(k := ${key}, v := ${value})`], e, suffix);
		const known = `list_filter(${all}, lambda fl_e: fl_e.k IS NOT NULL)`;
		return `(CASE WHEN len(${known}) > 0 THEN map_from_entries(${known}) END)`;
	},
};

const histogram: Rule = {
	type: ([key], e) =>
		key !== undefined && isPlain(key) && !e.distinct && e.over === null ? { kind: 'map', key, value: bigint } : null,
	text: (texts, [key = bigint], e, suffix) =>
		`CAST(${aggregated('histogram', texts, e, suffix)} AS ${typeText({ kind: 'map', key, value: bigint })})`,
};

function bitwise(name: string): Rule {
	return {
		type: (types) => (takes(types, integers) ? bigint : null),
		text: ([value], _types, e, suffix) => aggregated(name, [`CAST(${value} AS BIGINT)`], e, suffix),
	};
}

/** Trino's own bound on the text of one group, in bytes. */
const longest = 1_048_576;

const listagg: Rule = {
	type: (types, e) => {
		const separator = e.arguments[1];
		const constant = separator === undefined || separator.kind === 'string';
		return takes(types, text) && constant ? varchar : null;
	},
	text: ([value = '', separator = "''"], _types, e, suffix) => {
		const all = aggregated('string_agg', [value, separator], e, suffix);
		return `(CASE WHEN strlen(${all}) > ${longest} THEN error('the text of listagg is too long') ELSE ${all} END)`;
	},
};

export const aggregates: Named = [
	['count', count],
	['count_if', countIf],
	['sum', sum],
	['avg', avg],
	['min', extreme('min')],
	['max', extreme('max')],
	['min_by', by('arg_min_null')],
	['max_by', by('arg_max_null')],
	['arbitrary', one],
	['any_value', one],
	['bool_and', ofBooleans('bool_and')],
	['bool_or', ofBooleans('bool_or')],
	['every', ofBooleans('bool_and')],
	['stddev', spread('stddev_samp')],
	['stddev_samp', spread('stddev_samp')],
	['stddev_pop', spread('stddev_pop')],
	['variance', spread('var_samp')],
	['var_samp', spread('var_samp')],
	['var_pop', spread('var_pop')],
	['geometric_mean', geometricMean],
	['corr', correlation('corr')],
	['covar_pop', correlation('covar_pop')],
	['covar_samp', correlation('covar_samp')],
	['regr_slope', correlation('regr_slope')],
	['regr_intercept', correlation('regr_intercept')],
	['array_agg', arrayAgg],
	['map_agg', mapAgg],
	['histogram', histogram],
	['bitwise_and_agg', bitwise('bit_and')],
	['bitwise_or_agg', bitwise('bit_or')],
	['bitwise_xor_agg', bitwise('bit_xor')],
	['listagg', listagg],
];
