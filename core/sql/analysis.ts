/** The resolver's notebook: what has been found so far, and the one place that records a read. */
import type { ColumnReference, Join, Position, Query, Source, TableName } from './ast.ts';
import type { Lineage } from './lineage.ts';
import { refusal } from './refuse.ts';
import type { Read, Relation, ResolvedItem, ResolvedSource, Target, Use } from './resolved.ts';
import type { Scope } from './scope.ts';

const maxFields = 5000;

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
	/** Each name given, with the number to try next for another like it. */
	readonly aliases: Map<string, number>;
	/** How many columns the sources and select lists of the statement have so far. */
	fields: number;
	readonly references: Map<ColumnReference, Target>;
	readonly items: Map<Query, readonly ResolvedItem[]>;
	readonly sources: Map<Source, ResolvedSource>;
	readonly using: Map<Join, readonly (readonly [Target, Target])[]>;
};

/** A name not taken yet, as near to the wanted one as can be. */
export function unique(taken: Map<string, number>, wanted: string): string {
	let name = wanted;
	let next = taken.get(wanted) ?? 2;
	for (; taken.has(name); next += 1) name = `${wanted}_${next}`;
	taken.set(wanted, next);
	if (name !== wanted) taken.set(name, 2);
	return name;
}

/** Asked before fields are built, so that no text makes many times more of them than it has words. */
export function countFields(a: Analysis, more: number, at: Position): void {
	a.fields += more;
	if (a.fields > maxFields) throw refusal('too-large', at, `A query may have at most ${maxFields} columns in all.`);
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
