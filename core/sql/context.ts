/** Where in a statement something stands: which names it can see, and what it is read for. */
import type { CommonTable, Position } from './ast.ts';
import type { Lineage } from './lineage.ts';
import type { ResolvedItem, Use } from './resolved.ts';
import type { Scope } from './scope.ts';
import type { ColumnType } from './types.ts';

/** A select list item with its lineage; `name` is what the query around sees. */
export type Item = ResolvedItem & { readonly lineage: Lineage; readonly type: ColumnType };

export type Result = {
	readonly items: readonly Item[];
	/** The columns that decide which rows there are. */
	readonly rows: Lineage;
};

/** A common table as the queries after it see it. */
export type Common = {
	readonly table: CommonTable;
	readonly columns: readonly {
		readonly name: string | null;
		readonly printed: string;
		readonly lineage: Lineage;
		readonly type: ColumnType;
	}[];
	readonly rows: Lineage;
	/** Of one that sees itself: told of every reference. */
	readonly referred: ((at: Position) => void) | null;
};

/** The common tables in scope, the nearest first. null: a name that may not be used here. */
export type Commons = { readonly name: string; readonly common: Common | null; readonly outer: Commons | null };

/** Where a query stands: `names` says how its columns are printed. */
export type Place = {
	readonly parent: Scope | null;
	readonly commons: Commons | null;
	/** The use its select list is recorded with: that of the clause around a sub-query. */
	readonly use: Use;
	readonly names: 'result' | 'unique';
	/** `constant`: in EXISTS whether there is a row matters, not its values, and a star reads none. */
	readonly stars: 'columns' | 'constant';
};

/** A window of the WINDOW clause. */
export type NamedWindowInfo = { readonly lineage: Lineage; readonly ordered: boolean; readonly framed: boolean };

export type Windows = ReadonlyMap<string, NamedWindowInfo>;

/** Where an expression stands. */
export type Context = {
	readonly scope: Scope;
	readonly commons: Commons | null;
	readonly windows: Windows;
	readonly use: Use;
	readonly lambda: boolean;
	/** Among the arguments of an aggregate. */
	readonly aggregate: boolean;
};

/** Where the expressions of a clause stand that sees these tables. */
export function contextOf(scope: Scope | null, place: Place, use: Use): Context {
	const none: Scope = { kind: 'tables', fields: [], parent: null };
	return { scope: scope ?? none, commons: place.commons, windows: new Map(), use, lambda: false, aggregate: false };
}

/** A derived table, a common table or a sub-query in an expression. */
export function placeOf(parent: Scope | null, commons: Commons | null, use: Use): Place {
	return { parent, commons, use, names: 'unique', stars: 'columns' };
}
