/**
 * Row filters: predicates that Lake Formation, Trino and DuckDB all read alike.
 *
 * The grammar is Lake Formation's (developer guide, "partiql-support" and "data-filtering-notes"): a column against
 * constants, AND, OR, NOT, BETWEEN, IN, LIKE, IS NULL; no function, no second column, no arithmetic, no date. A filter is
 * stored as a tree and printed canonical, so equal trees are equal filters. `covers` never guesses: false may mean
 * "not certain". Comparison of strings is case-sensitive.
 */
import * as z from 'zod';
import { BrokerError } from './error.ts';
import type { Parser } from './parser.ts';
import { canonical } from './rowfilter/canonical.ts';
import { convert, type FilterColumn } from './rowfilter/convert.ts';
import { covers } from './rowfilter/covers.ts';
import { isNumber } from './rowfilter/number.ts';
import { type Expression, printRowFilter, type RowFilter as Tree } from './sql.ts';

export { canonical } from './rowfilter/canonical.ts';
export { equal, type FilterColumn, filterable } from './rowfilter/convert.ts';
export { covers } from './rowfilter/covers.ts';
export type { ColumnFacts } from './rowfilter/points.ts';
export { inWords, type Vacuous, vacuous } from './rowfilter/vacuous.ts';
export { type Rows, without } from './rowfilter/without.ts';
export { columnsOf, printRowFilter } from './sql.ts';

/** The guide says less than 2048 characters, its model at most 2048. */
export const MAX_EXPRESSION = 2047;

const text = z
	.string()
	.max(MAX_EXPRESSION)
	.refine((value) => value.isWellFormed(), 'must be well-formed Unicode')
	.regex(/^[^\0]*$/);
const column = text.min(1);

export const Constant = z.discriminatedUnion('type', [
	z.strictObject({ type: z.literal('string'), value: text }),
	z.strictObject({
		type: z.literal('number'),
		value: z.string().max(40).refine(isNumber, 'must be a canonical decimal number'),
	}),
	z.strictObject({ type: z.literal('boolean'), value: z.boolean() }),
]);
export type Constant = z.infer<typeof Constant>;

export type RowFilter = Tree;
export const RowFilter: z.ZodType<RowFilter> = z.discriminatedUnion('op', [
	z.strictObject({
		op: z.literal('compare'),
		column,
		operator: z.enum(['=', '<>', '<', '<=', '>', '>=']),
		value: Constant,
	}),
	z.strictObject({ op: z.literal('between'), column, low: Constant, high: Constant }),
	z.strictObject({ op: z.literal('in'), column, values: z.array(Constant).min(1).readonly() }),
	z.strictObject({ op: z.literal('like'), column, pattern: text }),
	z.strictObject({ op: z.literal('is-null'), column }),
	z.strictObject({
		op: z.literal('not'),
		get operand() {
			return RowFilter;
		},
	}),
	z.strictObject({
		op: z.enum(['and', 'or']),
		get operands() {
			return z.array(RowFilter).min(1).readonly();
		},
	}),
]);

/** The canonical tree of a text over these columns; refuses what Lake Formation would not take, with its place. */
export async function readRowFilter(
	parser: Pick<Parser, 'expression'>,
	written: string,
	columns: readonly FilterColumn[],
): Promise<RowFilter> {
	return rowFilterOf(await parser.expression(written).catch(invalidAsFilter), columns);
}

/** The same of a text that was read already. */
export function rowFilterOf(written: Expression, columns: readonly FilterColumn[]): RowFilter {
	const tree = canonical(convert(written, columns));
	if (printRowFilter(tree).length > MAX_EXPRESSION) {
		const detail = `The filter is printed with more than ${MAX_EXPRESSION} characters.`;
		throw new BrokerError('row-filter-invalid', detail, { line: 1, column: 1 });
	}
	return tree;
}

/** What is wrong with a text is, of a filter, wrong with the filter; what is wrong with the reading stays that. */
export function invalidAsFilter(error: unknown): never {
	if (!(error instanceof BrokerError) || error.extensions.line === undefined) throw error;
	const { line, column: at } = error.extensions;
	throw new BrokerError('row-filter-invalid', error.message, { line, column: at }, { cause: error });
}

/** What any of the filters lets through, canonical; null is all rows. A filter that another covers is left out. */
export function either(filters: readonly (RowFilter | null)[]): RowFilter | null {
	if (filters.length === 0) throw new BrokerError('internal', 'No filter at all is not a filter.');
	const trees = filters.flatMap((filter) => (filter === null ? [] : [canonical(filter)]));
	if (trees.length < filters.length) return null;
	const kept = trees.filter(
		(tree, index) =>
			!trees.some((other, at) => at !== index && covers(other, tree) && (at < index || !covers(tree, other))),
	);
	return canonical({ op: 'or', operands: kept });
}

/** What both filters let through, canonical; null is all rows. Throws `row-filter-invalid` where it is too long to print. */
export function both(a: RowFilter | null, b: RowFilter | null): RowFilter | null {
	if (a === null || b === null) return a ?? b;
	if (covers(a, b)) return canonical(b);
	if (covers(b, a)) return canonical(a);
	const tree = canonical({ op: 'and', operands: [a, b] });
	if (printRowFilter(tree).length <= MAX_EXPRESSION) return tree;
	throw new BrokerError('row-filter-invalid', `Both filters together have more than ${MAX_EXPRESSION} characters.`);
}
