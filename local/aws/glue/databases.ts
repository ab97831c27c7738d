/** Glue's databases and database resource links. A link is dropped by itself; its target stays as it is. */
import * as z from 'zod';
import { type Caller, epoch, type Operation, operation, page } from '../../wire.ts';
import { findLink, hasDatabase } from '../lookup.ts';
import { grantedByDefault, grantedToCreator } from '../permissions.ts';
import type { Landing, State } from '../state.ts';
import type { Store } from '../store.ts';
import {
	absent,
	badToken,
	CatalogId,
	Description,
	exists,
	invalid,
	MOST_DATABASES,
	Name,
	Paging,
	Parameters,
	refuse,
	tooMany,
	Unserved,
	Uri,
} from './common.ts';
import { dataKept, forgotten, onDatabase } from './dropped.ts';
import { databaseNamed, linkNamed, mustHoldOnDatabase, mustMakeDatabases, seesDatabase } from './rights.ts';

type Database = Landing['databases'][number];
type Link = Landing['links'][number];

const DefaultPermissions = z
	.array(
		z.object({
			Principal: z.object({ DataLakePrincipalIdentifier: z.string().min(1).max(255) }),
			Permissions: z.array(z.string()),
		}),
	)
	.nullish();
const DatabaseInput = z.object({
	Name,
	Description,
	LocationUri: Uri.nullish(),
	Parameters,
	CreateTableDefaultPermissions: DefaultPermissions,
	TargetDatabase: z
		.object({ CatalogId: z.string().min(1).max(255), DatabaseName: Name, Region: z.string().nullish() })
		.nullish(),
	FederatedDatabase: Unserved,
});
type DatabaseInput = z.infer<typeof DatabaseInput>;

export function databaseOperations(store: Store, clock: () => Date): readonly (readonly [string, Operation])[] {
	return [
		['GetDatabase', getDatabase(store)],
		['GetDatabases', getDatabases(store)],
		[
			'CreateDatabase',
			operation(z.object({ CatalogId, DatabaseInput, Tags: Unserved }), invalid, async (caller, input) => {
				refuse({ Tags: input.Tags, FederatedDatabase: input.DatabaseInput.FederatedDatabase });
				const account = input.CatalogId ?? caller.account;
				await store.change((state) => created(state, caller, account, input.DatabaseInput, clock()));
				return {};
			}),
		],
		[
			'UpdateDatabase',
			operation(z.object({ CatalogId, Name, DatabaseInput }), invalid, async (caller, input) => {
				refuse({ FederatedDatabase: input.DatabaseInput.FederatedDatabase });
				const account = input.CatalogId ?? caller.account;
				await store.change((state) => updated(state, caller, account, input.Name, input.DatabaseInput));
				return {};
			}),
		],
		[
			'DeleteDatabase',
			operation(z.object({ CatalogId, Name }), invalid, async (caller, input) => {
				const account = input.CatalogId ?? caller.account;
				await store.change((state) => deleted(state, caller, account, input.Name));
				return {};
			}),
		],
	];
}

function getDatabase(store: Store): Operation {
	return operation(z.object({ CatalogId, Name }), invalid, (caller, input) => {
		const found = shown(store.read(), caller, input.CatalogId ?? caller.account, input.Name);
		if (found === undefined) throw absent();
		return { Database: found };
	});
}

function getDatabases(store: Store): Operation {
	const Input = z.object({
		CatalogId,
		...Paging,
		ResourceShareType: z.enum(['FOREIGN', 'ALL', 'FEDERATED']).nullish(),
		AttributesToGet: Unserved,
	});
	return operation(Input, invalid, (caller, input) => {
		refuse({ AttributesToGet: input.AttributesToGet });
		const state = store.read();
		const own = input.CatalogId ?? caller.account;
		const wanted = (account: string) => {
			if (input.ResourceShareType === 'ALL') return true;
			return input.ResourceShareType === 'FOREIGN' ? account !== own : account === own;
		};
		const { databases, links } = state.landing;
		const names = input.ResourceShareType === 'FEDERATED' ? [] : [...databases, ...links];
		const all = names
			.filter(({ account }) => wanted(account))
			.map(({ account, name }) => shown(state, caller, account, name))
			.filter((entry) => entry !== undefined);
		const { items, next } = page(all, input.MaxResults ?? 100, input.NextToken, badToken);
		return { DatabaseList: items, ...next };
	});
}

