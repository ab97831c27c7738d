/** Checks the places whose type no expression around them checks, and refuses the clauses that have no equal here. */
import {
	type Expression,
	elementTerms,
	groupingTerms,
	itemsOf,
	type Query,
	type QueryBody,
	type Resolved,
	type Select,
	type SetOperation,
	type Source,
} from '#core/sql.ts';
import { checkCorrelation } from './correlation.ts';
import { demandBoolean, demandPlain, meetAlike } from './meet.ts';
import { isOutput, recursionOf, targetType, unnested } from './relation.ts';
import { athenaOnly, mismatch, named, sameType } from './types.ts';
import type { Typing } from './typing.ts';
import { type Clause, isClause, nodesOf } from './visit.ts';
import { checkWindow } from './window.ts';

export function checkClauses(resolved: Resolved, types: Typing): void {
	for (const node of nodesOf(resolved)) {
		if (isClause(node)) checkClause(resolved, node, types);
		else checkExpression(node, types);
	}
}

function checkExpression(e: Expression, types: Typing): void {
	types.of(e);
	if (e.kind !== 'call') return;
	for (const { expression } of e.orderBy) demandPlain(expression, types.of(expression), 'sorting by');
	if (e.over?.kind === 'window') checkWindow(e.over, types.of);
}

function checkClause(resolved: Resolved, node: Clause, types: Typing): void {
	switch (node.kind) {
		case 'query':
			return checkQuery(resolved, node, types);
		case 'select':
			return checkSelect(resolved, node, types);
		case 'set':
			return checkSet(resolved, node, types);
		case 'values':
			types.columns(node);
			return node.rows.flat().forEach((e) => demandValue(e, types));
		case 'table':
		case 'derived':
			if (node.sample !== null) throw athenaOnly(node.at, 'TABLESAMPLE, which takes other rows each time');
			return;
		case 'unnest':
			return node.expressions.forEach((e) => void unnested(e.at, types.of(e)));
		case 'joins':
			return checkJoins(resolved, node, types);
	}
}

/** Intervals only ever add to dates here. */
function demandValue(e: Expression, types: Typing): void {
	if (types.of(e).kind === 'interval') throw athenaOnly(e.at, 'an interval as a result');
}

function checkQuery(resolved: Resolved, query: Query, types: Typing): void {
	if (query.body.kind === 'select') checkCorrelation(resolved, query.orderBy, query.body);
	if (query.ties) throw athenaOnly(query.at, 'FETCH FIRST .. WITH TIES');
	const columns = types.columns(query);
	for (const { expression: e } of query.orderBy) {
		const type = e.kind === 'integer' ? (columns[Number(e.value) - 1] ?? types.of(e)) : types.of(e);
		demandPlain(e, type, 'sorting by');
		if (!isSelect(query.body) && !isOutput(resolved, e))
			throw athenaOnly(e.at, 'sorting a set operation by more than an output column');
	}
	const recursion = recursionOf(resolved, query);
	if (recursion === null) return;
	const step = types.columns(recursion.step.body);
	for (const [index, type] of columns.entries()) {
		const other = step[index];
		const both = types.columns(query.body)[index];
		if (other === undefined || both === undefined || !sameType(both, type))
			throw mismatch(recursion.step.at, `A step of the recursion does not fit column ${index + 1} of its first part.`);
	}
}

function isSelect(body: QueryBody): boolean {
	return body.kind === 'query' ? isSelect(body.body) : body.kind === 'select';
}

function checkSelect(resolved: Resolved, select: Select, types: Typing): void {
	const items = itemsOf(resolved, select);
	for (const { expression: e } of items) {
		demandValue(e, types);
		if (select.distinct) demandPlain(e, types.of(e), 'DISTINCT of');
	}
	for (const condition of [select.where, select.having])
		if (condition !== null) demandBoolean(condition, types.of(condition));
	if (select.groupBy?.distinct === true) throw athenaOnly(select.at, 'GROUP BY DISTINCT');
	for (const element of select.groupBy?.elements ?? []) {
		const inner = element.kind === 'terms' && element.terms.length === 1 ? [] : elementTerms(element);
		const ordinal = inner.find((e) => e.kind === 'integer');
		if (ordinal !== undefined) throw athenaOnly(ordinal.at, 'an ordinal inside a grouping set');
	}
	for (const key of groupingTerms(select)) {
		const item = key.kind === 'integer' ? items[Number(key.value) - 1]?.expression : key;
		demandPlain(key, types.of(item ?? key), 'grouping by');
	}
	for (const { window } of select.windows) checkWindow(window, types.of);
}

function checkSet(resolved: Resolved, set: SetOperation, types: Typing): void {
	for (const part of [set.first, ...set.rest.map(({ body }) => body)])
		if (part.kind === 'select') checkCorrelation(resolved, [], part);
	const columns = types.columns(set);
	if (set.rest.every(({ operator, all }) => operator === 'union' && all)) return;
	for (const type of columns) demandPlain(set, type, 'comparing rows with');
}

/** USING compares and merges the two columns in a text that is not ours. */
function checkJoins(resolved: Resolved, { rest }: Extract<Source, { kind: 'joins' }>, types: Typing): void {
	for (const join of rest) {
		if (join.on !== null) demandBoolean(join.on, types.of(join.on));
		for (const [left, right] of resolved.using.get(join) ?? []) {
			const at = join.using?.[0] ?? { text: '', at: join.at };
			const [a, b] = [left, right].map((target) => targetType({ kind: 'column', parts: [], at: at.at }, target, types));
			if (a === undefined || b === undefined) continue;
			demandPlain(at, a, 'joining by');
			if (a.kind === 'double' || a.kind === 'real') throw athenaOnly(at.at, `USING of ${named(a)}, which may be NaN`);
			if (!meetAlike(a, b)) throw athenaOnly(at.at, `USING of ${named(a)} and ${named(b)}`);
		}
	}
}
