/**
 * Names in scope, by Trino's rules: qualified names match the end of a relation's full name, an alias hides it, two
 * matches are an error, no match asks the query around.
 */
import type { ColumnReference } from './ast.ts';
import type { Lineage } from './lineage.ts';
import { refusal, unsupported } from './refuse.ts';
import type { Target } from './resolved.ts';

export type ScopeField = {
	/** null: a column without a name; only a star finds it. */
	readonly name: string | null;
	/** The full name of its relation; null for the merged columns of JOIN .. USING. */
	readonly qualifier: readonly string[] | null;
	readonly target: Target;
	readonly lineage: Lineage;
	readonly granted: boolean;
	/** Of a base column: its type. */
	readonly type: string | null;
	readonly relation: string | null;
};

export type Scope = {
	readonly fields: readonly ScopeField[];
	readonly parent: Scope | null;
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

export function findColumn(reference: ColumnReference, scope: Scope): ScopeField {
	for (let level: Scope | null = scope; level !== null; level = level.parent) {
		const [found, second] = matches(level.fields, reference.parts);
		if (second !== undefined) {
			throw refusal('validation', reference.at, `The column ${reference.parts.join('.')} is ambiguous.`);
		}
		if (found !== undefined) return found;
		refuseRowField(reference, level);
	}
	throw unknownColumn(reference, scope);
}

/** `a.b` where `a` is a column means a field of its value, and nothing further out. */
function refuseRowField(reference: ColumnReference, scope: Scope): void {
	for (let length = reference.parts.length - 1; length > 0; length -= 1) {
		const [column] = matches(scope.fields, reference.parts.slice(0, length));
		if (column === undefined) continue;
		if (column.type === null || /^(?:struct|row)\b/.test(column.type)) {
			throw unsupported(reference.at, 'Reading a field of a structured value is not supported.');
		}
		throw unknownColumn(reference, scope);
	}
}

function unknownColumn({ parts, at }: ColumnReference, { fields }: Scope): Error {
	const near = parts.length > 1 ? fieldsOf(fields, parts.slice(0, -1)) : fields;
	const relations = new Set(near.map((field) => field.relation));
	const [table] = relations;
	const known = relations.size === 1 && table !== null && table !== undefined ? { table } : {};
	return refusal('column-not-found', at, `There is no column ${parts.join('.')}.`, { name: parts.at(-1), ...known });
}
