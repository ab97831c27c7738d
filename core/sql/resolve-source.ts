/** FROM: tables looked up, derived tables resolved, joins to the fields that the rest of the query sees. */
import { type Analysis, countFields, recordUse, unique } from './analysis.ts';
import type { DerivedSource, Identifier, Join, Source, TableSource } from './ast.ts';
import { baseColumn, influence, type Lineage, merge, nothing } from './lineage.ts';
import { refusal } from './refuse.ts';
import { markRead, resolveExpression } from './resolve-expression.ts';
import type { Field, Relation, ResolvedSource } from './resolved.ts';
import { matches, type Scope, type ScopeField } from './scope.ts';

/** What a source offers, and which columns decide on its rows. */
export type Offered = { readonly fields: readonly ScopeField[]; readonly rows: Lineage };

export function resolveSource(a: Analysis, source: Source, parent: Scope | null): Offered {
	if (source.kind === 'table') return { fields: resolveTable(a, source), rows: nothing };
	if (source.kind === 'derived') return resolveDerived(a, source, parent);
	const first = resolveSource(a, source.first, parent);
	return source.rest.reduce((left, join) => resolveJoin(a, left, join, parent), first);
}

function resolveTable(a: Analysis, source: TableSource): readonly ScopeField[] {
	const { catalog, database, table } = source.name;
	const relation = a.lookup(source.name);
	if (relation === undefined) {
		const written = [catalog, database, table].filter((part) => part !== null).join('.');
		throw refusal('table-not-found', source.at, `There is no table ${written}.`, { table: written });
	}
	a.tables.add(relation.id);
	const qualifier =
		source.alias === null
			? [catalog ?? 'awsdatacatalog', database ?? relation.printed.at(-2) ?? '', table]
			: [source.alias];
	countFields(a, relation.columns.length, source.at);
	const columns = relation.columns.map((column) => ({ ...column, name: column.name.toLowerCase() }));
	const fields = columns.map(
		({ name, type, granted }): Field => ({ printed: name, origin: { kind: 'base', column: name, type, granted } }),
	);
	const resolved = addSource(a, source, source.alias ?? table, relation, fields);
	const visible = columns.flatMap(({ name, type, granted }, index): ScopeField[] => {
		const field = fields[index];
		if (field === undefined) return [];
		const target = { kind: 'field', source: resolved, field } as const;
		return [{ name, qualifier, target, lineage: baseColumn(relation.id, name), granted, type, relation: relation.id }];
	});
	return source.columns === null ? visible : renamed(source, visible, source.columns);
}

function addSource(
	a: Analysis,
	source: Source,
	alias: string,
	relation: Relation | null,
	fields: readonly Field[],
): ResolvedSource {
	const resolved: ResolvedSource = { alias: unique(a.aliases, alias), relation, fields, used: new Set<Field>() };
	a.sources.set(source, resolved);
	return resolved;
}

/** `t AS q (x, y)` names the columns one can see, in order: of a table those granted. */
function renamed(source: Source, fields: readonly ScopeField[], names: readonly Identifier[]): readonly ScopeField[] {
	const visible = fields.filter((field) => field.granted);
	if (visible.length !== names.length) {
		const detail = `The list has ${names.length} names, and there are ${visible.length} columns.`;
		throw refusal('validation', source.at, detail);
	}
	return visible.map((field, index) => Object.assign({}, field, { name: names[index]?.text ?? null }));
}

function resolveDerived(a: Analysis, source: DerivedSource, parent: Scope | null): Offered {
	const { items, rows } = a.query(source.query, { parent, use: 'select', names: 'unique', exists: false });
	const fields = items.map(
		(item): Field => ({ printed: item.printed, origin: { kind: 'derived', expression: item.expression } }),
	);
	const resolved = addSource(a, source, source.alias ?? 'derived', null, fields);
	const qualifier = source.alias === null ? null : [source.alias];
	const visible = items.flatMap((item, index): ScopeField[] => {
		const field = fields[index];
		if (field === undefined) return [];
		const target = { kind: 'field', source: resolved, field } as const;
		const { name, lineage, plainType: type } = item;
		return [{ name, qualifier, target, lineage, granted: true, type, relation: null }];
	});
	return { fields: source.columns === null ? visible : renamed(source, visible, source.columns), rows };
}

function resolveJoin(a: Analysis, left: Offered, join: Join, parent: Scope | null): Offered {
	const right = resolveSource(a, join.right, parent);
	const rows = [left.rows, right.rows];
	if (join.using !== null) return resolveUsing(a, left, right, join, join.using);
	const fields = [...left.fields, ...right.fields];
	if (join.on !== null) rows.push(influence(resolveExpression(a, join.on, { fields, parent }, 'join'), 'join'));
	return { fields, rows: merge(rows) };
}

/** JOIN .. USING: the named columns once and first, without a qualifier; then the others of both sides. */
function resolveUsing(a: Analysis, left: Offered, right: Offered, join: Join, names: readonly Identifier[]): Offered {
	const pairs = names.map((name) => {
		const pair = { left: oneField(left, name), right: oneField(right, name) };
		for (const { target, lineage } of [pair.left, pair.right]) {
			markRead(a, name, target, 'join');
			recordUse(a, lineage, 'join', name.at);
		}
		return pair;
	});
	a.using.set(
		join,
		pairs.map((pair) => [pair.left.target, pair.right.target]),
	);
	const merged = pairs.map(
		(pair): ScopeField => ({
			...pair.left,
			qualifier: null,
			target: { kind: 'merged', left: pair.left.target, right: pair.right.target },
			lineage: merge([pair.left.lineage, pair.right.lineage]),
			granted: pair.left.granted && pair.right.granted,
			relation: null,
		}),
	);
	const taken = new Set(pairs.flatMap((pair) => [pair.left, pair.right]));
	const others = [...left.fields, ...right.fields].filter((field) => !taken.has(field));
	const joined = merged.map((field) => influence(field.lineage, 'join'));
	return { fields: [...merged, ...others], rows: merge([left.rows, right.rows, ...joined]) };
}

function oneField({ fields }: Offered, { text, at }: Identifier): ScopeField {
	const [found, second] = matches(fields, [text]);
	if (second !== undefined) throw refusal('validation', at, `The column ${text} is ambiguous.`);
	if (found === undefined) {
		throw refusal('column-not-found', at, `There is no column ${text} on both sides of the join.`, { name: text });
	}
	return found;
}
