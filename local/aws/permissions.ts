/**
 * Grant and revoke. A grant merges into what is there; a revoke of what is not there fails, and takes away
 * a right to grant only when it is named. Who may do either, and what does not go together, is in authority.ts. A
 * right on a list of columns is kept as it was granted, beside others on the same table. Batches are not atomic: each
 * entry succeeds or is told as a failure, with HTTP 200.
 * Rules and texts: aws-facts section 2 (service model, Terraform provider, data.all).
 */
import * as z from 'zod';
import { AwsError, accountOf, type Caller, type Operation, operation } from '../wire.ts';
import { mustBeAllowedToGrant, mustCombine } from './authority.ts';
import { EVERYBODY, findLink } from './lookup.ts';
import { invalid, mustExist, ResourceInput, readResource } from './resource.ts';
import { filterKey, type Permission, permissionKey, put, type Resource, type State } from './state.ts';
import type { Store } from './store.ts';

const TABLE = ['ALL', 'SELECT', 'ALTER', 'DROP', 'DELETE', 'INSERT', 'DESCRIBE'];

/** What can be granted on each kind of resource (LF permissions reference). */
const GRANTABLE: Readonly<Record<Resource['kind'], readonly string[]>> = {
	catalog: ['ALL', 'CREATE_DATABASE', 'CREATE_LF_TAG', 'DESCRIBE'],
	database: ['ALL', 'ALTER', 'DROP', 'CREATE_TABLE', 'DESCRIBE'],
	table: TABLE,
	'all-tables': TABLE,
	columns: ['SELECT'],
	filter: ['SELECT', 'DESCRIBE'],
	location: ['DATA_LOCATION_ACCESS'],
	tag: ['ALTER', 'DROP', 'DESCRIBE', 'ASSOCIATE', 'GRANT_WITH_LF_TAG_EXPRESSION'],
	'tag-policy': TABLE,
};

/** What an account grants by itself on a new database or table until its administrators clear it (LFDG/change-settings). */
export const UNCLEARED = [{ Principal: { DataLakePrincipalIdentifier: EVERYBODY }, Permissions: ['ALL'] }];

const LINK = ['DESCRIBE', 'DROP'];

const MOST_ENTRIES = 20;

const Names = z.array(z.string()).nullish();
const EntryInput = {
	Principal: z.object({ DataLakePrincipalIdentifier: z.string().min(1).max(255) }),
	Resource: ResourceInput,
	Permissions: Names,
	PermissionsWithGrantOption: Names,
	Condition: z.object({}).nullish(),
};
const One = z.object({ CatalogId: z.string().nullish(), ...EntryInput, Permissions: z.array(z.string()).min(1) });
const Request = z.object({ ...EntryInput, Id: z.string().min(1).max(255) });
const Many = z.object({ CatalogId: z.string().nullish(), Entries: z.array(Request) });

type Entry = z.infer<z.ZodObject<typeof EntryInput>>;
type Asker = { readonly caller: Caller; readonly catalog: string };
type Change = (state: State, asker: Asker, entry: Entry) => State;

export function permissionOperations(store: Store, clock: () => Date): readonly (readonly [string, Operation])[] {
	const grant: Change = (state, asker, entry) => granted(state, asker, entry, clock());
	const asker = (caller: Caller, catalog: string | null | undefined) => ({
		caller,
		catalog: catalog ?? caller.account,
	});
	const one = (change: Change) =>
		operation(One, invalid, async (caller, input) => {
			await store.change((state) => change(state, asker(caller, input.CatalogId), input));
			return {};
		});
	const many = (change: Change) =>
		operation(Many, invalid, (caller, input) => batch(store, asker(caller, input.CatalogId), input.Entries, change));
	return [
		['GrantPermissions', one(grant)],
		['RevokePermissions', one(revoked)],
		['BatchGrantPermissions', many(grant)],
		['BatchRevokePermissions', many(revoked)],
	];
}

