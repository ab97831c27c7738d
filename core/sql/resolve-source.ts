/** FROM: tables looked up, derived tables resolved, joins to the fields that the rest of the query sees. */
import { type Analysis, addSource, countFields, uniqueNames, withoutRecursion } from './analysis.ts';
import type { DerivedSource, Identifier, Join, JoinsSource, Source, TableSource } from './ast.ts';
import { commonOf } from './commons.ts';
import { type Common, type Item, type Place, placeOf } from './context.ts';
import { baseColumn, type Lineage, nothing } from './lineage.ts';
import { refusal, ticked, unreachable, wrongList } from './refuse.ts';
import { resolveJoin } from './resolve-join.ts';
import { resolveUnnest } from './resolve-unnest.ts';
import type { Field, Relation, ResolvedSource } from './resolved.ts';
import type { Scope, ScopeField } from './scope.ts';
import { inView, viewQuery } from './view.ts';

/** What a source offers, and which columns decide on its rows. */
export type Offered = { readonly fields: readonly ScopeField[]; readonly rows: Lineage };

/** `left`: the tables before it in FROM, which LATERAL and UNNEST see. */
export function resolveSource(a: Analysis, source: Source, place: Place, left: readonly ScopeField[]): Offered {
	const before: Scope | null =
		left.length === 0 ? place.parent : { kind: 'tables', fields: left, parent: place.parent };
	switch (source.kind) {
		case 'table':
			return resolveTable(a, source, place);
		case 'derived': {
			const { items, rows } = a.query(
				source.query,
				placeOf(source.lateral ? before : place.parent, place.commons, 'select'),
			);
			const content = { kind: 'query', query: source.query, lateral: source.lateral } as const;
			return { fields: queryFields(a, source, content, items, source.alias), rows };
		}
		case 'unnest':
			return resolveUnnest(a, source, before, place);
		case 'joins': {
			const first = withoutRecursion(a, mayLack(source, 0), () => resolveSource(a, source.first, place, []));
			return source.rest.reduce((sofar, join, index) => {
				const optional = mayLack(source, index + 1);
				const right = withoutRecursion(a, optional, () => resolveSource(a, join.right, place, leftOf(join, sofar)));
				return resolveJoin(a, sofar, right, join, place);
			}, first);
		}
	}
	return unreachable(source);
}

/** LATERAL and UNNEST see what is on the left, unless rows of theirs may stand without it. */
function leftOf({ type }: Join, left: Offered): readonly ScopeField[] {
	return type === 'right' || type === 'full' ? [] : left.fields;
}

/** Whether rows of the whole may have none of this part of it: outer joins. */
function mayLack({ rest }: JoinsSource, part: number): boolean {
	const own = rest[part - 1]?.type;
	const after = rest.slice(part).map(({ type }) => type);
	return own === 'left' || own === 'full' || after.some((type) => type === 'right' || type === 'full');
}

function resolveTable(a: Analysis, source: TableSource, place: Place): Offered {
	const { catalog, database, table } = source.name;
	const common = commonOf(place.commons, source);
	if (common !== null) return { fields: commonFields(a, source, common), rows: common.rows };
	const found = a.lookup(source.name);
	const written = [catalog, database, table].filter((part) => part !== null).join('.');
	if (found === undefined)
		throw refusal('table-not-found', source.at, `There is no table ${ticked(written)}.`, { table: written });
	// Only what is written: `t` is no name for the table of an outer query that is written `s.t`.
	const full = [catalog, database, table].filter((part) => part !== null);
	if ('view' in found) {
		const query = viewQuery(a, found, source.at);
		const { items, rows } = inView(a, source.at, written, () => a.query(query, placeOf(null, null, 'select')));
		if (items.length !== found.columns.length) {
			throw refusal('unsupported', source.at, `The view ${ticked(written)} has other columns than its query.`);
		}
		const named = items.map((item, index) =>
			Object.assign({}, item, { name: found.columns[index]?.toLowerCase() ?? null }),
		);
		const content = { kind: 'query', query, lateral: false } as const;
		return { fields: queryFields(a, source, content, named, source.alias ?? full), rows };
	}
	a.tables.add(found.id);
	return { fields: baseFields(a, source, found, source.alias === null ? full : [source.alias]), rows: nothing };
}

