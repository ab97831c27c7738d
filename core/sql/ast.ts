/**
 * The closed tree of a query: all that Fairlead understands of SQL, and nothing else.
 *
 * Names are parts, folded to lower case as Athena and Glue do; literals are values, not text. Chains (AND, OR, +, ||,
 * joins, UNION) are flat, so that walking a tree never goes deeper than the nesting the guards let in. A tree is plain
 * data: it survives a structured clone, and nodes are told apart by identity afterwards.
 */

/** 1-based line and column of the first character. */
export type Position = { readonly line: number; readonly column: number };

export type Identifier = { readonly text: string; readonly at: Position };

/** A column written as name parts, perhaps followed by fields of its value; what it means is for the resolver. */
export type ColumnReference = { readonly kind: 'column'; readonly parts: readonly string[]; readonly at: Position };

export type IntervalUnit = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';

export type Literal =
	| { readonly kind: 'integer'; readonly value: bigint; readonly at: Position }
	/** Exact decimal text: digits with one point, perhaps a leading minus. */
	| { readonly kind: 'decimal'; readonly text: string; readonly at: Position }
	/** Mantissa and exponent, such as 1.5E3. */
	| { readonly kind: 'double'; readonly text: string; readonly at: Position }
	| { readonly kind: 'string'; readonly value: string; readonly at: Position }
	/** X'..': an even number of hexadecimal digits in upper case. */
	| { readonly kind: 'binary'; readonly value: string; readonly at: Position }
	| { readonly kind: 'boolean'; readonly value: boolean; readonly at: Position }
	| { readonly kind: 'null'; readonly at: Position }
	/** `timestamp` is without a zone, `timestamp-zone` ends in one: 'YYYY-MM-DD HH:MM:SS.fff Europe/Prague'. */
	| { readonly kind: 'date' | 'time' | 'timestamp' | 'timestamp-zone'; readonly value: string; readonly at: Position }
	| {
			readonly kind: 'interval';
			readonly negative: boolean;
			readonly value: string;
			readonly unit: IntervalUnit;
			/** INTERVAL '1-2' YEAR TO MONTH */
			readonly to: IntervalUnit | null;
			readonly at: Position;
	  };

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

/**
 * A type of CAST: its Trino name in lower case and numeric parameters. `of`: the element of an array, key and value of a
 * map, fields of a row. Zoned types have their whole name, 'timestamp with time zone'.
 */
export type TypeName = {
	readonly name: string;
	readonly parameters: readonly number[];
	readonly of: readonly { readonly name: string | null; readonly type: TypeName }[];
};

