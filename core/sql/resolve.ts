/**
 * What a query reads and means over given tables. Pure: the tables come through `lookup`.
 *
 * A column that exists but is not granted resolves as any other and stands in `reads` with `granted: false`; only stars
 * and column lists of aliases pass it by, as Athena under Lake Formation does. Who may run the query is not decided here.
 * Names follow Trino: WHERE, GROUP BY and HAVING never see the names the select list gives, ORDER BY does.
 */
import {
	type Analysis,
	countFields,
	type Item,
	type Lookup,
	type Place,
	type ResolvedQuery,
	recordUse,
	unique,
} from './analysis.ts';
import type { ColumnReference, Expression, Position, Query, SelectItem } from './ast.ts';
import { influence, type Lineage, merge, nothing, outputOf } from './lineage.ts';
import { refusal, unsupported } from './refuse.ts';
import { refer, resolveExpression } from './resolve-expression.ts';
import { resolveSource } from './resolve-source.ts';
import type { Resolved, Use } from './resolved.ts';
import { fieldsOf, type Scope, type ScopeField } from './scope.ts';

/** Stars multiply: a select list is refused before it is built. */
const maxItems = 1000;

export function resolve(query: Query, lookup: Lookup): Resolved {
	const a: Analysis = {
		lookup,
		query: (inner, place) => resolveQuery(a, inner, place),
		reads: new Map(),
		tables: new Set(),
		aliases: new Map(),
		fields: 0,
		references: new Map(),
		items: new Map(),
		sources: new Map(),
		using: new Map(),
	};
	const { items, rows } = resolveQuery(a, query, { parent: null, use: 'select', names: 'result', exists: false });
	return {
		query,
		reads: [...a.reads.values()],
		outputs: items.map((item) => outputOf(item.name, item.lineage, rows)),
		tables: [...a.tables],
		references: a.references,
		items: a.items,
		sources: a.sources,
		using: a.using,
	};
}

function resolveQuery(a: Analysis, query: Query, place: Place): ResolvedQuery {
	const sources = query.from.map((source) => resolveSource(a, source, place.parent));
	const scope: Scope = { fields: sources.flatMap((source) => source.fields), parent: place.parent };
	const rows: Lineage[] = sources.map((source) => source.rows);
	if (query.where !== null) {
		rows.push(influence(resolveExpression(a, query.where, scope, 'filter'), 'filter'));
	}
	const items = selectList(a, query, scope, place);
	a.items.set(query, items);
	if (place.exists) refusePlaces(query);
	for (const term of query.groupBy) {
		const position = ordinal(term, items);
		rows.push(
			influence(
				position === null ? resolveExpression(a, term, scope, 'group') : itemUse(a, position, term, 'group'),
				'group',
			),
		);
	}
	if (query.having !== null) {
		rows.push(influence(resolveExpression(a, query.having, scope, 'having'), 'filter'));
	}
	const sorting = sortScope(items, scope);
	for (const { expression } of query.orderBy) {
		rows.push(influence(sortKey(a, expression, items, sorting), 'sort'));
	}
	return { items, rows: merge(rows) };
}

/** An integer alone in GROUP BY and ORDER BY is a place in the select list. */
function ordinal(e: Expression, items: readonly Item[]): Item | null {
	if (e.kind !== 'integer') return null;
	const item = e.value < 1n ? undefined : items[Number(e.value) - 1];
	if (item === undefined) throw refusal('validation', e.at, 'There is no such place in the select list.');
	return item;
}

function itemUse(a: Analysis, item: Item, at: Expression, use: Use): Lineage {
	recordUse(a, item.lineage, use, at.at);
	return item.lineage;
}

/** The star of EXISTS is one constant here, so the places in its select list are not those that were meant. */
function refusePlaces(query: Query): void {
	if (query.items.every((item) => item.kind !== 'star')) return;
	const keys = [...query.groupBy, ...query.orderBy.map(({ expression }) => expression)];
	const place = keys.find((key) => key.kind === 'integer');
	if (place !== undefined) throw unsupported(place.at, 'Name the column: EXISTS (SELECT * ..) has no places.');
}

