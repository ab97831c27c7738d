/** The resolver's notebook: what has been found so far, and the one place that records a read. */
import type { ColumnReference, Join, Position, Query, Source, TableName } from './ast.ts';
import type { Lineage } from './lineage.ts';
import type { Read, Relation, ResolvedItem, ResolvedSource, Target, Use } from './resolved.ts';
import type { Scope } from './scope.ts';

/** A select list item with its lineage; `name` is what the query around sees. */
export type Item = ResolvedItem & { readonly lineage: Lineage; readonly plainType: string | null };

export type ResolvedQuery = {
	readonly items: readonly Item[];
	/** The columns that decide which rows the query has. */
	readonly rows: Lineage;
};

/** Where a query stands: `names` says how its columns are printed. */
export type Place = {
	readonly parent: Scope | null;
	/** The use its select list is recorded with: that of the clause around a sub-query. */
	readonly use: Use;
	readonly names: 'result' | 'unique';
	/** Of EXISTS: whether there is a row matters, not its values. */
	readonly exists: boolean;
};

export type Lookup = (name: TableName) => Relation | undefined;

export type Analysis = {
	readonly lookup: Lookup;
	readonly query: (query: Query, place: Place) => ResolvedQuery;
	readonly reads: Map<string, Read>;
	readonly tables: Set<string>;
	readonly aliases: Set<string>;
	readonly references: Map<ColumnReference, Target>;
	readonly items: Map<Query, readonly ResolvedItem[]>;
	readonly sources: Map<Source, ResolvedSource>;
	readonly using: Map<Join, readonly (readonly [Target, Target])[]>;
};

/** A name not taken yet, as near to the wanted one as can be. */
export function unique(taken: Set<string>, wanted: string): string {
	let name = wanted;
	for (let n = 2; taken.has(name); n += 1) name = `${wanted}_${n}`;
	taken.add(name);
	return name;
}

export function recordRead(a: Analysis, read: Omit<Read, 'uses'>, use: Use): void {
	const id = JSON.stringify([read.table, read.column]);
	const known = a.reads.get(id);
	if (known === undefined) a.reads.set(id, { ...read, uses: [use] });
	else if (!known.uses.includes(use)) a.reads.set(id, { ...known, uses: [...known.uses, use] });
}

/** Adds a use to base columns already read. */
export function recordUse(a: Analysis, lineage: Lineage, use: Use, at: Position): void {
	for (const { table, column } of lineage.direct.values()) {
		recordRead(a, { table, column, granted: false, at }, use);
	}
}
