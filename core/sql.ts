/**
 * SQL, read exactly: the closed tree of a query, resolved to every table and column it reads and where each output comes
 * from, and printed again as Trino. What becomes of a text is in `syntax.ts`; no grammar is needed here.
 *
 * What is not fully understood is refused: `unsupported` for SQL that is not read here, `validation` for SQL that Trino
 * would refuse, each with `line` and `column`. Nothing is stored, so a crash leaves nothing.
 */
export type * from './sql/ast.ts';
export { bounds } from './sql/bounds.ts';
export {
	bareFunctions,
	demandAllowed,
	extractFields,
	functionNames,
	functionRule,
} from './sql/functions.ts';
export { type ColumnLineageFacet, lineageFacet } from './sql/lineage-facet.ts';
export { newCall, newQuery, newSelect } from './sql/make.ts';
export { normalise } from './sql/normalise.ts';
export { type Print, printSort, printWindow, quoted, stringText, typeText } from './sql/print.ts';
export { itemsOf, printResolved, sourceOf, targetOf } from './sql/print-resolved.ts';
export { refusal, tooLarge, unreachable, unsupported } from './sql/refuse.ts';
export { resolve } from './sql/resolve.ts';
export type * from './sql/resolved.ts';
export { type Constant, columnsOf, printRowFilter, type RowFilter } from './sql/rowpredicate.ts';
export { tableNames, tableSources } from './sql/tables.ts';
export { printTrino } from './sql/trino.ts';
export { parseType, readType } from './sql/types.ts';
export {
	children,
	descendants,
	elementTerms,
	groupingTerms,
	isLiteral,
	sortKeys,
	subquery,
	windowParts,
} from './sql/walk.ts';
