/**
 * Lake Formation calls, one function per thing done, as the grantor role of the account that owns the table.
 *
 * Each is idempotent: done already is success, after a read-back. What AWS asks callers to repeat is repeated with
 * jitter and a bound (Lake Formation Developer Guide, troubleshooting: ConcurrentModificationException; a new role is
 * "Invalid principal" until it has propagated). Errors are told apart by name and message, never by status.
 */
import {
	CreateDataCellsFilterCommand,
	DeleteDataCellsFilterCommand,
	GetDataCellsFilterCommand,
	GrantPermissionsCommand,
	type LakeFormationClient,
	type PrincipalResourcePermissions,
	paginateListDataCellsFilter,
	paginateListPermissions,
	type Resource,
	RevokePermissionsCommand,
} from '@aws-sdk/client-lakeformation';
import pRetry from 'p-retry';
import type { Context } from '../context.ts';
import { BrokerError, errorName } from '../error.ts';
import type { TableRef } from '../ledger.ts';
import { printRowFilter } from '../rowfilter.ts';
import type { Scope } from '../scope.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;
type Filter = { readonly table: TableRef; readonly name: string };

const ATTEMPTS = 6;
const again = new Set([
	'ConcurrentModificationException',
	'OperationTimeoutException',
	'ThrottledException',
	'ThrottlingException',
	'TooManyRequestsException',
	'InternalServiceException',
]);
const againMessage = /invalid principal|rate exceeded|please retry/i;
/** What Lake Formation says when there is nothing to revoke or nothing to revoke it on. */
const alreadyGone = /no permissions revoked|grantee has no permissions|cell filter not found|not found/i;

/** Makes the filter. An existing one of this name must be the same, else `conflict`: filters are never updated. */
export const createFilter = translated(async (ctx: Ctx, filter: Filter, scope: Scope): Promise<void> => {
	const { account, database, table } = filter.table;
	const rowFilter =
		scope.rowFilter === null ? { AllRowsWildcard: {} } : { FilterExpression: printRowFilter(scope.rowFilter) };
	const TableData = {
		TableCatalogId: account,
		DatabaseName: database,
		TableName: table,
		Name: filter.name,
		ColumnNames: [...scope.columns],
		RowFilter: rowFilter,
	};
	try {
		await attempt(ctx, () => lf(ctx, filter.table).send(new CreateDataCellsFilterCommand({ TableData })));
	} catch (cause) {
		if (errorName(cause) !== 'AlreadyExistsException') throw cause;
		if (!(await filterIs(ctx, filter, scope))) throw widened(filter, cause);
	}
});

/** Whether the filter, read back, opens exactly this scope. */
async function filterIs(ctx: Ctx, filter: Filter, scope: Scope): Promise<boolean> {
	const { account, database, table } = filter.table;
	try {
		const { DataCellsFilter: found } = await lf(ctx, filter.table).send(
			new GetDataCellsFilterCommand({
				TableCatalogId: account,
				DatabaseName: database,
				TableName: table,
				Name: filter.name,
			}),
		);
		const columns = (found?.ColumnNames ?? []).toSorted();
		const wanted = scope.columns.toSorted();
		const expression = found?.RowFilter?.FilterExpression ?? null;
		const rows = scope.rowFilter === null ? null : printRowFilter(scope.rowFilter);
		return (
			found?.ColumnWildcard === undefined &&
			columns.length === wanted.length &&
			columns.every((c, i) => c === wanted[i]) &&
			(rows === null ? found?.RowFilter?.AllRowsWildcard !== undefined && expression === null : expression === rows)
		);
	} catch (cause) {
		if (errorName(cause) === 'EntityNotFoundException') return false;
		throw cause;
	}
}

/** Grants SELECT on the filter to the principal. Granting again is accepted. */
export const grantSelect = translated(async (ctx: Ctx, filter: Filter, principal: string): Promise<void> => {
	await attempt(ctx, () => lf(ctx, filter.table).send(new GrantPermissionsCommand(selectOn(filter, principal))));
});

/** Returns once the read-back shows the filter as it must be and SELECT on it for the principal. Else throws. */
export const prove = translated(async (ctx: Ctx, filter: Filter, scope: Scope, principal: string): Promise<void> => {
	await until(ctx, async () => {
		if (!(await filterIs(ctx, filter, scope))) return false;
		return (await holders(ctx, filter)).some((p) => p.principal === principal && p.permissions.includes('SELECT'));
	});
});

/** Revokes everything on the filter, proves it gone, deletes the filter, proves that gone. */
export const retire = translated(async (ctx: Ctx, filter: Filter): Promise<void> => {
	const { account, database, table } = filter.table;
	for (const holder of await holders(ctx, filter)) await revokeSelect(ctx, filter, holder.principal);
	await until(ctx, async () => (await holders(ctx, filter)).length === 0);
	try {
		await attempt(ctx, () =>
			lf(ctx, filter.table).send(
				new DeleteDataCellsFilterCommand({
					TableCatalogId: account,
					DatabaseName: database,
					TableName: table,
					Name: filter.name,
				}),
			),
		);
	} catch (cause) {
		if (errorName(cause) !== 'EntityNotFoundException') throw cause;
	}
	await until(ctx, async () => !(await filtersOn(ctx, filter.table, filter.name)).includes(filter.name));
});

