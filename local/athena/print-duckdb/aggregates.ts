/** Aggregate functions: https://trino.io/docs/current/functions/aggregate.html */
import type { Call } from '#core/sql.ts';
import { bigint, boolean, double, integers, type Named, numbers, type Rule, same, takes } from './rule.ts';
import { asDecimal, isInteger, type Kind, type Type, typeText } from './types.ts';

const ordered: readonly Kind[] = [...numbers, 'varchar', 'date', 'timestamp', 'boolean'];

function inner(texts: readonly string[], e: Call): string {
	return `${e.distinct ? 'DISTINCT ' : ''}${texts.join(', ')}`;
}

/** The first argument's own type, for these kinds. */
function keeps(kinds: readonly Kind[]): Rule['type'] {
	return (types) => (takes(types, kinds) ? (types[0] ?? null) : null);
}

function sumType([type]: readonly Type[]): Type | null {
	if (type === undefined) return null;
	if (isInteger(type)) return bigint;
	if (type.kind === 'decimal') return { kind: 'decimal', precision: 38, scale: type.scale };
	return type.kind === 'real' || type.kind === 'double' ? type : null;
}

const sum: Rule = {
	type: sumType,
	text: (texts, types, e) => {
		const result = sumType(types);
		const value = types[0]?.kind === 'real' ? [`CAST(${texts.join('')} AS DOUBLE)`] : texts;
		return `CAST(sum(${inner(value, e)}) AS ${typeText(result ?? double)})`;
	},
};

function avgType([type]: readonly Type[]): Type | null {
	if (type === undefined) return null;
	if (isInteger(type)) return double;
	return type.kind === 'decimal' || type.kind === 'real' || type.kind === 'double' ? type : null;
}

/** A decimal's average keeps its scale and rounds half away from zero: on whole numbers of its last place. */
function decimalAverage(value: string, type: Type): string {
	const scale = asDecimal(type)?.scale ?? 0;
	const total = `CAST(replace(CAST(sum(${value}) AS VARCHAR), '.', '') AS HUGEINT)`;
	const count = `count(${value})`;
	const half = `CASE WHEN 2 * abs(${total} % ${count}) >= ${count} THEN sign(${total}) ELSE 0 END`;
	const whole = `CAST(${total} // ${count} + (${half}) AS DECIMAL(38, 0))`;
	const unit = scale === 0 ? '' : ` * CAST('0.${'1'.padStart(scale, '0')}' AS DECIMAL(${scale}, ${scale}))`;
	return `CAST(${whole}${unit} AS ${typeText(type)})`;
}

const avg: Rule = {
	type: avgType,
	text: (texts, types, e) => {
		const type = avgType(types) ?? double;
		if (type.kind === 'decimal') return decimalAverage(inner(texts, e), type);
		return `CAST(avg(${inner(texts, e)}) AS ${typeText(type)})`;
	},
};

const count: Rule = {
	type: () => bigint,
	text: (texts, _types, e) => (e.star ? 'count(*)' : `count(${inner(texts, e)})`),
};

const countIf: Rule = {
	type: (types, e) => (takes(types, ['boolean']) && !e.distinct ? bigint : null),
	text: ([condition]) => `count(CASE WHEN ${condition} THEN 1 END)`,
};

function extreme(name: string): Rule {
	return { type: keeps(ordered), text: (texts, _types, e) => `${name}(${inner(texts, e)})` };
}

function by(name: string): Rule {
	return {
		type: (types, e) => (takes(types, ordered) && !e.distinct ? (types[0] ?? null) : null),
		text: (texts) => `${name}(${texts.join(', ')})`,
	};
}

/** Spread and deviation, computed in double as Trino does. */
function spread(name: string): Rule {
	return {
		type: (types) => (takes(types, [...integers, 'double', 'real', 'decimal']) ? double : null),
		text: ([value], _types, e) => `${name}(${e.distinct ? 'DISTINCT ' : ''}CAST(${value} AS DOUBLE))`,
	};
}

export const aggregates: Named = [
	['count', count],
	['count_if', countIf],
	['sum', sum],
	['avg', avg],
	['min', extreme('min')],
	['max', extreme('max')],
	['min_by', by('arg_min_null')],
	['max_by', by('arg_max_null')],
	['arbitrary', extreme('any_value')],
	['any_value', extreme('any_value')],
	['bool_and', same([['boolean']], boolean)],
	['bool_or', same([['boolean']], boolean)],
	['every', same([['boolean']], boolean, 'bool_and')],
	['stddev', spread('stddev_samp')],
	['stddev_samp', spread('stddev_samp')],
	['stddev_pop', spread('stddev_pop')],
	['variance', spread('var_samp')],
	['var_samp', spread('var_samp')],
	['var_pop', spread('var_pop')],
];
