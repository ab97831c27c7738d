/** Every base table a query writes anywhere, once each, in the order of the text as far as clauses go. */
import { children, type Expression, type Query, type Source, subquery, type TableName } from './ast.ts';

export function tableNames(query: Query): TableName[] {
	const found = new Map<string, TableName>();
	for (const name of ofQuery(query)) {
		found.set(JSON.stringify([name.catalog, name.database, name.table]), name);
	}
	return [...found.values()];
}

function* ofQuery(query: Query): Generator<TableName> {
	for (const item of query.items) if (item.kind === 'expression') yield* ofExpression(item.expression);
	for (const source of query.from) yield* ofSource(source);
	for (const e of [query.where, ...query.groupBy, query.having]) if (e !== null) yield* ofExpression(e);
	for (const { expression } of query.orderBy) yield* ofExpression(expression);
}

function* ofSource(source: Source): Generator<TableName> {
	if (source.kind === 'table') yield source.name;
	else if (source.kind === 'derived') yield* ofQuery(source.query);
	else {
		yield* ofSource(source.first);
		for (const { right, on } of source.rest) {
			yield* ofSource(right);
			if (on !== null) yield* ofExpression(on);
		}
	}
}

function* ofExpression(e: Expression): Generator<TableName> {
	const inner = subquery(e);
	if (inner !== null) yield* ofQuery(inner);
	for (const child of children(e)) yield* ofExpression(child);
}
