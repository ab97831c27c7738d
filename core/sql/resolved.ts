/** What a query means over given tables: the resolver's result, read by the printers and by whoever authorises. */
import type { ColumnReference, Expression, Join, Position, Query, Source } from './ast.ts';
import type { RowFilter } from './rowpredicate.ts';

export type Relation = {
	/** The caller's key of the target table, such as 'lending.loans'; stands in reads and lineage. */
	readonly id: string;
	/** Name parts to print: the consumer's own name of the table. */
	readonly printed: readonly string[];
	/** In table order; `type` is the Glue or Trino type in lower case. */
	readonly columns: readonly { readonly name: string; readonly type: string; readonly granted: boolean }[];
	/** Printed with the table when all its columns are granted. */
	readonly rowFilter: RowFilter | null;
};

export type Use = 'select' | 'filter' | 'join' | 'group' | 'having' | 'sort' | 'window';

/** A base column the query reads anywhere, and in which clauses. `at`: where it is first written. */
export type Read = {
	readonly table: string;
	readonly column: string;
	readonly granted: boolean;
	readonly uses: readonly Use[];
	readonly at: Position;
};

export type DirectKind = 'identity' | 'transformation' | 'aggregation';
export type IndirectUse = 'filter' | 'join' | 'group' | 'sort' | 'window' | 'conditional';

/** One column of the result: where its values come from, and what decided which rows there are. */
export type Output = {
	/** null: the query gives it no name. */
	readonly name: string | null;
	readonly sources: readonly { readonly table: string; readonly column: string; readonly kind: DirectKind }[];
	readonly indirect: readonly { readonly table: string; readonly column: string; readonly use: IndirectUse }[];
};

/** One column a table or derived table offers to the query around it. */
export type Field = {
	/** The name in our printed text; unique within its source. */
	readonly printed: string;
	/** Of a base column: its type. Of a derived one: the expression it stands for. */
	readonly origin:
		| { readonly kind: 'base'; readonly column: string; readonly type: string; readonly granted: boolean }
		| { readonly kind: 'derived'; readonly expression: Expression };
};

export type ResolvedSource = {
	/** Unique in the whole statement, so that no reference can be captured by another scope. */
	readonly alias: string;
	readonly relation: Relation | null;
	readonly fields: readonly Field[];
	/** The fields that anything refers to; grows while resolving. */
	readonly used: Set<Field>;
};

export type Target =
	| { readonly kind: 'field'; readonly source: ResolvedSource; readonly field: Field }
	/** A column of JOIN .. USING: the first of the two that is not NULL. */
	| { readonly kind: 'merged'; readonly left: Target; readonly right: Target }
	/** In ORDER BY: an output column by its name. */
	| { readonly kind: 'output'; readonly ordinal: number; readonly expression: Expression };

export type ResolvedItem = { readonly name: string | null; readonly printed: string; readonly expression: Expression };

export type Resolved = {
	readonly query: Query;
	readonly reads: readonly Read[];
	readonly outputs: readonly Output[];
	/** Relation ids read, also when no column of theirs is. */
	readonly tables: readonly string[];
	readonly references: ReadonlyMap<ColumnReference, Target>;
	/** Select lists with stars expanded, of the query and all its sub-queries. */
	readonly items: ReadonlyMap<Query, readonly ResolvedItem[]>;
	readonly sources: ReadonlyMap<Source, ResolvedSource>;
	/** The column pairs of each JOIN .. USING. */
	readonly using: ReadonlyMap<Join, readonly (readonly [Target, Target])[]>;
};
