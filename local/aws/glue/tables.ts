/** Glue's tables. A name of a database may be a resource link's, which is followed; links to tables are not made here. */
import * as z from 'zod';
import { AwsError, type Caller, type Operation, operation, page } from '../../wire.ts';
import { describedColumns } from '../lookup.ts';
import { grantedByDefault, grantedToCreator } from '../permissions.ts';
import type { State, Table, View } from '../state.ts';
import type { Store } from '../store.ts';
import {
	absent,
	badToken,
	CatalogId,
	exists,
	invalid,
	MOST_TABLES,
	Name,
	Paging,
	refuse,
	tooMany,
	Unserved,
} from './common.ts';
import { dataKept, forgotten, onTable } from './dropped.ts';
import { readTable, readView, TableInput } from './input.ts';
import {
	databaseNamed,
	mustHoldOnDatabase,
	mustHoldOnTable,
	mustReachLocation,
	mustSeeTable,
	type Place,
	tableNamed,
} from './rights.ts';
import { writtenTable } from './show.ts';

/** Times and transactions to read as of, and forms of tables, that are not kept here. */
const AsOf = { TransactionId: Unserved, QueryAsOfTime: Unserved };
const In = { CatalogId, DatabaseName: Name };

export function tableOperations(store: Store, clock: () => Date): readonly (readonly [string, Operation])[] {
	return [
		['GetTable', getTable(store)],
		['GetTables', getTables(store)],
		['CreateTable', createTable(store, clock)],
		['UpdateTable', updateTable(store, clock)],
		[
			'DeleteTable',
			operation(z.object({ ...In, Name, TransactionId: Unserved }), invalid, async (caller, input) => {
				refuse({ TransactionId: input.TransactionId });
				await store.change((state) => deleted(state, caller, placeOf(state, caller, input), input.Name));
				return {};
			}),
		],
		['BatchDeleteTable', batchDeleteTable(store)],
	];
}

type Addressed = { readonly CatalogId?: string | null | undefined; readonly DatabaseName: string };

function placeOf(state: State, caller: Caller, input: Addressed): Place | undefined {
	return databaseNamed(state, caller, input.CatalogId ?? caller.account, input.DatabaseName);
}

function getTable(store: Store): Operation {
	return operation(z.object({ ...In, Name, ...AsOf }), invalid, (caller, input) => {
		refuse({ TransactionId: input.TransactionId, QueryAsOfTime: input.QueryAsOfTime });
		const state = store.read();
		const { table, columns } = mustSeeTable(state, caller, placeOf(state, caller, input), input.Name);
		return { Table: writtenTable(state, table, columns, false) };
	});
}

function getTables(store: Store): Operation {
	const Input = z.object({ ...In, ...Paging, ...AsOf, Expression: Unserved, AttributesToGet: Unserved });
	return operation(Input, invalid, (caller, input) => {
		const { Expression, AttributesToGet, TransactionId, QueryAsOfTime } = input;
		refuse({ Expression, AttributesToGet, TransactionId, QueryAsOfTime });
		const state = store.read();
		const place = placeOf(state, caller, input);
		if (place === undefined) throw absent(`Database ${input.DatabaseName} not found.`);
		const seen = [...state.landing.tables, ...state.landing.views]
			.filter((table) => table.account === place.account && table.database === place.database)
			.flatMap((table) => {
				const columns = describedColumns(state, caller.principal, table);
				return columns === undefined ? [] : [{ table, columns }];
			});
		const { items, next } = page(seen, input.MaxResults ?? 100, input.NextToken, badToken);
		return { TableList: items.map(({ table, columns }) => writtenTable(state, table, columns, true)), ...next };
	});
}

function createTable(store: Store, clock: () => Date): Operation {
	const Input = z.object({ ...In, TableInput, PartitionIndexes: Unserved, ...AsOf, OpenTableFormatInput: Unserved });
	return operation(Input, invalid, async (caller, input) => {
		const { PartitionIndexes, TransactionId, OpenTableFormatInput } = input;
		refuse({ PartitionIndexes, TransactionId, OpenTableFormatInput });
		await store.change((state) => {
			const place = placeOf(state, caller, input);
			if (place === undefined) throw absent(`Database ${input.DatabaseName} not found.`);
			mustHoldOnDatabase(state, caller, place, 'CREATE_TABLE');
			return created(state, caller, place, input.TableInput, clock());
		});
		return {};
	});
}

