/** Literals of the parse tree to values: what is printed later comes from the value, never from the text. */
import {
	BasicStringLiteralContext,
	DecimalLiteralContext,
	DoubleLiteralContext,
	IntegerLiteralContext,
	type IntervalContext,
	type NumberContext,
	type StringContext,
	type TypeConstructorContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { IntervalUnit, Literal, Position } from './ast.ts';
import { identifier } from './build-name.ts';
import { type Claims, claim, notRead, positionOf } from './claims.ts';
import { refusal, unsupported } from './refuse.ts';

const units: readonly IntervalUnit[] = ['year', 'month', 'day', 'hour', 'minute', 'second'];
/** Trino's bigint. */
export const largest = 2n ** 63n - 1n;

export function stringValue(claims: Claims, context: StringContext): string {
	if (!(context instanceof BasicStringLiteralContext)) throw notRead(context);
	claim(claims, context);
	const value = context.getText().slice(1, -1).replaceAll("''", "'");
	if (value.includes('\0')) throw unsupported(positionOf(context), 'A string cannot hold a NUL character.');
	return value;
}

export function numberLiteral(claims: Claims, context: NumberContext): Literal {
	claim(claims, context);
	const at = positionOf(context);
	const text = context.getText().replaceAll('_', '').toUpperCase();
	if (context instanceof DoubleLiteralContext) return { kind: 'double', text: canonicalDouble(text), at };
	if (context instanceof DecimalLiteralContext) return { kind: 'decimal', text: canonicalDecimal(text, at), at };
	if (!(context instanceof IntegerLiteralContext)) throw notRead(context);
	const negative = text.startsWith('-');
	const magnitude = BigInt(negative ? text.slice(1) : text);
	const value = negative ? -magnitude : magnitude;
	if (value > largest || value < -largest - 1n) throw refusal('validation', at, 'This number does not fit a bigint.');
	return { kind: 'integer', value, at };
}

/** '.5' and '5.' with a digit on both sides; the digits stay, since they make the type. */
function canonicalDecimal(text: string, at: Position): string {
	const decimal = text.replace(/^(-?)\./, '$10.').replace(/\.$/, '.0');
	if (decimal.replace(/[-.]/g, '').replace(/^0+/, '').length > 38) {
		throw refusal('validation', at, 'This number does not fit a decimal of 38 digits.');
	}
	return decimal;
}

function canonicalDouble(text: string): string {
	return text.replace(/^(-?)\./, '$10.').replace(/\.(?=E)/, '.0');
}

/** DATE '..', TIMESTAMP '..' and DECIMAL '..'; the context itself is claimed by the caller. */
export function typedLiteral(claims: Claims, context: TypeConstructorContext): Literal {
	const at = positionOf(context);
	const named = context.identifier();
	if (named === null) throw notRead(context);
	const type = identifier(claims, named).text;
	const text = stringValue(claims, context.string()).trim();
	if (type === 'date') return { kind: 'date', value: date(text, at), at };
	if (type === 'timestamp') return { kind: 'timestamp', value: timestamp(text, at), at };
	if (type === 'decimal' && /^-?[0-9]+(?:\.[0-9]+)?$/.test(text)) {
		return { kind: 'decimal', text: canonicalDecimal(text, at), at };
	}
	throw unsupported(at, `Literals of type ${type} are not supported.`);
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

function timestamp(text: string, at: Position): string {
	const [, day, hour = '00', minute = '00', second = '00', fraction] =
		/^([0-9-]+)(?: ([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,12}))?)?)?$/.exec(text) ?? [];
	if (day === undefined) throw unsupported(at, "Write a timestamp as 'YYYY-MM-DD HH:MM:SS.fff', without a time zone.");
	if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) {
		throw refusal('validation', at, 'This time of day does not exist.');
	}
	const time = `${hour.padStart(2, '0')}:${minute}:${second}`;
	return `${date(day, at)} ${time}${fraction === undefined ? '' : `.${fraction}`}`;
}

export function intervalLiteral(claims: Claims, context: IntervalContext): Literal {
	const at = positionOf(context);
	const [field, to] = context.intervalField();
	if (field === undefined || to !== undefined) throw notRead(context);
	claim(claims, context, field);
	const unit = units.find((name) => name === field.getText().toLowerCase());
	const text = stringValue(claims, context.string());
	const form = unit === 'second' ? /^([+-]?)([0-9]{1,9}(?:\.[0-9]{1,3})?)$/ : /^([+-]?)([0-9]{1,9})$/;
	const [, sign, value] = form.exec(text) ?? [];
	if (unit === undefined || value === undefined)
		throw unsupported(at, 'Write an interval as one whole number and unit.');
	return { kind: 'interval', negative: (context.MINUS() !== null) !== (sign === '-'), value, unit, at };
}