async function batch(store: Store, asker: Asker, entries: readonly z.infer<typeof Request>[], change: Change) {
	if (entries.length > MOST_ENTRIES) throw invalid(`The number of entries exceeds the maximum of ${MOST_ENTRIES}`);
	if (new Set(entries.map(({ Id }) => Id)).size !== entries.length) throw invalid('Entries must have distinct Ids');
	const failures: object[] = [];
	await store.change((state) =>
		entries.reduce((before, entry) => {
			try {
				return change(before, asker, entry);
			} catch (error) {
				if (!(error instanceof AwsError)) throw error;
				failures.push({ RequestEntry: entry, Error: { ErrorCode: error.code, ErrorMessage: error.message } });
				return before;
			}
		}, state),
	);
	return { Failures: failures };
}

export type Held = Pick<Permission, 'principal' | 'resource' | 'permissions' | 'grantable' | 'updatedBy'>;

/** Puts a permission that nobody asked for: a creator's, a default. Merges like a grant. */
export function holding(state: State, held: Held, now: Date): State {
	const permissions = new Map(state.permissions);
	hold(permissions, held, now);
	return { ...state, permissions };
}

/** The same, into a map that the caller has to himself, for whoever puts many. */
export function hold(permissions: Map<string, Permission>, held: Held, now: Date): void {
	const key = permissionKey(held);
	const old = permissions.get(key);
	permissions.set(key, {
		...held,
		permissions: union(old?.permissions, [...held.permissions, ...held.grantable]),
		grantable: union(old?.grantable, held.grantable),
		updated: now.getTime(),
	});
}

/** Who makes a database, a table or a link holds everything on it and may grant it (LFDG/implicit-permissions). */
export function grantedToCreator(state: State, principal: string, resource: Resource, now: Date): State {
	const names = grantableOn(state, resource);
	return holding(state, { principal, resource, permissions: names, grantable: names, updatedBy: principal }, now);
}

/** What can be granted on this resource; on a resource link only what concerns the link itself (resource-links-about). */
function grantableOn(state: State, resource: Resource): string[] {
	if (resource.kind === 'tag-policy' && resource.on === 'DATABASE') return [...GRANTABLE.database];
	const link = resource.kind === 'database' && findLink(state, resource.account, resource.database) !== undefined;
	return link ? [...LINK] : [...GRANTABLE[resource.kind]];
}

export const DefaultsInput = z.array(
	z.object({
		Principal: z.object({ DataLakePrincipalIdentifier: z.string().min(1) }),
		Permissions: z.array(z.string()),
	}),
);
export type DefaultPermission = { readonly principal: string; readonly permissions: readonly string[] };

/** Default permissions as Lake Formation's settings and Glue's databases write them. */
export function readDefaults(written: unknown): readonly DefaultPermission[] {
	return DefaultsInput.parse(written).map((entry) => ({
		principal: entry.Principal.DataLakePrincipalIdentifier,
		permissions: entry.Permissions,
	}));
}

/**
 * What a new database is granted by itself, from the account's settings; what a new table is, from its database,
 * which had its own from the settings when it was made (LFDG/change-settings).
 */
export function defaultsFor(state: State, resource: Resource): readonly DefaultPermission[] {
	if (resource.kind === 'database')
		return readDefaults(state.settings.get(resource.account)?.createDatabaseDefaults ?? UNCLEARED);
	if (resource.kind !== 'table') return [];
	const { account, database } = resource;
	const found = state.landing.databases.find((entry) => entry.account === account && entry.name === database);
	return readDefaults(found?.tableDefaults ?? []);
}

/** Grants a new database or table its defaults; `by` made it. */
export function grantedByDefault(state: State, by: string, resource: Resource, now: Date): State {
	return defaultsFor(state, resource).reduce(
		(before, { principal, permissions }) =>
			holding(before, { principal, resource, permissions: [...permissions], grantable: [], updatedBy: by }, now),
		state,
	);
}

type Asked = { readonly resource: Resource; readonly names: readonly string[]; readonly grantable: readonly string[] };

