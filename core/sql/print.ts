/**
 * The one tree printer: queries; expressions are in print-expression.ts. What stands outside the common form of SQL comes
 * from a `Surface`: how names are written, and what a dialect writes its own way. Everything compound is in parentheses,
 * so that no dialect's precedence matters; nothing is copied from the text a query was read from.
 */
import type {
	ColumnReference,
	CommonTable,
	Expression,
	GroupingElement,
	Join,
	Lambda,
	Query,
	QueryBody,
	Select,
	SetOperation,
	SortItem,
	Source,
	Values,
} from './ast.ts';
import { commonText, quoted, sortText, windowText } from './print-expression.ts';
import { unreachable } from './refuse.ts';

export { sortText as printSort, stringText, typeText, windowText as printWindow } from './print-expression.ts';
export { quoted };

export type Surface = {
	/** The dialect's own text for an expression; null for the common form. */
	readonly expression: (e: Expression, print: Print) => string | null;
	/** The dialect's own text for a body, such as the branches of a UNION; null for the common form. */
	readonly body: (body: QueryBody, print: Print) => string | null;
	readonly reference: (e: ColumnReference, print: Print) => string;
	/** Names of a lambda's parameters. */
	readonly parameters: (e: Lambda) => readonly string[];
	readonly selectList: (select: Select, print: Print) => readonly string[];
	/** With its alias, but without TABLESAMPLE. */
	readonly source: (source: Exclude<Source, { kind: 'joins' }>, print: Print) => string;
	/** A common table's name with its column list. */
	readonly common: (table: CommonTable) => string;
	/** What follows the right side of a join: ON or USING. */
	readonly condition: (join: Join, print: Print) => string;
	/** What a query is ordered by, without direction. */
	readonly sortKey: (item: SortItem, print: Print) => string;
	/** OFFSET, LIMIT and FETCH. */
	readonly rows: (query: Query) => string;
};

/** A printer in use: the pieces call each other through it. */
export type Print = {
	readonly expression: (e: Expression) => string;
	readonly query: (query: Query) => string;
	readonly body: (body: QueryBody) => string;
};

export function printer(surface: Surface): Print {
	const print: Print = {
		expression: (e) => surface.expression(e, print) ?? commonText(e, surface, print),
		query: (query) => printQuery(query, surface, print),
		body: (body) => surface.body(body, print) ?? printBody(body, surface, print),
	};
	return print;
}

function joined(clauses: readonly string[]): string {
	return clauses.filter((clause) => clause !== '').join(' ');
}

function printQuery(query: Query, surface: Surface, print: Print): string {
	const commons = query.commons.map((table) => `${surface.common(table)} AS (${print.query(table.query)})`);
	const order = query.orderBy.map((item) => sortText(item, surface.sortKey(item, print)));
	return joined([
		commons.length === 0 ? '' : `WITH ${query.recursive ? 'RECURSIVE ' : ''}${commons.join(', ')}`,
		print.body(query.body),
		order.length === 0 ? '' : `ORDER BY ${order.join(', ')}`,
		surface.rows(query),
	]);
}

function printBody(body: QueryBody, surface: Surface, print: Print): string {
	switch (body.kind) {
		case 'select':
			return printSelect(body, surface, print);
		case 'values':
			return `VALUES ${body.rows.map((row) => rowText(row, print)).join(', ')}`;
		case 'query':
			return `(${print.query(body)})`;
		case 'set':
			return setText(body, print);
	}
	return unreachable(body);
}

/** ROW keeps one column one column, also when its value is a row. */
function rowText(row: Values['rows'][number], print: Print): string {
	return `${row.length === 1 ? 'ROW' : ''}(${row.map(print.expression).join(', ')})`;
}

function setText({ first, rest }: SetOperation, print: Print): string {
	const part = (body: QueryBody) => (body.kind === 'set' ? `(${print.body(body)})` : print.body(body));
	const steps = rest.map(({ operator, all, body }) => `${operator.toUpperCase()}${all ? ' ALL' : ''} ${part(body)}`);
	return [part(first), ...steps].join(' ');
}

function printSelect(select: Select, surface: Surface, print: Print): string {
	const { distinct, from, where, groupBy, having, windows } = select;
	const grouping = groupBy?.elements.map((element) => groupingText(element, print)).join(', ');
	const named = windows.map(({ name, window }) => `${quoted(name.text)} AS ${windowText(window, print)}`);
	return joined([
		distinct ? 'SELECT DISTINCT' : 'SELECT',
		surface.selectList(select, print).join(', '),
		from.length === 0 ? '' : `FROM ${from.map((source) => printSource(source, surface, print)).join(', ')}`,
		where === null ? '' : `WHERE ${print.expression(where)}`,
		grouping === undefined ? '' : `GROUP BY ${groupBy?.distinct === true ? 'DISTINCT ' : ''}${grouping}`,
		having === null ? '' : `HAVING ${print.expression(having)}`,
		named.length === 0 ? '' : `WINDOW ${named.join(', ')}`,
	]);
}

const groupingWords = { rollup: 'ROLLUP', cube: 'CUBE', sets: 'GROUPING SETS' } as const;

function groupingText(element: GroupingElement, print: Print): string {
	const set = (terms: readonly Expression[]) => `(${terms.map((term) => groupKey(term, print)).join(', ')})`;
	if (element.kind !== 'terms') return `${groupingWords[element.kind]} (${element.sets.map(set).join(', ')})`;
	const [only, second] = element.terms;
	return only === undefined || second !== undefined ? set(element.terms) : groupKey(only, print);
}

/** An integer alone is an ordinal, in every dialect. */
function groupKey(term: Expression, print: Print): string {
	return term.kind === 'integer' ? String(term.value) : print.expression(term);
}

const joinWords = { inner: 'JOIN', left: 'LEFT JOIN', right: 'RIGHT JOIN', full: 'FULL JOIN', cross: 'CROSS JOIN' };

function printSource(source: Source, surface: Surface, print: Print): string {
	if (source.kind !== 'joins') {
		const sample = source.kind === 'unnest' ? null : source.sample;
		const rate = sample === null ? '' : ` TABLESAMPLE BERNOULLI (${print.expression(sample)})`;
		return surface.source(source, print) + rate;
	}
	const rest = source.rest.map((join) => {
		const right = printSource(join.right, surface, print);
		return `${joinWords[join.type]} ${join.right.kind === 'joins' ? `(${right})` : right}${surface.condition(join, print)}`;
	});
	const first = printSource(source.first, surface, print);
	return [source.first.kind === 'joins' ? `(${first})` : first, ...rest].join(' ');
}
