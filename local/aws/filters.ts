/**
 * Data cells filters: made, changed and deleted by an administrator of the account that owns the table, or by who has
 * SELECT on the columns with the grant option (on all of them, if the filter has a row expression); read also by who
 * was granted DESCRIBE on the filter. An update replaces the whole filter.
 * Rules: LF developer guide, managing-filters, data-filtering, data-filtering-notes and partiql-support.
 */
import * as z from 'zod';
import { BrokerError } from '#core/error.ts';
import { parseRowFilter } from '../rowfilter.ts';
import { AwsError, type Caller, type Operation, operation, page } from '../wire.ts';
import { mayGrant, mustBeAllowedToGrant } from './authority.ts';
import { mayRead } from './lookup.ts';
import { denied, invalid, mustExist, mustFindTable, mustHaveColumns, notFound, readColumnScope } from './resource.ts';
import { type Filter, filterKey, permissionKey, put, type State, type Table } from './state.ts';
import type { Store } from './store.ts';
import { isTagged } from './tagging.ts';

/** "Total length less than 2048", the guide says; its model says at most 2048. */
const LONGEST_EXPRESSION = 2047;

/** [unverified] aws-facts 1, "Shape": an update that names another version than the newest is refused. */
const VERSION_IS_A_LOCK: boolean = true;

/** [unverified] aws-facts 1, "Several filters": deleting a filter that is granted also ends those permissions. */
const DELETE_ENDS_PERMISSIONS: boolean = true;

/**
 * [unverified] aws-facts 1, "Limits and interactions": "You can't apply data filters when you use LF-Tags" may mean that
 * a tagged table takes no filter. If it takes one, the tags' grants and the filter add up, which is the worse case.
 */
const FILTER_REFUSED_ON_TAGGED: boolean = false;

/**
 * [unverified] aws-facts 1, "Row-filter grammar": a column of an unsupported type is an error where the expression
 * names it (core/rowfilter.ts); this decides whether one that it does not name is an error too.
 */
const UNSUPPORTED_TYPE_ANYWHERE: boolean = false;

/** Types that the guide does not list for row filters (partiql-support). */
const UNSUPPORTED_TYPE = /^(date|timestamp|array|map|binary|varbinary)\b/i;

/** Columns that a filtered table may not have (data-filtering-notes). */
const RESTRICTED_COLUMNS = new Set(
	'ctid oid xmin cmin xmax cmax tableoid insertxid deletexid importoid redcatuniqueid'.split(' '),
);

const Text = z
	.string()
	.min(1)
	.max(255)
	.regex(/^[^\r\n]*$/);
const CatalogId = Text.nullish();
const Name = { TableCatalogId: CatalogId, DatabaseName: Text, TableName: Text, Name: Text };

const FilterInput = z.object({
	TableCatalogId: Text,
	DatabaseName: Text,
	TableName: Text,
	Name: Text,
	VersionId: z.string().min(1).max(255).nullish(),
	RowFilter: z
		.object({ FilterExpression: z.string().max(2048).nullish(), AllRowsWildcard: z.object({}).nullish() })
		.nullish(),
	ColumnNames: z.array(Text).nullish(),
	ColumnWildcard: z.object({ ExcludedColumnNames: z.array(Text).nullish() }).nullish(),
});

type FilterInput = z.infer<typeof FilterInput>;

