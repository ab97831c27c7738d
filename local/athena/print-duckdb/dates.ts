/** Date and time functions: https://trino.io/docs/current/functions/datetime.html. Weeks are ISO weeks in both. */
import { bigint, integers, moments, type Named, type Rule, takes, word } from './rule.ts';
import { coerced, common, type Type, typeText } from './types.ts';

type Field = { readonly name: string; readonly date: boolean };

/** Trino's fields and DuckDB's functions; `date`: a date has it too. */
const fields: ReadonlyMap<string, Field> = new Map([
	['year', { name: 'year', date: true }],
	['quarter', { name: 'quarter', date: true }],
	['month', { name: 'month', date: true }],
	['week', { name: 'week', date: true }],
	['day', { name: 'day', date: true }],
	['day_of_month', { name: 'day', date: true }],
	['day_of_week', { name: 'isodow', date: true }],
	['dow', { name: 'isodow', date: true }],
	['day_of_year', { name: 'dayofyear', date: true }],
	['doy', { name: 'dayofyear', date: true }],
	['hour', { name: 'hour', date: false }],
	['minute', { name: 'minute', date: false }],
	['second', { name: 'second', date: false }],
]);

export function field(name: string): Field | undefined {
	return fields.get(name);
}

function fieldRule({ name, date }: Field): Rule {
	return {
		type: (types) => (takes(types, date ? moments : ['timestamp']) ? bigint : null),
		text: ([value]) => `${name}(${value})`,
	};
}

/** Units, with DuckDB's function that makes an interval of them; `date`: a date can move by it. */
const units: ReadonlyMap<string, { readonly interval: string; readonly date: boolean }> = new Map([
	['second', { interval: 'to_seconds', date: false }],
	['minute', { interval: 'to_minutes', date: false }],
	['hour', { interval: 'to_hours', date: false }],
	['day', { interval: 'to_days', date: true }],
	['week', { interval: 'to_weeks', date: true }],
	['month', { interval: 'to_months', date: true }],
	['quarter', { interval: 'to_quarters', date: true }],
	['year', { interval: 'to_years', date: true }],
]);

/** A unit written out, that the type has. */
function unitOf(name: string | null, type: Type | undefined): string | null {
	const unit = units.get(name ?? '');
	if (unit === undefined || type === undefined || name === null) return null;
	return type.kind === 'timestamp' || (type.kind === 'date' && unit.date) ? name : null;
}

const truncated: Rule = {
	type: (types, e) => (unitOf(word(e.arguments[0]), types[1]) === null ? null : (types[1] ?? null)),
	text: ([, value], [, type = bigint], e) =>
		`CAST(date_trunc('${word(e.arguments[0])}', ${value}) AS ${typeText(type)})`,
};

function between(types: readonly Type[]): Type | null {
	const [, a, b] = types;
	const both = a === undefined || b === undefined ? null : common(a, b);
	return both?.kind === 'date' || both?.kind === 'timestamp' ? both : null;
}

/** Whole units between the two, as DuckDB's date_sub counts them; its date_diff counts edges crossed. */
const difference: Rule = {
	type: (types, e) => (unitOf(word(e.arguments[0]), between(types) ?? undefined) === null ? null : bigint),
	text: ([, a = '', b = ''], types, e) => {
		const [, first = bigint, second = bigint] = types;
		const both = between(types) ?? bigint;
		return `date_sub('${word(e.arguments[0])}', ${coerced(a, first, both)}, ${coerced(b, second, both)})`;
	},
};

const added: Rule = {
	type: (types, e) => {
		const moment = types[2];
		const whole = takes(types.slice(1, 2), integers);
		return whole && unitOf(word(e.arguments[0]), moment) !== null ? (moment ?? null) : null;
	},
	text: ([, count, value], [, , type = bigint], e) => {
		const unit = word(e.arguments[0]) ?? '';
		const whole = units.get(unit)?.date === true ? 'INTEGER' : 'BIGINT';
		return `CAST((${value} + ${units.get(unit)?.interval}(CAST(${count} AS ${whole}))) AS ${typeText(type)})`;
	},
};

const date: Rule = {
	type: (types) => (takes(types, moments) ? { kind: 'date' } : null),
	text: ([value]) => `CAST(${value} AS DATE)`,
};

const lastDay: Rule = {
	type: (types) => (takes(types, moments) ? { kind: 'date' } : null),
	text: ([value]) => `last_day(${value})`,
};

/** Athena's session is in UTC. */
const today: Rule = {
	type: () => ({ kind: 'date' }),
	text: () => `CAST((now() AT TIME ZONE 'UTC') AS DATE)`,
};

const calendar: Named = [...fields].flatMap(([name, known]) =>
	name === 'dow' || name === 'doy' ? [] : [[name, fieldRule(known)] as const],
);

export const dates: Named = [
	...calendar,
	['date', date],
	['date_trunc', truncated],
	['date_diff', difference],
	['date_add', added],
	['last_day_of_month', lastDay],
	['current_date', today],
];
