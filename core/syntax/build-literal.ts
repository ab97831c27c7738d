/** Literals of the parse tree to values: what is printed later comes from the value, never from the text. */
import {
	BasicStringLiteralContext,
	type BinaryLiteralContext,
	DecimalLiteralContext,
	DoubleLiteralContext,
	IntegerLiteralContext,
	type IntervalContext,
	type NumberContext,
	type StringContext,
	UnicodeStringLiteralContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import { type IntervalUnit, type Literal, type Position, refusal, unsupported } from '../sql.ts';
import { type Claims, claim, notRead, positionOf } from './claims.ts';

const units: readonly IntervalUnit[] = ['year', 'month', 'day', 'hour', 'minute', 'second'];
/** Trino's bigint. */
export const largest = 2n ** 63n - 1n;

export function stringLiteral(claims: Claims, context: StringContext): Literal {
	return { kind: 'string', value: stringValue(claims, context), at: positionOf(context) };
}

export function stringValue(claims: Claims, context: StringContext): string {
	claim(claims, context);
	const unicode = context instanceof UnicodeStringLiteralContext;
	if (!unicode && !(context instanceof BasicStringLiteralContext)) throw notRead(context);
	const value = unicode ? unicodeValue(context) : unquoted(context.getText());
	if (value.includes('\0')) throw unsupported(positionOf(context), 'A string cannot hold a NUL character.');
	return value;
}

function unquoted(written: string): string {
	return written.slice(1, -1).replaceAll("''", "'");
}

/** U&'\0041' and U&'!0041' UESCAPE '!': an escape is four digits, six after a plus sign, or the character itself. */
function unicodeValue(context: UnicodeStringLiteralContext): string {
	const at = positionOf(context);
	const escape = context.KW_UESCAPE() === null ? '\\' : unquoted(context.STRING()?.getText() ?? '');
	if (Array.from(escape).length !== 1 || /[0-9A-Fa-f+'"\s]/.test(escape)) {
		throw refusal('validation', at, 'UESCAPE takes one character: no digit, letter A to F, plus sign, quote or blank.');
	}
	const characters = Array.from(unquoted(context.UNICODE_STRING().getText().slice(2)));
	let value = '';
	for (let index = 0; index < characters.length; index += 1) {
		const character = characters[index] ?? '';
		if (character !== escape) {
			value += character;
			continue;
		}
		const [text, length] = escaped(characters.slice(index + 1, index + 8), escape, at);
		value += text;
		index += length;
	}
	return value;
}

/** What an escape stands for, and how many characters it takes after the escape character. */
function escaped(next: readonly string[], escape: string, at: Position): readonly [string, number] {
	if (next[0] === escape) return [escape, 1];
	const plus = next[0] === '+';
	const length = plus ? 7 : 4;
	const digits = next.slice(plus ? 1 : 0, length).join('');
	const code = /^(?:[0-9A-Fa-f]{4}|[0-9A-Fa-f]{6})$/.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
	const surrogate = code >= 0xd800 && code <= 0xdfff;
	if (digits.length !== (plus ? 6 : 4) || !(code <= 0x10ffff) || surrogate) {
		throw refusal('validation', at, 'A Unicode escape in this string stands for no character.');
	}
	return [String.fromCodePoint(code), length];
}

/** X'..': pairs of hexadecimal digits, blanks between them do not count. */
export function binaryLiteral(context: BinaryLiteralContext): Literal {
	const at = positionOf(context);
	const value = context
		.getText()
		.slice(2, -1)
		.replace(/[ \r\n\t]/g, '')
		.toUpperCase();
	if (!/^(?:[0-9A-F]{2})*$/.test(value)) {
		throw refusal('validation', at, 'A binary literal is an even number of hexadecimal digits.');
	}
	return { kind: 'binary', value, at };
}

export function numberLiteral(claims: Claims, context: NumberContext): Literal {
	claim(claims, context);
	const at = positionOf(context);
	const text = context.getText().replaceAll('_', '').toUpperCase();
	if (context instanceof DoubleLiteralContext) return { kind: 'double', text: canonicalDouble(text, at), at };
	if (context instanceof DecimalLiteralContext) return { kind: 'decimal', text: canonicalDecimal(text, at), at };
	if (!(context instanceof IntegerLiteralContext)) throw notRead(context);
	const negative = text.startsWith('-');
	const magnitude = BigInt(negative ? text.slice(1) : text);
	const value = negative ? -magnitude : magnitude;
	if (value > largest || value < -largest - 1n) throw refusal('validation', at, 'This number does not fit a bigint.');
	return { kind: 'integer', value, at };
}

/** '.5' with a digit before the point, '5.' without it; the digits stay, since they make the type. */
export function canonicalDecimal(text: string, at: Position): string {
	const decimal = text.replace(/^(-?)\./, '$10.').replace(/\.$/, '');
	if (decimal.replace(/[-.]/g, '').replace(/^0+/, '').length > 38) {
		throw refusal('validation', at, 'This number does not fit a decimal of 38 digits.');
	}
	return decimal;
}

function canonicalDouble(text: string, at: Position): string {
	if (!Number.isFinite(Number(text))) throw refusal('validation', at, 'This number does not fit a double.');
	return text.replace(/^(-?)\./, '$10.').replace(/\.(?=E)/, '.0');
}

const days = '[0-9]{1,9}';
const seconds = '[0-9]{1,2}(?:\\.[0-9]{1,3})?';
/** The value of an interval between two units: https://trino.io/docs/current/language/types.html#interval-day-to-second */
const ranges: ReadonlyMap<string, RegExp> = new Map([
	['year to month', new RegExp(`^${days}-[0-9]{1,2}$`)],
	['day to hour', new RegExp(`^${days} [0-9]{1,2}$`)],
	['day to minute', new RegExp(`^${days} [0-9]{1,2}:[0-9]{1,2}$`)],
	['day to second', new RegExp(`^${days} [0-9]{1,2}:[0-9]{1,2}:${seconds}$`)],
	['hour to minute', new RegExp(`^${days}:[0-9]{1,2}$`)],
	['hour to second', new RegExp(`^${days}:[0-9]{1,2}:${seconds}$`)],
	['minute to second', new RegExp(`^${days}:${seconds}$`)],
]);

export function intervalLiteral(claims: Claims, context: IntervalContext): Literal {
	const at = positionOf(context);
	const fields = context.intervalField();
	claim(claims, context, ...fields);
	const [unit, to = null] = fields.map((field) => units.find((name) => name === field.getText().toLowerCase()));
	if (unit === undefined) throw notRead(context);
	const [, sign, value = ''] = /^([+-]?)(.*)$/s.exec(stringValue(claims, context.string()).trim()) ?? [];
	const whole = unit === 'second' ? /^[0-9]{1,9}(?:\.[0-9]{1,3})?$/ : /^[0-9]{1,9}$/;
	const form = to === null ? whole : ranges.get(`${unit} to ${to}`);
	if (form === undefined) throw refusal('validation', at, 'An interval goes from a larger unit to a smaller one.');
	if (!form.test(value)) {
		throw unsupported(at, "Write an interval as INTERVAL '2' DAY, '1-6' YEAR TO MONTH or '1 02:03:04' DAY TO SECOND.");
	}
	return { kind: 'interval', negative: (context.MINUS() !== null) !== (sign === '-'), value, unit, to, at };
}