/** Names of the select list come first in ORDER BY, then those of FROM. */
function sortScope(items: readonly Item[], scope: Scope): Scope {
	const fields = items.map(
		(item, index): ScopeField => ({
			name: item.name,
			qualifier: null,
			target: { kind: 'output', ordinal: index + 1, expression: item.expression },
			lineage: item.lineage,
			granted: true,
			type: item.plainType,
			relation: null,
		}),
	);
	return { fields, parent: scope };
}

function sortKey(a: Analysis, e: Expression, items: readonly Item[], scope: Scope): Lineage {
	const place = ordinal(e, items);
	return place === null ? resolveExpression(a, e, scope, 'sort') : itemUse(a, place, e, 'sort');
}

function selectList(a: Analysis, query: Query, scope: Scope, place: Place): readonly Item[] {
	const taken = new Map<string, number>();
	let count = 0;
	const add = (more: number, at: Position) => {
		count += more;
		if (count > maxItems) throw refusal('too-large', at, `A select list may have at most ${maxItems} columns.`);
		countFields(a, more, at);
	};
	const items = query.items.flatMap((item): readonly Omit<Item, 'printed'>[] => {
		if (item.kind === 'star') return star(a, item, query, scope, place, add);
		add(1, item.at);
		const { expression, alias } = item;
		const lineage = resolveExpression(a, expression, scope, place.use);
		const name = alias ?? (expression.kind === 'column' ? (expression.parts.at(-1) ?? null) : null);
		return [{ name, expression, lineage, plainType: typeOf(a, expression) }];
	});
	return items.map((item, index) => {
		const wanted = item.name ?? `_col${index}`;
		return Object.assign({}, item, { printed: place.names === 'result' ? wanted : unique(taken, wanted) });
	});
}

/** The type of a bare column, kept through nesting so that a field of a row is told from an unknown name. */
function typeOf(a: Analysis, e: Expression): string | null {
	const target = e.kind === 'column' ? a.references.get(e) : undefined;
	if (target?.kind !== 'field') return null;
	const { origin } = target.field;
	return origin.kind === 'base' ? origin.type : typeOf(a, origin.expression);
}

function star(
	a: Analysis,
	item: Extract<SelectItem, { kind: 'star' }>,
	query: Query,
	scope: Scope,
	place: Place,
	add: (more: number, at: Position) => void,
): readonly Omit<Item, 'printed'>[] {
	const all = starFields(item, query, scope);
	const granted = all.filter((field) => field.granted);
	if (granted.length === 0) {
		throw refusal('table-not-granted', item.at, 'The star stands for no column that is granted.');
	}
	add(place.exists ? 1 : granted.length, item.at);
	if (place.exists) {
		const one: Expression = { kind: 'integer', value: 1n, at: item.at };
		return [{ name: null, expression: one, lineage: nothing, plainType: null }];
	}
	return granted.map((field) => {
		const expression: ColumnReference = { kind: 'column', parts: [field.name ?? ''], at: item.at };
		refer(a, expression, field, place.use);
		return { name: field.name, expression, lineage: field.lineage, plainType: field.type };
	});
}

function starFields(
	{ qualifier, at }: Extract<SelectItem, { kind: 'star' }>,
	query: Query,
	scope: Scope,
): readonly ScopeField[] {
	if (query.from.length === 0) throw refusal('validation', at, 'A star needs a table in FROM.');
	if (qualifier === null) return scope.fields;
	const fields = fieldsOf(scope.fields, qualifier);
	const relations = new Set(fields.map((field) => (field.target.kind === 'field' ? field.target.source : null)));
	if (relations.size > 1) throw refusal('validation', at, `The table ${qualifier.join('.')} is ambiguous.`);
	if (fields.length > 0) return fields;
	if (scope.parent !== null && fieldsOf(scope.parent.fields, qualifier).length > 0) {
		throw unsupported(at, 'A star over a table of the query around is not supported.');
	}
	throw refusal('table-not-found', at, `There is no table ${qualifier.join('.')} in FROM.`, {
		table: qualifier.join('.'),
	});
}
