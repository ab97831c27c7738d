/**
 * The tables that a query writes, each time it does, told from its common tables as the resolver tells them: WITH hides a
 * name of one part from what comes after it, with RECURSIVE from itself too, and never one with a database.
 */
import type { Position, Query, TableName, TableSource } from '../sql.ts';

export type Mention = { readonly database: string; readonly table: string; readonly at: Position };

/** In the order of the text as far as clauses go. `database`: of names without one; those are left out if null. */
export function mentions(query: Query, database: string | null = null): Mention[] {
	const found: Mention[] = [];
	renamed(query, new Set(), (source) => {
		const within = source.name.database ?? database;
		if (within !== null) found.push({ database: within, table: source.name.table, at: source.at });
		return source.name;
	});
	return found;
}

/** The query with this database given to every table that has none. */
export function inSchema(query: Query, database: string): Query {
	return renamed(query, new Set(), ({ name }) => (name.database === null ? { ...name, database } : name));
}

type Names = ReadonlySet<string>;
type Rename = (source: TableSource) => TableName;

/** The same tree of new nodes. `hidden`: names of the common tables in scope. */
function renamed(query: Query, hidden: Names, rename: Rename): Query {
	const { commons, ...rest } = query;
	const known = new Set(hidden);
	const seen = commons.map((common) => {
		if (query.recursive) known.add(common.name.text);
		const inner = renamed(common.query, new Set(known), rename);
		known.add(common.name.text);
		return { ...common, query: inner };
	});
	return { ...partsOf(rest, known, rename), commons: seen };
}

/** Whatever it is: only queries and tables are of interest, wherever they stand. */
function part(value: unknown, hidden: Names, rename: Rename): unknown {
	if (Array.isArray(value)) return value.map((one: unknown) => part(one, hidden, rename));
	if (typeof value !== 'object' || value === null) return value;
	if (isQuery(value)) return renamed(value, hidden, rename);
	if (isTable(value) && !isCommon(value, hidden)) return { ...value, name: rename(value) };
	return partsOf(value, hidden, rename);
}

function partsOf<T extends object>(value: T, hidden: Names, rename: Rename): T {
	return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, part(one, hidden, rename)])) as T;
}

const isQuery = (value: object): value is Query => 'kind' in value && value.kind === 'query';
const isTable = (value: object): value is TableSource => 'kind' in value && value.kind === 'table';

function isCommon({ name }: TableSource, hidden: Names): boolean {
	return name.catalog === null && name.database === null && hidden.has(name.table);
}
