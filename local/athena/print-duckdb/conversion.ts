/**
 * Where the columns of a part take the type of the whole: branches of set operations, rows of VALUES, sub-queries that are
 * compared. Each such column is converted where it is printed.
 */
import { type Expression, itemsOf, type QueryBody, type Resolved, type Select, type SetOperation } from '#core/sql.ts';
import { isLossy, meetCompared } from './meet.ts';
import { recursionOf } from './relation.ts';
import { athenaOnly, named, type Type } from './types.ts';
import type { Typing } from './typing.ts';
import { type Node, nodesOf } from './visit.ts';

type Conversions = { readonly resolved: Resolved; readonly types: Typing; readonly found: Map<Expression, Type> };

/** The type each of these expressions is printed as. The outermost whole comes first, and its type is the one that counts. */
export function conversions(resolved: Resolved, types: Typing): ReadonlyMap<Expression, Type> {
	const all: Conversions = { resolved, types, found: new Map() };
	/** Converted where their text is made. */
	const recursive = new Set<Node>();
	for (const node of nodesOf(resolved)) {
		const recursion = node.kind === 'query' ? recursionOf(resolved, node) : null;
		if (node.kind === 'query' && recursion !== null) {
			recursive.add(node.body);
			if (recursion.anchor.kind === 'set') convertSet(all, recursion.anchor);
		}
		if (node.kind === 'values') convert(all, node, types.columns(node), false);
		if (node.kind === 'set' && !recursive.has(node)) convertSet(all, node);
		if (node.kind === 'in-query' || node.kind === 'quantified') {
			const to = types.columns(node.query).map((type) => meetCompared(node, [types.of(node.operand), type]));
			convert(all, node.query, to, false);
		}
	}
	return all.found;
}

function convertSet(all: Conversions, set: SetOperation): void {
	// What an earlier step compares has not got the type of a later one yet.
	const compared = set.rest.slice(0, -1).some((step) => !keepsRows(step));
	for (const part of branches(set)) convert(all, part, all.types.columns(set), compared);
}

function branches({ first, rest }: SetOperation): readonly QueryBody[] {
	return [first, ...rest.map(({ body }) => body)];
}

function keepsRows({ operator, all }: SetOperation['rest'][number]): boolean {
	return operator === 'union' && all;
}

/** `compared`: values are told apart or sorted before they are converted. */
function convert(all: Conversions, body: QueryBody, to: readonly Type[], compared: boolean): void {
	switch (body.kind) {
		case 'select':
			for (const [index, { expression }] of itemsOf(all.resolved, body).entries()) {
				add(all, expression, to[index], compared || body.distinct || groupsByPlace(body));
			}
			return;
		case 'values':
			for (const row of body.rows) for (const [index, e] of row.entries()) add(all, e, to[index], compared);
			return;
		case 'set':
			for (const part of branches(body)) convert(all, part, to, compared || !body.rest.every(keepsRows));
			return;
		case 'query':
			convert(all, body.body, to, compared || body.orderBy.length > 0);
	}
}

function groupsByPlace({ groupBy }: Select): boolean {
	const elements = groupBy?.elements ?? [];
	return elements.some((element) => element.kind === 'terms' && element.terms.some((e) => e.kind === 'integer'));
}

function add({ types, found }: Conversions, e: Expression, to: Type | undefined, compared: boolean): void {
	if (to === undefined || found.has(e)) return;
	const from = types.of(e);
	if (compared && isLossy(from, to)) throw athenaOnly(e.at, `comparing ${named(from)} before it becomes ${named(to)}`);
	found.set(e, to);
}
