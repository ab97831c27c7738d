/**
 * How Athena writes values: one formatter over DuckDB's typed values, never DuckDB's own text. Types and
 * texts as in Athena's documented formats (user guide, "data-types"; doubles as Java prints them, timestamps
 * with milliseconds, arrays and rows without quotes as `[a, b]`, `{a=1, b=2}` and, where a row's fields have no names,
 * `{field0=1, field1=2}`, binary as pairs of hexadecimal digits).
 */
import {
	DuckDBBlobValue,
	DuckDBDateValue,
	DuckDBDecimalValue,
	DuckDBIntervalValue,
	DuckDBListValue,
	DuckDBMapValue,
	DuckDBStructValue,
	DuckDBTimestampTZValue,
	DuckDBTimestampValue,
	DuckDBTimeValue,
	type DuckDBType,
	DuckDBTypeId,
	type DuckDBValue,
} from '@duckdb/node-api';

export type ColumnType = {
	readonly type: string;
	readonly precision: number;
	readonly scale: number;
	readonly caseSensitive: boolean;
};

/** A value that has no text in Athena; the message names no value. */
export class FormatError extends Error {}

const INTEGERS: ReadonlyMap<DuckDBTypeId, readonly [string, number]> = new Map([
	[DuckDBTypeId.TINYINT, ['tinyint', 3]],
	[DuckDBTypeId.SMALLINT, ['smallint', 5]],
	[DuckDBTypeId.UTINYINT, ['smallint', 5]],
	[DuckDBTypeId.INTEGER, ['integer', 10]],
	[DuckDBTypeId.USMALLINT, ['integer', 10]],
	[DuckDBTypeId.BIGINT, ['bigint', 19]],
	[DuckDBTypeId.UINTEGER, ['bigint', 19]],
	// What DuckDB's sum of integers gives; Athena's is a bigint and overflows where this would.
	[DuckDBTypeId.HUGEINT, ['bigint', 19]],
]);

const OTHERS: ReadonlyMap<DuckDBTypeId, ColumnType> = new Map([
	[DuckDBTypeId.BOOLEAN, plain('boolean', 0)],
	[DuckDBTypeId.FLOAT, plain('float', 17)],
	[DuckDBTypeId.DOUBLE, plain('double', 17)],
	[DuckDBTypeId.UBIGINT, plain('decimal', 20)],
	[DuckDBTypeId.DATE, plain('date', 0)],
	[DuckDBTypeId.TIME, plain('time', 3)],
	[DuckDBTypeId.TIMESTAMP, plain('timestamp', 3)],
	// Only ever shown in UTC, the zone of Athena's sessions.
	[DuckDBTypeId.TIMESTAMP_TZ, plain('timestamp with time zone', 3)],
	[DuckDBTypeId.INTERVAL, plain('interval day to second', 0)],
	[DuckDBTypeId.BLOB, plain('varbinary', 1_073_741_824)],
	[DuckDBTypeId.LIST, plain('array', 0)],
	[DuckDBTypeId.STRUCT, plain('row', 0)],
	[DuckDBTypeId.MAP, plain('map', 0)],
	[DuckDBTypeId.SQLNULL, plain('unknown', 0)],
	// What print-duckdb.ts makes of a column of nothing but NULLs.
	[DuckDBTypeId.BIT, plain('unknown', 0)],
]);

function plain(type: string, precision: number): ColumnType {
	return { type, precision, scale: 0, caseSensitive: false };
}

/** What Athena's ColumnInfo says of a column of this type. */
export function columnType(type: DuckDBType): ColumnType {
	const integer = INTEGERS.get(type.typeId);
	if (integer !== undefined) return plain(integer[0], integer[1]);
	if (type.typeId === DuckDBTypeId.DECIMAL && 'width' in type && 'scale' in type) {
		return { type: 'decimal', precision: type.width, scale: type.scale, caseSensitive: false };
	}
	if (type.alias === 'JSON') return plain('json', 0);
	return OTHERS.get(type.typeId) ?? { type: 'varchar', precision: 2_147_483_647, scale: 0, caseSensitive: true };
}

const INT64 = 2n ** 63n;

