/**
 * Who holds what: granted and revoked in batches, listed by resource and sorted out on our side, since listing by
 * principal misses rows (aws-sdk ListPermissions; Terraform provider issue 48360).
 *
 * A batch is not atomic: each entry succeeds or is told as a failure, with HTTP 200. So each failure is looked at by
 * itself: retried where AWS asks for it, success where the right was gone already, thrown otherwise.
 */
import {
	BatchGrantPermissionsCommand,
	BatchRevokePermissionsCommand,
	type LakeFormationClient,
	type Permission,
	type PrincipalResourcePermissions,
	paginateListPermissions,
	type Resource,
} from '@aws-sdk/client-lakeformation';
import { errorName } from '../error.ts';
import type { TableRef } from '../ledger.ts';
import { attempt, type Ctx, isTransient, translated } from './retry.ts';

/** Lake Formation Developer Guide, BatchGrantPermissions: up to 20 entries. */
const MOST_ENTRIES = 20;

/** What Lake Formation says when there is nothing to revoke or nothing to revoke it on. */
const alreadyGone = /no permissions revoked|grantee has no permissions|not found|non-existent column/i;

/** Everybody with IAM rights: Lake Formation's name for what it does not govern. */
const EVERYBODY = /^IAM_?ALLOWED_?PRINCIPALS$/i;

/** In which account a right lies, and as which of Fairlead's roles it is read and changed. */
export type Seat = { readonly account: string; readonly as: 'grantor' | 'consumer' };

/** What a right is on. `columns: null` are all columns of the table but `excluded`. */
export type On =
	| { readonly kind: 'filter'; readonly table: TableRef; readonly name: string }
	| { readonly kind: 'table'; readonly table: TableRef }
	| {
			readonly kind: 'columns';
			readonly table: TableRef;
			readonly columns: readonly string[] | null;
			readonly excluded: readonly string[];
	  }
	| { readonly kind: 'all-tables'; readonly account: string; readonly database: string }
	| { readonly kind: 'database'; readonly account: string; readonly database: string };

export type Right = {
	readonly principal: string;
	readonly on: On;
	readonly permissions: readonly string[];
	/** Those of the permissions that the principal may grant on. */
	readonly grantable: readonly string[];
	/** ISO 8601, where Lake Formation tells it. */
	readonly since: string | null;
	/** Who granted it, where Lake Formation tells it. */
	readonly by: string | null;
};

export type Wanted = Pick<Right, 'principal' | 'on' | 'permissions'> & { readonly grantable?: readonly string[] };

export const isEverybody = (principal: string) => EVERYBODY.test(principal);

/** Grants each of these. Granting again is accepted (BatchGrantPermissions merges). */
export const grantAll = translated(async (ctx: Ctx, seat: Seat, wanted: readonly Wanted[]): Promise<void> => {
	await inBatches(ctx, wanted, async (entries) => {
		const answer = await clientOf(ctx, seat).send(
			new BatchGrantPermissionsCommand({ CatalogId: seat.account, Entries: entries }),
		);
		return answer.Failures ?? [];
	});
});

/** Revokes each of these, with the right to grant it on. What is gone already, or stood on what is gone, is success. */
export const revokeAll = translated(async (ctx: Ctx, seat: Seat, rights: readonly Wanted[]): Promise<void> => {
	await inBatches(ctx, rights, async (entries) => {
		const answer = await clientOf(ctx, seat).send(
			new BatchRevokePermissionsCommand({ CatalogId: seat.account, Entries: entries }),
		);
		return (answer.Failures ?? []).filter(
			({ Error: error }) =>
				error?.ErrorCode !== 'EntityNotFoundException' && !alreadyGone.test(error?.ErrorMessage ?? ''),
		);
	});
});

type Entry = {
	Id: string;
	Principal: { DataLakePrincipalIdentifier: string };
	Resource: Resource;
	Permissions: Permission[];
	PermissionsWithGrantOption?: Permission[];
};
type Failure = {
	readonly RequestEntry?: { readonly Id?: string | undefined } | undefined;
	readonly Error?: { readonly ErrorCode?: string | undefined; readonly ErrorMessage?: string | undefined } | undefined;
};

async function inBatches(
	ctx: Ctx,
	wanted: readonly Wanted[],
	send: (entries: Entry[]) => Promise<readonly Failure[]>,
): Promise<void> {
	const entries = wanted.map((w, i): Entry => {
		const names = w.permissions as Permission[];
		const grantable = (w.grantable ?? []) as Permission[];
		return {
			Id: String(i),
			Principal: { DataLakePrincipalIdentifier: w.principal },
			Resource: written(w.on),
			Permissions: [...names],
			...(grantable.length === 0 ? {} : { PermissionsWithGrantOption: [...grantable] }),
		};
	});
	const refused: Error[] = [];
	for (let at = 0; at < entries.length; at += MOST_ENTRIES) {
		let left = entries.slice(at, at + MOST_ENTRIES);
		await attempt(ctx, async () => {
			const failures = await send(left);
			const again = failures.filter(({ Error: e }) => isTransient(e?.ErrorCode ?? '', e?.ErrorMessage ?? ''));
			refused.push(...failures.filter((f) => !again.includes(f)).map(failureOf));
			const failed = new Set(again.map((f) => f.RequestEntry?.Id));
			// A failure that names no entry leaves all of them to be sent again: sending twice changes nothing.
			if (!failed.has(undefined)) left = left.filter(({ Id }) => failed.has(Id));
			const [first] = again;
			if (first !== undefined) throw failureOf(first);
		});
	}
	// One that is refused for good holds up none of the others.
	const [first] = refused;
	if (first !== undefined) throw first;
}

