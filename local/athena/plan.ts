/**
 * From the caller's text to what the engine runs: parse, resolve over the columns that the caller's role may
 * see, print again for DuckDB, and make the statements that load exactly the authorised cells. The text
 * itself goes no further. A hidden column is told from a missing one by nothing, as on AWS.
 * Reasons and error types: aws-facts section 3, "What callers observe".
 */
import { statSync } from 'node:fs';
import { BrokerError } from '#core/error.ts';
import { type Query, type Relation, resolve, type TableName, tableNames } from '#core/sql.ts';
import { parseQuery } from '#core/syntax.ts';
import { type Grant, materialise, type Source, visibleColumns } from './enforce.ts';
import { printDuckDB } from './print-duckdb.ts';

/** What a table name leads to, for one caller. */
export type Found =
	| { readonly kind: 'no-database' | 'no-table' | 'denied' }
	/** Lake Formation vends no credentials for a location that nobody registered. */
	| { readonly kind: 'unregistered'; readonly location: string }
	| { readonly kind: 'table'; readonly source: Source; readonly grants: readonly Grant[] };

export type Find = (database: string, table: string) => Found;

export type Plan = {
	readonly load: readonly string[];
	readonly sql: string;
	/** Names of the result's columns. */
	readonly names: readonly string[];
	readonly scannedBytes: number;
};

/** A query that ends as FAILED, with Athena's reason and error type. */
export class QueryFailure extends Error {
	readonly errorType: number | null;
	constructor(reason: string, errorType: number | null = null) {
		super(reason);
		this.name = 'QueryFailure';
		this.errorType = errorType;
	}
}

const COLUMN = 1006;
const TABLE = 1301;
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
	readonly source: Source;
	readonly grants: readonly Grant[];
};

/** Throws a `QueryFailure` when the query cannot be run for this caller. */
export function plan(query: Query, database: string | null, find: Find): Plan {
	const tables = new Map<string, Loaded>();
	for (const written of tableNames(query)) {
		const name = fullName(written, database);
		tables.set(keyOf(name), { name, ...open(name, find) });
	}
	try {
		const resolved = resolve(query, (written) => {
			const table = tables.get(keyOf(fullName(written, database)));
			return table === undefined ? undefined : relation(table);
		});
		return {
			load: [...tables.values()].flatMap(({ name, source, grants }) => materialise(name, source, grants)),
			sql: printDuckDB(resolved),
			names: resolved.outputs.map((output, index) => output.name ?? `_col${index}`),
			scannedBytes: [...tables.values()].reduce((sum, { source }) => sum + sizeOf(source), 0),
		};
	} catch (error) {
		throw error instanceof BrokerError ? translate(error) : error;
	}
}

function fullName(
	{ catalog, database, table }: TableName,
	fallback: string | null,
): { database: string; table: string } {
	if (catalog !== null && catalog !== 'awsdatacatalog')
		throw new QueryFailure(`CATALOG_NOT_FOUND: Catalog '${catalog}' does not exist`);
	const name = database ?? fallback;
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
			throw new QueryFailure(`SCHEMA_NOT_FOUND: Schema '${database}' does not exist`, TABLE);
		case 'no-table':
			throw new QueryFailure(`TABLE_NOT_FOUND: Table 'awsdatacatalog.${database}.${table}' does not exist`, TABLE);
		case 'denied':
			throw new QueryFailure(
				'Insufficient permissions to execute the query. Principal does not have any privilege on specified resource',
			);
		case 'unregistered':
			throw new QueryFailure(`Permission denied on S3 path: ${found.location}`);
		case 'table':
			if (visibleColumns(found.source, found.grants).length === 0) throw new QueryFailure(NO_COLUMNS, COLUMN);
			return { source: found.source, grants: found.grants };
		default:
			return found satisfies never;
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

function sizeOf({ files }: Source): number {
	return files.reduce((sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

function translate(error: BrokerError): QueryFailure {
	const { line, column, name } = error.extensions;
	const at = typeof line === 'number' && typeof column === 'number' ? `line ${line}:${column}: ` : '';
	if (error.code === 'column-not-found') {
		const what = `Column '${String(name)}' cannot be resolved or requester is not authorized to access requested resources`;
		return new QueryFailure(`COLUMN_NOT_FOUND: ${at}${what}`, COLUMN);
	}
	if (error.code === 'table-not-granted') return new QueryFailure(NO_COLUMNS, COLUMN);
	if (error.code === 'unsupported') return new QueryFailure(`NOT_SUPPORTED: ${at}${error.message}`);
	if (error.code === 'validation') return new QueryFailure(`SYNTAX_ERROR: ${at}${error.message}`);
	return new QueryFailure(`GENERIC_INTERNAL_ERROR: ${error.code}`);
}