async function revokeSelect(ctx: Ctx, filter: Filter, principal: string): Promise<void> {
	try {
		await attempt(ctx, () => lf(ctx, filter.table).send(new RevokePermissionsCommand(selectOn(filter, principal))));
	} catch (cause) {
		const gone =
			errorName(cause) === 'EntityNotFoundException' || (cause instanceof Error && alreadyGone.test(cause.message));
		if (!gone) throw cause;
	}
}

/** Names of the data cells filters on a table that start with `prefix`. A vanished table has none. */
export const filtersOn = translated(async (ctx: Ctx, table: TableRef, prefix: string): Promise<string[]> => {
	const Table = { CatalogId: table.account, DatabaseName: table.database, Name: table.table };
	const names: string[] = [];
	try {
		for await (const page of paginateListDataCellsFilter({ client: lf(ctx, table) }, { Table })) {
			names.push(...(page.DataCellsFilters ?? []).map((f) => f.Name ?? ''));
		}
	} catch (cause) {
		if (errorName(cause) !== 'EntityNotFoundException') throw cause;
	}
	return names.filter((n) => n.startsWith(prefix));
});

type Holder = { readonly principal: string; readonly permissions: readonly string[] };

/** Who holds what on the filter: listed by resource, since listing by principal misses rows (aws-sdk ListPermissions). */
async function holders(ctx: Ctx, filter: Filter): Promise<Holder[]> {
	return listed(ctx, filter.table, cellsFilter(filter));
}

/** Everybody who holds anything on the table itself. */
export const tableHolders = translated(async (ctx: Ctx, table: TableRef): Promise<Holder[]> => {
	return listed(ctx, table, {
		Table: { CatalogId: table.account, DatabaseName: table.database, Name: table.table },
	});
});

async function listed(ctx: Ctx, table: TableRef, resource: Resource): Promise<Holder[]> {
	const rows: PrincipalResourcePermissions[] = [];
	try {
		const pages = paginateListPermissions({ client: lf(ctx, table) }, { CatalogId: table.account, Resource: resource });
		for await (const page of pages) rows.push(...(page.PrincipalResourcePermissions ?? []));
	} catch (cause) {
		if (errorName(cause) !== 'EntityNotFoundException') throw cause;
	}
	return rows.map((r) => ({
		principal: r.Principal?.DataLakePrincipalIdentifier ?? '',
		permissions: [...(r.Permissions ?? []), ...(r.PermissionsWithGrantOption ?? [])],
	}));
}

const lf = (ctx: Ctx, table: TableRef): LakeFormationClient => ctx.aws.lakeformation(table.account);

function cellsFilter(filter: Filter): Resource {
	const { account, database, table } = filter.table;
	return {
		DataCellsFilter: { TableCatalogId: account, DatabaseName: database, TableName: table, Name: filter.name },
	};
}

function selectOn(filter: Filter, principal: string) {
	return {
		CatalogId: filter.table.account,
		Principal: { DataLakePrincipalIdentifier: principal },
		Resource: cellsFilter(filter),
		Permissions: ['SELECT' as const],
	};
}

/** Sends one call, again while AWS asks for that. What it refuses for good is thrown as it came, for the caller to read. */
async function attempt<T>(ctx: Ctx, call: () => Promise<T>): Promise<T> {
	const shouldRetry = ({ error }: { error: Error }) => again.has(error.name) || againMessage.test(error.message);
	return pRetry(call, { ...pauses(ctx), shouldRetry });
}

/** Whatever is still thrown by `work`, Lake Formation did not do as asked: nothing is proven. */
function translated<A extends unknown[], T>(work: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
	return async (...args) => {
		try {
			return await work(...args);
		} catch (cause) {
			if (cause instanceof BrokerError) throw cause;
			throw new BrokerError('unavailable', 'Lake Formation does not answer; try again.', {}, { cause });
		}
	};
}

/** Reads back until it shows; propagation has no documented bound (Terraform's provider waits up to two minutes). */
async function until(ctx: Ctx, holds: () => Promise<boolean>): Promise<void> {
	await pRetry(async () => {
		if (!(await holds())) throw new BrokerError('grant-not-proven', 'Lake Formation does not show the change yet.');
	}, pauses(ctx));
}

const pauses = ({ config }: Ctx) => ({
	retries: ATTEMPTS,
	minTimeout: config.retryMs,
	maxTimeout: 20 * config.retryMs,
	randomize: true,
});

function widened(filter: Filter, cause: unknown): BrokerError {
	return new BrokerError('conflict', `A filter named ${filter.name} exists with other content.`, {}, { cause });
}
