/**
 * Makes the landing zone. An entry is applied when it is named for the first time and when its author changed it; one
 * that reads as it did the last time stays as it is now, so what was acknowledged since (a role deleted or trusted by
 * others, a table dropped or updated, a location deregistered, a work group changed) is not undone by a start. What is
 * not named stays as well. The settings of a data lake are made once; later ones are their administrators' own. What is
 * granted by the landing zone (an administrator's seat, a permission, the defaults of an account that nobody cleared)
 * is granted when it is named for the first time: what was taken away since does not come back.
 */

import { isDeepStrictEqual } from 'node:util';
import { accountOf } from '../wire.ts';
import { locationArn, serviceLinkedRole } from './lookup.ts';
import { defaultsFor, type Held, hold, UNCLEARED } from './permissions.ts';
import {
	Landing,
	MADE,
	type Permission,
	permissionKey,
	type Registration,
	type Resource,
	registrationKey,
	type Settings,
	type State,
} from './state.ts';

export function provision(state: State, given: unknown, now: Date): State {
	// As a file would give it back, so that it can be told whether it differs from what was kept.
	const named = Landing.parse(JSON.parse(JSON.stringify(Landing.parse(given))));
	check(named);
	const changed = since(state.landed, named);
	const settings = new Map(state.settings);
	for (const account of named.accounts) {
		const known = state.landing.accounts.find(({ id }) => id === account.id)?.admins ?? [];
		settings.set(account.id, settingsOf(account, known, settings.get(account.id)));
	}
	const landing = merge({ ...state, settings }, changed);
	const registrations = registered(state.registrations, changed.tables, now);
	const made = { ...state, landing, settings, registrations, landed: upserted(state.landed, named) };
	return { ...made, permissions: granted(state, made, named, now) };
}

/** The lists of a landing zone whose entries have names. */
const KEYS = {
	accounts: ({ id }: Landing['accounts'][number]) => id,
	roles: ({ arn }: Landing['roles'][number]) => arn,
	databases: entryName,
	links: entryName,
	tables: tableName,
	views: tableName,
	workGroups: entryName,
	permissions: permissionKey,
};

/** The entries that differ from what they were when they were last provisioned. Accounts and permissions: all. */
function since(old: Landing, named: Landing): Landing {
	return {
		...named,
		roles: differing(old.roles, named.roles, KEYS.roles),
		databases: differing(old.databases, named.databases, KEYS.databases),
		links: differing(old.links, named.links, KEYS.links),
		tables: differing(old.tables, named.tables, KEYS.tables),
		views: differing(old.views, named.views, KEYS.views),
		workGroups: differing(old.workGroups, named.workGroups, KEYS.workGroups),
	};
}

function differing<T>(old: readonly T[], named: readonly T[], key: (item: T) => string): T[] {
	const known = new Map(old.map((item) => [key(item), item]));
	return named.filter((item) => !isDeepStrictEqual(known.get(key(item)), item));
}

function upserted(old: Landing, added: Landing): Landing {
	return {
		region: added.region,
		accounts: upsert(old.accounts, added.accounts, KEYS.accounts),
		roles: upsert(old.roles, added.roles, KEYS.roles),
		databases: upsert(old.databases, added.databases, KEYS.databases),
		links: upsert(old.links, added.links, KEYS.links),
		tables: upsert(old.tables, added.tables, KEYS.tables),
		views: upsert(old.views, added.views, KEYS.views),
		workGroups: upsert(old.workGroups, added.workGroups, KEYS.workGroups),
		permissions: upsert(old.permissions, added.permissions, KEYS.permissions),
	};
}

function registered(
	old: ReadonlyMap<string, Registration>,
	tables: Landing['tables'],
	now: Date,
): ReadonlyMap<string, Registration> {
	const registrations = new Map(old);
	for (const table of tables) {
		const { account } = table;
		const arn = locationArn(table.location);
		const key = registrationKey({ account, arn });
		if (!table.registered) registrations.delete(key);
		else if (!registrations.has(key)) {
			const roleArn = serviceLinkedRole(account);
			registrations.set(key, { account, arn, roleArn, modified: now.getTime(), hybrid: false });
		}
	}
	return registrations;
}

/**
 * Every permission, with those of what is named for the first time: its defaults, links for their account's roles, and
 * those listed.
 */
function granted(before: State, made: State, named: Landing, now: Date): ReadonlyMap<string, Permission> {
	const permissions = new Map(made.permissions);
	const put = (account: string, held: Omit<Held, 'updatedBy'>) =>
		hold(permissions, { ...held, updatedBy: rootOf(account) }, now);
	const isNew = newcomers(before);
	for (const resource of newResources(isNew, named)) {
		for (const { principal, permissions: names } of defaultsFor(made, resource))
			put(resource.account, { principal, resource, permissions: [...names], grantable: [] });
	}
	const links = new Set(made.landing.links.map(entryName));
	for (const link of named.links) {
		if (!links.has(entryName(link))) continue;
		const { account, name: database } = link;
		const resource = { kind: 'database' as const, account, database };
		// A link that the landing zone made is there for every role of its account.
		for (const role of made.landing.roles) {
			if (accountOf(role.arn) !== account || !(isNew.links(link) || isNew.roles(role))) continue;
			put(account, { principal: role.arn, resource, permissions: ['DESCRIBE'], grantable: [] });
		}
	}
	for (const permission of named.permissions)
		if (isNew.permissions(permission)) put(permission.resource.account, permission);
	return permissions;
}

