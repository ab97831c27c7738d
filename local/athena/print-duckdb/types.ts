/** Trino's types, as far as the local engine can hold values of them exactly. */
import { BrokerError } from '#core/error.ts';
import type { Position } from '#core/sql.ts';

const integerKinds = ['tinyint', 'smallint', 'integer', 'bigint'] as const;
type IntegerKind = (typeof integerKinds)[number];

export type Type =
	| { readonly kind: IntegerKind | 'boolean' | 'real' | 'double' | 'varchar' | 'date' | 'timestamp' | 'null' }
	| { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
	/** `span`: what its unit counts; only ever added to a date or timestamp. */
	| { readonly kind: 'interval'; readonly span: 'months' | 'days' | 'time' }
	/** A type without rules here: its values can be passed on, not computed with. */
	| { readonly kind: 'other'; readonly name: string };

export type Kind = Type['kind'];

/** Digits a decimal needs to hold any value of an integer type. */
const digits: Readonly<Record<IntegerKind, number>> = { tinyint: 3, smallint: 5, integer: 10, bigint: 19 };

const plain: ReadonlyMap<string, Type> = new Map<string, Type>([
	['boolean', { kind: 'boolean' }],
	['tinyint', { kind: 'tinyint' }],
	['smallint', { kind: 'smallint' }],
	['int', { kind: 'integer' }],
	['integer', { kind: 'integer' }],
	['bigint', { kind: 'bigint' }],
	['long', { kind: 'bigint' }],
	['float', { kind: 'real' }],
	['real', { kind: 'real' }],
	['double', { kind: 'double' }],
	['string', { kind: 'varchar' }],
	['varchar', { kind: 'varchar' }],
	['date', { kind: 'date' }],
	['timestamp', { kind: 'timestamp' }],
	['timestamp(3)', { kind: 'timestamp' }],
	['decimal', { kind: 'decimal', precision: 10, scale: 0 }],
]);

/** The type of a column by its Glue or Trino name. */
export function columnType(name: string): Type {
	const known = plain.get(name);
	if (known !== undefined) return known;
	if (/^varchar\([0-9]+\)$/.test(name)) return { kind: 'varchar' };
	const [, precision, scale = '0'] = /^decimal\(([0-9]+)(?:, ?([0-9]+))?\)$/.exec(name) ?? [];
	if (precision !== undefined) return { kind: 'decimal', precision: Number(precision), scale: Number(scale) };
	return { kind: 'other', name };
}

export function isInteger(type: Type): type is { readonly kind: IntegerKind } {
	return (integerKinds as readonly string[]).includes(type.kind);
}

export function isNumeric(type: Type): boolean {
	return isInteger(type) || type.kind === 'decimal' || type.kind === 'real' || type.kind === 'double';
}

export function asDecimal(type: Type): { readonly precision: number; readonly scale: number } | null {
	if (type.kind === 'decimal') return type;
	return isInteger(type) ? { precision: digits[type.kind], scale: 0 } : null;
}

/** The type both become where they meet, by Trino's coercions; null where it has none. */
export function common(a: Type, b: Type): Type | null {
	if (a.kind === 'null') return b;
	if (b.kind === 'null') return a;
	if (a.kind === 'other' || b.kind === 'other' || a.kind === 'interval' || b.kind === 'interval') return null;
	if (isInteger(a) && isInteger(b)) return digits[a.kind] >= digits[b.kind] ? a : b;
	if (isNumeric(a) && isNumeric(b)) return commonNumber(a, b);
	if (a.kind === b.kind) return a;
	const both = new Set([a.kind, b.kind]);
	return both.has('date') && both.has('timestamp') ? { kind: 'timestamp' } : null;
}

function commonNumber(a: Type, b: Type): Type {
	const [x, y] = [asDecimal(a), asDecimal(b)];
	if (x === null || y === null) return { kind: a.kind === 'double' || b.kind === 'double' ? 'double' : 'real' };
	const scale = Math.max(x.scale, y.scale);
	const whole = Math.max(x.precision - x.scale, y.precision - y.scale);
	return { kind: 'decimal', precision: Math.min(38, whole + scale), scale };
}

/** The type's name in DuckDB. */
export function typeText(type: Type): string {
	if (type.kind === 'decimal') return `DECIMAL(${type.precision}, ${type.scale})`;
	return type.kind === 'real' ? 'FLOAT' : type.kind.toUpperCase();
}

export function named(type: Type): string {
	return type.kind === 'other' ? type.name : type.kind;
}

/** The text as this type; NULL takes any. */
export function coerced(text: string, from: Type, to: Type): string {
	const same =
		from.kind === 'decimal' && to.kind === 'decimal'
			? from.precision === to.precision && from.scale === to.scale
			: from.kind === to.kind;
	return same || from.kind === 'null' || to.kind === 'null' ? text : `CAST(${text} AS ${typeText(to)})`;
}

/** The query is right, and this engine would not give what Athena gives. */
export function athenaOnly(at: Position, what: string): BrokerError {
	return new BrokerError('unsupported', `runs on Athena only: ${what}`, { line: at.line, column: at.column });
}

/** Trino refuses it too. */
export function mismatch(at: Position, detail: string): BrokerError {
	return new BrokerError('validation', detail, { line: at.line, column: at.column });
}
