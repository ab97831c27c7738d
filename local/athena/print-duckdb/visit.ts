/** Every part of a resolved query, parents before what is in them: views and sub-queries are entered, stars expanded. */
import {
	children,
	type Expression,
	groupingTerms,
	itemsOf,
	type Query,
	type QueryBody,
	type Resolved,
	type Source,
	sortKeys,
	subquery,
	windowParts,
} from '#core/sql.ts';

export type Clause = QueryBody | Source;
export type Node = Clause | Expression;

export function* nodesOf(resolved: Resolved, top: Node = resolved.query): Generator<Node> {
	const left: Node[] = [top];
	for (let node = left.pop(); node !== undefined; node = left.pop()) {
		yield node;
		const parts = isClause(node) ? partsOf(resolved, node) : expressionParts(node);
		for (const part of parts.toReversed()) left.push(part);
	}
}

const clauses: ReadonlySet<string> = new Set<Clause['kind']>([
	'query',
	'set',
	'values',
	'select',
	'table',
	'derived',
	'unnest',
	'joins',
]);

export function isClause(node: Node): node is Clause {
	return clauses.has(node.kind);
}

function expressionParts(e: Expression): readonly Node[] {
	const query = subquery(e);
	return query === null ? children(e) : [...children(e), query];
}

function partsOf(resolved: Resolved, node: Clause): readonly Node[] {
	switch (node.kind) {
		case 'query':
			return [...node.commons.map(({ query }) => query), node.body, ...sortKeys(node.orderBy)];
		case 'set':
			return [node.first, ...node.rest.map(({ body }) => body)];
		case 'values':
			return node.rows.flat();
		case 'select':
			return [
				...itemsOf(resolved, node).map(({ expression }) => expression),
				...node.from,
				...(node.where === null ? [] : [node.where]),
				...groupingTerms(node),
				...(node.having === null ? [] : [node.having]),
				...node.windows.flatMap(({ window }) => windowParts(window)),
			];
		case 'table':
			return viewOf(resolved, node);
		case 'derived':
			return [node.query];
		case 'unnest':
			return node.expressions;
		case 'joins':
			return [node.first, ...node.rest.flatMap(({ right, on }) => (on === null ? [right] : [right, on]))];
	}
}

function viewOf(resolved: Resolved, source: Source): readonly Query[] {
	const content = resolved.sources.get(source)?.content;
	return content?.kind === 'query' ? [content.query] : [];
}
