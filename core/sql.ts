/**
 * SQL, read exactly: a text to a closed tree, the tree to every table and column it reads and where each output comes
 * from, and printed again as Trino. The text itself never goes further than the parser.
 *
 * Parsed with the generated Trino grammar of dt-sql-parser, used as a parser only. What is not fully understood is
 * refused: `sql-syntax` for a text that is no SQL, `unsupported` for SQL that is not read here, each with `line` and
 * `column`. Nothing is stored, so a crash leaves nothing.
 */
export type {
	Call,
	ColumnReference,
	Expression,
	Identifier,
	Join,
	Literal,
	Position,
	Query,
	SelectItem,
	SortItem,
	Source,
	TableName,
	TypeName,
} from './sql/ast.ts';
export { children, isLiteral, subquery } from './sql/ast.ts';
export { parseExpression, parseQuery } from './sql/build.ts';
export { functionNames } from './sql/functions.ts';
export { demandWellFormed } from './sql/guard.ts';
export { normalise } from './sql/normalise.ts';
export { type Print, quoted, stringText } from './sql/print.ts';
export { type Dialect, itemsOf, printResolved, targetOf } from './sql/print-resolved.ts';
export { refusal, unreachable, unsupported } from './sql/refuse.ts';
export { resolve } from './sql/resolve.ts';
export type {
	DirectKind,
	Field,
	IndirectUse,
	Output,
	Read,
	Relation,
	Resolved,
	ResolvedItem,
	ResolvedSource,
	Target,
	Use,
} from './sql/resolved.ts';
export { type Constant, columnsOf, printRowFilter, type RowFilter } from './sql/rowpredicate.ts';
export { tableNames } from './sql/tables.ts';
export { printTrino } from './sql/trino.ts';
export { warm } from './sql/warm.ts';
