/** Types by their names: the text of a Glue or Trino column type, and the type of a CAST. */
import { parseType, type TypeName } from '#core/sql.ts';
import type { Type } from './types.ts';

const plain: ReadonlyMap<string, Type> = new Map<string, Type>([
	['boolean', { kind: 'boolean' }],
	['tinyint', { kind: 'tinyint' }],
	['smallint', { kind: 'smallint' }],
	['integer', { kind: 'integer' }],
	['bigint', { kind: 'bigint' }],
	['real', { kind: 'real' }],
	['double', { kind: 'double' }],
	['varchar', { kind: 'varchar' }],
	['varbinary', { kind: 'varbinary' }],
	['json', { kind: 'json' }],
	['date', { kind: 'date' }],
	['time', { kind: 'time' }],
	['timestamp', { kind: 'timestamp' }],
	['timestamp with time zone', { kind: 'timestamp-zone' }],
]);

/** The type of a column by its Glue or Trino name; a name that is not understood is a type without rules. */
export function columnType(text: string): Type {
	const type = parseType(text);
	return (type === null ? null : typeOf(type, GLUE_DECIMAL)) ?? { kind: 'other', name: text };
}

type Decimal = Extract<Type, { kind: 'decimal' }>;

/** What `decimal` alone is, to Glue (Hive) and to Trino. */
const GLUE_DECIMAL: Decimal = { kind: 'decimal', precision: 10, scale: 0 };
const TRINO_DECIMAL: Decimal = { kind: 'decimal', precision: 38, scale: 0 };

/** The type of a CAST; null where this engine has none like it (char, other precisions than milliseconds). */
export function typeOfName(type: TypeName): Type | null {
	return typeOf(type, TRINO_DECIMAL);
}

function typeOf({ name, parameters, of }: TypeName, decimal: Decimal): Type | null {
	const [first, second = 0] = parameters;
	if (name === 'decimal') return first === undefined ? decimal : { kind: 'decimal', precision: first, scale: second };
	if (name === 'array' || name === 'map' || name === 'row') return typeOfParts(name, of, decimal);
	if (name.startsWith('time') && (first ?? 3) !== 3) return null;
	return plain.get(name) ?? null;
}

function typeOfParts(name: 'array' | 'map' | 'row', of: TypeName['of'], decimal: Decimal): Type | null {
	const parts = of.map((part) => ({ name: part.name, type: typeOf(part.type, decimal) }));
	const fields = parts.flatMap(({ name: field, type }) => (type === null ? [] : [{ name: field, type }]));
	const [first, second] = fields;
	if (fields.length < parts.length || first === undefined) return null;
	if (name === 'row') return { kind: 'row', fields };
	if (name === 'array') return { kind: 'array', element: first.type };
	return second === undefined ? null : { kind: 'map', key: first.type, value: second.type };
}
