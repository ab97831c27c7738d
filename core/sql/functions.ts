/**
 * The functions a query may call: an allow-list, since an unknown function may read what no column names.
 * Names, arity and meaning are those of https://trino.io/docs/current/functions.html (Athena engine version 3).
 */

export type FunctionRule = {
	readonly least: number;
	readonly most: number;
	readonly aggregate: boolean;
	/** The first argument decides which of the others is the result. */
	readonly conditional: boolean;
};

function rule(least: number, most: number = least): FunctionRule {
	return { least, most, aggregate: false, conditional: false };
}

function aggregate(least: number, most: number = least): FunctionRule {
	return { least, most, aggregate: true, conditional: false };
}

/** Trino's own bound on the arguments of one call. */
const many = 127;

const rules: ReadonlyMap<string, FunctionRule> = new Map([
	// aggregates; count(*) is a call without arguments and with `star`
	['count', aggregate(0, 1)],
	['sum', aggregate(1)],
	['avg', aggregate(1)],
	['min', aggregate(1)],
	['max', aggregate(1)],
	['stddev', aggregate(1)],
	['stddev_samp', aggregate(1)],
	['stddev_pop', aggregate(1)],
	['variance', aggregate(1)],
	['var_samp', aggregate(1)],
	['var_pop', aggregate(1)],
	['approx_distinct', aggregate(1)],
	['arbitrary', aggregate(1)],
	['any_value', aggregate(1)],
	['bool_and', aggregate(1)],
	['bool_or', aggregate(1)],
	['every', aggregate(1)],
	['count_if', aggregate(1)],
	['min_by', aggregate(2)],
	['max_by', aggregate(2)],
	// conditional
	['coalesce', rule(2, many)],
	['nullif', rule(2)],
	['if', { least: 2, most: 3, aggregate: false, conditional: true }],
	['greatest', rule(1, many)],
	['least', rule(1, many)],
	// text
	['lower', rule(1)],
	['upper', rule(1)],
	['length', rule(1)],
	['substr', rule(2, 3)],
	['substring', rule(2, 3)],
	['trim', rule(1)],
	['ltrim', rule(1)],
	['rtrim', rule(1)],
	['replace', rule(2, 3)],
	['reverse', rule(1)],
	['concat', rule(2, many)],
	['starts_with', rule(2)],
	['strpos', rule(2)],
	['split_part', rule(3)],
	['lpad', rule(3)],
	['rpad', rule(3)],
	// numbers
	['abs', rule(1)],
	['sign', rule(1)],
	['round', rule(1, 2)],
	['floor', rule(1)],
	['ceil', rule(1)],
	['ceiling', rule(1)],
	['truncate', rule(1)],
	['mod', rule(2)],
	['power', rule(2)],
	['pow', rule(2)],
	['sqrt', rule(1)],
	['exp', rule(1)],
	['ln', rule(1)],
	['log10', rule(1)],
	['log2', rule(1)],
	// dates and times
	['year', rule(1)],
	['quarter', rule(1)],
	['month', rule(1)],
	['week', rule(1)],
	['day', rule(1)],
	['day_of_month', rule(1)],
	['day_of_week', rule(1)],
	['day_of_year', rule(1)],
	['hour', rule(1)],
	['minute', rule(1)],
	['second', rule(1)],
	['date', rule(1)],
	['date_trunc', rule(2)],
	['date_diff', rule(3)],
	['date_add', rule(3)],
	['last_day_of_month', rule(1)],
	['now', rule(0)],
]);

/** Written without parentheses. */
export const bareFunctions: ReadonlySet<string> = new Set(['current_date', 'current_timestamp', 'localtimestamp']);

/** Trino's fields of EXTRACT that need no time zone. */
export const extractFields: ReadonlySet<string> = new Set([
	'year',
	'quarter',
	'month',
	'week',
	'day',
	'day_of_month',
	'day_of_week',
	'dow',
	'day_of_year',
	'doy',
	'hour',
	'minute',
	'second',
]);

export function functionRule(name: string): FunctionRule | undefined {
	return rules.get(name);
}

export function isAggregate(name: string): boolean {
	return rules.get(name)?.aggregate ?? false;
}

export function isConditional(name: string): boolean {
	return rules.get(name)?.conditional ?? false;
}

/** For documentation and for the tests that every function has samples. */
export function functionNames(): readonly string[] {
	return [...rules.keys(), ...bareFunctions];
}
