/**
 * The shape of a type: what an array, a map or a row has inside. Reads Glue's and Trino's spelling of a type,
 * `array<struct<a:int>>` and `array(row(a integer))`; what it cannot read is not known.
 */
import type { TypeName } from './ast.ts';

/** The text of the catalog, a type already read, or not known. */
export type ColumnType = string | TypeName | null;

type Field = TypeName['of'][number];

export function shapeOf(type: ColumnType): TypeName | null {
	const shape = typeof type === 'string' ? parseType(type) : type;
	return shape === unknown ? null : shape;
}

/** Stands inside another type where nothing is known. */
export const unknown: TypeName = { name: 'unknown', parameters: [], of: [] };

/** A type with nothing inside; which one does not matter here. */
export const scalar: TypeName = { name: 'scalar', parameters: [], of: [] };

export function arrayOf(element: TypeName | null): TypeName {
	return { name: 'array', parameters: [], of: element === null ? [] : [{ name: null, type: element }] };
}

export function rowOf(of: readonly Field[]): TypeName {
	return { name: 'row', parameters: [], of };
}

/** The type of part `index` of an array (its element) or a map (key, value). */
export function inside(type: TypeName | null, index: number): TypeName | null {
	return shapeOf(type?.of[index]?.type ?? null);
}

const token = /\s*("(?:[^"]|"")*"|[^\s<>(),:"]+|[<>(),:])/y;

function tokensOf(text: string): string[] | null {
	const tokens: string[] = [];
	token.lastIndex = 0;
	let end = 0;
	for (let found = token.exec(text); found !== null; found = token.exec(text)) {
		tokens.push(found[1] ?? '');
		end = token.lastIndex;
	}
	return text.slice(end).trim() === '' ? tokens : null;
}

const maxDepth = 64;

type Reader = { readonly tokens: readonly string[]; next: number };

/** null: not a type that can be read. */
export function parseType(text: string): TypeName | null {
	const tokens = tokensOf(text.toLowerCase());
	if (tokens === null) return null;
	const reader: Reader = { tokens, next: 0 };
	const type = typeAt(reader, 0);
	return reader.next === tokens.length ? type : null;
}

function take(reader: Reader, wanted: string): boolean {
	if (reader.tokens[reader.next] !== wanted) return false;
	reader.next += 1;
	return true;
}

function typeAt(reader: Reader, depth: number): TypeName | null {
	const name = reader.tokens[reader.next];
	if (name === undefined || depth > maxDepth || !/^[a-z]/.test(name)) return null;
	reader.next += 1;
	if (name === 'array' || name === 'map') {
		const of = list(reader, () => unnamed(typeAt(reader, depth + 1)));
		return of === null || of.length !== (name === 'array' ? 1 : 2) ? null : { name, parameters: [], of };
	}
	if (name === 'struct' || name === 'row') {
		const of = list(reader, () => rowField(reader, depth));
		return of === null ? null : rowOf(of);
	}
	return plain(reader);
}

function unnamed(type: TypeName | null): Field | null {
	return type === null ? null : { name: null, type };
}

/** Parameters and further words: decimal(10,2), timestamp(3) with time zone, double precision. */
function plain(reader: Reader): TypeName | null {
	if (take(reader, '(')) {
		while (/^\d+$/.test(reader.tokens[reader.next] ?? '') || reader.tokens[reader.next] === ',') reader.next += 1;
		if (!take(reader, ')')) return null;
	}
	while (/^[a-z]/.test(reader.tokens[reader.next] ?? '')) reader.next += 1;
	return scalar;
}

function list(reader: Reader, item: () => Field | null): readonly Field[] | null {
	const close = take(reader, '<') ? '>' : take(reader, '(') ? ')' : null;
	if (close === null) return null;
	const items: Field[] = [];
	for (;;) {
		const found = item();
		if (found === null) return null;
		items.push(found);
		if (take(reader, close)) return items;
		if (!take(reader, ',')) return null;
	}
}

/** `a:int`, `a integer`, `"a b" integer` or, without a name, `integer`. */
function rowField(reader: Reader, depth: number): Field | null {
	const [first = '', second = ''] = reader.tokens.slice(reader.next, reader.next + 2);
	const named = second === ':' || /^[a-z]/.test(second);
	if (!named) return unnamed(typeAt(reader, depth + 1));
	reader.next += second === ':' ? 2 : 1;
	const type = typeAt(reader, depth + 1);
	const name = first.startsWith('"') ? first.slice(1, -1).replaceAll('""', '"') : first;
	return type === null ? null : { name, type };
}

/**
 * The type of a field inside a row. undefined: there is no such field; null: the type of the value is not known, so
 * neither are its fields.
 */
export function fieldType(type: TypeName | null, name: string): TypeName | null | undefined {
	if (type === null) return null;
	if (type.name !== 'row') return undefined;
	const field = type.of.find((part) => part.name?.toLowerCase() === name);
	return field === undefined ? undefined : shapeOf(field.type);
}