export type Expression =
	| ColumnReference
	| Literal
	| { readonly kind: 'negate' | 'not'; readonly operand: Expression; readonly at: Position }
	| ArithmeticChain
	| { readonly kind: 'concat' | 'and' | 'or'; readonly operands: readonly Expression[]; readonly at: Position }
	| {
			readonly kind: 'compare';
			readonly operator: ComparisonOperator;
			readonly left: Expression;
			readonly right: Expression;
			readonly at: Position;
	  }
	/** `a > ALL (SELECT ..)`; SOME is ANY. */
	| {
			readonly kind: 'quantified';
			readonly operator: ComparisonOperator;
			readonly quantifier: 'all' | 'any';
			readonly operand: Expression;
			readonly query: Query;
			readonly at: Position;
	  }
	| {
			readonly kind: 'distinct-from';
			readonly left: Expression;
			readonly right: Expression;
			readonly negated: boolean;
			readonly at: Position;
	  }
	| {
			readonly kind: 'between';
			readonly operand: Expression;
			readonly low: Expression;
			readonly high: Expression;
			readonly negated: boolean;
			readonly at: Position;
	  }
	| {
			readonly kind: 'in-list';
			readonly operand: Expression;
			readonly items: readonly Expression[];
			readonly negated: boolean;
			readonly at: Position;
	  }
	| {
			readonly kind: 'in-query';
			readonly operand: Expression;
			readonly query: Query;
			readonly negated: boolean;
			readonly at: Position;
	  }
	| { readonly kind: 'exists' | 'scalar-query'; readonly query: Query; readonly at: Position }
	| {
			readonly kind: 'like';
			readonly operand: Expression;
			readonly pattern: Expression;
			readonly escape: Expression | null;
			readonly negated: boolean;
			readonly at: Position;
	  }
	| { readonly kind: 'is-null'; readonly operand: Expression; readonly negated: boolean; readonly at: Position }
	| {
			readonly kind: 'case';
			readonly operand: Expression | null;
			readonly branches: readonly { readonly when: Expression; readonly value: Expression }[];
			readonly otherwise: Expression | null;
			readonly at: Position;
	  }
	| {
			readonly kind: 'cast';
			readonly operand: Expression;
			readonly type: TypeName;
			/** TRY_CAST: NULL where the value does not fit. */
			readonly safe: boolean;
			readonly at: Position;
	  }
	| { readonly kind: 'extract'; readonly field: string; readonly operand: Expression; readonly at: Position }
	/** ROW(a, b) and (a, b); ARRAY[a, b] */
	| { readonly kind: 'row' | 'array'; readonly items: readonly Expression[]; readonly at: Position }
	| { readonly kind: 'subscript'; readonly operand: Expression; readonly index: Expression; readonly at: Position }
	/** A field of a value that is no plain name: f(x).y, a[1].y. A name with dots is one `ColumnReference`. */
	| { readonly kind: 'field'; readonly operand: Expression; readonly name: Identifier; readonly at: Position }
	| Lambda
	/** AT TIME ZONE; `zone` is a string or an interval literal. */
	| { readonly kind: 'at-zone'; readonly operand: Expression; readonly zone: Expression; readonly at: Position }
	/** GROUPING(a, b): which of the columns this row is grouped by. */
	| { readonly kind: 'grouping'; readonly columns: readonly ColumnReference[]; readonly at: Position }
	/** JSON_EXISTS, JSON_VALUE and JSON_QUERY with a constant path and their default behaviours. */
	| {
			readonly kind: 'json-path';
			readonly name: 'json_exists' | 'json_value' | 'json_query';
			readonly operand: Expression;
			readonly path: string;
			readonly returning: TypeName | null;
			readonly at: Position;
	  }
	| Call;

/** Operators of one precedence, applied from the left. */
export type ArithmeticChain = {
	readonly kind: 'arithmetic';
	readonly first: Expression;
	readonly rest: readonly { readonly operator: ArithmeticOperator; readonly operand: Expression }[];
	readonly at: Position;
};

export type Lambda = {
	readonly kind: 'lambda';
	readonly parameters: readonly Identifier[];
	readonly body: Expression;
	readonly at: Position;
};

/** A function of the allow-list. TRIM(LEADING c FROM s) is `ltrim` with two arguments, and so on. */
export type Call = {
	readonly kind: 'call';
	readonly name: string;
	readonly arguments: readonly Expression[];
	readonly distinct: boolean;
	/** count(*) */
	readonly star: boolean;
	/** Written without parentheses (current_date). */
	readonly bare: boolean;
	/** Of an aggregate: array_agg(x ORDER BY y). Of listagg it stands in WITHIN GROUP. */
	readonly orderBy: readonly SortItem[];
	readonly filter: Expression | null;
	readonly over: Window | NamedWindow | null;
	/** IGNORE NULLS, RESPECT NULLS */
	readonly nulls: 'ignore' | 'respect' | null;
	readonly at: Position;
};

/** What stands in the parentheses of OVER (..) or WINDOW w AS (..). */
export type Window = {
	readonly kind: 'window';
	/** The window that this one goes on from. */
	readonly base: Identifier | null;
	readonly partitionBy: readonly Expression[];
	readonly orderBy: readonly SortItem[];
	readonly frame: Frame | null;
	readonly at: Position;
};

/** OVER w */
export type NamedWindow = { readonly kind: 'named-window'; readonly name: string; readonly at: Position };

export type Frame = {
	readonly unit: 'range' | 'rows' | 'groups';
	readonly start: FrameBound;
	/** null: up to the current row. */
	readonly end: FrameBound | null;
};

export type FrameBound =
	| { readonly kind: 'unbounded-preceding' | 'unbounded-following' | 'current-row' }
	| { readonly kind: 'preceding' | 'following'; readonly value: Expression };

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
