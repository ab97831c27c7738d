/**
 * Every base table a query names anywhere, in the order of the text as far as clauses go. Names of common tables in scope
 * are none, exactly as the resolver sees it: WITH hides a name of one part from what comes after it, with RECURSIVE from
 * itself too, and never one with a database. Tables inside views are not looked for.
 */
import type { Expression, Query, QueryBody, Select, Source, TableName, TableSource } from './ast.ts';
import { keyOf } from './lineage.ts';
import { children, groupingTerms, sortKeys, subquery, windowParts } from './walk.ts';

/** Names of common tables in scope. */
type Hidden = ReadonlySet<string>;

/** Each place where one is named. */
export function tableSources(query: Query): Generator<TableSource> {
	return ofQuery(query, new Set());
}

/** Each name once. */
export function tableNames(query: Query): TableName[] {
	const found = new Map<string, TableName>();
	for (const { name } of tableSources(query)) {
		found.set(keyOf(name.catalog ?? '', name.database ?? '', name.table), name);
	}
	return [...found.values()];
}

function* ofQuery(query: Query, outer: Hidden): Generator<TableSource> {
	const hidden = new Set(outer);
	for (const { name, query: inner } of query.commons) {
		if (query.recursive) hidden.add(name.text);
		yield* ofQuery(inner, hidden);
		hidden.add(name.text);
	}
	yield* ofBody(query.body, hidden);
	yield* ofAll(sortKeys(query.orderBy), hidden);
}

function* ofBody(body: QueryBody, hidden: Hidden): Generator<TableSource> {
	if (body.kind === 'select') yield* ofSelect(body, hidden);
	else if (body.kind === 'query') yield* ofQuery(body, hidden);
	else if (body.kind === 'values') for (const row of body.rows) yield* ofAll(row, hidden);
	else for (const part of [body.first, ...body.rest.map((step) => step.body)]) yield* ofBody(part, hidden);
}

function* ofSelect(select: Select, hidden: Hidden): Generator<TableSource> {
	for (const item of select.items) if (item.kind === 'expression') yield* ofExpression(item.expression, hidden);
	for (const source of select.from) yield* ofSource(source, hidden);
	const { where, having, windows } = select;
	if (where !== null) yield* ofExpression(where, hidden);
	yield* ofAll(groupingTerms(select), hidden);
	if (having !== null) yield* ofExpression(having, hidden);
	for (const { window } of windows) yield* ofAll(windowParts(window), hidden);
}

function* ofSource(source: Source, hidden: Hidden): Generator<TableSource> {
	switch (source.kind) {
		case 'table': {
			const { catalog, database, table } = source.name;
			if (catalog !== null || database !== null || !hidden.has(table)) yield source;
			return;
		}
		case 'derived':
			yield* ofQuery(source.query, hidden);
			return;
		case 'unnest':
			yield* ofAll(source.expressions, hidden);
			return;
		case 'joins':
			yield* ofSource(source.first, hidden);
			for (const { right, on } of source.rest) {
				yield* ofSource(right, hidden);
				if (on !== null) yield* ofExpression(on, hidden);
			}
	}
}

function* ofAll(parts: readonly Expression[], hidden: Hidden): Generator<TableSource> {
	for (const part of parts) yield* ofExpression(part, hidden);
}

function* ofExpression(e: Expression, hidden: Hidden): Generator<TableSource> {
	yield* ofAll(children(e), hidden);
	const inner = subquery(e);
	if (inner !== null) yield* ofQuery(inner, hidden);
}
