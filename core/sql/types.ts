/** The shape of a type: what an array, a map or a row has inside. A text that cannot be read is not known. */
import type { TypeName } from './ast.ts';
import { parseType } from './type-text.ts';

export { parseType, readType } from './type-text.ts';

/** The text of the catalog, a type already read, or not known. */
export type ColumnType = string | TypeName | null;

type Field = TypeName['of'][number];

export function shapeOf(type: ColumnType): TypeName | null {
	const shape = typeof type === 'string' ? parseType(type) : type;
	return shape?.name === unknown.name ? null : shape;
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
