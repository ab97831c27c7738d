/**
 * The types of a query's columns: of set operations and VALUES the type that all parts meet in, of a recursive query
 * that of its first part (https://trino.io/docs/current/sql/select.html#with-recursive-clause).
 */
import {
	type ColumnReference,
	type CommonTable,
	type Expression,
	itemsOf,
	type Position,
	type Query,
	type QueryBody,
	type Resolved,
	type SetStep,
	type Target,
	targetOf,
} from '#core/sql.ts';
import { meet, meetColumns } from './meet.ts';
import { athenaOnly, columnType, mismatch, named, type Type } from './types.ts';
import type { Typing } from './typing.ts';
import { nodesOf } from './visit.ts';

export function bodyTypes(resolved: Resolved, body: QueryBody, types: Typing): readonly Type[] {
	switch (body.kind) {
		case 'select':
			return itemsOf(resolved, body).map(({ expression }) => types.of(expression));
		case 'values':
			return meetColumns(
				body,
				body.rows.map((row) => row.map(types.of)),
			);
		case 'set':
			return meetColumns(body, [body.first, ...body.rest.map((step) => step.body)].map(types.columns));
		case 'query': {
			const recursion = recursionOf(resolved, body);
			return types.columns(recursion === null ? body.body : recursion.anchor);
		}
	}
}

export type Recursion = { readonly anchor: QueryBody; readonly step: SetStep };

const recursions = new WeakMap<Resolved, ReadonlyMap<Query, Recursion>>();

/** The two parts of a common table's query that reads the table itself; null of any other query. */
export function recursionOf(resolved: Resolved, query: Query): Recursion | null {
	let known = recursions.get(resolved);
	if (known === undefined) {
		known = new Map(selfReading(resolved).map((found) => [found, partsOf(found)]));
		recursions.set(resolved, known);
	}
	return known.get(query) ?? null;
}

/** The queries of common tables that read themselves. */
function selfReading(resolved: Resolved): readonly Query[] {
	return [...nodesOf(resolved)].flatMap((node) =>
		node.kind === 'query' && node.recursive
			? node.commons.filter((table) => reads(resolved, table)).map(({ query }) => query)
			: [],
	);
}

function partsOf(query: Query): Recursion {
	const { body } = query;
	const plain =
		query.commons.length === 0 && query.orderBy.length === 0 && query.limit === null && query.offset === null;
	const step = body.kind === 'set' ? body.rest.at(-1) : undefined;
	if (body.kind !== 'set' || step?.operator !== 'union' || !plain)
		throw athenaOnly(query.at, 'recursion that is not a UNION of a first part and a step');
	const before = body.rest.slice(0, -1);
	return { anchor: before.length === 0 ? body.first : { ...body, rest: before }, step };
}

function reads(resolved: Resolved, table: CommonTable): boolean {
	for (const node of nodesOf(resolved, table.query)) {
		if (node.kind !== 'table') continue;
		const content = resolved.sources.get(node)?.content;
		if (content?.kind === 'common' && content.table === table) return true;
	}
	return false;
}

export function targetType(e: ColumnReference, target: Target, types: Typing): Type {
	switch (target.kind) {
		case 'output':
			return target.expression === null
				? (types.columns(target.query)[target.ordinal - 1] ?? { kind: 'null' })
				: types.of(target.expression);
		case 'merged':
			return meet(e, [targetType(e, target.left, types), targetType(e, target.right, types)]);
		case 'parameter':
			return types.parameters(target.lambda)[target.index] ?? { kind: 'null' };
		case 'part':
			return target.path.reduce((type, name) => fieldOf(e.at, type, name), targetType(e, target.of, types));
		case 'field':
			return originType(target.field.origin, types);
	}
}

type Origin = Extract<Target, { kind: 'field' }>['field']['origin'];

function originType(origin: Origin, types: Typing): Type {
	switch (origin.kind) {
		case 'base':
			return columnType(origin.type);
		case 'query':
			return types.columns(origin.query)[origin.index] ?? { kind: 'null' };
		case 'ordinality':
			return { kind: 'bigint' };
		case 'element': {
			const found = unnested(origin.expression.at, types.of(origin.expression))[origin.part];
			if (found === undefined) throw mismatch(origin.expression.at, 'UNNEST gives fewer columns than are named.');
			return found;
		}
	}
}

/** The types of the columns that UNNEST makes of a value. */
export function unnested(at: Position, type: Type): readonly Type[] {
	if (type.kind === 'map') return [type.key, type.value];
	if (type.kind === 'array')
		return type.element.kind === 'row' ? type.element.fields.map((f) => f.type) : [type.element];
	if (type.kind === 'other') throw athenaOnly(at, `UNNEST of ${type.name}`);
	throw mismatch(at, `A ${named(type)} has no elements to unnest.`);
}

export function fieldOf(at: Position, type: Type, name: string): Type {
	if (type.kind === 'other') throw athenaOnly(at, `a field of ${type.name}`);
	const found = type.kind === 'row' ? type.fields.find((field) => field.name === name) : undefined;
	if (found === undefined) throw mismatch(at, `A ${named(type)} has no such field.`);
	return found.type;
}

/** Whether a sort key is an output column, by its name or place. */
export function isOutput(resolved: Resolved, e: Expression): boolean {
	return e.kind === 'integer' || (e.kind === 'column' && targetOf(resolved, e).kind === 'output');
}
