/** The tables that a query writes, each time it does: names that common tables hide are none of them. */
import { type Position, type Query, type TableSource, tableSources } from '../sql.ts';

export type Mention = { readonly database: string; readonly table: string; readonly at: Position };

/** The same for the same table, however often it is named. */
export const keyOf = ({ database, table }: Pick<Mention, 'database' | 'table'>) => JSON.stringify([database, table]);

/** In the order of the text as far as clauses go. `database`: of names without one; those are left out if null. */
export function mentions(query: Query, database: string | null = null): Mention[] {
	const found: Mention[] = [];
	for (const { name, at } of tableSources(query)) {
		const within = name.database ?? database;
		if (within !== null) found.push({ database: within, table: name.table, at });
	}
	return found;
}

type Writable<T> = { -readonly [member in keyof T]: T[member] };

/** The query, of new nodes, with this database given to every table that has none. */
export function inSchema(query: Query, database: string): Query {
	const copy = structuredClone(query);
	// Named while walking: a table that has its database no common table hides.
	const sources: Writable<TableSource>[] = [...tableSources(copy)];
	for (const source of sources) source.name = { ...source.name, database: source.name.database ?? database };
	return copy;
}
