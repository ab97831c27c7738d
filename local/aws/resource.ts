/** Lake Formation's resources on the wire and as the state keeps them. */
import * as z from 'zod';
import { AwsError } from '../wire.ts';
import { findLink, findTable, findView, hasDatabase, isRegistered } from './lookup.ts';
import { filterKey, type Resource, type State, type Table, tagKey } from './state.ts';

const Text = z.string().min(1).max(255);
const CatalogId = Text.nullish();

/** Service model: LFTagKey and LFTagValue. Both are kept in lower case. */
export const TagKeyInput = z
	.string()
	.min(1)
	.max(128)
	.regex(/^[\p{L}\p{Z}\p{N}_.:/=+\-@%]*$/u)
	.transform((key) => key.toLowerCase());
const TagValue = z
	.string()
	.max(256)
	.regex(/^[\p{L}\p{Z}\p{N}_.:*/=+\-@%]*$/u)
	.transform((value) => value.toLowerCase());
export const TagValuesInput = z.array(TagValue).min(1).max(50);

/** Bytes of an inline expression (LFDG/lf-tag-considerations); [unverified] aws-facts 2, "tags": how they are counted. */
const LONGEST_TAG_EXPRESSION = 900;

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
	LFTag: z.object({ CatalogId, TagKey: TagKeyInput, TagValues: TagValuesInput }).nullish(),
	LFTagPolicy: z
		.object({
			CatalogId,
			ResourceType: z.enum(['DATABASE', 'TABLE']),
			Expression: z.array(z.object({ TagKey: TagKeyInput, TagValues: TagValuesInput })).nullish(),
			ExpressionName: Text.nullish(),
		})
		.nullish(),
	LFTagExpression: z.object({ CatalogId, Name: Text }).nullish(),
});
export type ResourceInput = z.infer<typeof ResourceInput>;

export function invalid(message: string): AwsError {
	return new AwsError('InvalidInputException', message);
}

/** [unverified] aws-facts 2, "Calls": the text is the same for whatever is missing; which one it is, is not documented. */
export const NOT_FOUND = 'Entity Not Found';

export function notFound(message = NOT_FOUND): AwsError {
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
	const {
		Catalog,
		Database,
		Table: table,
		TableWithColumns,
		DataLocation,
		DataCellsFilter,
		LFTag,
		LFTagPolicy,
	} = input;
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
	if (LFTag) {
		return { kind: 'tag', account: LFTag.CatalogId ?? account, key: LFTag.TagKey, values: sorted(LFTag.TagValues) };
	}
	if (LFTagPolicy) return readPolicy(LFTagPolicy, account);
	throw invalid('LFTagExpression is not supported by the embedded Lake Formation');
}

function readPolicy(policy: NonNullable<ResourceInput['LFTagPolicy']>, account: string): Resource {
	const { ResourceType: on, Expression: conditions } = policy;
	if (policy.ExpressionName) throw invalid('ExpressionName is not supported by the embedded Lake Formation');
	if (!conditions || conditions.length === 0) throw invalid('Expression must be given');
	if (Buffer.byteLength(JSON.stringify(conditions)) > LONGEST_TAG_EXPRESSION)
		throw invalid(`The expression exceeds ${LONGEST_TAG_EXPRESSION} bytes`);
	const expression = conditions.map(({ TagKey: key, TagValues: values }) => ({ key, values: sorted(values) }));
	if (new Set(expression.map(({ key }) => key)).size !== expression.length)
		throw invalid('The expression names a key twice');
	const byKey = expression.toSorted((a, b) => (a.key < b.key ? -1 : 1));
	return { kind: 'tag-policy', account: policy.CatalogId ?? account, on, expression: byKey };
}

const sorted = (values: readonly string[]) => [...new Set(values)].toSorted();

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
	if (listed) return { columns: sorted(names), excluded: [] };
	return { columns: null, excluded: sorted(wildcard?.ExcludedColumnNames ?? []) };
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
		case 'tag':
			return { LFTag: { CatalogId: account, TagKey: resource.key, TagValues: resource.values } };
		case 'tag-policy': {
			const Expression = resource.expression.map(({ key, values }) => ({ TagKey: key, TagValues: values }));
			return { LFTagPolicy: { CatalogId: account, ResourceType: resource.on, Expression } };
		}
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
	if ('database' in resource && !hasDatabase(state, account, resource.database)) throw notFound();
	// A view has permissions as a whole; neither columns nor cells of it have (ATH/lf-athena-limitations).
	if (resource.kind === 'table' && findView(state, account, resource.database, resource.table) !== undefined) return;
	if ('table' in resource) {
		const table = mustFindTable(state, resource);
		if (resource.kind === 'columns') mustHaveColumns(table, [...(resource.columns ?? []), ...resource.excluded]);
	}
	if (resource.kind === 'filter' && !state.filters.has(filterKey(resource))) throw notFound();
	if (resource.kind === 'tag') mustHaveTag(state, account, resource);
	if (resource.kind === 'tag-policy')
		for (const condition of resource.expression) mustHaveTag(state, account, condition);
	if (resource.kind === 'location' && !isRegistered(state, account, resource.arn))
		throw invalid('register the S3 path');
}

export function mustFindTable(state: State, ref: { account: string; database: string; table: string }): Table {
	const table = findTable(state, ref.account, ref.database, ref.table);
	if (table === undefined) throw notFound();
	return table;
}

function mustHaveTag(state: State, account: string, { key, values }: { key: string; values: readonly string[] }): void {
	const tag = state.tags.get(tagKey({ account, key }));
	if (tag === undefined || values.some((value) => value !== '*' && !tag.values.includes(value))) throw notFound();
}

export function mustHaveColumns(table: Table, columns: readonly string[]): void {
	const missing = columns.find((column) => !table.columns.some(({ name }) => name === column));
	if (missing !== undefined) throw invalid('cannot grant/revoke permission on non-existent column.');
}
