/**
 * Questions to the lake's state that several services ask: where a name leads, who administers an account,
 * and which cells of a table somebody was granted. Lake Formation only ever adds: what a principal may see
 * is the union of all grants to it, there is no deny (aws-facts: "Several filters on one principal").
 */
import type { Found } from '../athena.ts';
import { accountOf, type Caller } from '../wire.ts';
import {
	filterKey,
	type Permission,
	type Registration,
	type Resource,
	type State,
	type Table,
	type View,
} from './state.ts';
import { taggedOnDatabase, taggedOnTable } from './tagging.ts';

/** A grant of SELECT on one table: these columns of the rows where the expression is true (null: all rows). */
export type CellGrant = { readonly columns: readonly string[]; readonly expression: string | null };

/** What Glue lists as a table. */
export type Listed = Pick<Table, 'account' | 'database' | 'name' | 'columns'> &
	Partial<Pick<Table, 'location' | 'partitionKeys'>>;

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
	return registrationOf(state, account, arn) !== undefined;
}

/** The registration that a location falls under: of several that it lies in, the nearest. */
export function registrationOf(state: State, account: string, arn: string): Registration | undefined {
	return [...state.registrations.values()]
		.filter((registration) => registration.account === account && isWithin(arn, registration.arn))
		.toSorted((a, b) => b.arn.length - a.arn.length)[0];
}

/** Whether the location is this one or lies in it. */
export function isWithin(arn: string, root: string): boolean {
	const folder = root.replace(/\/$/, '');
	return arn === folder || arn.startsWith(`${folder}/`);
}

/** Every permission that reaches the table and counts for the principal. Of everybody's, those of the table's account. */
export function permissionsOn(state: State, principal: string, table: Listed): readonly Permission[] {
	const named = [...state.permissions.values()].filter(({ resource }) => reaches(resource, table));
	const { own, everybody } = whoCounts(state, principal, table);
	return [...named, ...taggedOnTable(state, table)].filter(
		(permission) => (own && permission.principal === principal) || (everybody && permission.principal === EVERYBODY),
	);
}

/**
 * Whose permissions decide. Of a hybrid location Lake Formation decides for those who opted in; for the others IAM
 * does, which here is what everybody was granted (LFDG/hybrid-access-workflow).
 */
function whoCounts(state: State, principal: string, table: Listed): { own: boolean; everybody: boolean } {
	const local = accountOf(principal) === table.account;
	const hybrid =
		table.location !== undefined && registrationOf(state, table.account, locationArn(table.location))?.hybrid === true;
	if (!hybrid) return { own: true, everybody: local };
	return hasOptedIn(state, principal, table) ? { own: true, everybody: false } : { own: false, everybody: local };
}

/** [unverified] aws-facts 2, "Hybrid": an opt-in on a database counts for the tables in it. */
const OPT_IN_ON_DATABASE_COVERS_TABLES: boolean = true;

export function hasOptedIn(state: State, principal: string, table: Listed): boolean {
	const covers = (resource: Resource) =>
		OPT_IN_ON_DATABASE_COVERS_TABLES &&
		resource.kind === 'database' &&
		resource.account === table.account &&
		resource.database === table.database;
	return [...state.optIns.values()].some(
		({ principal: who, resource }) => who === principal && (reaches(resource, table) || covers(resource)),
	);
}

/** Every permission on a database or on a resource link, for this principal or for everybody of the account. */
export function permissionsOnDatabase(
	state: State,
	principal: string,
	account: string,
	database: string,
): readonly Permission[] {
	const local = accountOf(principal) === account;
	const named = [...state.permissions.values()].filter(
		({ resource }) => resource.kind === 'database' && resource.account === account && resource.database === database,
	);
	return [...named, ...taggedOnDatabase(state, account, database)].filter(
		(permission) => permission.principal === principal || (local && permission.principal === EVERYBODY),
	);
}

/** A link is seen by who holds something on it; what it leads to needs its own permissions (resource-links-about). */
export function seesLink(state: State, principal: string, account: string, name: string): boolean {
	return mayRead(state, account, principal) || permissionsOnDatabase(state, principal, account, name).length > 0;
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
		case 'tag':
		case 'tag-policy':
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
	if (writes && grants.length > 0) return [{ columns: columnsOf(table, WHOLE), expression: null }];
	return grants.map(({ resource }) => grantOf(state, resource, table)).filter((grant) => grant !== undefined);
}

function grantOf(state: State, resource: Resource, table: Listed): CellGrant | undefined {
	if (resource.kind === 'columns') return { columns: columnsOf(table, resource), expression: null };
	if (resource.kind !== 'filter') return { columns: columnsOf(table, WHOLE), expression: null };
	const filter = state.filters.get(filterKey(resource));
	return filter === undefined ? undefined : { columns: columnsOf(table, filter), expression: filter.expression };
}

const WHOLE = { columns: null, excluded: [] };

/** Partition keys are never hidden by a list of columns (data-filtering-notes). */
function columnsOf(
	table: Listed,
	scope: { readonly columns: readonly string[] | null; readonly excluded: readonly string[] },
): readonly string[] {
	const partitioned = new Set(table.partitionKeys);
	return table.columns
		.map(({ name }) => name)
		.filter((name) => partitioned.has(name) || (scope.columns?.includes(name) ?? !scope.excluded.includes(name)));
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
	const listed = permissions.flatMap(({ resource }) => (resource.kind === 'columns' ? columnsOf(table, resource) : []));
	const granted = new Set([...listed, ...cellsOf(state, principal, table).flatMap(({ columns }) => columns)]);
	return all.filter((name) => granted.has(name));
}

/** The role that Lake Formation reads a registered location with unless another one is named. */
export function serviceLinkedRole(account: string): string {
	return `arn:aws:iam::${account}:role/aws-service-role/lakeformation.amazonaws.com/AWSServiceRoleForLakeFormationDataAccess`;
}

/** What a name in a query leads to for this caller: resolved in its own account, through resource links. */
export function findForQuery(state: State, caller: Caller, database: string, name: string): Found {
	if (lacksDefault(state, caller)) return { kind: 'undescribed', database: 'default' };
	const target = resolveDatabase(state, caller.account, database);
	const link = findLink(state, caller.account, database) !== undefined;
	if (target === undefined || (link && !seesLink(state, caller.principal, caller.account, database)))
		return { kind: 'no-database' };
	const table = findTable(state, target.account, target.database, name);
	if (table === undefined) return { kind: 'no-table' };
	const known = isAdmin(state, table.account, caller.principal);
	if (!known && permissionsOn(state, caller.principal, table).length === 0) return { kind: 'denied' };
	if (!isRegistered(state, table.account, locationArn(table.location)))
		return { kind: 'unregistered', location: table.location };
	return { kind: 'table', source: table, grants: cellsOf(state, caller.principal, table) };
}

/** Athena wants DESCRIBE on the account's database `default`, where there is one (ATH/lf-athena-limitations). */
function lacksDefault(state: State, { account, principal }: Caller): boolean {
	if (!hasDatabase(state, account, 'default') || mayRead(state, account, principal)) return false;
	if (permissionsOnDatabase(state, principal, account, 'default').length > 0) return false;
	// Any permission on a table makes its database visible.
	return ![...state.permissions.values()].some(
		({ principal: holder, resource }) =>
			holder === principal && resource.account === account && 'table' in resource && resource.database === 'default',
	);
}
