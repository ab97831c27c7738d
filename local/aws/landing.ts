/**
 * Makes the landing zone: adds or replaces what is named, leaves the rest and every grant as they are. The
 * settings of a data lake are made once; later ones are their administrators' own. An administrator whom the
 * landing zone names for the first time is added, one who was removed since does not come back.
 */
import { locationArn, serviceLinkedRole } from './lookup.ts';
import { Landing, put, registrationKey, type Settings, type State } from './state.ts';

export function provision(state: State, given: unknown, now: Date): State {
	const landing = Landing.parse(given);
	check(landing);
	let settings = state.settings;
	for (const { id, admins } of landing.accounts) {
		const known = state.landing.accounts.find((account) => account.id === id)?.admins ?? [];
		settings = put(settings, id, settingsOf(id, admins, known, settings.get(id)));
	}
	let registrations = state.registrations;
	for (const table of landing.tables) {
		const registration = {
			account: table.account,
			arn: locationArn(table.location),
			roleArn: serviceLinkedRole(table.account),
			modified: now.getTime(),
		};
		const key = registrationKey(registration);
		if (table.registered && registrations.has(key)) continue;
		registrations = put(registrations, key, table.registered ? registration : undefined);
	}
	return { ...state, landing: merge(state.landing, landing), settings, registrations };
}

function settingsOf(
	account: string,
	admins: readonly string[],
	known: readonly string[],
	held: Settings | undefined,
): Settings {
	if (held !== undefined) {
		const added = admins.filter((admin) => !known.includes(admin));
		return { ...held, admins: union(held.admins, added) };
	}
	return {
		account,
		admins: [...admins],
		readOnlyAdmins: [],
		createDatabaseDefaults: [],
		createTableDefaults: [],
		parameters: { CROSS_ACCOUNT_VERSION: '4' },
		trustedResourceOwners: [],
	};
}

function union(old: readonly string[], added: readonly string[]): string[] {
	return [...new Set([...old, ...added])];
}

function merge(old: Landing, added: Landing): Landing {
	const accounts = added.accounts.map((account) => {
		const known = old.accounts.find(({ id }) => id === account.id)?.admins ?? [];
		return { ...account, admins: union(known, account.admins) };
	});
	return {
		region: added.region,
		accounts: upsert(old.accounts, accounts, ({ id }) => id),
		roles: upsert(old.roles, added.roles, ({ arn }) => arn),
		databases: upsert(old.databases, added.databases, ({ account, name }) => `${account}/${name}`),
		links: upsert(old.links, added.links, ({ account, name }) => `${account}/${name}`),
		tables: upsert(old.tables, added.tables, ({ account, database, name }) => `${account}/${database}/${name}`),
		views: upsert(old.views, added.views, ({ account, database, name }) => `${account}/${database}/${name}`),
		workGroups: upsert(old.workGroups, added.workGroups, ({ account, name }) => `${account}/${name}`),
	};
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
