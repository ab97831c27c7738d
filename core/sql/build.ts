/**
 * One query of the parse tree to the closed tree.
 *
 * Only `singleStatement` followed by the end of the text is taken (the grammar's `program` needs no separator between
 * statements), and only when the statement is a query. A context that no handler reads refuses the query.
 */
import {
	type GroupByContext,
	type GroupingTermContext,
	type QueryContext,
	type QueryNoWithContext,
	QueryPrimaryDefaultContext,
	type QuerySpecificationContext,
	QueryStatementContext,
	type QueryTermContext,
	QueryTermDefaultContext,
	type RowCountContext,
	type SelectItemContext,
	SingleGroupingSetContext,
	type SingleStatementContext,
	type SortItemContext,
	type StandaloneExpressionContext,
	StatementDefaultContext,
	SubqueryContext,
} from 'dt-sql-parser/dist/lib/trino/TrinoSqlParser.js';
import type { Expression, Query, SelectItem, SortItem } from './ast.ts';
import { expressionBuilder } from './build-expression.ts';
import { largest } from './build-literal.ts';
import { columnReference, identifier } from './build-name.ts';
import { source } from './build-source.ts';
import { claim, demandAllClaimed, notRead, positionOf } from './claims.ts';
import type { Builder } from './handler.ts';
import { parseWith } from './parse.ts';
import { refusal, unsupported } from './refuse.ts';

type Rows = { readonly orderBy: readonly SortItem[]; readonly offset: bigint | null; readonly limit: bigint | null };

export function parseQuery(text: string): Query {
	return parseWith(text, 'query', (parser) => parser.singleStatement(), readStatement);
}

/** One expression and nothing after it. */
export function parseExpression(text: string): Expression {
	return parseWith(text, 'expression', (parser) => parser.standaloneExpression(), readExpression);
}

function newBuilder(): Builder {
	const builder: Builder = expressionBuilder(new Set(), (context) => query(builder, context));
	return builder;
}

function readStatement(context: SingleStatementContext): Query {
	const b = newBuilder();
	const statement = context.statement();
	if (!(statement instanceof StatementDefaultContext)) {
		throw unsupported(positionOf(statement), 'Only a query can be run: one SELECT statement.');
	}
	const root = statement.rootQuery();
	if (root.withFunction() !== null)
		throw unsupported(positionOf(root), 'Functions of a query’s own are not supported.');
	claim(b.claims, context, statement, root);
	const read = query(b, root.query());
	demandAllClaimed(b.claims, context);
	return read;
}

function readExpression(context: StandaloneExpressionContext): Expression {
	const b = newBuilder();
	claim(b.claims, context);
	const end = context.SEMICOLON();
	if (end !== null) {
		throw unsupported({ line: end.symbol.line, column: end.symbol.column + 1 }, 'An expression has no semicolon.');
	}
	const read = b.expression(context.expression());
	demandAllClaimed(b.claims, context);
	return read;
}

function query(b: Builder, context: QueryContext): Query {
	if (!(context instanceof QueryStatementContext)) throw notRead(context);
	claim(b.claims, context);
	const common = context.with();
	if (common !== null) throw unsupported(positionOf(common), 'WITH is not supported.');
	return queryNoWith(b, context.queryNoWith());
}

function queryNoWith(b: Builder, context: QueryNoWithContext): Query {
	claim(b.claims, context);
	const { _offset: offset } = context;
	const rows: Rows = {
		orderBy: context.sortItem().map((item) => sortItem(b, item)),
		offset: rowCount(b, offset),
		limit: limit(b, context),
	};
	return queryTerm(b, context.queryTerm(), rows);
}

function queryTerm(b: Builder, context: QueryTermContext, rows: Rows): Query {
	if (!(context instanceof QueryTermDefaultContext)) {
		throw unsupported(positionOf(context), 'UNION, INTERSECT and EXCEPT are not supported.');
	}
	const primary = context.queryPrimary();
	claim(b.claims, context, primary);
	if (primary instanceof QueryPrimaryDefaultContext) return select(b, primary.querySpecification(), rows);
	if (!(primary instanceof SubqueryContext)) throw notRead(primary);
	if (rows.orderBy.length > 0 || rows.offset !== null || rows.limit !== null) {
		throw unsupported(positionOf(primary), 'ORDER BY and LIMIT after a query in parentheses are not supported.');
	}
	return queryNoWith(b, primary.queryNoWith());
}

