/** A query: its common tables, its body, and ORDER BY over what the body gives. */
import { type Analysis, type ResolvedBody, recordUse, uniqueNames } from './analysis.ts';
import type { Expression, Query, QueryBody, Values } from './ast.ts';
import { resolveCommons } from './commons.ts';
import { type Context, contextOf, type Item, type Place, type Result } from './context.ts';
import { influence, type Lineage, merge } from './lineage.ts';
import { demandNoneOf } from './placement.ts';
import { invalid, unreachable, unsupported } from './refuse.ts';
import { noteCrossing, resolveExpression } from './resolve-expression.ts';
import { countItems } from './resolve-items.ts';
import { byOrdinal, resolveSelect } from './resolve-select.ts';
import type { Scope, ScopeField } from './scope.ts';
import { combine } from './set-operation.ts';
import { typeOf } from './type-of.ts';

export function resolveQuery(a: Analysis, query: Query, place: Place): Result {
	const commons = resolveCommons(a, query, place);
	const ordinals = query.orderBy.some(({ expression }) => expression.kind === 'integer');
	const inner: Place = { ...place, commons, stars: ordinals ? 'columns' : place.stars };
	const { items, rows, scope, windows } = resolveBody(a, query.body, inner);
	const fields = outputs(query, items);
	const tables: Scope = scope ?? { kind: 'tables', fields: [], parent: place.parent };
	const sorting: Scope = { kind: 'outputs', fields, parent: tables };
	// In ORDER BY the outputs are nearer than the tables, as the columns of a sub-query would be.
	if (query.orderBy.length > 0) for (const { target } of tables.fields) noteCrossing(a, target);
	const context: Context = { ...contextOf(sorting, inner, 'sort'), windows };
	const sorted = query.orderBy.map(({ expression }) => influence(sortKey(a, expression, items, context), 'sort'));
	return { items, rows: merge([rows, ...sorted]) };
}

/** Names of the select list come first in ORDER BY; after a set operation, in parentheses or of VALUES they are all. */
function outputs(query: Query, items: readonly Item[]): readonly ScopeField[] {
	const plain = query.body.kind === 'select';
	return items.map(
		({ name, expression, printed, lineage, type }, index): ScopeField => ({
			name,
			qualifier: null,
			target: { kind: 'output', ordinal: index + 1, expression: plain ? expression : null, printed, query },
			lineage,
			granted: true,
			type,
			relation: null,
		}),
	);
}

function sortKey(a: Analysis, e: Expression, items: readonly Item[], context: Context): Lineage {
	const item = byOrdinal(e, items);
	if (item === null) return resolveExpression(a, e, context);
	recordUse(a, item.lineage, 'sort', e.at);
	return item.lineage;
}

export function resolveBody(a: Analysis, body: QueryBody, place: Place): ResolvedBody {
	switch (body.kind) {
		case 'select':
			return resolveSelect(a, body, place);
		case 'values':
			return { ...resolveValues(a, body, place), scope: null, windows: new Map() };
		case 'query':
			return { ...resolveQuery(a, body, place), scope: null, windows: new Map() };
		case 'set': {
			const inner: Place = { ...place, stars: 'columns' };
			const first: Result = resolveBody(a, body.first, inner);
			const result = body.rest.reduce(
				(left, step) => combine(left, resolveBody(a, step.body, { ...inner, names: 'unique' }), step),
				first,
			);
			return { ...result, scope: null, windows: new Map() };
		}
	}
	return unreachable(body);
}

function resolveValues(a: Analysis, { rows, at }: Values, place: Place): Result {
	demandNoneOf(rows.flat(), 'VALUES', 'rows');
	const context = contextOf(place.parent, place, place.use);
	const [first = []] = rows;
	countItems(a, first.length, at);
	const columns = first.map(() => new Array<Lineage>());
	for (const row of rows) {
		if (row.length !== first.length) throw invalid(row[0]?.at ?? at, `The first row has ${first.length} columns.`);
		for (const [index, cell] of row.entries()) columns[index]?.push(resolveExpression(a, cell, context));
		// Trino makes a column of each of its fields.
		const [only, second] = row;
		if (second === undefined && only !== undefined && typeOf(a, only)?.name === 'row') {
			throw unsupported(only.at, 'Write the fields of this row one by one.');
		}
	}
	const printed = uniqueNames(first.map(() => null));
	const items = first.map(
		(expression, index): Item => ({
			name: null,
			printed: printed[index] ?? '',
			expression,
			lineage: merge(columns[index] ?? []),
			type: typeOf(a, expression),
		}),
	);
	return { items, rows: merge([]) };
}