function failureOf({ Error: told }: Failure): Error {
	const error = new Error(told?.ErrorMessage ?? 'an entry of a batch failed');
	error.name = told?.ErrorCode ?? 'UnknownFailure';
	return error;
}

/** Every right on a table: on it, on columns of it, on filters of it, and on all tables of its database. */
export const rightsOn = translated(async (ctx: Ctx, table: TableRef): Promise<Right[]> => {
	const seat: Seat = { account: table.account, as: 'grantor' };
	const { account, database } = table;
	const [own, wide] = await Promise.all([
		listed(ctx, seat, { kind: 'table', table }, 'TRUE'),
		listed(ctx, seat, { kind: 'all-tables', account, database }),
	]);
	return [...own, ...wide];
});

/** Every right on one filter. */
export const rightsOnFilter = translated(async (ctx: Ctx, table: TableRef, name: string): Promise<Right[]> => {
	return listed(ctx, { account: table.account, as: 'grantor' }, { kind: 'filter', table, name });
});

/** Every right on a database, or on a resource link to one. */
export const rightsOnDatabase = translated(async (ctx: Ctx, seat: Seat, database: string): Promise<Right[]> => {
	return listed(ctx, seat, { kind: 'database', account: seat.account, database });
});

async function listed(ctx: Ctx, seat: Seat, on: On, related?: 'TRUE'): Promise<Right[]> {
	const input = {
		CatalogId: seat.account,
		Resource: written(on),
		...(related === undefined ? {} : { IncludeRelated: related }),
	};
	const all = async () => {
		const found: PrincipalResourcePermissions[] = [];
		for await (const page of paginateListPermissions({ client: clientOf(ctx, seat) }, input)) {
			found.push(...(page.PrincipalResourcePermissions ?? []));
		}
		return found;
	};
	const rows = await attempt(ctx, all).catch((cause: unknown) => {
		// What is not there is held by nobody.
		if (errorName(cause) === 'EntityNotFoundException') return [];
		throw cause;
	});
	return rows.map((row) => ({
		principal: row.Principal?.DataLakePrincipalIdentifier ?? '',
		on: read(row.Resource) ?? on,
		permissions: row.Permissions ?? [],
		grantable: row.PermissionsWithGrantOption ?? [],
		since: row.LastUpdated?.toISOString() ?? null,
		by: row.LastUpdatedBy ?? null,
	}));
}

function clientOf(ctx: Ctx, { account, as }: Seat): LakeFormationClient {
	return as === 'grantor' ? ctx.aws.lakeformation(account) : ctx.aws.consumer.lakeformation(account);
}

function written(on: On): Resource {
	if (on.kind === 'database') return { Database: { CatalogId: on.account, Name: on.database } };
	if (on.kind === 'all-tables')
		return { Table: { CatalogId: on.account, DatabaseName: on.database, TableWildcard: {} } };
	const { account, database, table } = on.table;
	if (on.kind === 'table') return { Table: { CatalogId: account, DatabaseName: database, Name: table } };
	if (on.kind === 'filter') {
		return {
			DataCellsFilter: { TableCatalogId: account, DatabaseName: database, TableName: table, Name: on.name },
		};
	}
	const columns =
		on.columns === null
			? { ColumnWildcard: on.excluded.length === 0 ? {} : { ExcludedColumnNames: [...on.excluded] } }
			: { ColumnNames: [...on.columns] };
	return { TableWithColumns: { CatalogId: account, DatabaseName: database, Name: table, ...columns } };
}

function read(resource: Resource | undefined): On | null {
	const { Table: table, TableWithColumns: columns, DataCellsFilter: filter, Database: database } = resource ?? {};
	if (filter !== undefined) {
		const { TableCatalogId: account = '', DatabaseName = '', TableName = '', Name = '' } = filter;
		return { kind: 'filter', table: { account, database: DatabaseName, table: TableName }, name: Name };
	}
	if (columns !== undefined) {
		return {
			kind: 'columns',
			table: { account: columns.CatalogId ?? '', database: columns.DatabaseName ?? '', table: columns.Name ?? '' },
			columns: columns.ColumnWildcard === undefined ? (columns.ColumnNames ?? []) : null,
			excluded: columns.ColumnWildcard?.ExcludedColumnNames ?? [],
		};
	}
	if (table?.TableWildcard !== undefined)
		return { kind: 'all-tables', account: table.CatalogId ?? '', database: table.DatabaseName ?? '' };
	if (table !== undefined) {
		const { CatalogId: account = '', DatabaseName = '', Name = '' } = table;
		return { kind: 'table', table: { account, database: DatabaseName, table: Name } };
	}
	if (database !== undefined)
		return { kind: 'database', account: database.CatalogId ?? '', database: database.Name ?? '' };
	return null;
}
