/**
 * Data cells filters, as the grantor role of the account that owns the table. A filter is made, read and deleted, never
 * updated: a name stands for one content (design section 6). Each call is idempotent: done already is success.
 */
import {
	CreateDataCellsFilterCommand,
	type DataCellsFilter,
	DeleteDataCellsFilterCommand,
	GetDataCellsFilterCommand,
	paginateListDataCellsFilter,
} from '@aws-sdk/client-lakeformation';
import { BrokerError, errorName } from '../error.ts';
import type { TableRef } from '../ledger.ts';
import { printRowFilter } from '../rowfilter.ts';
import type { Scope } from '../scope.ts';
import { attempt, type Ctx, translated, until } from './retry.ts';

export type FilterRef = { readonly table: TableRef; readonly name: string };

/** A filter as Lake Formation holds it. `columns` is null for a wildcard, `rows` for all rows, else the text as stored. */
export type Filter = {
	readonly name: string;
	readonly columns: readonly string[] | null;
	readonly rows: string | null;
};

/** Makes the filter. An existing one of this name must be the same, else `conflict`: filters are never updated. */
export const createFilter = translated(async (ctx: Ctx, filter: FilterRef, scope: Scope): Promise<void> => {
	const RowFilter =
		scope.rowFilter === null ? { AllRowsWildcard: {} } : { FilterExpression: printRowFilter(scope.rowFilter) };
	const TableData = { ...addressOf(filter), ColumnNames: [...scope.columns], RowFilter };
	try {
		await attempt(ctx, () => client(ctx, filter.table).send(new CreateDataCellsFilterCommand({ TableData })));
	} catch (cause) {
		if (errorName(cause) !== 'AlreadyExistsException') throw cause;
		const found = await readFilter(ctx, filter);
		if (found !== null && opens(found, scope)) return;
		throw new BrokerError('conflict', `A filter named ${filter.name} exists with other content.`, {}, { cause });
	}
});

/** The filter as it stands, or null where there is none (or not yet: reads may lag behind a creation). */
export const readFilter = translated(async (ctx: Ctx, filter: FilterRef): Promise<Filter | null> => {
	try {
		const answer = await attempt(ctx, () =>
			client(ctx, filter.table).send(new GetDataCellsFilterCommand(addressOf(filter))),
		);
		return answer.DataCellsFilter === undefined ? null : read(answer.DataCellsFilter);
	} catch (cause) {
		if (errorName(cause) === 'EntityNotFoundException') return null;
		throw cause;
	}
});

/** Whether a filter opens exactly this scope: the same columns, the same text of its rows. */
export function opens(found: Filter, scope: Scope): boolean {
	const columns = found.columns?.toSorted() ?? [];
	const wanted = scope.columns.toSorted();
	const rows = scope.rowFilter === null ? null : printRowFilter(scope.rowFilter);
	return (
		found.columns !== null &&
		columns.length === wanted.length &&
		columns.every((c, i) => c === wanted[i]) &&
		found.rows === rows
	);
}

/** Deletes the filters and returns once none is listed any more. What is gone already is success. */
export const deleteFilters = translated(async (ctx: Ctx, table: TableRef, names: readonly string[]): Promise<void> => {
	await Promise.all(names.map((name) => drop(ctx, { table, name })));
	const gone = new Set(names);
	await until(ctx, async () => !(await filtersOn(ctx, table, '')).some((f) => gone.has(f.name)));
});

async function drop(ctx: Ctx, filter: FilterRef): Promise<void> {
	try {
		await attempt(ctx, () => client(ctx, filter.table).send(new DeleteDataCellsFilterCommand(addressOf(filter))));
	} catch (cause) {
		if (errorName(cause) !== 'EntityNotFoundException') throw cause;
	}
}

/** The data cells filters on a table whose names start with `prefix`. A vanished table has none. */
export const filtersOn = translated(async (ctx: Ctx, table: TableRef, prefix: string): Promise<Filter[]> => {
	const Table = { CatalogId: table.account, DatabaseName: table.database, Name: table.table };
	const all = async () => {
		const found: Filter[] = [];
		for await (const page of paginateListDataCellsFilter({ client: client(ctx, table) }, { Table })) {
			found.push(...(page.DataCellsFilters ?? []).map(read));
		}
		return found;
	};
	try {
		return (await attempt(ctx, all)).filter((f) => f.name.startsWith(prefix));
	} catch (cause) {
		if (errorName(cause) === 'EntityNotFoundException') return [];
		throw cause;
	}
});

/** What is neither a list of columns nor rows of a known form is read as the widest that it could be. */
function read(found: DataCellsFilter): Filter {
	const listed = found.ColumnWildcard === undefined && (found.ColumnNames ?? []).length > 0;
	return {
		name: found.Name ?? '',
		columns: listed ? (found.ColumnNames ?? []) : null,
		rows: found.RowFilter?.AllRowsWildcard === undefined ? (found.RowFilter?.FilterExpression ?? null) : null,
	};
}

function addressOf({ table, name }: FilterRef) {
	return { TableCatalogId: table.account, DatabaseName: table.database, TableName: table.table, Name: name };
}

const client = (ctx: Ctx, table: TableRef) => ctx.aws.lakeformation(table.account);