function baseFields(
	a: Analysis,
	source: TableSource,
	relation: Relation,
	qualifier: readonly string[],
): readonly ScopeField[] {
	countFields(a, relation.columns.length, source.at);
	const [plain, second] = relation.printed;
	if (plain !== undefined && second === undefined) a.plainNames.add(plain.toLowerCase());
	const columns = relation.columns.map((column) => ({ ...column, name: column.name.toLowerCase() }));
	const fields = columns.map(
		({ name, type, granted }): Field => ({ printed: name, origin: { kind: 'base', column: name, type, granted } }),
	);
	const resolved = addSource(a, source, source.alias ?? source.name.table, { kind: 'base', relation }, fields);
	const visible = columns.flatMap(({ name, type, granted }, index): ScopeField[] => {
		const field = fields[index];
		if (field === undefined) return [];
		const target = { kind: 'field', source: resolved, field } as const;
		return [{ name, qualifier, target, lineage: baseColumn(relation.id, name), granted, type, relation: relation.id }];
	});
	return source.columns === null ? visible : renamed(source, visible, source.columns);
}

/** `t AS q (x, y)` names the columns one can see, in order: of a table those granted. */
function renamed(source: Source, fields: readonly ScopeField[], names: readonly Identifier[]): readonly ScopeField[] {
	const visible = fields.filter((field) => field.granted);
	if (visible.length !== names.length) {
		throw wrongList(source.at, names.length, visible.length);
	}
	return visible.map((field, index) => Object.assign({}, field, { name: names[index]?.text ?? null }));
}

type Column = Pick<Item, 'name' | 'lineage' | 'type'>;

/** The columns of a derived table or a view. */
function queryFields(
	a: Analysis,
	source: DerivedSource | TableSource,
	content: Extract<ResolvedSource['content'], { kind: 'query' }>,
	columns: readonly Column[],
	qualifier: string | readonly string[] | null,
): readonly ScopeField[] {
	const printed = uniqueNames(columns.map(({ name }) => name));
	const fields = printed.map((name, index) => ({ name, index, query: content.query }));
	const alias = source.alias ?? (source.kind === 'table' ? source.name.table : 'derived');
	return offered(a, source, alias, content, columns, fields, typeof qualifier === 'string' ? [qualifier] : qualifier);
}

function commonFields(a: Analysis, source: TableSource, common: Common): readonly ScopeField[] {
	const { table, columns } = common;
	const fields = columns.map(({ printed }, index) => ({ name: printed, index, query: table.query }));
	const alias = source.alias ?? source.name.table;
	return offered(a, source, alias, { kind: 'common', table }, columns, fields, [alias]);
}

function offered(
	a: Analysis,
	source: DerivedSource | TableSource,
	alias: string,
	content: ResolvedSource['content'],
	columns: readonly Column[],
	printed: readonly { readonly name: string; readonly index: number; readonly query: DerivedSource['query'] }[],
	qualifier: readonly string[] | null,
): readonly ScopeField[] {
	countFields(a, columns.length, source.at);
	const fields = printed.map(
		({ name, index, query }): Field => ({ printed: name, origin: { kind: 'query', query, index } }),
	);
	const resolved = addSource(a, source, alias, content, fields);
	const visible = columns.flatMap(({ name, lineage, type }, index): ScopeField[] => {
		const field = fields[index];
		if (field === undefined) return [];
		const target = { kind: 'field', source: resolved, field } as const;
		return [{ name, qualifier, target, lineage, granted: true, type, relation: null }];
	});
	return source.columns === null ? visible : renamed(source, visible, source.columns);
}
