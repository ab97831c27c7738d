/**
 * Glue's read side, as Lake Formation lets a caller see it: own databases and tables, those of other
 * accounts that somebody granted, and resource links, which show their target. Columns that were not granted
 * are not listed, and what may not be seen does not exist (LF developer guide, "error-message-update").
 */
import * as z from 'zod';
import { AwsError, epoch, type Operations, operation, page } from '../wire.ts';
import {
	describedColumns,
	findLink,
	findTable,
	findView,
	hasDatabase,
	isRegistered,
	locationArn,
	mayRead,
	resolveDatabase,
} from './lookup.ts';
import type { State, Table, View } from './state.ts';
import type { Store } from './store.ts';

const CatalogId = z.string().min(1).max(255).nullish();
const Name = z.string().min(1).max(255);
const Paging = { NextToken: z.string().nullish(), MaxResults: z.number().int().min(1).max(100).nullish() };

/** When every table and database of the landing zone says it was made. */
const MADE = epoch(Date.UTC(2026, 0, 1));

export function makeGlue(store: Store): Operations {
	return new Map([
		[
			'GetDatabase',
			operation(z.object({ CatalogId, Name }), invalid, (caller, input) => {
				const account = input.CatalogId ?? caller.account;
				const shown = databaseOf(store.read(), account, input.Name.toLowerCase(), caller);
				if (shown === undefined) throw absent(`Database ${input.Name} not found.`);
				return { Database: shown };
			}),
		],
		[
			'GetDatabases',
			operation(z.object({ CatalogId, ...Paging }), invalid, (caller, input) => {
				const state = store.read();
				const account = input.CatalogId ?? caller.account;
				const names = [...state.landing.databases, ...state.landing.links].filter((entry) => entry.account === account);
				const all = names
					.map(({ name }) => databaseOf(state, account, name, caller))
					.filter((entry) => entry !== undefined);
				const { items, next } = page(all, input.MaxResults ?? 100, input.NextToken, badToken);
				return { DatabaseList: items, ...next };
			}),
		],
		[
			'GetTable',
			operation(z.object({ CatalogId, DatabaseName: Name, Name }), invalid, (caller, input) => {
				const state = store.read();
				const target = resolveDatabase(state, input.CatalogId ?? caller.account, input.DatabaseName.toLowerCase());
				const name = input.Name.toLowerCase();
				const found =
					target &&
					(findTable(state, target.account, target.database, name) ??
						findView(state, target.account, target.database, name));
				const columns = found && describedColumns(state, caller.principal, found);
				if (found === undefined || columns === undefined) throw absent('Entity Not Found');
				const registered = 'location' in found && isRegistered(state, found.account, locationArn(found.location));
				return { Table: entryOf(found, columns, registered) };
			}),
		],
		[
			'GetTables',
			operation(z.object({ CatalogId, DatabaseName: Name, ...Paging }), invalid, (caller, input) => {
				const state = store.read();
				const account = input.CatalogId ?? caller.account;
				const target = resolveDatabase(state, account, input.DatabaseName.toLowerCase());
				if (
					target === undefined ||
					databaseOf(state, account, input.DatabaseName.toLowerCase(), caller) === undefined
				) {
					throw absent(`Database ${input.DatabaseName} not found.`);
				}
				const all = [...state.landing.tables, ...state.landing.views]
					.filter((table) => table.account === target.account && table.database === target.database)
					.map((table) => ({ table, columns: describedColumns(state, caller.principal, table) }));
				const seen = all.flatMap(({ table, columns }) => (columns === undefined ? [] : [{ table, columns }]));
				const { items, next } = page(seen, input.MaxResults ?? 100, input.NextToken, badToken);
				// Only GetTable tells whether the location is registered; lists always say no.
				return { TableList: items.map(({ table, columns }) => entryOf(table, columns, false)), ...next };
			}),
		],
	]);
}

function invalid(message: string): AwsError {
	return new AwsError('InvalidInputException', message);
}

function badToken(): AwsError {
	return invalid('Invalid pagination token');
}

function absent(message: string): AwsError {
	return new AwsError('EntityNotFoundException', message);
}

/** A resource link is shown to everybody of its account: the landing zone granted DESCRIBE on it. */
function databaseOf(state: State, account: string, name: string, caller: { account: string; principal: string }) {
	const common = { Name: name, CatalogId: account, CreateTime: MADE };
	if (hasDatabase(state, account, name)) {
		const visible =
			mayRead(state, account, caller.principal) ||
			holdsDatabase(state, account, name, caller.principal) ||
			[...state.landing.tables, ...state.landing.views].some(
				(table) =>
					table.account === account &&
					table.database === name &&
					describedColumns(state, caller.principal, table) !== undefined,
			);
		return visible ? { ...common, CreateTableDefaultPermissions: [] } : undefined;
	}
	const link = findLink(state, account, name);
	if (link === undefined || account !== caller.account) return undefined;
	return { ...common, TargetDatabase: { CatalogId: link.target.account, DatabaseName: link.target.database } };
}

function holdsDatabase(state: State, account: string, name: string, principal: string): boolean {
	return [...state.permissions.values()].some(
		({ principal: holder, resource }) =>
			holder === principal &&
			resource.kind === 'database' &&
			resource.account === account &&
			resource.database === name,
	);
}

function entryOf(found: Table | View, columns: readonly string[], registered: boolean) {
	const common = {
		Name: found.name,
		DatabaseName: found.database,
		CatalogId: found.account,
		CreateTime: MADE,
		UpdateTime: MADE,
		VersionId: '0',
		Retention: 0,
		PartitionKeys: [],
		IsRegisteredWithLakeFormation: registered,
	};
	const Columns = found.columns
		.filter(({ name }) => columns.includes(name))
		.map(({ name, type, comment }) => ({ Name: name, Type: type, Comment: comment }));
	return 'text' in found ? { ...common, ...viewOf(found, Columns) } : { ...common, ...tableOf(found, Columns) };
}

function tableOf(table: Table, Columns: readonly object[]) {
	return {
		TableType: 'EXTERNAL_TABLE',
		Parameters: { classification: table.format.kind, EXTERNAL: 'TRUE' },
		StorageDescriptor: { Location: table.location, Columns, ...storageOf(table) },
	};
}

/** As Athena's CREATE VIEW leaves it. */
function viewOf(view: View, Columns: readonly object[]) {
	return {
		TableType: 'VIRTUAL_VIEW',
		Parameters: { comment: 'Presto View', presto_view: 'true' },
		StorageDescriptor: { Location: '', Columns, SerdeInfo: {} },
		ViewOriginalText: view.text,
		ViewExpandedText: '/* Presto View */',
	};
}

function storageOf({ format }: Table) {
	if (format.kind === 'parquet') {
		return {
			InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
			OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
			SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
		};
	}
	return {
		InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
		OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
		SerdeInfo: {
			SerializationLibrary: 'org.apache.hadoop.hive.serde2.OpenCSVSerde',
			Parameters: {
				separatorChar: format.delimiter,
				quoteChar: format.quote,
				'skip.header.line.count': format.header ? '1' : '0',
			},
		},
	};
}
