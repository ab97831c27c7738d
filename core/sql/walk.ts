/** What stands inside an expression or a clause, for whoever looks for something in a tree; its tables are in tables.ts. */
import type {
	Expression,
	FrameBound,
	GroupingElement,
	Literal,
	NamedWindow,
	Query,
	Select,
	SortItem,
	Window,
} from './ast.ts';
import { unreachable } from './refuse.ts';

const literalKinds: ReadonlySet<string> = new Set<Literal['kind']>([
	'integer',
	'decimal',
	'double',
	'string',
	'binary',
	'boolean',
	'null',
	'date',
	'time',
	'timestamp',
	'timestamp-zone',
	'interval',
]);

export function isLiteral(e: Expression): e is Literal {
	return literalKinds.has(e.kind);
}

/** The direct sub-expressions, those of windows, filters and orderings too; sub-queries are not entered. */
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
		case 'quantified':
		case 'is-null':
		case 'cast':
		case 'extract':
		case 'field':
		case 'json-path':
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
		case 'row':
		case 'array':
			return e.items;
		case 'subscript':
			return [e.operand, e.index];
		case 'lambda':
			return [e.body];
		case 'at-zone':
			return [e.operand, e.zone];
		case 'grouping':
			return e.columns;
		case 'like':
			return e.escape === null ? [e.operand, e.pattern] : [e.operand, e.pattern, e.escape];
		case 'case':
			return [
				...(e.operand === null ? [] : [e.operand]),
				...e.branches.flatMap((branch) => [branch.when, branch.value]),
				...(e.otherwise === null ? [] : [e.otherwise]),
			];
		case 'call':
			return [
				...e.arguments,
				...sortKeys(e.orderBy),
				...(e.filter === null ? [] : [e.filter]),
				...(e.over === null ? [] : windowParts(e.over)),
			];
	}
	return unreachable(e);
}

/** The expression and all that stands in it, in the order of the text; sub-queries are not entered. */
export function* descendants(e: Expression): Generator<Expression> {
	const left: Expression[] = [e];
	for (let next = left.pop(); next !== undefined; next = left.pop()) {
		yield next;
		for (const child of children(next).toReversed()) left.push(child);
	}
}

/** What GROUP BY groups by, in whatever form. */
export function groupingTerms({ groupBy }: Pick<Select, 'groupBy'>): readonly Expression[] {
	return (groupBy?.elements ?? []).flatMap(elementTerms);
}

export function elementTerms(element: GroupingElement): readonly Expression[] {
	return element.kind === 'terms' ? element.terms : element.sets.flat();
}

export function sortKeys(items: readonly SortItem[]): readonly Expression[] {
	return items.map(({ expression }) => expression);
}

/** The expressions of a window; those of one named elsewhere stand there. */
export function windowParts(window: Window | NamedWindow): readonly Expression[] {
	if (window.kind === 'named-window') return [];
	const { partitionBy, orderBy, frame } = window;
	const bounds = frame === null ? [] : [frame.start, ...(frame.end === null ? [] : [frame.end])];
	return [...partitionBy, ...sortKeys(orderBy), ...bounds.flatMap(boundValue)];
}

function boundValue(bound: FrameBound): readonly Expression[] {
	return 'value' in bound ? [bound.value] : [];
}

/** The sub-query an expression holds itself, if any. */
export function subquery(e: Expression): Query | null {
	return e.kind === 'exists' || e.kind === 'scalar-query' || e.kind === 'in-query' || e.kind === 'quantified'
		? e.query
		: null;
}