/** The value as Athena writes it; null for NULL. */
export function formatValue(value: DuckDBValue, type: DuckDBType): string | null {
	if (value === null) return null;
	if (typeof value === 'string') return value;
	if (typeof value === 'boolean') return String(value);
	if (typeof value === 'number') return formatNumber(value, type);
	if (typeof value === 'bigint') {
		if (type.typeId === DuckDBTypeId.HUGEINT && (value >= INT64 || value < -INT64))
			throw new FormatError('bigint overflow');
		return value.toString();
	}
	return formatObject(value, type);
}

function formatNumber(value: number, type: DuckDBType): string {
	if (type.typeId === DuckDBTypeId.FLOAT) return javaDouble(shortestFloat(value));
	return type.typeId === DuckDBTypeId.DOUBLE ? javaDouble(value) : String(value);
}

function formatObject(
	value: Exclude<DuckDBValue, null | string | boolean | number | bigint>,
	type: DuckDBType,
): string {
	if (value instanceof DuckDBDecimalValue || value instanceof DuckDBDateValue) return value.toString();
	if (value instanceof DuckDBTimestampValue) return withMillis(value.toString());
	if (value instanceof DuckDBTimestampTZValue)
		return `${withMillis(new DuckDBTimestampValue(value.micros).toString())} UTC`;
	if (value instanceof DuckDBTimeValue) return withMillis(value.toString());
	if (value instanceof DuckDBBlobValue)
		return Array.from(value.bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
	if (value instanceof DuckDBIntervalValue) return formatInterval(value);
	if (value instanceof DuckDBListValue) {
		const inner = 'valueType' in type ? type.valueType : undefined;
		return `[${value.items.map((item) => nested(item, inner)).join(', ')}]`;
	}
	if (value instanceof DuckDBStructValue) {
		// By the type's own order: an object puts names that are numbers first.
		const { entryNames, entryTypes } = 'entryNames' in type ? type : { entryNames: [], entryTypes: [] };
		const entries = entryNames.map(
			(name, index) => `${name}=${nested(value.entries[name] ?? null, entryTypes[index])}`,
		);
		return `{${entries.join(', ')}}`;
	}
	if (value instanceof DuckDBMapValue) {
		const key = 'keyType' in type ? type.keyType : undefined;
		const inner = 'valueType' in type ? type.valueType : undefined;
		return `{${value.entries.map((entry) => `${nested(entry.key, key)}=${nested(entry.value, inner)}`).join(', ')}}`;
	}
	return value.toString();
}

function nested(value: DuckDBValue, type: DuckDBType | undefined): string {
	if (type === undefined) throw new FormatError('a nested value without a type');
	return formatValue(value, type) ?? 'null';
}

/** Milliseconds always, nothing below them. */
function withMillis(text: string): string {
	const dot = text.indexOf('.');
	if (dot < 0) return `${text}.000`;
	return (
		text.slice(0, dot + 1) +
		text
			.slice(dot + 1)
			.padEnd(3, '0')
			.slice(0, 3)
	);
}

function two(part: bigint): string {
	return part.toString().padStart(2, '0');
}

function formatInterval({ months, days, micros }: DuckDBIntervalValue): string {
	if (months !== 0 && days === 0 && micros === 0n) {
		const size = Math.abs(months);
		return `${months < 0 ? '-' : ''}${Math.trunc(size / 12)}-${size % 12}`;
	}
	if (months !== 0) throw new FormatError('an interval of months and days');
	const total = BigInt(days) * 86_400_000n + micros / 1000n;
	const size = total < 0n ? -total : total;
	const clock = `${two((size / 3_600_000n) % 24n)}:${two((size / 60_000n) % 60n)}:${two((size / 1000n) % 60n)}`;
	return `${total < 0n ? '-' : ''}${size / 86_400_000n} ${clock}.${(size % 1000n).toString().padStart(3, '0')}`;
}

/** Fewest digits that name the same single-precision number. */
function shortestFloat(value: number): number {
	for (let digits = 1; digits < 9; digits++) {
		const short = Number(value.toPrecision(digits));
		if (Math.fround(short) === Math.fround(value)) return short;
	}
	return value;
}

/** Java's Double.toString: plain from a thousandth to ten million, else with an exponent; always a fraction. */
export function javaDouble(value: number): string {
	if (Number.isNaN(value)) return 'NaN';
	if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
	if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
	const size = Math.abs(value);
	if (size >= 1e-3 && size < 1e7) {
		const text = String(value);
		return text.includes('.') ? text : `${text}.0`;
	}
	const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
	return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
}
