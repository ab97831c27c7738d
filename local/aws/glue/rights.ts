/**
 * Who may see and change the catalog. Lake Formation decides by what was granted: an administrator sees everything of
 * the account and makes databases, but neither makes tables nor alters or drops what others made until he grants it to
 * himself; who makes a database, a table or a link holds everything on it (LF developer guide, "implicit-permissions",
 * "resource-links-about"). A name of another account's catalog that was not granted does not exist.
 */
import type { Caller } from '../../wire.ts';
import {
	describedColumns,
	EVERYBODY,
	findLink,
	findTable,
	findView,
	hasDatabase,
	isAdmin,
	isRegistered,
	isWithin,
	locationArn,
	mayRead,
	permissionsOn,
	permissionsOnDatabase,
	seesLink,
} from '../lookup.ts';
import type { Permission, State, Table, View } from '../state.ts';
import { absent, invalid, lacks } from './common.ts';

export type Place = { readonly account: string; readonly database: string };

export function seesDatabase(state: State, caller: Caller, { account, database }: Place): boolean {
	if (!hasDatabase(state, account, database)) return false;
	if (mayRead(state, account, caller.principal)) return true;
	if (permissionsOnDatabase(state, caller.principal, account, database).length > 0) return true;
	if (holdsAllTables(state, caller, { account, database })) return true;
	return [...state.landing.tables, ...state.landing.views].some(
		(table) =>
			table.account === account &&
			table.database === database &&
			describedColumns(state, caller.principal, table) !== undefined,
	);
}

/** A right on all tables shows the database before it has any. */
function holdsAllTables(state: State, caller: Caller, { account, database }: Place): boolean {
	return [...state.permissions.values()].some(
		({ principal, resource }) =>
			isCallers(principal, caller, account) &&
			resource.kind === 'all-tables' &&
			resource.account === account &&
			resource.database === database,
	);
}

/** Granted to the caller itself, or to everybody of the account that is its own. */
function isCallers(principal: string, caller: Caller, account: string): boolean {
	return principal === caller.principal || (principal === EVERYBODY && caller.account === account);
}

/**
 * The database that a name stands for to this caller: one that it sees, or what a resource link leads to that it
 * holds DESCRIBE on. Only the first link is followed.
 */
export function databaseNamed(state: State, caller: Caller, account: string, name: string): Place | undefined {
	if (hasDatabase(state, account, name)) {
		const place = { account, database: name };
		return seesDatabase(state, caller, place) ? place : undefined;
	}
	const link = linkNamed(state, caller, account, name);
	return link && hasDatabase(state, link.target.account, link.target.database) ? link.target : undefined;
}

/** A resource link, if this caller sees it. Nobody sees those of another account. */
export function linkNamed(state: State, caller: Caller, account: string, name: string) {
	const link = findLink(state, account, name);
	return link && account === caller.account && seesLink(state, caller.principal, account, name) ? link : undefined;
}

export function tableNamed(state: State, place: Place, name: string): Table | View | undefined {
	return findTable(state, place.account, place.database, name) ?? findView(state, place.account, place.database, name);
}

/** The table and those of its columns that the caller sees; throws as if there were none. */
export function mustSeeTable(state: State, caller: Caller, place: Place | undefined, name: string) {
	const table = place && tableNamed(state, place, name);
	const columns = table && describedColumns(state, caller.principal, table);
	if (table === undefined || columns === undefined) throw absent();
	return { table, columns };
}

export function mustMakeDatabases(state: State, caller: Caller, account: string): void {
	const granted = [...state.permissions.values()].some(
		(permission) =>
			permission.resource.kind === 'catalog' &&
			permission.resource.account === account &&
			isCallers(permission.principal, caller, account) &&
			holds(permission, 'CREATE_DATABASE'),
	);
	if (!granted && !isAdmin(state, account, caller.principal)) throw lacks('Create Database', 'Catalog');
}

const SAID = { CREATE_TABLE: 'Create Table', ALTER: 'Alter', DROP: 'Drop' } as const;

/** On a database, or on a resource link itself. */
export function mustHoldOnDatabase(
	state: State,
	caller: Caller,
	{ account, database }: Place,
	right: 'CREATE_TABLE' | 'ALTER' | 'DROP',
): void {
	const held = permissionsOnDatabase(state, caller.principal, account, database);
	if (!held.some((permission) => holds(permission, right))) throw lacks(SAID[right], database);
}

/** On a table: rights on columns or filters of it are for reading only. */
export function mustHoldOnTable(state: State, caller: Caller, table: Table | View, right: 'ALTER' | 'DROP'): void {
	const held = permissionsOn(state, caller.principal, table).filter(
		({ resource }) => resource.kind !== 'columns' && resource.kind !== 'filter',
	);
	if (!held.some((permission) => holds(permission, right))) throw lacks(SAID[right], table.name);
}

function holds({ permissions }: Permission, right: string): boolean {
	return permissions.includes(right) || permissions.includes('ALL');
}

/**
 * Whether the caller may make something point at this location. Administrators may everywhere, everybody within the
 * database's own location and where Lake Formation does not govern (LF developer guide, "access-control-underlying-data").
 * The words of the refusal are those of a table that may not be made ([unverified], aws-facts section 2).
 */
export function mustReachLocation(state: State, caller: Caller, place: Place, location: string, table: string): void {
	if (!location.startsWith('s3://')) throw invalid(`The embedded Glue needs an s3:// location, not '${location}'`);
	const arn = locationArn(location);
	if (!isRegistered(state, place.account, arn) || isAdmin(state, place.account, caller.principal)) return;
	const database = state.landing.databases.find(
		(entry) => entry.account === place.account && entry.name === place.database,
	);
	if (database?.location && isWithin(arn, locationArn(database.location))) return;
	const granted = [...state.permissions.values()].some(
		({ principal, resource, permissions }) =>
			isCallers(principal, caller, place.account) &&
			resource.kind === 'location' &&
			isWithin(arn, resource.arn) &&
			permissions.includes('DATA_LOCATION_ACCESS'),
	);
	if (!granted) throw lacks('Create Table', `${location} (Database name: ${place.database}, Table Name: ${table})`);
}