/** What an entry asks for, once it is known to make sense and the caller to be allowed to ask. */
function read(state: State, { caller, catalog }: Asker, entry: Entry): Asked {
	if (entry.Condition) throw invalid('Condition is not supported by the embedded Lake Formation');
	const resource = readResource(entry.Resource, catalog);
	const names = entry.Permissions ?? [];
	const grantable = entry.PermissionsWithGrantOption ?? [];
	mustBeAllowedToGrant(state, caller, wholeTable(resource), [...names, ...grantable]);
	const possible = grantableOn(state, resource);
	if (names.length === 0 || [...names, ...grantable].some((name) => !possible.includes(name))) {
		throw invalid('Permissions modification is invalid.');
	}
	if (resource.kind === 'columns' && resource.excluded.length > 0 && grantable.length > 0) {
		throw invalid('Permissions modification is invalid.');
	}
	return { resource: wholeTable(resource), names, grantable };
}

/** All columns of a table are the table: the two ways to write it are one permission. */
export function wholeTable(resource: Resource): Resource {
	if (resource.kind !== 'columns' || resource.columns !== null || resource.excluded.length > 0) return resource;
	const { account, database, table } = resource;
	return { kind: 'table', account, database, table };
}

/**
 * [unverified] aws-facts 2, "Calls": a second list of columns is kept beside the first one; they are not made into one
 * list, which then could only be revoked as a whole.
 */
function granted(state: State, asker: Asker, entry: Entry, now: Date): State {
	const { resource, names, grantable } = read(state, asker, entry);
	const principal = entry.Principal.DataLakePrincipalIdentifier;
	mustExist(state, resource);
	mustBePrincipal(state, principal);
	mustCombine(state, { principal, resource, names, grantable });
	const held = { principal, permissions: [...names], grantable: [...grantable], updatedBy: asker.caller.principal };
	return holding(state, { ...held, resource }, now);
}

function revoked(state: State, asker: Asker, entry: Entry): State {
	const { resource, names, grantable } = read(state, asker, entry);
	const principal = entry.Principal.DataLakePrincipalIdentifier;
	if (resource.kind === 'filter' && !state.filters.has(filterKey(resource))) throw invalid('Cell Filter not found');
	mustExist(state, resource);
	const key = permissionKey({ principal, resource });
	const old = state.permissions.get(key);
	const left = old && remaining(old, names, grantable);
	const unchanged =
		left?.permissions.length === old?.permissions.length && left?.grantable.length === old?.grantable.length;
	if (old === undefined || left === undefined || unchanged) {
		throw invalid('No permissions revoked. Grantee has no permissions and no grantable permissions on resource');
	}
	const gone = left.permissions.length === 0 && left.grantable.length === 0;
	return { ...state, permissions: put(state.permissions, key, gone ? undefined : { ...old, ...left }) };
}

/**
 * What a revocation leaves. [unverified] aws-facts 2, "Calls": Super is a right of its own, from which SELECT cannot be
 * taken; whoever wants that revokes Super and grants the others.
 */
function remaining(old: Permission, names: readonly string[], grantable: readonly string[]) {
	return { permissions: without(old.permissions, names), grantable: without(old.grantable, grantable) };
}

/** A role that IAM does not know (yet) cannot be granted anything. Accounts, organisations and groups are left out. */
export function mustBePrincipal(state: State, principal: string): void {
	if (principal === EVERYBODY) return;
	if (!principal.startsWith('arn:aws:iam:'))
		throw invalid('Principals other than IAM roles are not supported by the embedded Lake Formation');
	const known = state.landing.roles.some(({ arn }) => arn === principal);
	if (!known || !/^\d{12}$/.test(accountOf(principal))) throw invalid('Invalid principal');
}

function union(old: readonly string[] = [], added: readonly string[]): string[] {
	return [...new Set([...old, ...added])].toSorted();
}

function without(old: readonly string[], taken: readonly string[]): string[] {
	return old.filter((name) => !taken.includes(name));
}
