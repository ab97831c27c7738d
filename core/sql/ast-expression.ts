/** Expressions of the closed tree: names, literals, operators, calls and their windows. */
import type { Query, SortItem } from './ast.ts';

/** 1-based line and column of the first character. */
export type Position = { readonly line: number; readonly column: number };

export type Identifier = { readonly text: string; readonly at: Position };

/** A column written as name parts, perhaps followed by fields of its value; what it means is for the resolver. */
export type ColumnReference = { readonly kind: 'column'; readonly parts: readonly string[]; readonly at: Position };

export type IntervalUnit = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';

export type Literal =
	| { readonly kind: 'integer'; readonly value: bigint; readonly at: Position }
	/** Exact decimal text: digits, perhaps with a point inside, perhaps a leading minus. */
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
type ArithmeticChain = {
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