function created(state: State, caller: Caller, place: Place, input: TableInput, now: Date): State {
	const { account, database } = place;
	const name = input.Name;
	if (tableNamed(state, place, name) !== undefined) throw exists('Table');
	const { tables, views } = state.landing;
	const own = [...tables, ...views].filter((table) => table.account === account && table.database === database);
	if (own.length >= MOST_TABLES) throw tooMany('tables');
	const resource = { kind: 'table' as const, account, database, table: name };
	const made = input.TableType === 'VIRTUAL_VIEW' ? withView : withTable;
	const open = grantedByDefault(made(state, caller, place, input, now), caller.principal, resource, now);
	return grantedToCreator(open, caller.principal, resource, now);
}

function withView(state: State, _caller: Caller, place: Place, input: TableInput, now: Date): State {
	const view = readView({ account: place.account, database: place.database }, input, now.getTime());
	return { ...state, landing: { ...state.landing, views: [...state.landing.views, view] } };
}

function withTable(state: State, caller: Caller, place: Place, input: TableInput, now: Date): State {
	mustReachLocation(state, caller, place, input.StorageDescriptor?.Location ?? '', input.Name);
	const table: Table = {
		account: place.account,
		database: place.database,
		name: input.Name,
		...readTable(state, place.account, input),
		registered: false,
		partitions: [],
		created: now.getTime(),
	};
	return { ...state, landing: { ...state.landing, tables: [...state.landing.tables, table] } };
}

function updateTable(store: Store, clock: () => Date): Operation {
	const Input = z.object({
		...In,
		TableInput,
		VersionId: z.string().min(1).max(255).nullish(),
		TransactionId: Unserved,
		ViewUpdateAction: Unserved,
		UpdateOpenTableFormatInput: Unserved,
	});
	return operation(Input, invalid, async (caller, input) => {
		const { TransactionId, ViewUpdateAction, UpdateOpenTableFormatInput } = input;
		refuse({ TransactionId, ViewUpdateAction, UpdateOpenTableFormatInput });
		await store.change((state) => {
			const { table } = mustSeeTable(state, caller, placeOf(state, caller, input), input.TableInput.Name);
			mustHoldOnTable(state, caller, table, 'ALTER');
			if ('text' in table) return replaced(state, table, readView(table, input.TableInput, table.created));
			if (input.VersionId && input.VersionId !== String(table.version ?? 0)) throw updatedMeanwhile();
			return replaced(state, table, updated(state, caller, table, input.TableInput, clock()));
		});
		return {};
	});
}

/** The words are those that Iceberg's Glue catalog meets when VersionId is not the table's own any more. */
function updatedMeanwhile(): AwsError {
	return new AwsError('ConcurrentModificationException', 'Update table failed due to concurrent modifications.');
}

/** The definition is replaced as a whole; when the table was made, and its partitions, stay. */
function updated(state: State, caller: Caller, table: Table, input: TableInput, now: Date): Table {
	const described = readTable(state, table.account, input);
	if (described.location !== table.location) mustReachLocation(state, caller, table, described.location, table.name);
	if (described.partitionKeys.join() !== table.partitionKeys.join()) throw invalid('A table keeps its partition keys');
	const { description: _, ...kept } = table;
	const files = described.location === table.location ? table.files : described.files;
	return { ...kept, ...described, files, version: (table.version ?? 0) + 1, updated: now.getTime() };
}

function replaced(state: State, old: Table | View, by: Table | View): State {
	const { tables, views } = state.landing;
	const landing =
		'text' in by
			? { ...state.landing, views: views.map((view) => (view === old ? by : view)) }
			: { ...state.landing, tables: tables.map((table) => (table === old ? by : table)) };
	return { ...state, landing };
}

function deleted(state: State, caller: Caller, place: Place | undefined, name: string): State {
	const { table } = mustSeeTable(state, caller, place, name);
	mustHoldOnTable(state, caller, table, 'DROP');
	const { tables, views } = state.landing;
	const landing = {
		...state.landing,
		tables: tables.filter((entry) => entry !== table),
		views: views.filter((entry) => entry !== table),
	};
	const kept = 'text' in table ? state : dataKept(state, table);
	const { account, database } = table;
	return forgotten({ ...kept, landing }, onTable({ account, database, table: name }));
}

function batchDeleteTable(store: Store): Operation {
	const Input = z.object({ ...In, TablesToDelete: z.array(Name).max(100), TransactionId: Unserved });
	return operation(Input, invalid, async (caller, input) => {
		refuse({ TransactionId: input.TransactionId });
		const errors: object[] = [];
		await store.change((before) => {
			const place = placeOf(before, caller, input);
			if (place === undefined) throw absent(`Database ${input.DatabaseName} not found.`);
			return input.TablesToDelete.reduce((state, name) => {
				try {
					return deleted(state, caller, place, name);
				} catch (error) {
					if (!(error instanceof AwsError)) throw error;
					errors.push({ TableName: name, ErrorDetail: { ErrorCode: error.code, ErrorMessage: error.message } });
					return state;
				}
			}, before);
		});
		return { Errors: errors };
	});
}
