/** Types by their names: the text of a Glue or Trino column type, and the type of a CAST. */
import type { TypeName } from '#core/sql.ts';
import type { RowField, Type } from './types.ts';

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
	['binary', { kind: 'varbinary' }],
	['varbinary', { kind: 'varbinary' }],
	['json', { kind: 'json' }],
	['date', { kind: 'date' }],
	['time', { kind: 'time' }],
	['timestamp', { kind: 'timestamp' }],
	['timestamp with time zone', { kind: 'timestamp-zone' }],
	['decimal', { kind: 'decimal', precision: 10, scale: 0 }],
]);

/** The type of a column by its Glue or Trino name; a name that is not understood is a type without rules. */
export function columnType(name: string): Type {
	return nested(name.trim().toLowerCase()) ?? { kind: 'other', name };
}

function nested(name: string): Type | null {
	return plain.get(name) ?? sized(name) ?? compound(name);
}

function sized(name: string): Type | null {
	if (/^varchar\([0-9]+\)$/.test(name)) return { kind: 'varchar' };
	if (name === 'timestamp(3)') return { kind: 'timestamp' };
	if (name === 'timestamp(3) with time zone') return { kind: 'timestamp-zone' };
	if (name === 'time(3)') return { kind: 'time' };
	const [, precision, scale = '0'] = /^decimal\(([0-9]+)(?:, ?([0-9]+))?\)$/.exec(name) ?? [];
	if (precision === undefined) return null;
	return { kind: 'decimal', precision: Number(precision), scale: Number(scale) };
}

/** array<int>, array(integer), map<string,int>, struct<a:int>, row(a integer) */
function compound(name: string): Type | null {
	const [, kind, inner] = /^(array|map|struct|row) ?[<(](.*)[>)]$/s.exec(name) ?? [];
	if (kind === undefined || inner === undefined) return null;
	const parts = split(inner);
	if (kind === 'struct' || kind === 'row') return rowType(parts);
	const [first, second] = parts.map((part) => nested(part));
	if (first === undefined || first === null) return null;
	if (kind === 'array') return parts.length === 1 ? { kind: 'array', element: first } : null;
	return parts.length === 2 && second !== undefined && second !== null
		? { kind: 'map', key: first, value: second }
		: null;
}

function rowType(parts: readonly string[]): Type | null {
	const fields: RowField[] = [];
	for (const part of parts) {
		const [, name, text] = /^("?[^":]+"?)(?::| )(.*)$/s.exec(part) ?? [];
		const type = nested((text ?? '').trim());
		if (name === undefined || type === null) return null;
		fields.push({ name: name.replaceAll('"', '').trim(), type });
	}
	return { kind: 'row', fields };
}

/** At the commas outside of any brackets. */
function split(text: string): readonly string[] {
	const parts: string[] = [];
	let [depth, start] = [0, 0];
	for (const [index, character] of text.split('').entries()) {
		if (character === '<' || character === '(') depth += 1;
		if (character === '>' || character === ')') depth -= 1;
		if (character !== ',' || depth !== 0) continue;
		parts.push(text.slice(start, index).trim());
		start = index + 1;
	}
	return [...parts, text.slice(start).trim()];
}

/** The type of a CAST; null where this engine has none like it (char, other precisions than milliseconds). */
export function typeOfName({ name, parameters, of }: TypeName): Type | null {
	const [first, second = 0] = parameters;
	if (name === 'decimal') return { kind: 'decimal', precision: first ?? 38, scale: second };
	if (name === 'array' || name === 'map' || name === 'row') return typeOfParts(name, of);
	if (name.startsWith('time') && (first ?? 3) !== 3) return null;
	return plain.get(name) ?? null;
}

function typeOfParts(name: 'array' | 'map' | 'row', of: TypeName['of']): Type | null {
	const parts = of.map((part) => ({ name: part.name, type: typeOfName(part.type) }));
	const fields = parts.flatMap(({ name: field, type }) => (type === null ? [] : [{ name: field, type }]));
	const [first, second] = fields;
	if (fields.length < parts.length || first === undefined) return null;
	if (name === 'row') return { kind: 'row', fields };
	if (name === 'array') return { kind: 'array', element: first.type };
	return second === undefined ? null : { kind: 'map', key: first.type, value: second.type };
}
