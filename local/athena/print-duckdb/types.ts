/** Trino's types, as far as the local engine can hold values of them exactly, and how they meet. */
import { BrokerError } from '#core/error.ts';
import { type Position, quoted } from '#core/sql.ts';
import { asDouble, isInexact } from './double.ts';

const integerKinds = ['tinyint', 'smallint', 'integer', 'bigint'] as const;
type IntegerKind = (typeof integerKinds)[number];

export type RowField = { readonly name: string | null; readonly type: Type };

export type Type =
	| {
			readonly kind:
				| IntegerKind
				| 'boolean'
				| 'real'
				| 'double'
				| 'varchar'
				| 'varbinary'
				| 'json'
				| 'date'
				| 'time'
				| 'timestamp'
				| 'null';
	  }
	/** A point in time shown in UTC, the zone of Athena's sessions. In DuckDB a TIMESTAMPTZ; other zones run on Athena only. */
	| { readonly kind: 'timestamp-zone' }
	| { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
	| { readonly kind: 'array'; readonly element: Type }
	| { readonly kind: 'map'; readonly key: Type; readonly value: Type }
	| { readonly kind: 'row'; readonly fields: readonly RowField[] }
	/** `span`: what its unit counts; only ever added to a date or timestamp. */
	| { readonly kind: 'interval'; readonly span: 'months' | 'days' | 'time' }
	/** A type without rules here: its values can be passed on, not computed with. */
	| { readonly kind: 'other'; readonly name: string };

export type Kind = Type['kind'];
export type ArrayType = Extract<Type, { kind: 'array' }>;

export { columnType, typeOfName } from './type-name.ts';

/** Digits a decimal needs to hold any value of an integer type. */
const digits: Readonly<Record<IntegerKind, number>> = { tinyint: 3, smallint: 5, integer: 10, bigint: 19 };

export function isInteger(type: Type): type is { readonly kind: IntegerKind } {
	return (integerKinds as readonly string[]).includes(type.kind);
}

export function isNumeric(type: Type): boolean {
	return isInteger(type) || type.kind === 'decimal' || type.kind === 'real' || type.kind === 'double';
}

/** Whether both engines compare, sort and group values of the type alike (an array's NULLs compare otherwise). */
export function isPlain(type: Type): boolean {
	return (
		isNumeric(type) ||
		['boolean', 'varchar', 'varbinary', 'date', 'time', 'timestamp', 'timestamp-zone', 'null'].includes(type.kind)
	);
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
	if (a.kind === 'array' || a.kind === 'map' || a.kind === 'row') return commonParts(a, b);
	if (a.kind === b.kind) return a;
	const both = new Set([a.kind, b.kind]);
	if (both.has('timestamp-zone') && (both.has('date') || both.has('timestamp'))) return { kind: 'timestamp-zone' };
	return both.has('date') && both.has('timestamp') ? { kind: 'timestamp' } : null;
}

function commonNumber(a: Type, b: Type): Type {
	const [x, y] = [asDecimal(a), asDecimal(b)];
	if (x === null || y === null) return { kind: a.kind === 'double' || b.kind === 'double' ? 'double' : 'real' };
	const scale = Math.max(x.scale, y.scale);
	const whole = Math.max(x.precision - x.scale, y.precision - y.scale);
	return { kind: 'decimal', precision: Math.min(38, whole + scale), scale };
}

function commonParts(a: Type, b: Type): Type | null {
	if (a.kind === 'array' && b.kind === 'array') {
		const element = common(a.element, b.element);
		return element === null ? null : { kind: 'array', element };
	}
	if (a.kind === 'map' && b.kind === 'map') {
		const [key, value] = [common(a.key, b.key), common(a.value, b.value)];
		return key === null || value === null ? null : { kind: 'map', key, value };
	}
	if (a.kind !== 'row' || b.kind !== 'row' || a.fields.length !== b.fields.length) return null;
	const fields: RowField[] = [];
	for (const [index, field] of a.fields.entries()) {
		const other = b.fields[index];
		const type = other === undefined ? null : common(field.type, other.type);
		if (type === null) return null;
		fields.push({ name: field.name === other?.name ? field.name : null, type });
	}
	return { kind: 'row', fields };
}

/** Whether values of the type are rows or have rows in them: DuckDB converts those by the names of their fields. */
export function holdsRow(type: Type): boolean {
	if (type.kind === 'array') return holdsRow(type.element);
	if (type.kind === 'map') return holdsRow(type.key) || holdsRow(type.value);
	return type.kind === 'row';
}

/** As `common`, of the arguments of one call; null also where DuckDB would convert otherwise. */
export function commonOf(types: readonly Type[]): Type | null {
	if (types.some(({ kind }) => kind === 'other' || kind === 'interval')) return null;
	const all = types.reduce<Type | null>((a, b) => (a === null ? null : common(a, b)), { kind: 'null' });
	if (all === null || types.some((type) => isInexact(type, all))) return null;
	if (!holdsRow(all)) return all;
	return types.every((type) => type.kind === 'null' || sameType(type, all)) ? all : null;
}

/** The name a field of a row has in DuckDB; Athena shows one without a name the same way. */
export function fieldName({ name }: RowField, index: number): string {
	return name ?? `field${index}`;
}

const duckNames: ReadonlyMap<Kind, string> = new Map([
	['real', 'FLOAT'],
	['varbinary', 'BLOB'],
	['timestamp-zone', 'TIMESTAMPTZ'],
	// Holds nothing but NULLs.
	['null', 'INTEGER'],
]);

/** The type's name in DuckDB. */
export function typeText(type: Type): string {
	if (type.kind === 'decimal') return `DECIMAL(${type.precision}, ${type.scale})`;
	if (type.kind === 'array') return `${typeText(type.element)}[]`;
	if (type.kind === 'map') return `MAP(${typeText(type.key)}, ${typeText(type.value)})`;
	if (type.kind === 'row') {
		const fields = type.fields.map((field, index) => `${quoted(fieldName(field, index))} ${typeText(field.type)}`);
		return `STRUCT(${fields.join(', ')})`;
	}
	return duckNames.get(type.kind) ?? type.kind.toUpperCase();
}

/** As Trino writes it, for messages. */
export function named(type: Type): string {
	if (type.kind === 'other') return type.name;
	if (type.kind === 'array') return `array(${named(type.element)})`;
	if (type.kind === 'map') return `map(${named(type.key)}, ${named(type.value)})`;
	return type.kind === 'timestamp-zone' ? 'timestamp with time zone' : type.kind;
}

export function sameType(a: Type, b: Type): boolean {
	return a.kind === b.kind && typeText(a) === typeText(b) && named(a) === named(b);
}

/** The text as this type; NULL takes any. */
export function coerced(text: string, from: Type, to: Type): string {
	if (from.kind === 'null' || to.kind === 'null' || sameType(from, to)) return text;
	if (to.kind === 'double') return asDouble(text, from);
	if (to.kind !== 'timestamp-zone') return `CAST(${text} AS ${typeText(to)})`;
	// A cast would go by the zone of the connection.
	return `(CAST(${text} AS TIMESTAMP) AT TIME ZONE 'UTC')`;
}

/** The query is right, and this engine would not give what Athena gives. */
export function athenaOnly(at: Position, what: string): BrokerError {
	return new BrokerError('unsupported', `runs on Athena only: ${what}`, { line: at.line, column: at.column });
}

/** Trino refuses it too. */
export function mismatch(at: Position, detail: string): BrokerError {
	return new BrokerError('validation', detail, { line: at.line, column: at.column });
}
