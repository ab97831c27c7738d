/** What a query means over given tables: what the resolver is given of them, and its result, read by the printers and by whoever authorises. */
import type {
	ColumnReference,
	CommonTable,
	Expression,
	Join,
	Lambda,
	Position,
	Query,
	Select,
	Source,
	TableName,
	UnnestSource,
} from './ast.ts';
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

/**
 * A view stands for its query, which is resolved in the view's own scope and printed expanded: cell filters do not reach
 * through views. `columns` names what it offers, in order. The view itself is no table that is read.
 */
export type View = { readonly view: Query; readonly columns: readonly string[] };

/** undefined: there is no such table. */
export type Lookup = (name: TableName) => Relation | View | undefined;

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

export type DirectSource = { readonly table: string; readonly column: string; readonly kind: DirectKind };
export type IndirectSource = {
	readonly table: string;
	readonly column: string;
	readonly use: IndirectUse;
	/** `rows`: of a sub-query in the expression, by deciding which rows that one has. */
	readonly by: 'expression' | 'rows';
};

/** One column of the result and where its values come from. */
export type Output = {
	/** null: the query gives it no name. */
	readonly name: string | null;
	/** Columns whose values are in it, as they are or computed with. */
	readonly sources: readonly DirectSource[];
	/** Columns that its expression decides by: conditions, windows, filters and orders of aggregates, sub-queries. */
	readonly indirect: readonly IndirectSource[];
};

/** One column a table, derived table or common table offers to the query around it. */
export type Field = {
	/** The name in our printed text; unique within its source. */
	readonly printed: string;
	readonly origin:
		| { readonly kind: 'base'; readonly column: string; readonly type: string; readonly granted: boolean }
		/** Column `index` (from 0) of a query. */
		| { readonly kind: 'query'; readonly query: Query; readonly index: number }
		/** What an expression of UNNEST has in it: `part` counts keys and values of a map, fields of rows. */
		| { readonly kind: 'element'; readonly expression: Expression; readonly part: number }
		| { readonly kind: 'ordinality' };
};

export type ResolvedSource = {
	/** Unique in the whole statement, so that no reference can be captured by another scope. */
	readonly alias: string;
	readonly content:
		| { readonly kind: 'base'; readonly relation: Relation }
		| { readonly kind: 'common'; readonly table: CommonTable }
		/** A derived table, or the query of a view. */
		| { readonly kind: 'query'; readonly query: Query; readonly lateral: boolean }
		| { readonly kind: 'unnest'; readonly source: UnnestSource };
	/** In order; all but a base table's are printed as the column list of its alias. */
	readonly fields: readonly Field[];
	/** The fields that anything refers to; grows while resolving. */
	readonly used: Set<Field>;
};

export type Target =
	| { readonly kind: 'field'; readonly source: ResolvedSource; readonly field: Field }
	/** A column of JOIN .. USING: the first of the two that is not NULL. */
	| { readonly kind: 'merged'; readonly left: Target; readonly right: Target }
	/**
	 * In ORDER BY: an output column by its name. `expression` stands for it inside another expression; null after a set
	 * operation, where its printed name does.
	 */
	| {
			readonly kind: 'output';
			readonly ordinal: number;
			readonly expression: Expression | null;
			readonly printed: string;
			/** The query it is an output of. */
			readonly query: Query;
	  }
	/** A parameter of a lambda, under a printed name that is unique in the statement. */
	| { readonly kind: 'parameter'; readonly lambda: Lambda; readonly index: number; readonly printed: string }
	/** Fields inside the value of a column: `path` are their names. */
	| { readonly kind: 'part'; readonly of: Target; readonly path: readonly string[] };

export type ResolvedItem = { readonly name: string | null; readonly printed: string; readonly expression: Expression };

export type Resolved = {
	readonly query: Query;
	readonly reads: readonly Read[];
	readonly outputs: readonly Output[];
	/** What decides which rows there are: it is indirect lineage of every output. */
	readonly rows: readonly IndirectSource[];
	/** Relation ids read, also when no column of theirs is. */
	readonly tables: readonly string[];
	readonly references: ReadonlyMap<ColumnReference, Target>;
	/** Select lists with stars expanded, of the query and all its sub-queries. */
	readonly items: ReadonlyMap<Select, readonly ResolvedItem[]>;
	readonly sources: ReadonlyMap<Source, ResolvedSource>;
	/** Printed names of each common table and its columns. */
	readonly commons: ReadonlyMap<CommonTable, { readonly printed: string; readonly columns: readonly string[] }>;
	/** Printed names of each lambda's parameters. */
	readonly lambdas: ReadonlyMap<Lambda, readonly string[]>;
	/** The column pairs of each JOIN .. USING. */
	readonly using: ReadonlyMap<Join, readonly (readonly [Target, Target])[]>;
};
