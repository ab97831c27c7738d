/** Literals with a type before them: DATE '..', TIMESTAMP '..', DECIMAL '..', BIGINT '..' and so on. */
import type { TypeConstructorContext } from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { type Expression, newCall, type Position, refusal, unsupported } from '../sql.ts';
import { canonicalDecimal, stringValue } from './build-literal.ts';
import { identifier } from './build-name.ts';
import { positionOf } from './claims.ts';
import type { Builder } from './handler.ts';

/** Trino takes these literals as casts of their text. */
const castTypes: ReadonlySet<string> = new Set([
	'boolean',
	'tinyint',
	'smallint',
	'integer',
	'bigint',
	'real',
	'double',
	'varchar',
	'uuid',
	'ipaddress',
]);

/** An offset, or the name of a zone. */
const zoneForm = /^(?:[+-](?:0[0-9]|1[0-4]):[0-5][0-9]|[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*)$/;

export function typedLiteral(b: Builder, context: TypeConstructorContext): Expression {
	const at = positionOf(context);
	const named = context.identifier();
	const type = named === null ? 'double' : identifier(b.claims, named).text;
	const value = stringValue(b.claims, context.string());
	const text = value.trim();
	if (type === 'date') return { kind: 'date', value: date(text, at), at };
	if (type === 'time') return { kind: 'time', value: time(text, at), at };
	if (type === 'timestamp') return timestamp(text, at);
	if (type === 'decimal' && /^-?[0-9]+(?:\.[0-9]+)?$/.test(text)) {
		return { kind: 'decimal', text: canonicalDecimal(text, at), at };
	}
	const string: Expression = { kind: 'string', value, at };
	// A cast would make a JSON string of it.
	if (type === 'json') return newCall('json_parse', [string], at);
	const name = type === 'int' ? 'integer' : type;
	if (!castTypes.has(name)) throw unsupported(at, `Literals of type ${type} are not supported. Write a CAST.`);
	return { kind: 'cast', operand: string, type: { name, parameters: [], of: [] }, safe: false, at };
}

function date(text: string, at: Position): string {
	const [, year, month, day] = /^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})$/.exec(text) ?? [];
	if (year === undefined || month === undefined || day === undefined) {
		throw unsupported(at, "Write a date as 'YYYY-MM-DD'.");
	}
	const value = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`;
	const known = new Date(`${value}T00:00:00Z`);
	if (Number.isNaN(known.getTime()) || !known.toISOString().startsWith(value)) {
		throw refusal('validation', at, 'This date does not exist.');
	}
	return value;
}

function time(text: string, at: Position): string {
	const [, hour, minute, second = '00', fraction] =
		/^([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]{1,12}))?)?$/.exec(text) ?? [];
	if (hour === undefined || minute === undefined) {
		throw unsupported(at, "Write a time of day as 'HH:MM:SS.fff', and one with a time zone as a CAST.");
	}
	if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
		throw refusal('validation', at, 'This time of day does not exist.');
	}
	const parts = [hour, minute, second].map((part) => part.padStart(2, '0'));
	return `${parts.join(':')}${fraction === undefined ? '' : `.${fraction}`}`;
}

function timestamp(text: string, at: Position): Expression {
	const [, day, clock = '00:00:00', zone] =
		/^([0-9]\S*-\S*?)(?: +([0-9][0-9:.]*))?(?: *([A-Za-z+-].*))?$/.exec(text) ?? [];
	if (day === undefined || (zone !== undefined && !zoneForm.test(zone))) {
		throw unsupported(at, "Write a timestamp as 'YYYY-MM-DD HH:MM:SS.fff', with a time zone after it if it has one.");
	}
	const value = `${date(day, at)} ${time(clock, at)}`;
	if (zone === undefined) return { kind: 'timestamp', value, at };
	return { kind: 'timestamp-zone', value: `${value} ${zone}`, at };
}
