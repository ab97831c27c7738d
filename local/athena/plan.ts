/**
 * From the caller's text to what the engine runs: parse, resolve over the columns that the caller's role may
 * see, print again for DuckDB, and make the statements that load exactly the authorised cells. The text
 * itself goes no further. A hidden column is told from a missing one by nothing, as on AWS.
 * Reasons: aws-facts section 3, "What callers observe".
 */
import { statSync } from 'node:fs';
import { BrokerError } from '#core/error.ts';
import { type Query, type Relation, resolve, type TableName, tableNames } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { materialise, visibleColumns } from './enforce.ts';
import type { TableRead } from './events.ts';
import { needsDescribe, QueryFailure } from './failure.ts';
import { printDuckDB } from './print-duckdb.ts';
import { filesOf, type Source } from './scan.ts';

/** What a table name leads to, for one caller. */
export type Found =
	| { readonly kind: 'no-database' | 'no-table' | 'denied' }
	/** Something that Athena looks at on the way wants DESCRIBE. */
	| { readonly kind: 'undescribed'; readonly database: string }
	/** Lake Formation vends no credentials for a location that nobody registered. */
	| { readonly kind: 'unregistered'; readonly location: string }
	| ({ readonly kind: 'table' } & TableRead);

export type Find = (database: string, table: string) => Found;

export type Plan = {
	readonly load: readonly string[];
	readonly sql: string;
	/** Names of the result's columns. */
	readonly names: readonly string[];
	readonly scannedBytes: number;
	readonly reads: readonly TableRead[];
};

const NO_FILTER = 'GENERIC_INTERNAL_ERROR: a row filter could not be applied';

/** What the names of a query are completed with; not yet in lower case. */
export type Context = { readonly catalog: string | null; readonly database: string | null };

/** The only catalog. */
const CATALOG = 'awsdatacatalog';

const NO_COLUMNS = 'COLUMN_NOT_FOUND: Relation contains no accessible columns';

/** A parsed query, or why it will fail; a text that is no SQL throws `sql-syntax`. */
export function read(text: string): Query | QueryFailure {
	try {
		return parseQuery(text);
	} catch (error) {
		if (error instanceof BrokerError && error.code !== 'sql-syntax') return translate(error);
		throw error;
	}
}

type Loaded = {
	readonly name: { database: string; table: string };
} & TableRead;

/** Throws a `QueryFailure` when the query cannot be run for this caller. */
export function plan(query: Query, context: Context, find: Find): Plan {
	const tables = new Map<string, Loaded>();
	for (const written of tableNames(query)) {
		const name = fullName(written, context);
		tables.set(keyOf(name), { name, ...open(name, find) });
	}
	try {
		const resolved = resolve(query, (written) => {
			const table = tables.get(keyOf(fullName(written, context)));
			return table === undefined ? undefined : relation(table);
		});
		return {
			load: [...tables.values()].flatMap(authorised),
			sql: printDuckDB(resolved),
			names: resolved.outputs.map((output, index) => output.name ?? `_col${index}`),
			reads: [...tables.values()],
			scannedBytes: [...tables.values()].reduce((sum, { source }) => sum + sizeOf(source), 0),
		};
	} catch (error) {
		throw error instanceof BrokerError ? translate(error) : error;
	}
}

function fullName(
	{ catalog: named, database, table }: TableName,
	context: Context,
): { database: string; table: string } {
	const catalog = named ?? context.catalog?.toLowerCase() ?? CATALOG;
	if (catalog !== CATALOG) throw new QueryFailure(`CATALOG_NOT_FOUND: Catalog '${catalog}' does not exist`);
	const name = database ?? context.database?.toLowerCase() ?? null;
	if (name === null)
		throw new QueryFailure('MISSING_SCHEMA_NAME: Schema must be specified when session schema is not set');
	return { database: name, table };
}

function keyOf({ database, table }: { database: string; table: string }): string {
	return JSON.stringify([database, table]);
}

function open({ database, table }: { database: string; table: string }, find: Find) {
	const found = find(database, table);
	switch (found.kind) {
		case 'no-database':
			throw new QueryFailure(`SCHEMA_NOT_FOUND: Schema '${database}' does not exist`);
		case 'no-table':
			throw new QueryFailure(`TABLE_NOT_FOUND: Table 'awsdatacatalog.${database}.${table}' does not exist`);
		case 'denied':
			throw new QueryFailure(
				'Insufficient permissions to execute the query. Principal does not have any privilege on specified resource',
			);
		case 'unregistered':
			throw noPath(found.location);
		case 'undescribed':
			throw new QueryFailure(needsDescribe(found.database));
		case 'table':
			checkPartitions(found.source);
			if (visibleColumns(found.source, found.grants).length === 0) throw new QueryFailure(NO_COLUMNS);
			return { source: found.source, grants: found.grants };
		default:
			return found satisfies never;
	}
}

function noPath(location: string): QueryFailure {
	return new QueryFailure(`Permission denied on S3 path: ${location}`);
}

/** Credentials are vended for the table's own location: partitions lie under it, or are not read. */
function checkPartitions({ location, partitions = [] }: Source): void {
	const root = location?.replace(/\/*$/, '/');
	if (root === undefined) return;
	const outside = partitions.find((partition) => partition.location?.startsWith(root) === false);
	if (outside?.location !== undefined) throw noPath(outside.location);
}

/**
 * Statements that load the table's authorised cells. A filter that cannot be read any more, as when its column was
 * renamed, names nothing to the caller: what it is about is hidden from him.
 */
function authorised({ name, source, grants }: Loaded): readonly string[] {
	try {
		return materialise(name, source, grants);
	} catch (error) {
		throw error instanceof BrokerError ? new QueryFailure(NO_FILTER) : error;
	}
}

/** The table as the caller sees it: a column that was not granted is not there at all. */
function relation({ name, source, grants }: Loaded): Relation {
	return {
		id: keyOf(name),
		printed: [name.database, name.table],
		columns: visibleColumns(source, grants).map((column) => ({ name: column.name, type: column.type, granted: true })),
		rowFilter: null,
	};
}

function sizeOf(source: Source): number {
	return filesOf(source).reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

function translate(error: BrokerError): QueryFailure {
	const { line, column, name } = error.extensions;
	const at = typeof line === 'number' && typeof column === 'number' ? `line ${line}:${column}: ` : '';
	if (error.code === 'column-not-found') {
		const what = `Column '${String(name)}' cannot be resolved or requester is not authorized to access requested resources`;
		return new QueryFailure(`COLUMN_NOT_FOUND: ${at}${what}`);
	}
	if (error.code === 'table-not-granted') return new QueryFailure(NO_COLUMNS);
	if (error.code === 'unsupported') return new QueryFailure(`NOT_SUPPORTED: ${at}${error.message}`);
	if (error.code === 'validation') return new QueryFailure(`SYNTAX_ERROR: ${at}${error.message}`);
	return new QueryFailure(`GENERIC_INTERNAL_ERROR: ${error.code}`);
}
