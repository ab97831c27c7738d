/**
 * The tables and views that were found, as the resolver asks for them; and what the views read, whoever asks. Pure.
 *
 * A view stands for what it was when it was made: all that it reads counts, also what a query over it leaves out, and a
 * star in it stands for every column, never for those that somebody was granted.
 */
import * as Catalog from '../catalog.ts';
import { BrokerError } from '../error.ts';
import { type Lookup, type Relation, resolve, type View } from '../sql.ts';

/** `database`: of names that are written without one. */
export function lookupOf<T extends Pick<Catalog.FoundTable, 'ref'>>(
	{ tables, views }: { readonly tables: readonly T[]; readonly views: readonly Catalog.FoundView[] },
	relationOf: (table: T) => Relation,
	database: string | null = null,
): Lookup {
	const byName = new Map(views.map(({ ref, query, columns }) => [Catalog.keyOf(ref), { view: query, columns }]));
	const tableOf = new Map(tables.map((table) => [Catalog.keyOf(table.ref), table]));
	return (name) => {
		const within = name.database ?? database;
		if (within === null) return undefined;
		const key = Catalog.keyOf({ database: within, table: name.table });
		const table = tableOf.get(key);
		return byName.get(key) ?? (table === undefined ? undefined : relationOf(table));
	};
}

/** The table with all its columns and rows. */
export function wholeRelation({ id, table }: Pick<Catalog.FoundTable, 'id' | 'table'>): Relation {
	const columns = table.columns.map(({ name, type }) => ({ name, type, granted: true }));
	return { id, printed: [table.database, table.name], columns, rowFilter: null };
}

/** A column that a view reads. */
export type ReadThrough = { readonly table: string; readonly column: string; readonly via: Catalog.Via };

/**
 * Every column that views read. Each view is resolved once: another one inside it stands for what its contract says, and
 * what that one reads is told by itself. Throws `unsupported` for a view that does not fit what its tables are now.
 */
export function readThrough({ tables, views }: Catalog.Expansion): ReadThrough[] {
	const ids = new Set(tables.map(({ id }) => id));
	const known = [...tables, ...views.map((view) => ({ ...view, id: `view ${view.product.id}/${view.table.name}` }))];
	const lookup = lookupOf({ tables: known, views: [] }, wholeRelation);
	return views.flatMap(({ definition, via }) => {
		const { outputs, reads } = resolved(definition.query, lookup, via);
		// Trino holds a view to be stale where its query gives other names than it was made with.
		const same = outputs.length === definition.columns.length;
		if (!same || !outputs.every(({ name }, i) => name === definition.columns[i])) {
			throw Catalog.misfit(via, 'its query gives other columns than it was made with');
		}
		return reads.filter(({ table }) => ids.has(table)).map(({ table, column }) => ({ table, column, via }));
	});
}

function resolved(query: View['view'], lookup: Lookup, via: Catalog.Via) {
	try {
		return resolve(query, lookup);
	} catch (cause) {
		if (!(cause instanceof BrokerError) || cause.code === 'internal') throw cause;
		throw Catalog.misfit(
			via,
			'its query does not fit the tables that it reads, as their contracts describe them',
			cause,
		);
	}
}
