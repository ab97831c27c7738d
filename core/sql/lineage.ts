/**
 * Where values come from: sets of base columns, each with how directly it feeds a value, in OpenLineage's terms
 * (https://openlineage.io/docs/spec/facets/dataset-facets/column_lineage_facet).
 */
import type { DirectKind, DirectSource, IndirectSource, IndirectUse } from './resolved.ts';

/** `direct` by column, `indirect` by column, use and how. */
export type Lineage = {
	readonly direct: ReadonlyMap<string, DirectSource>;
	readonly indirect: ReadonlyMap<string, IndirectSource>;
};

export const strength: Readonly<Record<DirectKind, number>> = { identity: 0, transformation: 1, aggregation: 2 };

export const nothing: Lineage = { direct: new Map(), indirect: new Map() };

export function keyOf(...parts: readonly string[]): string {
	return JSON.stringify(parts);
}

export function baseColumn(table: string, column: string): Lineage {
	return { direct: new Map([[keyOf(table, column), { table, column, kind: 'identity' }]]), indirect: new Map() };
}

/** All of them together; a column that comes twice keeps the stronger kind. */
export function merge(parts: readonly Lineage[]): Lineage {
	const filled = parts.filter(({ direct, indirect }) => direct.size + indirect.size > 0);
	const [only, second] = filled;
	if (only === undefined) return nothing;
	if (second === undefined) return only;
	const direct = new Map(only.direct);
	const indirect = new Map(only.indirect);
	for (const part of filled.slice(1)) {
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
	if ([...lineage.direct.values()].every((entry) => strength[entry.kind] >= strength[kind])) return lineage;
	const direct = new Map<string, DirectSource>();
	for (const [id, entry] of lineage.direct) {
		direct.set(id, strength[entry.kind] < strength[kind] ? { ...entry, kind } : entry);
	}
	return { direct, indirect: lineage.indirect };
}

/** What a value holds and what it was chosen by: whoever decides by the value decides by these. */
export function deciding(lineage: Lineage): readonly { readonly table: string; readonly column: string }[] {
	const conditions = [...lineage.indirect.values()].filter(({ use }) => use === 'conditional');
	return [...lineage.direct.values(), ...conditions];
}

/** What decides on rows or branches: its columns are no values of the result, they influence it. */
export function influence(lineage: Lineage, use: IndirectUse): Lineage {
	const indirect = new Map(lineage.indirect);
	for (const { table, column } of lineage.direct.values()) {
		indirect.set(keyOf(table, column, use), { table, column, use, by: 'expression' });
	}
	return { direct: new Map(), indirect };
}

/** Only what it was influenced by: that decides on the rows there are. */
export function influences({ indirect }: Lineage): Lineage {
	const rows = [...indirect.values()].map(
		({ table, column, use }) => [keyOf(table, column, use, 'rows'), { table, column, use, by: 'rows' }] as const,
	);
	return { direct: new Map(), indirect: new Map(rows) };
}

/** Each column and use once; what an expression decides by itself comes before what a sub-query in it does. */
export function influencesOf({ indirect }: Lineage): readonly IndirectSource[] {
	return [...indirect.values()].filter(
		({ table, column, use, by }) => by === 'expression' || !indirect.has(keyOf(table, column, use)),
	);
}
