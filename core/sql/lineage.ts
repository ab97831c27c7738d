/**
 * Where values come from: sets of base columns, each with how directly it feeds a value, in OpenLineage's terms
 * (https://openlineage.io/docs/spec/facets/dataset-facets/column_lineage_facet).
 */
import type { DirectKind, IndirectUse, Output } from './resolved.ts';

type Direct = { readonly table: string; readonly column: string; readonly kind: DirectKind };
type Indirect = { readonly table: string; readonly column: string; readonly use: IndirectUse };

/** `direct` by column, `indirect` by column and use. */
export type Lineage = {
	readonly direct: ReadonlyMap<string, Direct>;
	readonly indirect: ReadonlyMap<string, Indirect>;
};

const strength: Readonly<Record<DirectKind, number>> = { identity: 0, transformation: 1, aggregation: 2 };

export const nothing: Lineage = { direct: new Map(), indirect: new Map() };

function key(...parts: readonly string[]): string {
	return JSON.stringify(parts);
}

export function baseColumn(table: string, column: string): Lineage {
	return { direct: new Map([[key(table, column), { table, column, kind: 'identity' }]]), indirect: new Map() };
}

/** All of them together; a column that comes twice keeps the stronger kind. */
export function merge(parts: readonly Lineage[]): Lineage {
	if (parts.length === 1 && parts[0] !== undefined) return parts[0];
	const direct = new Map<string, Direct>();
	const indirect = new Map<string, Indirect>();
	for (const part of parts) {
		for (const [id, entry] of part.direct) {
			const known = direct.get(id);
			if (known === undefined || strength[known.kind] < strength[entry.kind]) direct.set(id, entry);
		}
		for (const [id, entry] of part.indirect) indirect.set(id, entry);
	}
	return { direct, indirect };
}

/** The same columns, each at least of this kind. */
export function raise(lineage: Lineage, kind: DirectKind): Lineage {
	const direct = new Map<string, Direct>();
	for (const [id, entry] of lineage.direct) {
		direct.set(id, strength[entry.kind] < strength[kind] ? { ...entry, kind } : entry);
	}
	return { direct, indirect: lineage.indirect };
}

/** What decides on rows or branches: its columns are no values of the result, they influence it. */
export function influence(lineage: Lineage, use: IndirectUse): Lineage {
	const indirect = new Map(lineage.indirect);
	for (const { table, column } of lineage.direct.values()) {
		indirect.set(key(table, column, use), { table, column, use });
	}
	return { direct: new Map(), indirect };
}

/** The result column: its own lineage and what decided on the rows. */
export function outputOf(name: string | null, own: Lineage, rows: Lineage): Output {
	return { name, sources: [...own.direct.values()], indirect: [...merge([own, rows]).indirect.values()] };
}