/** A link shows what its target is, to whom may see that, under its own name ("resource-links-glue-apis"). */
function shown(state: State, caller: Caller, account: string, name: string) {
	const database = state.landing.databases.find((entry) => entry.account === account && entry.name === name);
	if (database !== undefined) {
		if (!seesDatabase(state, caller, { account, database: name })) return undefined;
		return { ...written(database), CreateTableDefaultPermissions: database.tableDefaults };
	}
	const link = linkNamed(state, caller, account, name);
	if (link === undefined) return undefined;
	const { target } = link;
	const behind = state.landing.databases.find(
		(entry) => entry.account === target.account && entry.name === target.database,
	);
	const followed = behind && seesDatabase(state, caller, target) ? written(behind) : {};
	return {
		...followed,
		...written(link),
		TargetDatabase: { CatalogId: target.account, DatabaseName: target.database },
	};
}

function written(entry: Database | Link) {
	const location = 'location' in entry ? entry.location : null;
	return {
		Name: entry.name,
		CatalogId: entry.account,
		CreateTime: epoch(entry.created),
		...(entry.description === undefined ? {} : { Description: entry.description }),
		...(Object.keys(entry.parameters).length === 0 ? {} : { Parameters: entry.parameters }),
		...(location === null ? {} : { LocationUri: location }),
	};
}

function created(state: State, caller: Caller, account: string, input: DatabaseInput, now: Date): State {
	mustMakeDatabases(state, caller, account);
	const name = input.Name;
	if (hasDatabase(state, account, name) || findLink(state, account, name) !== undefined) throw exists('Database');
	const { databases, links } = state.landing;
	const own = [...databases, ...links].filter((entry) => entry.account === account);
	if (own.length >= MOST_DATABASES) throw tooMany('databases');
	const common = { account, name, ...propertiesOf(input), created: now.getTime() };
	const landing = input.TargetDatabase
		? { ...state.landing, links: [...links, { ...common, target: targetOf(state, input) }] }
		: { ...state.landing, databases: [...databases, { ...common, ...storageOf(state, account, input) }] };
	const resource = { kind: 'database' as const, account, database: name };
	const open = grantedByDefault({ ...state, landing }, caller.principal, resource, now);
	return grantedToCreator(open, caller.principal, resource, now);
}

function propertiesOf(input: DatabaseInput) {
	return {
		...(input.Description ? { description: input.Description } : {}),
		parameters: input.Parameters ?? {},
	};
}

/** Nobody checks whether the target is there or may be seen ("resource-links-about"). */
function targetOf(state: State, input: DatabaseInput): Link['target'] {
	const target = input.TargetDatabase;
	refuse({ LocationUri: input.LocationUri, CreateTableDefaultPermissions: input.CreateTableDefaultPermissions });
	if (!target || (target.Region && target.Region !== state.landing.region)) {
		throw invalid('Links to another Region are not supported by the embedded Glue');
	}
	return { account: target.CatalogId, database: target.DatabaseName };
}

/** A database without defaults of its own takes those of the account's settings ("change-settings"). */
function storageOf(state: State, account: string, input: DatabaseInput) {
	return {
		location: input.LocationUri ?? null,
		tableDefaults: input.CreateTableDefaultPermissions ?? state.settings.get(account)?.createTableDefaults ?? [],
	};
}

/** A link is followed: it is its target that is updated. */
function updated(state: State, caller: Caller, account: string, name: string, input: DatabaseInput): State {
	const place = databaseNamed(state, caller, account, name);
	if (place === undefined) throw absent();
	mustHoldOnDatabase(state, caller, place, 'ALTER');
	if (input.TargetDatabase) throw invalid('A database does not become a resource link');
	if (input.Name !== name) throw invalid('A database keeps its name');
	const databases = state.landing.databases.map((database) => {
		if (database.account !== place.account || database.name !== place.database) return database;
		const { description: _, ...kept } = database;
		const tableDefaults = input.CreateTableDefaultPermissions ?? database.tableDefaults;
		return { ...kept, ...propertiesOf(input), location: input.LocationUri ?? null, tableDefaults };
	});
	return { ...state, landing: { ...state.landing, databases } };
}

/** "Dropping a database drops all tables in the database" (LF permissions reference, DROP). */
function deleted(state: State, caller: Caller, account: string, name: string): State {
	const place = { account, database: name };
	const isLink = linkNamed(state, caller, account, name) !== undefined;
	if (!isLink && !seesDatabase(state, caller, place)) throw absent();
	mustHoldOnDatabase(state, caller, place, 'DROP');
	const named = (entry: { readonly account: string; readonly name: string }) =>
		entry.account === account && entry.name === name;
	const within = (table: { readonly account: string; readonly database: string }) =>
		table.account === account && table.database === name;
	const { databases, links, tables, views } = state.landing;
	const kept = isLink ? state : tables.filter(within).reduce(dataKept, state);
	const landing = isLink
		? { ...state.landing, links: links.filter((link) => !named(link)) }
		: {
				...state.landing,
				databases: databases.filter((database) => !named(database)),
				tables: tables.filter((table) => !within(table)),
				views: views.filter((view) => !within(view)),
			};
	return forgotten({ ...kept, landing }, onDatabase(place));
}
