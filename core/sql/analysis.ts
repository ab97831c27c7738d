/** The resolver's notebook: what has been found so far, and the one place that records a read. */
import type {
	ColumnReference,
	CommonTable,
	Expression,
	Join,
	Lambda,
	Position,
	Query,
	QueryBody,
	Select,
	Source,
} from './ast.ts';
import { bounds } from './bounds.ts';
import type { Place, Result, Windows } from './context.ts';
import { deciding, keyOf, type Lineage } from './lineage.ts';
import { tooLarge } from './refuse.ts';
import type { Field, Lookup, Read, ResolvedItem, ResolvedSource, Target, Use } from './resolved.ts';
import type { Scope } from './scope.ts';
import type { ColumnType } from './types.ts';

/** What the ORDER BY of a query needs of its body. */
export type ResolvedBody = Result & { readonly scope: Scope | null; readonly windows: Windows };

export type Analysis = {
	readonly lookup: Lookup;
	readonly query: (query: Query, place: Place) => Result;
	readonly body: (body: QueryBody, place: Place) => ResolvedBody;
	readonly reads: Map<string, Read>;
	readonly tables: Set<string>;
	/** Names of one part that base tables are printed with; no common table may be called so. */
	readonly plainNames: Set<string>;
	/** Each printed name given, with the number to try next for another like it. */
	readonly names: Map<string, number>;
	/** How many columns the sources and select lists of the statement have so far. */
	fields: number;
	/** How many places around, sub-queries of expressions and outer joins, forbid a recursive reference. */
	unrecursive: number;
	/** How many common tables that see themselves there were. */
	recursions: number;
	/** The views that stand around, and where the first of them is written. */
	views: { readonly depth: number; readonly at: Position } | null;
	readonly references: Map<ColumnReference, Target>;
	/** The types of columns and sub-queries, as far as known. */
	readonly types: Map<Expression, ColumnType>;
	readonly items: Map<Select, readonly ResolvedItem[]>;
	readonly sources: Map<Source, NamedSource>;
	/** Sources that are named where other columns are nearer: in sub-queries and in ORDER BY. */
	readonly correlated: Set<ResolvedSource>;
	/** The printed names of their columns; those of their own are chosen when all names are known. */
	readonly commons: Map<CommonTable, readonly string[]>;
	readonly lambdas: Map<Lambda, readonly string[]>;
	readonly using: Map<Join, readonly (readonly [Target, Target])[]>;
};

/** The alias is chosen when all names are known. */
type NamedSource = { -readonly [member in keyof ResolvedSource]: ResolvedSource[member] };

/** Takes down what stands in FROM: its columns, none of them used yet. */
export function addSource(
	a: Analysis,
	source: Source,
	alias: string,
	content: ResolvedSource['content'],
	fields: readonly Field[],
): ResolvedSource {
	const resolved: NamedSource = { alias, content, fields, used: new Set() };
	a.sources.set(source, resolved);
	return resolved;
}

/** A name not taken yet, as near to the wanted one as can be. */
export function unique(taken: Map<string, number>, wanted: string): string {
	let name = wanted;
	let next = taken.get(wanted) ?? 2;
	for (; taken.has(name); next += 1) name = `${wanted}_${next}`;
	taken.set(wanted, next);
	if (name !== wanted) taken.set(name, 2);
	return name;
}

/** Names for columns, all different; one without a name is called as Athena calls it. */
export function uniqueNames(wanted: readonly (string | null)[]): readonly string[] {
	const taken = new Map<string, number>();
	return wanted.map((name, index) => unique(taken, name ?? `_col${index}`));
}

/** As in Trino, a recursive table may not refer to itself there. */
export function withoutRecursion<T>(a: Analysis, forbidden: boolean, resolve: () => T): T {
	if (!forbidden) return resolve();
	a.unrecursive += 1;
	try {
		return resolve();
	} finally {
		a.unrecursive -= 1;
	}
}

/** Asked before fields are built, so that no text makes many times more of them than it has words. */
export function countFields(a: Analysis, more: number, at: Position): void {
	a.fields += more;
	if (a.fields > bounds.fields) throw tooLarge(at, `A query may have at most ${bounds.fields} columns in all.`);
}

export function recordRead(a: Analysis, read: Omit<Read, 'uses'>, use: Use): void {
	const id = keyOf(read.table, read.column);
	const known = a.reads.get(id);
	if (known === undefined) a.reads.set(id, { ...read, at: a.views?.at ?? read.at, uses: [use] });
	else if (!known.uses.includes(use)) a.reads.set(id, { ...known, uses: [...known.uses, use] });
}

/** Adds a use to the base columns behind a value, which are read already. */
export function recordUse(a: Analysis, lineage: Lineage, use: Use, at: Position): void {
	for (const { table, column } of deciding(lineage)) recordRead(a, { table, column, granted: false, at }, use);
}
