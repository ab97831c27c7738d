/**
 * The closed tree of a query: all that Fairlead understands of SQL, and nothing else.
 *
 * Names are parts, folded to lower case as Athena and Glue do; literals are values, not text. Chains (AND, OR, +, ||,
 * joins) are flat, so that walking a tree never goes deeper than the nesting the guards let in.
 */
import { unreachable } from './refuse.ts';

/** 1-based line and column of the first character. */
export type Position = { readonly line: number; readonly column: number };

export type Identifier = { readonly text: string; readonly at: Position };

/** A column written as one to four name parts; what it means is for the resolver. */
export type ColumnReference = { readonly kind: 'column'; readonly parts: readonly string[]; readonly at: Position };

export type Literal =
	| { readonly kind: 'integer'; readonly value: bigint; readonly at: Position }
	/** Exact decimal text: digits with one point, perhaps a leading minus. */
	| { readonly kind: 'decimal'; readonly text: string; readonly at: Position }
	/** Mantissa and exponent, such as 1.5E3. */
	| { readonly kind: 'double'; readonly text: string; readonly at: Position }
	| { readonly kind: 'string'; readonly value: string; readonly at: Position }
	| { readonly kind: 'boolean'; readonly value: boolean; readonly at: Position }
	| { readonly kind: 'null'; readonly at: Position }
	| { readonly kind: 'date' | 'timestamp'; readonly value: string; readonly at: Position }
	| {
			readonly kind: 'interval';
			readonly negative: boolean;
			readonly value: string;
			readonly unit: IntervalUnit;
			readonly at: Position;
	  };

export type IntervalUnit = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%';

/** A type of CAST: its Trino name and numeric parameters. */
export type TypeName = { readonly name: string; readonly parameters: readonly number[] };

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
	| Call;

/** Operators of one precedence, applied from the left. */
export type ArithmeticChain = {
	readonly kind: 'arithmetic';
	readonly first: Expression;
	readonly rest: readonly { readonly operator: ArithmeticOperator; readonly operand: Expression }[];
	readonly at: Position;
};

/** A function of the allow-list. `bare`: written without parentheses (current_date). */
export type Call = {
	readonly kind: 'call';
	readonly name: string;
	readonly arguments: readonly Expression[];
	readonly distinct: boolean;
	/** count(*) */
	readonly star: boolean;
	readonly bare: boolean;
	readonly at: Position;
};

export type SelectItem =
	| {
			readonly kind: 'expression';
			readonly expression: Expression;
			readonly alias: string | null;
			readonly at: Position;
	  }
	/** `*` when there is no qualifier. */
	| { readonly kind: 'star'; readonly qualifier: readonly string[] | null; readonly at: Position };

export type TableName = { readonly catalog: string | null; readonly database: string | null; readonly table: string };

export type Source =
	| {
			readonly kind: 'table';
			readonly name: TableName;
			readonly alias: string | null;
			readonly columns: readonly Identifier[] | null;
			readonly at: Position;
	  }
	| {
			readonly kind: 'derived';
			readonly query: Query;
			readonly alias: string | null;
			readonly columns: readonly Identifier[] | null;
			readonly at: Position;
	  }
	| {
			readonly kind: 'joins';
			readonly first: Source;
			readonly rest: readonly Join[];
			readonly at: Position;
	  };

export type TableSource = Extract<Source, { kind: 'table' }>;
export type DerivedSource = Extract<Source, { kind: 'derived' }>;

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

export type Query = {
	readonly kind: 'select';
	readonly distinct: boolean;
	readonly items: readonly SelectItem[];
	readonly from: readonly Source[];
	readonly where: Expression | null;
	readonly groupBy: readonly Expression[];
	readonly having: Expression | null;
	readonly orderBy: readonly SortItem[];
	readonly offset: bigint | null;
	readonly limit: bigint | null;
	readonly at: Position;
};

const literalKinds: ReadonlySet<string> = new Set<Literal['kind']>([
	'integer',
	'decimal',
	'double',
	'string',
	'boolean',
	'null',
	'date',
	'timestamp',
	'interval',
]);

export function isLiteral(e: Expression): e is Literal {
	return literalKinds.has(e.kind);
}

/** The direct sub-expressions; sub-queries are not entered. */
export function children(e: Expression): readonly Expression[] {
	if (isLiteral(e)) return [];
	switch (e.kind) {
		case 'column':
		case 'exists':
		case 'scalar-query':
			return [];
		case 'negate':
		case 'not':
		case 'in-query':
		case 'is-null':
		case 'cast':
		case 'extract':
			return [e.operand];
		case 'arithmetic':
			return [e.first, ...e.rest.map((step) => step.operand)];
		case 'concat':
		case 'and':
		case 'or':
			return e.operands;
		case 'compare':
		case 'distinct-from':
			return [e.left, e.right];
		case 'between':
			return [e.operand, e.low, e.high];
		case 'in-list':
			return [e.operand, ...e.items];
		case 'like':
			return e.escape === null ? [e.operand, e.pattern] : [e.operand, e.pattern, e.escape];
		case 'case':
			return [
				...(e.operand === null ? [] : [e.operand]),
				...e.branches.flatMap((branch) => [branch.when, branch.value]),
				...(e.otherwise === null ? [] : [e.otherwise]),
			];
		case 'call':
			return e.arguments;
	}
	return unreachable(e);
}

/** The sub-query an expression holds itself, if any. */
export function subquery(e: Expression): Query | null {
	return e.kind === 'exists' || e.kind === 'scalar-query' || e.kind === 'in-query' ? e.query : null;
}
