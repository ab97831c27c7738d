/** Lake Formation's resources on the wire and as the state keeps them. */
import * as z from 'zod';
import { AwsError } from '../wire.ts';
import { findLink, findTable, hasDatabase, isRegistered } from './lookup.ts';
import { filterKey, type Resource, type State, type Table } from './state.ts';

const Text = z.string().min(1).max(255);
const CatalogId = Text.nullish();

export const ResourceInput = z.object({
	Catalog: z.object({ Id: CatalogId }).nullish(),
	Database: z.object({ CatalogId, Name: Text }).nullish(),
	Table: z
		.object({ CatalogId, DatabaseName: Text, Name: Text.nullish(), TableWildcard: z.object({}).nullish() })
		.nullish(),
	TableWithColumns: z
		.object({
			CatalogId,
			DatabaseName: Text,
			Name: Text,
			ColumnNames: z.array(Text).nullish(),
			ColumnWildcard: z.object({ ExcludedColumnNames: z.array(Text).nullish() }).nullish(),
		})
		.nullish(),
	DataLocation: z.object({ CatalogId, ResourceArn: z.string().min(1) }).nullish(),
	DataCellsFilter: z.object({ TableCatalogId: CatalogId, DatabaseName: Text, TableName: Text, Name: Text }).nullish(),
});
export type ResourceInput = z.infer<typeof ResourceInput>;

export function invalid(message: string): AwsError {
	return new AwsError('InvalidInputException', message);
}

export function notFound(message: string): AwsError {
	return new AwsError('EntityNotFoundException', message);
}

export function denied(): AwsError {
	const message = 'Resource does not exist or requester is not authorized to access requested permissions.';
	return new AwsError('AccessDeniedException', message, { status: 403 });
}

/** The one resource that the input names; the caller's account is the default catalog. */
export function readResource(input: ResourceInput, account: string): Resource {
	const named = Object.values(input).filter((value) => value !== null && value !== undefined);
	if (named.length !== 1) {
		// The sentence is AWS's own, sample in the guide's CloudTrail page.
		throw invalid('Resource must have one of the have either the catalog, table or database field populated.');
	}
	const { Catalog, Database, Table: table, TableWithColumns, DataLocation, DataCellsFilter } = input;
	if (Catalog) return { kind: 'catalog', account: Catalog.Id ?? account };
	if (Database) return { kind: 'database', account: Database.CatalogId ?? account, database: Database.Name };
	if (table) return readTable(table, account);
	if (TableWithColumns) return readColumns(TableWithColumns, account);
	if (DataLocation)
		return { kind: 'location', account: DataLocation.CatalogId ?? account, arn: DataLocation.ResourceArn };
	if (DataCellsFilter) {
		const { TableCatalogId, DatabaseName, TableName, Name } = DataCellsFilter;
		return { kind: 'filter', account: TableCatalogId ?? account, database: DatabaseName, table: TableName, name: Name };
	}
	throw invalid('Unknown resource');
}

function readTable(table: NonNullable<ResourceInput['Table']>, account: string): Resource {
	const catalog = table.CatalogId ?? account;
	const wildcard = table.TableWildcard !== null && table.TableWildcard !== undefined;
	if (table.Name && !wildcard)
		return { kind: 'table', account: catalog, database: table.DatabaseName, table: table.Name };
	if (!table.Name && wildcard) return { kind: 'all-tables', account: catalog, database: table.DatabaseName };
	throw invalid('Table resource must have exactly one of Name and TableWildcard');
}

function readColumns(table: NonNullable<ResourceInput['TableWithColumns']>, account: string): Resource {
	const scope = readColumnScope(table.ColumnNames, table.ColumnWildcard);
	return {
		kind: 'columns',
		account: table.CatalogId ?? account,
		database: table.DatabaseName,
		table: table.Name,
		...scope,
	};
}

/** Exactly one of a list of columns and a wildcard, in one order. */
export function readColumnScope(
	names: readonly string[] | null | undefined,
	wildcard: { readonly ExcludedColumnNames?: readonly string[] | null | undefined } | null | undefined,
): { columns: string[] | null; excluded: string[] } {
	const listed = names !== null && names !== undefined && names.length > 0;
	if (listed === (wildcard !== null && wildcard !== undefined)) {
		throw invalid('Exactly one of ColumnNames and ColumnWildcard must be given');
	}
	if (listed) return { columns: [...new Set(names)].toSorted(), excluded: [] };
	return { columns: null, excluded: [...new Set(wildcard?.ExcludedColumnNames ?? [])].toSorted() };
}

/** The resource as Lake Formation writes it. */
export function writeResource(resource: Resource): object {
	const { account } = resource;
	switch (resource.kind) {
		case 'catalog':
			return { Catalog: { Id: account } };
		case 'database':
			return { Database: { CatalogId: account, Name: resource.database } };
		case 'table':
			return { Table: { CatalogId: account, DatabaseName: resource.database, Name: resource.table } };
		case 'all-tables':
			return { Table: { CatalogId: account, DatabaseName: resource.database, TableWildcard: {} } };
		case 'columns': {
			const { columns, excluded } = resource;
			const wildcard = excluded.length > 0 ? { ExcludedColumnNames: excluded } : {};
			const scope = columns === null ? { ColumnWildcard: wildcard } : { ColumnNames: columns };
			return {
				TableWithColumns: { CatalogId: account, DatabaseName: resource.database, Name: resource.table, ...scope },
			};
		}
		case 'filter': {
			const { database, table, name } = resource;
			return { DataCellsFilter: { TableCatalogId: account, DatabaseName: database, TableName: table, Name: name } };
		}
		case 'location':
			return { DataLocation: { CatalogId: account, ResourceArn: resource.arn } };
		default:
			return resource satisfies never;
	}
}

/** Throws unless the resource exists; a resource link is not the database that it points to. */
export function mustExist(state: State, resource: Resource): void {
	const { account } = resource;
	if ('database' in resource && findLink(state, account, resource.database) !== undefined) {
		if (resource.kind === 'database') return;
		throw invalid('Database cannot be a link for this operation when called on a table');
	}
	if ('database' in resource && !hasDatabase(state, account, resource.database)) throw notFound('Database not found.');
	if ('table' in resource) {
		const table = mustFindTable(state, resource);
		if (resource.kind === 'columns') mustHaveColumns(table, [...(resource.columns ?? []), ...resource.excluded]);
	}
	if (resource.kind === 'filter' && !state.filters.has(filterKey(resource))) throw notFound('Cell Filter not found.');
	if (resource.kind === 'location' && !isRegistered(state, account, resource.arn))
		throw invalid('register the S3 path');
}

export function mustFindTable(state: State, ref: { account: string; database: string; table: string }): Table {
	const table = findTable(state, ref.account, ref.database, ref.table);
	if (table === undefined) throw notFound('Table not found.');
	return table;
}

export function mustHaveColumns(table: Table, columns: readonly string[]): void {
	const missing = columns.find((column) => !table.columns.some(({ name }) => name === column));
	if (missing !== undefined) throw invalid('cannot grant/revoke permission on non-existent column.');
}