export function filterOperations(store: Store): readonly (readonly [string, Operation])[] {
	return [
		[
			'CreateDataCellsFilter',
			operation(z.object({ TableData: FilterInput }), invalid, async (caller, { TableData }) => {
				await store.change((state) => create(state, caller, TableData));
				return {};
			}),
		],
		[
			'UpdateDataCellsFilter',
			operation(z.object({ TableData: FilterInput }), invalid, async (caller, { TableData }) => {
				await store.change((state) => update(state, caller, TableData));
				return {};
			}),
		],
		[
			'GetDataCellsFilter',
			operation(z.object({ ...Name, TableCatalogId: Text }), invalid, (caller, input) => {
				const state = store.read();
				const ref = referenceOf(input, caller);
				const filter = state.filters.get(filterKey(ref));
				if (!mayDescribe(state, caller, ref, filter)) throw denied();
				if (filter === undefined) throw notFound();
				return { DataCellsFilter: written(filter) };
			}),
		],
		[
			'DeleteDataCellsFilter',
			operation(z.object(Name), invalid, async (caller, input) => {
				await store.change((state) => remove(state, caller, referenceOf(input, caller)));
				return {};
			}),
		],
		[
			'ListDataCellsFilter',
			operation(ListInput, invalid, (caller, input) => {
				const state = store.read();
				const account = input.Table?.CatalogId ?? caller.account;
				const everything = mayRead(state, account, caller.principal);
				if (!everything && account !== caller.account) throw denied();
				if (everything && input.Table?.Name) {
					mustFindTable(state, { account, database: input.Table.DatabaseName, table: input.Table.Name });
				}
				const all = listed(state, account, input.Table ?? undefined).filter((filter) =>
					mayDescribe(state, caller, filter, filter),
				);
				const { items, next } = page(all, input.MaxResults ?? 1000, input.NextToken, () =>
					invalid('Invalid NextToken'),
				);
				return { DataCellsFilters: items.map(written), ...next };
			}),
		],
	];
}

const ListInput = z.object({
	Table: z
		.object({ CatalogId, DatabaseName: Text, Name: Text.nullish(), TableWildcard: z.object({}).nullish() })
		.nullish(),
	NextToken: z.string().nullish(),
	MaxResults: z.number().int().min(1).max(1000).nullish(),
});

type Reference = { account: string; database: string; table: string; name: string };

function referenceOf(input: z.infer<z.ZodObject<typeof Name>>, caller: Caller): Reference {
	const account = input.TableCatalogId ?? caller.account;
	return { account, database: input.DatabaseName, table: input.TableName, name: input.Name };
}

function create(state: State, caller: Caller, input: FilterInput): State {
	const filter = read(state, caller, input);
	if (state.filters.has(filterKey(filter)))
		throw new AwsError('AlreadyExistsException', 'Data cells filter already exists.');
	return { ...state, filters: put(state.filters, filterKey(filter), filter), versions: state.versions + 1 };
}

function update(state: State, caller: Caller, input: FilterInput): State {
	const filter = read(state, caller, input);
	const old = state.filters.get(filterKey(filter));
	if (old === undefined) throw notFound();
	mustGovern(state, caller, old);
	if (VERSION_IS_A_LOCK && input.VersionId && input.VersionId !== old.version)
		throw new AwsError('ConcurrentModificationException', 'Please retry in a short while');
	return { ...state, filters: put(state.filters, filterKey(filter), filter), versions: state.versions + 1 };
}

/** The filter as it is asked for, with the next version. */
function read(state: State, caller: Caller, input: FilterInput): Filter {
	const ref = referenceOf(input, caller);
	const scope = readColumnScope(input.ColumnNames, input.ColumnWildcard);
	const rows = readRows(input.RowFilter ?? {});
	mustGovern(state, caller, { ...ref, ...scope, expression: rows });
	mustExist(state, { kind: 'table', account: ref.account, database: ref.database, table: ref.table });
	const table = mustFindTable(state, ref);
	mustHaveColumns(table, [...(scope.columns ?? []), ...scope.excluded]);
	mustTakeFilters(state, table);
	if (rows !== null) checkExpression(rows, table);
	return { ...ref, ...scope, expression: rows, version: String(state.versions + 1) };
}

function mustTakeFilters(state: State, table: Table): void {
	const restricted = table.columns.find(({ name }) => RESTRICTED_COLUMNS.has(name));
	if (restricted !== undefined)
		throw invalid(`Column name ${restricted.name} is restricted in tables with data filters`);
	if (FILTER_REFUSED_ON_TAGGED && isTagged(state, table))
		throw invalid('Data filters are not supported on resources with LF-Tags');
}

