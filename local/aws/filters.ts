/**
 * Data cells filters: made, read, listed and deleted by an administrator of the account that owns the
 * table. A filter never changes under its name here. Deleting one that is still granted also ends those
 * permissions: AWS does not document that case, so nothing may rest on it.
 * Rules: LF developer guide, data-filtering, data-filtering-notes and partiql-support.
 */
import * as z from 'zod';
import { BrokerError } from '#core/error.ts';
import { parseRowFilter } from '../rowfilter.ts';
import { AwsError, type Caller, type Operation, operation, page } from '../wire.ts';
import { isAdmin, mayRead } from './lookup.ts';
import { denied, invalid, mustExist, mustFindTable, mustHaveColumns, notFound, readColumnScope } from './resource.ts';
import { type Filter, filterKey, put, type State, type Table } from './state.ts';
import type { Store } from './store.ts';

/** "Total length less than 2048", the guide says; its model says at most 2048. */
const LONGEST_EXPRESSION = 2047;

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
	RowFilter: z
		.object({ FilterExpression: z.string().max(2048).nullish(), AllRowsWildcard: z.object({}).nullish() })
		.nullish(),
	ColumnNames: z.array(Text).nullish(),
	ColumnWildcard: z.object({ ExcludedColumnNames: z.array(Text).nullish() }).nullish(),
});

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
			'GetDataCellsFilter',
			operation(z.object({ ...Name, TableCatalogId: Text }), invalid, (caller, input) => {
				const state = store.read();
				const ref = referenceOf(input, caller);
				if (!mayRead(state, ref.account, caller.principal)) throw denied();
				const filter = state.filters.get(filterKey(ref));
				if (filter === undefined) throw notFound('Cell Filter not found.');
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
				if (!mayRead(state, account, caller.principal)) throw denied();
				if (input.Table?.Name) {
					mustFindTable(state, { account, database: input.Table.DatabaseName, table: input.Table.Name });
				}
				const all = listed(state, account, input.Table ?? undefined);
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

function create(state: State, caller: Caller, input: z.infer<typeof FilterInput>): State {
	const ref = referenceOf(input, caller);
	if (!isAdmin(state, ref.account, caller.principal)) throw denied();
	mustExist(state, { kind: 'table', account: ref.account, database: ref.database, table: ref.table });
	const table = mustFindTable(state, ref);
	const scope = readColumnScope(input.ColumnNames, input.ColumnWildcard);
	mustHaveColumns(table, [...(scope.columns ?? []), ...scope.excluded]);
	const restricted = table.columns.find(({ name }) => RESTRICTED_COLUMNS.has(name));
	if (restricted !== undefined)
		throw invalid(`Column name ${restricted.name} is restricted in tables with data filters`);
	const expression = readRows(input.RowFilter ?? {}, table);
	if (state.filters.has(filterKey(ref)))
		throw new AwsError('AlreadyExistsException', 'Data cells filter already exists.');
	const versions = state.versions + 1;
	const filter: Filter = { ...ref, ...scope, expression, version: String(versions) };
	return { ...state, filters: put(state.filters, filterKey(ref), filter), versions };
}

/** The expression, null for all rows: exactly one of the two must be given. */
function readRows(rows: NonNullable<z.infer<typeof FilterInput>['RowFilter']>, table: Table): string | null {
	const all = rows.AllRowsWildcard !== null && rows.AllRowsWildcard !== undefined;
	const text = rows.FilterExpression ?? undefined;
	if (all === (text !== undefined)) throw invalid('Exactly one of FilterExpression and AllRowsWildcard must be given');
	if (text === undefined) return null;
	if (text.length > LONGEST_EXPRESSION) throw invalid('The filter expression is too long');
	checkExpression(text, table);
	return text;
}

function checkExpression(text: string, table: Table): void {
	try {
		parseRowFilter(
			text,
			table.columns.map(({ name, type }) => ({ name, type, partition: false })),
		);
	} catch (error) {
		if (error instanceof BrokerError) throw invalid(`Unsupported filter expression: ${error.message}`);
		throw error;
	}
}

function remove(state: State, caller: Caller, ref: Reference): State {
	if (!isAdmin(state, ref.account, caller.principal)) throw denied();
	if (!state.filters.has(filterKey(ref))) throw notFound('Cell Filter not found.');
	const permissions = new Map(state.permissions);
	for (const [key, { resource }] of state.permissions) {
		if (resource.kind === 'filter' && filterKey(resource) === filterKey(ref)) permissions.delete(key);
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