/** What was neither there nor ever provisioned. */
function newcomers({ landing, landed }: State) {
	const unknown = <T>(lists: readonly (readonly T[])[], key: (item: T) => string) => {
		const known = new Set(lists.flat().map(key));
		return (item: T) => !known.has(key(item));
	};
	return {
		roles: unknown([landing.roles, landed.roles], KEYS.roles),
		databases: unknown([landing.databases, landed.databases], KEYS.databases),
		links: unknown([landing.links, landed.links], KEYS.links),
		tables: unknown([landing.tables, landed.tables], KEYS.tables),
		permissions: unknown([landing.permissions, landed.permissions], KEYS.permissions),
	};
}

function newResources(isNew: ReturnType<typeof newcomers>, named: Landing): Resource[] {
	const databases = named.databases
		.filter(isNew.databases)
		.map(({ account, name }) => ({ kind: 'database' as const, account, database: name }));
	const tables = named.tables
		.filter(isNew.tables)
		.map(({ account, database, name }) => ({ kind: 'table' as const, account, database, table: name }));
	return [...databases, ...tables];
}

/** Who Lake Formation says granted what the landing zone did. */
export function rootOf(account: string): string {
	return `arn:aws:iam::${account}:root`;
}

function settingsOf(
	{ id, admins, readOnlyAdmins, createTableDefaultPermissionsCleared: cleared }: Landing['accounts'][number],
	known: readonly string[],
	held: Settings | undefined,
): Settings {
	if (held !== undefined) {
		const added = admins.filter((admin) => !known.includes(admin));
		return { ...held, admins: union(held.admins, added) };
	}
	return {
		account: id,
		admins: [...admins],
		readOnlyAdmins: [...readOnlyAdmins],
		createDatabaseDefaults: cleared ? [] : UNCLEARED,
		createTableDefaults: cleared ? [] : UNCLEARED,
		parameters: { CROSS_ACCOUNT_VERSION: '4' },
		trustedResourceOwners: [],
	};
}

function union(old: readonly string[], added: readonly string[]): string[] {
	return [...new Set([...old, ...added])];
}

function entryName({ account, name }: { readonly account: string; readonly name: string }): string {
	return `${account}/${name}`;
}

type Named = { readonly account: string; readonly database: string; readonly name: string };

function tableName({ account, database, name }: Named): string {
	return `${account}/${database}/${name}`;
}

function merge({ landing: old, settings }: State, added: Landing): Landing {
	const accounts = added.accounts.map((account) => {
		const known = old.accounts.find(({ id }) => id === account.id)?.admins ?? [];
		return { ...account, admins: union(known, account.admins) };
	});
	// A database has its table defaults from the settings of the day that it was made.
	const databases = added.databases.map((database) => {
		const known = old.databases.find((entry) => entryName(entry) === entryName(database));
		const defaults = settings.get(database.account)?.createTableDefaults ?? [];
		return database.tableDefaults.length > 0
			? database
			: { ...database, tableDefaults: known?.tableDefaults ?? defaults };
	});
	return upserted(old, { ...added, accounts, databases, tables: sinceMade(old, added.tables) });
}

/**
 * Tables as named, with what the landing zone does not say: when one that was dropped since was made again, and the
 * partitions that were added.
 */
function sinceMade(old: Landing, added: Landing['tables']): Landing['tables'] {
	const before = new Map(old.tables.map((table) => [tableName(table), table]));
	return added.map((table) => {
		const known = before.get(tableName(table));
		if (known === undefined) return table;
		const named = new Set(table.partitions.map(({ values }) => JSON.stringify(values)));
		const since = known.partitions.filter(
			({ created, values }) => created !== undefined && !named.has(JSON.stringify(values)),
		);
		const partitions = [...table.partitions, ...since];
		return { ...table, partitions, created: table.created === MADE ? known.created : table.created };
	});
}

function upsert<T>(old: readonly T[], added: readonly T[], key: (item: T) => string): T[] {
	return [...new Map([...old, ...added].map((item) => [key(item), item])).values()];
}

/** A landing zone that contradicts itself is a mistake of its author, told at once. */
function check(landing: Landing): void {
	for (const { account, database, name, location } of landing.tables) {
		if (!location.startsWith('s3://')) {
			throw new Error(`The table ${database}.${name} of account ${account} has no s3:// location: ${location}`);
		}
	}
	for (const { account, database, name, columns } of [...landing.tables, ...landing.views]) {
		const what = `table ${database}.${name} of account ${account}`;
		if (`${database}.${name}` !== `${database}.${name}`.toLowerCase()) {
			throw new Error(`The ${what} has a name that is not lower case, which Glue does not keep`);
		}
		if (columns.length === 0) throw new Error(`The ${what} has no columns`);
		if (new Set(columns.map((column) => column.name)).size !== columns.length)
			throw new Error(`The ${what} names a column twice`);
		if (columns.some((column) => column.name !== column.name.toLowerCase())) {
			throw new Error(`The ${what} has a column name that is not lower case, which Glue does not keep`);
		}
	}
	for (const { account, name } of landing.links) {
		if (landing.databases.some((database) => database.account === account && database.name === name)) {
			throw new Error(`The name ${name} of account ${account} is both a database and a link`);
		}
	}
}
