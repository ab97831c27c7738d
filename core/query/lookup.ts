/**
 * The tables and views that were found, as the resolver asks for them; and what the views read, whoever asks. Pure.
 *
 * A view stands for what it was when it was made: all that it reads counts, also what a query over it leaves out, and a
 * star in it stands for every column, never for those that somebody was granted.
 */
import * as Catalog from '../catalog.ts';
import { BrokerError } from '../error.ts';
import { type Relation, resolve, type TableName, type View } from '../sql.ts';

export type Lookup = (name: TableName) => Relation | View | undefined;

/** `database`: of names that are written without one. */
export function lookupOf<T extends Catalog.FoundTable>(
	{ tables, views }: { readonly tables: readonly T[]; readonly views: readonly Catalog.FoundView[] },
	relationOf: (table: T) => Relation,
	database: string | null = null,
): Lookup {
	return (name) => {
		const within = name.database ?? database;
		const isNamed = ({ ref }: Pick<T, 'ref'>) => ref.database === within && ref.table === name.table;
		const view = views.find(isNamed);
		if (view !== undefined) return { view: view.query, columns: view.columns };
		const table = tables.find(isNamed);
		return table === undefined ? undefined : relationOf(table);
	};
}

/** The table with all its columns and rows. */
export function wholeRelation({ id, table }: Catalog.FoundTable): Relation {
	const columns = table.columns.map(({ name, type }) => ({ name, type, granted: true }));
	return { id, printed: [table.database, table.name], columns, rowFilter: null };
}

/** A column that a view reads. */
export type ReadThrough = { readonly table: string; readonly column: string; readonly via: Catalog.Via };

/** Every column that views read. Throws `unsupported` for a view that does not fit what its tables are now. */
export function readThrough(found: Catalog.Expansion): ReadThrough[] {
	const lookup = lookupOf(found, wholeRelation);
	return found.views.flatMap(({ definition, via }) => {
		const { outputs, reads } = resolved(definition.query, lookup, via);
		// Trino holds a view to be stale where its query gives other names than it was made with.
		const same = outputs.length === definition.columns.length;
		if (!same || !outputs.every(({ name }, i) => name === definition.columns[i])) {
			throw Catalog.misfit(via, 'its query gives other columns than it was made with');
		}
		return reads.map(({ table, column }) => ({ table, column, via }));
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