/** Throws unless the caller may make or end a filter of these columns and rows. */
function mustGovern(state: State, caller: Caller, filter: Omit<Filter, 'version'>): void {
	const { account, database, table, columns, excluded, expression } = filter;
	const ref = { account, database, table };
	const needed =
		expression === null
			? ({ kind: 'columns', ...ref, columns, excluded } as const)
			: ({ kind: 'table', ...ref } as const);
	mustBeAllowedToGrant(state, caller, needed, ['SELECT']);
}

function mayDescribe(state: State, caller: Caller, ref: Reference, filter: Filter | undefined): boolean {
	if (mayRead(state, ref.account, caller.principal)) return true;
	if (filter === undefined || caller.account !== ref.account) return false;
	const { account, database, table, name } = ref;
	const resource = { kind: 'filter', account, database, table, name } as const;
	const shown = state.permissions.get(permissionKey({ principal: caller.principal, resource }));
	return shown?.permissions.includes('DESCRIBE') === true || mayGrant(state, caller, resource, ['SELECT']);
}

/** The expression, null for all rows: exactly one of the two must be given. */
function readRows(rows: NonNullable<FilterInput['RowFilter']>): string | null {
	const all = rows.AllRowsWildcard !== null && rows.AllRowsWildcard !== undefined;
	const text = rows.FilterExpression ?? undefined;
	if (all === (text !== undefined)) throw invalid('Exactly one of FilterExpression and AllRowsWildcard must be given');
	if (text === undefined) return null;
	if (text.length > LONGEST_EXPRESSION) throw invalid('The filter expression is too long');
	return text;
}

function checkExpression(text: string, table: Table): void {
	const unsupported = table.columns.find(({ type }) => UNSUPPORTED_TYPE.test(type));
	if (UNSUPPORTED_TYPE_ANYWHERE && unsupported !== undefined)
		throw invalid(`Unsupported filter expression: column ${unsupported.name} has type ${unsupported.type}`);
	try {
		parseRowFilter(
			text,
			table.columns.map(({ name, type }) => ({ name, type, partition: table.partitionKeys.includes(name) })),
		);
	} catch (error) {
		if (error instanceof BrokerError) throw invalid(`Unsupported filter expression: ${error.message}`);
		throw error;
	}
}

function remove(state: State, caller: Caller, ref: Reference): State {
	const old = state.filters.get(filterKey(ref));
	const { name: _, ...table } = ref;
	if (old !== undefined) mustGovern(state, caller, old);
	else mustBeAllowedToGrant(state, caller, { kind: 'table', ...table }, ['SELECT']);
	if (old === undefined) throw notFound();
	const permissions = new Map(state.permissions);
	for (const [key, { resource }] of state.permissions) {
		if (DELETE_ENDS_PERMISSIONS && resource.kind === 'filter' && filterKey(resource) === filterKey(ref))
			permissions.delete(key);
	}
	return { ...state, filters: put(state.filters, filterKey(ref), undefined), permissions };
}

function listed(state: State, account: string, table: z.infer<typeof ListInput>['Table']): Filter[] {
	return [...state.filters.values()].filter(
		(filter) =>
			filter.account === account &&
			(!table || filter.database === table.DatabaseName) &&
			(!table?.Name || filter.table === table.Name),
	);
}

function written(filter: Filter) {
	const { columns, excluded, expression } = filter;
	return {
		TableCatalogId: filter.account,
		DatabaseName: filter.database,
		TableName: filter.table,
		Name: filter.name,
		RowFilter: expression === null ? { AllRowsWildcard: {} } : { FilterExpression: expression },
		...(columns === null ? { ColumnWildcard: { ExcludedColumnNames: excluded } } : { ColumnNames: columns }),
		VersionId: filter.version,
	};
}