function limit(b: Builder, context: QueryNoWithContext): bigint | null {
	if (context.KW_TIES() !== null) throw unsupported(positionOf(context), 'FETCH .. WITH TIES is not supported.');
	const { _fetchFirst: first, _limit: counted } = context;
	if (context.KW_FETCH() !== null) return rowCount(b, first) ?? 1n;
	claim(b.claims, counted);
	return rowCount(b, counted?.rowCount());
}

function rowCount(b: Builder, context: RowCountContext | null | undefined): bigint | null {
	if (context === null || context === undefined) return null;
	claim(b.claims, context);
	const digits = context.INTEGER_VALUE();
	if (digits === null) throw unsupported(positionOf(context), 'Parameters are not supported.');
	const count = BigInt(digits.getText().replaceAll('_', ''));
	if (count > largest) throw refusal('validation', positionOf(context), 'This number does not fit a bigint.');
	return count;
}

function sortItem(b: Builder, context: SortItemContext): SortItem {
	claim(b.claims, context);
	const first = context.KW_FIRST() !== null;
	return {
		expression: columnOrExpression(b, context),
		descending: context.KW_DESC() !== null,
		nulls: context.KW_NULLS() === null ? null : first ? 'first' : 'last',
	};
}

function select(b: Builder, context: QuerySpecificationContext, rows: Rows): Query {
	const list = context.selectList();
	const quantifier = context.setQuantifier();
	const where = context.whereClause();
	const having = context.havingClause();
	const grouping = context.groupBy();
	const [window] = context.windowDefinition();
	if (window !== undefined) throw notRead(window);
	claim(b.claims, context, list, quantifier, where, having);
	return {
		kind: 'select',
		distinct: quantifier !== null && quantifier.KW_DISTINCT() !== null,
		items: list.selectItem().map((item) => selectItem(b, item)),
		from: context.relation().map((relation) => source(b, relation)),
		where: where === null ? null : b.expression(where.booleanExpression()),
		groupBy: grouping === null ? [] : groupBy(b, grouping),
		having: having === null ? null : b.expression(having.booleanExpression()),
		...rows,
		at: positionOf(context),
	};
}

function selectItem(b: Builder, context: SelectItemContext): SelectItem {
	claim(b.claims, context);
	const at = positionOf(context);
	const all = context.selectAllWithoutTable();
	if (all !== null) {
		claim(b.claims, all);
		return { kind: 'star', qualifier: null, at };
	}
	const allOf = context.tableAllColumns();
	if (allOf !== null) return qualifiedStar(b, context, allOf);
	const written = context.identifier();
	const alias = written === null ? null : identifier(b.claims, written).text;
	const column = context.selectLiteralColumnName();
	const general = context.selectExpressionColumnName();
	claim(b.claims, column, general);
	if (column !== null)
		return { kind: 'expression', expression: columnReference(b.claims, column.columnRef()), alias, at };
	if (general !== null) return { kind: 'expression', expression: b.expression(general.expression()), alias, at };
	throw notRead(context);
}

function qualifiedStar(
	b: Builder,
	item: SelectItemContext,
	context: NonNullable<ReturnType<SelectItemContext['tableAllColumns']>>,
): SelectItem {
	claim(b.claims, context);
	if (item.columnAliases() !== null) throw notRead(item);
	const of = b.expression(context.primaryExpression());
	if (of.kind !== 'column') throw notRead(context);
	return { kind: 'star', qualifier: of.parts, at: positionOf(item) };
}

/** GROUP BY a, (b, c): the sets of one are their terms. */
function groupBy(b: Builder, context: GroupByContext): readonly Expression[] {
	const quantifier = context.setQuantifier();
	if (quantifier !== null && quantifier.KW_DISTINCT() !== null) throw notRead(quantifier);
	claim(b.claims, context, quantifier);
	return context.groupingElement().flatMap((element) => {
		if (!(element instanceof SingleGroupingSetContext)) throw notRead(element);
		const set = element.groupingSet();
		const terms = set.groupingTerm();
		if (terms.length === 0) throw unsupported(positionOf(set), 'An empty grouping set is not supported.');
		claim(b.claims, element, set, ...terms);
		return terms.map((term) => columnOrExpression(b, term));
	});
}

/** The grammar reads a bare column as such where it could be any expression. */
function columnOrExpression(b: Builder, context: SortItemContext | GroupingTermContext): Expression {
	const column = context.columnRef();
	const general = context.expression();
	if (column !== null) return columnReference(b.claims, column);
	if (general !== null) return b.expression(general);
	throw notRead(context);
}
