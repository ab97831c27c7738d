/**
 * Names in scope, by Trino's rules: qualified names match the end of a relation's full name, an alias hides it, two
 * matches are an error, no match asks the query around. `a.b` where `a` is a column means a field of its value.
 */
import type { ColumnReference } from './ast.ts';
import type { Lineage } from './lineage.ts';
import { invalid, refusal, ticked } from './refuse.ts';
import type { Target } from './resolved.ts';
import { type ColumnType, fieldType, shapeOf } from './types.ts';

export type ScopeField = {
	/** null: a column without a name; only a star finds it. */
	readonly name: string | null;
	/** The full name of its relation; null for the merged columns of JOIN .. USING. */
	readonly qualifier: readonly string[] | null;
	readonly target: Target;
	readonly lineage: Lineage;
	readonly granted: boolean;
	readonly type: ColumnType;
	/** The table of a base column. */
	readonly relation: string | null;
};

export type Scope = {
	/** The tables of a query, the parameters of a lambda, the outputs that ORDER BY sees. */
	readonly kind: 'tables' | 'parameters' | 'outputs';
	readonly fields: readonly ScopeField[];
	readonly parent: Scope | null;
};

/** `path`: fields inside its value. `crossed`: it belongs to a query around the one that names it. */
type Found = {
	readonly field: ScopeField;
	readonly path: readonly string[];
	readonly type: ColumnType;
	readonly crossed: boolean;
};

function endsWith(full: readonly string[] | null, end: readonly string[]): boolean {
	if (end.length === 0) return true;
	if (full === null || full.length < end.length) return false;
	return end.every((part, index) => part === full[full.length - end.length + index]);
}

export function matches(fields: readonly ScopeField[], parts: readonly string[]): readonly ScopeField[] {
	const name = parts.at(-1);
	const qualifier = parts.slice(0, -1);
	return fields.filter((field) => field.name === name && endsWith(field.qualifier, qualifier));
}

/** The fields of `qualifier.*`. */
export function fieldsOf(fields: readonly ScopeField[], qualifier: readonly string[]): readonly ScopeField[] {
	return fields.filter((field) => endsWith(field.qualifier, qualifier));
}

export function findColumn(reference: ColumnReference, scope: Scope): Found {
	let crossed = false;
	for (let level: Scope | null = scope; level !== null; level = level.parent) {
		const found = findIn(reference, level);
		if (found !== null) return { ...found, crossed };
		crossed ||= level.kind === 'tables';
	}
	throw unknownColumn(reference, scope);
}

/** The whole name first; then ever shorter ones, the rest of which are fields inside the value. */
function findIn(reference: ColumnReference, level: Scope): Omit<Found, 'crossed'> | null {
	const { parts } = reference;
	for (let length = parts.length; length > 0; length -= 1) {
		const name = parts.slice(0, length);
		const [field, second] = matches(level.fields, name);
		if (second !== undefined) throw invalid(reference.at, `The column ${ticked(...name)} is ambiguous.`);
		if (field === undefined) continue;
		const path = parts.slice(length);
		return { field, path, type: path.length === 0 ? field.type : partType(reference, field.type, path, level) };
	}
	return null;
}

function partType(reference: ColumnReference, whole: ColumnType, path: readonly string[], level: Scope): ColumnType {
	let type = shapeOf(whole);
	for (const name of path) {
		const part = fieldType(type, name);
		if (part === undefined) throw unknownColumn(reference, level);
		type = part;
	}
	return type;
}

function unknownColumn({ parts, at }: ColumnReference, { fields }: Scope): Error {
	const near = parts.length > 1 ? fieldsOf(fields, parts.slice(0, -1)) : fields;
	const relations = new Set(near.map((field) => field.relation));
	const [table] = relations;
	const known = relations.size === 1 && table !== null && table !== undefined ? { table } : {};
	return refusal('column-not-found', at, `There is no column ${ticked(...parts)}.`, { name: parts.at(-1), ...known });
}
