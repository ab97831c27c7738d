/**
 * Questions to the lake's state that several services ask: where a name leads, who administers an account,
 * and which cells of a table somebody was granted. Lake Formation only ever adds: what a principal may see
 * is the union of all grants to it, there is no deny (aws-facts: "Several filters on one principal").
 */
import type { Found } from '../athena.ts';
import { accountOf, type Caller } from '../wire.ts';
import type { Permission, Resource, State, Table, View } from './state.ts';

/** A grant of SELECT on one table: these columns of the rows where the expression is true (null: all rows). */
export type CellGrant = { readonly columns: readonly string[]; readonly expression: string | null };

/** What Glue lists as a table. */
export type Listed = Pick<Table, 'account' | 'database' | 'name' | 'columns'>;

/** Everybody with IAM rights; Lake Formation's name for tables that it does not govern. */
export const EVERYBODY = 'IAM_ALLOWED_PRINCIPALS';

const WRITES = new Set(['ALL', 'ALTER', 'DROP', 'DELETE', 'INSERT']);

export function isAdmin(state: State, account: string, principal: string): boolean {
	return state.settings.get(account)?.admins.includes(principal) === true;
}

export function mayRead(state: State, account: string, principal: string): boolean {
	return isAdmin(state, account, principal) || state.settings.get(account)?.readOnlyAdmins.includes(principal) === true;
}

export function findTable(state: State, account: string, database: string, name: string): Table | undefined {
	return state.landing.tables.find(
		(table) => table.account === account && table.database === database && table.name === name,
	);
}

export function findView(state: State, account: string, database: string, name: string): View | undefined {
	return state.landing.views.find(
		(view) => view.account === account && view.database === database && view.name === name,
	);
}

export function hasDatabase(state: State, account: string, name: string): boolean {
	return state.landing.databases.some((database) => database.account === account && database.name === name);
}

/** The account and database that a name of this account's catalog stands for: its own, or a resource link's target. */
export function resolveDatabase(state: State, account: string, name: string) {
	if (hasDatabase(state, account, name)) return { account, database: name };
	return findLink(state, account, name)?.target;
}

export function findLink(state: State, account: string, name: string) {
	return state.landing.links.find((link) => link.account === account && link.name === name);
}

/** `s3://bucket/key` as Lake Formation registers it. */
export function locationArn(location: string): string {
	return `arn:aws:s3:::${location.slice('s3://'.length).replace(/\/$/, '')}`;
}

/** Whether the account registered this location, or one that it lies in, with Lake Formation. */
export function isRegistered(state: State, account: string, arn: string): boolean {
	return [...state.registrations.values()].some((registration) => {
		const root = registration.arn.replace(/\/$/, '');
		return registration.account === account && (arn === root || arn.startsWith(`${root}/`));
	});
}

/** Every permission that reaches the table and that the principal holds, or everybody of the table's own account does. */
export function permissionsOn(state: State, principal: string, table: Listed): readonly Permission[] {
	const local = accountOf(principal) === table.account;
	return [...state.permissions.values()].filter(
		(permission) =>
			(permission.principal === principal || (local && permission.principal === EVERYBODY)) &&
			reaches(permission.resource, table),
	);
}

function reaches(resource: Resource, table: Listed): boolean {
	if (resource.account !== table.account) return false;
	switch (resource.kind) {
		case 'all-tables':
			return resource.database === table.database;
		case 'table':
		case 'columns':
		case 'filter':
			return resource.database === table.database && resource.table === table.name;
		case 'catalog':
		case 'database':
		case 'location':
			return false;
		default:
			return resource satisfies never;
	}
}

/** The cells that the principal was granted, grant by grant; empty means that no column is accessible. */
export function cellsOf(state: State, principal: string, table: Listed): readonly CellGrant[] {
	const permissions = permissionsOn(state, principal, table);
	const grants = permissions.filter(({ permissions: names }) => names.includes('SELECT') || names.includes('ALL'));
	// A column filter has no effect on somebody who may also write: he reads everything.
	const writes = permissions.some(({ permissions: names }) => names.some((name) => WRITES.has(name)));
	if (writes && grants.length > 0) return [{ columns: table.columns.map(({ name }) => name), expression: null }];
	return grants.map(({ resource }) => grantOf(state, resource, table)).filter((grant) => grant !== undefined);
}

function grantOf(state: State, resource: Resource, table: Listed): CellGrant | undefined {
	if (resource.kind === 'columns') return { columns: columnsOf(table, resource), expression: null };
	if (resource.kind !== 'filter')
		return { columns: columnsOf(table, { columns: null, excluded: [] }), expression: null };
	const filter = state.filters.get(JSON.stringify([table.account, table.database, table.name, resource.name]));
	return filter === undefined ? undefined : { columns: columnsOf(table, filter), expression: filter.expression };
}

function columnsOf(
	table: Listed,
	scope: { readonly columns: readonly string[] | null; readonly excluded: readonly string[] },
) {
	const names = table.columns.map(({ name }) => name);
	const listed = scope.columns;
	return listed === null
		? names.filter((name) => !scope.excluded.includes(name))
		: names.filter((name) => listed.includes(name));
}

/** The columns that Glue shows: those granted, all of them to an administrator or with a right on the whole table. */
export function describedColumns(state: State, principal: string, table: Listed): readonly string[] | undefined {
	const all = table.columns.map(({ name }) => name);
	if (mayRead(state, table.account, principal)) return all;
	const permissions = permissionsOn(state, principal, table);
	if (permissions.length === 0) return undefined;
	const whole = permissions.some(
		({ resource, permissions: names }) =>
			(resource.kind === 'table' || resource.kind === 'all-tables') && names.some((name) => name !== 'DROP'),
	);
	if (whole) return all;
	const granted = new Set(cellsOf(state, principal, table).flatMap(({ columns }) => columns));
	return all.filter((name) => granted.has(name));
}

/** The role that Lake Formation reads a registered location with unless another one is named. */
export function serviceLinkedRole(account: string): string {
	return `arn:aws:iam::${account}:role/aws-service-role/lakeformation.amazonaws.com/AWSServiceRoleForLakeFormationDataAccess`;
}

/** What a name in a query leads to for this caller: resolved in its own account, through resource links. */
export function findForQuery(state: State, caller: Caller, database: string, name: string): Found {
	const target = resolveDatabase(state, caller.account, database);
	if (target === undefined) return { kind: 'no-database' };
	const table = findTable(state, target.account, target.database, name);
	if (table === undefined) return { kind: 'no-table' };
	const known = isAdmin(state, table.account, caller.principal);
	if (!known && permissionsOn(state, caller.principal, table).length === 0) return { kind: 'denied' };
	if (!isRegistered(state, table.account, locationArn(table.location)))
		return { kind: 'unregistered', location: table.location };
	return { kind: 'table', source: table, grants: cellsOf(state, caller.principal, table) };
}
