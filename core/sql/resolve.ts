/**
 * What a query reads and means over given tables. Pure: the tables come through `lookup`.
 *
 * A column that exists but is not granted resolves as any other and stands in `reads` with `granted: false`; only stars
 * and column lists of aliases pass it by, as Athena under Lake Formation does. Who may run the query is not decided here.
 */
import { type Analysis, unique } from './analysis.ts';
import type { Query } from './ast.ts';
import { placeOf } from './context.ts';
import { influences, influencesOf } from './lineage.ts';
import { resolveBody, resolveQuery } from './resolve-query.ts';
import type { Lookup, Resolved } from './resolved.ts';

export function resolve(query: Query, lookup: Lookup): Resolved {
	const a: Analysis = {
		lookup,
		query: (inner, place) => resolveQuery(a, inner, place),
		body: (inner, place) => resolveBody(a, inner, place),
		reads: new Map(),
		tables: new Set(),
		plainNames: new Set(),
		names: new Map(),
		fields: 0,
		unrecursive: 0,
		recursions: 0,
		views: null,
		references: new Map(),
		types: new Map(),
		items: new Map(),
		sources: new Map(),
		correlated: new Set(),
		commons: new Map(),
		lambdas: new Map(),
		using: new Map(),
	};
	const { items, rows } = resolveQuery(a, query, { ...placeOf(null, null, 'select'), names: 'result' });
	nameSources(a);
	return {
		query,
		reads: [...a.reads.values()],
		outputs: items.map(({ name, lineage }) => ({
			name,
			sources: [...lineage.direct.values()],
			indirect: influencesOf(lineage),
		})),
		rows: influencesOf(influences(rows)),
		tables: [...a.tables],
		references: a.references,
		items: a.items,
		sources: a.sources,
		commons: namedCommons(a),
		lambdas: a.lambdas,
		using: a.using,
	};
}

/**
 * Aliases are unique, so that no scope captures another's. One that is named in a sub-query or in ORDER BY is no column's
 * name either: there, `a.b` would be a field of a nearer column `a`.
 */
function nameSources(a: Analysis): void {
	const fields = [...a.sources.values()].flatMap((source) => source.fields);
	const columns = new Set([...fields, ...[...a.items.values()].flat()].map(({ printed }) => printed));
	for (const source of a.sources.values()) {
		let name = unique(a.names, source.alias);
		while (a.correlated.has(source) && columns.has(name)) name = unique(a.names, source.alias);
		source.alias = name;
	}
}

/** A base table may print with a name of one part, which none of these may hide. */
function namedCommons(a: Analysis): Resolved['commons'] {
	const taken = new Map([...a.plainNames].map((name) => [name, 2]));
	return new Map(
		[...a.commons].map(([table, columns]) => [table, { printed: unique(taken, table.name.text), columns }]),
	);
}
