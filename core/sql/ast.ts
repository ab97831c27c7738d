/**
 * The closed tree of a query: all that Fairlead understands of SQL, and nothing else.
 *
 * Names are parts, folded to lower case as Athena and Glue do; literals are values, not text. Chains (AND, OR, +, ||,
 * joins, UNION) are flat, so that walking a tree never goes deeper than the nesting the guards let in. A tree is plain
 * data: it survives a structured clone, and nodes are told apart by identity afterwards.
 */
import type { Expression, Identifier, Literal, Position, Window } from './ast-expression.ts';

export type * from './ast-expression.ts';

export type SelectItem =
	| {
			readonly kind: 'expression';
			readonly expression: Expression;
			readonly alias: string | null;
			readonly at: Position;
	  }
	/** `*` when there is no qualifier; `t.* AS (x, y)` has aliases. */
	| {
			readonly kind: 'star';
			readonly qualifier: readonly string[] | null;
			readonly aliases: readonly Identifier[] | null;
			readonly at: Position;
	  };

export type TableName = { readonly catalog: string | null; readonly database: string | null; readonly table: string };

/** A name for a table and perhaps for its columns. */
type Aliased = {
	readonly alias: string | null;
	readonly columns: readonly Identifier[] | null;
	readonly at: Position;
};

/** TABLESAMPLE BERNOULLI (p): the percentage. */
type Sampled = { readonly sample: Literal | null };

/** A table of the catalog or of WITH. */
export type TableSource = { readonly kind: 'table'; readonly name: TableName } & Aliased & Sampled;

/** `lateral` sees the tables before it in FROM. `(a JOIN b) AS x` is one over SELECT *, `TABLE t` is SELECT * FROM t. */
export type DerivedSource = { readonly kind: 'derived'; readonly query: Query; readonly lateral: boolean } & Aliased &
	Sampled;

/** UNNEST(..): arrays to one column each, maps to two, arrays of rows to one for each field. */
export type UnnestSource = {
	readonly kind: 'unnest';
	readonly expressions: readonly Expression[];
	readonly ordinality: boolean;
} & Aliased;

export type JoinsSource = {
	readonly kind: 'joins';
	readonly first: Source;
	readonly rest: readonly Join[];
	readonly at: Position;
};

export type Source = TableSource | DerivedSource | UnnestSource | JoinsSource;

export type Join = {
	readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross';
	readonly right: Source;
	readonly on: Expression | null;
	readonly using: readonly Identifier[] | null;
	readonly at: Position;
};

export type SortItem = {
	readonly expression: Expression;
	readonly descending: boolean;
	/** null: what the dialect does when nothing is said (Trino: NULLs last, in both directions). */
	readonly nulls: 'first' | 'last' | null;
};

/** One element of GROUP BY. `terms`: an expression, several in parentheses, or () for all rows together. */
export type GroupingElement =
	| { readonly kind: 'terms'; readonly terms: readonly Expression[]; readonly at: Position }
	| {
			readonly kind: 'rollup' | 'cube' | 'sets';
			readonly sets: readonly (readonly Expression[])[];
			readonly at: Position;
	  };

export type Select = {
	readonly kind: 'select';
	readonly distinct: boolean;
	readonly items: readonly SelectItem[];
	readonly from: readonly Source[];
	readonly where: Expression | null;
	readonly groupBy: { readonly distinct: boolean; readonly elements: readonly GroupingElement[] } | null;
	readonly having: Expression | null;
	readonly windows: readonly { readonly name: Identifier; readonly window: Window }[];
	readonly at: Position;
};

/** Applied from the left; INTERSECT, which binds closer, is an operation of its own inside. */
export type SetOperation = {
	readonly kind: 'set';
	readonly first: QueryBody;
	readonly rest: readonly SetStep[];
	readonly at: Position;
};

export type SetStep = {
	readonly operator: 'union' | 'intersect' | 'except';
	/** UNION ALL: duplicates stay. */
	readonly all: boolean;
	readonly body: QueryBody;
	readonly at: Position;
};

/** Each row is as many expressions as there are columns. */
export type Values = {
	readonly kind: 'values';
	readonly rows: readonly (readonly Expression[])[];
	readonly at: Position;
};

/** A query in parentheses is one inside the other. */
export type QueryBody = Select | SetOperation | Values | Query;

/** WITH name (columns) AS (query) */
export type CommonTable = {
	readonly name: Identifier;
	readonly columns: readonly Identifier[] | null;
	readonly query: Query;
};

export type Query = {
	readonly kind: 'query';
	readonly recursive: boolean;
	readonly commons: readonly CommonTable[];
	readonly body: QueryBody;
	readonly orderBy: readonly SortItem[];
	readonly offset: bigint | null;
	readonly limit: bigint | null;
	/** FETCH FIRST n ROWS WITH TIES */
	readonly ties: boolean;
	readonly at: Position;
};
