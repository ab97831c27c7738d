/** Date and time functions: https://trino.io/docs/current/functions/datetime.html. Weeks are ISO weeks in both. */

import { dateForm } from './cast.ts';
import { asDouble } from './double.ts';
import {
	bigint,
	clocks,
	day,
	double,
	integers,
	literal,
	moment,
	moments,
	type Named,
	numbers,
	type Rule,
	takes,
	word,
	zoned,
} from './rule.ts';
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
	['year_of_week', { name: 'isoyear', date: true }],
	['yow', { name: 'isoyear', date: true }],
	['hour', { name: 'hour', date: false }],
	['minute', { name: 'minute', date: false }],
	['second', { name: 'second', date: false }],
]);

export function field(name: string): Field | undefined {
	return fields.get(name);
}

/** A point in time as the clock in UTC shows it: what is computed with is never zoned. */
export function shown(text: string, type: Type | undefined): string {
	return type?.kind === 'timestamp-zone' ? `(${text} AT TIME ZONE 'UTC')` : text;
}

/** The same function of what is shown, in the type it came from. */
function within(type: Type, text: string): string {
	return type.kind === 'timestamp-zone' ? `(${text} AT TIME ZONE 'UTC')` : `CAST(${text} AS ${typeText(type)})`;
}

/** null: a value of this type has no such field. */
export function extraction({ name, date }: Field, type: Type, text: string): string | null {
	const known = type.kind === 'timestamp' || type.kind === 'timestamp-zone' || (type.kind === 'date' && date);
	return known ? `${name}(${shown(text, type)})` : null;
}

function fieldRule(known: Field): Rule {
	return {
		type: (types) => (takes(types, known.date ? moments : clocks) ? bigint : null),
		text: ([value = ''], [type = moment]) => extraction(known, type, value) ?? `CAST(${value} AS BIGINT)`,
	};
}

const millisecond: Rule = {
	type: (types) => (takes(types, clocks) ? bigint : null),
	text: ([value = ''], [type]) => `(millisecond(${shown(value, type)}) % 1000)`,
};

/** All our times are in UTC. */
const offset: Rule = {
	type: ([type]) => (type?.kind === 'timestamp-zone' ? bigint : null),
	text: ([value]) => `(CASE WHEN ${value} IS NOT NULL THEN CAST(0 AS BIGINT) END)`,
};

/** Units, with DuckDB's function that makes an interval of them; `date`: a date can move by it. */
const units: ReadonlyMap<string, { readonly interval: string; readonly date: boolean }> = new Map([
	['millisecond', { interval: 'to_milliseconds', date: false }],
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
	const clock = type.kind === 'timestamp' || type.kind === 'timestamp-zone';
	return clock || (type.kind === 'date' && unit.date) ? name : null;
}

const truncated: Rule = {
	type: (types, e) => (unitOf(word(e.arguments[0]), types[1]) === null ? null : (types[1] ?? null)),
	text: ([, value = ''], [, type = moment], e) =>
		within(type, `date_trunc('${word(e.arguments[0])}', ${shown(value, type)})`),
};

function between(types: readonly Type[]): Type | null {
	const [, a, b] = types;
	const both = a === undefined || b === undefined ? null : common(a, b);
	return both !== null && moments.includes(both.kind) ? both : null;
}

/** Whole units between the two, as DuckDB's date_sub counts them; its date_diff counts edges crossed. */
const difference: Rule = {
	type: (types, e) => (unitOf(word(e.arguments[0]), between(types) ?? undefined) === null ? null : bigint),
	text: ([, a = '', b = ''], types, e) => {
		const [, first = moment, second = moment] = types;
		const both = between(types) ?? moment;
		const [from, to] = [coerced(a, first, both), coerced(b, second, both)].map((text) => shown(text, both));
		return `date_sub('${word(e.arguments[0])}', ${from}, ${to})`;
	},
};

const added: Rule = {
	type: (types, e) => {
		const whole = takes(types.slice(1, 2), integers);
		return whole && unitOf(word(e.arguments[0]), types[2]) !== null ? (types[2] ?? null) : null;
	},
	text: ([, count, value = ''], [, , type = moment], e) => {
		const { interval = '', date = false } = units.get(word(e.arguments[0]) ?? '') ?? {};
		const whole = date ? 'INTEGER' : 'BIGINT';
		return within(type, `(${shown(value, type)} + ${interval}(CAST(${count} AS ${whole})))`);
	},
};

/** Of a text: the form that CAST reads. */
const date: Rule = {
	type: (types) => (takes(types, [...moments, 'varchar']) ? day : null),
	text: ([value = ''], [type]) => (type?.kind === 'varchar' ? dateForm(value) : `CAST(${shown(value, type)} AS DATE)`),
};

const lastDay: Rule = {
	type: (types) => (takes(types, moments) ? day : null),
	text: ([value = ''], [type]) => `last_day(${shown(value, type)})`,
};

const clock = "date_trunc('milliseconds', now() AT TIME ZONE 'UTC')";

function now(type: Type, text: string): Rule {
	return { type: () => type, text: () => text };
}

/** To the nearest millisecond, half up. */
const fromUnix: Rule = {
	type: (types, e) => {
		const utc = e.arguments.length === 1 || (e.arguments.length === 2 && word(e.arguments[1]) === 'utc');
		return utc && takes(types.slice(0, 1), numbers) ? zoned : null;
	},
	text: ([value = ''], [type = double]) =>
		`(make_timestamp(CAST(floor(${asDouble(value, type)} * 1000 + 0.5) AS BIGINT) * 1000) AT TIME ZONE 'UTC')`,
};

const toUnix: Rule = {
	type: (types) => (takes(types, moments) ? double : null),
	text: ([value = ''], [type]) => `(CAST(epoch_us(CAST(${shown(value, type)} AS TIMESTAMP)) AS DOUBLE) / 1000000)`,
};

/** Zones other than UTC run on Athena only. */
function inZone(from: Type, to: (text: string) => string): Rule {
	return {
		type: ([type], e) => (type?.kind === from.kind && literal(e.arguments[1]) === 'UTC' ? zoned : null),
		text: ([value = '']) => to(value),
	};
}

const calendar: Named = [...fields].map(([name, known]) => [name, fieldRule(known)] as const);

export const dates: Named = [
	...calendar,
	['week_of_year', fieldRule({ name: 'week', date: true })],
	['millisecond', millisecond],
	['timezone_hour', offset],
	['timezone_minute', offset],
	['date', date],
	['date_trunc', truncated],
	['date_diff', difference],
	['date_add', added],
	['last_day_of_month', lastDay],
	['from_unixtime', fromUnix],
	['to_unixtime', toUnix],
	['at_timezone', inZone(zoned, (value) => value)],
	['with_timezone', inZone(moment, (value) => coerced(value, moment, zoned))],
	['now', now(zoned, `(${clock} AT TIME ZONE 'UTC')`)],
	['current_timestamp', now(zoned, `(${clock} AT TIME ZONE 'UTC')`)],
	['localtimestamp', now(moment, clock)],
	['localtime', now({ kind: 'time' }, `CAST(${clock} AS TIME)`)],
	['current_date', now(day, "CAST((now() AT TIME ZONE 'UTC') AS DATE)")],
];
