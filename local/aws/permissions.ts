/**
 * Grant and revoke. A grant merges into what is there; a revoke of what is not there fails, and takes away
 * a right to grant only when it is named. Only an administrator of the account that owns the resource may do
 * either. Batches are not atomic: each entry succeeds or is told as a failure, with HTTP 200.
 * Rules and texts: aws-facts section 2 (service model, Terraform provider, data.all).
 */
import * as z from 'zod';
import { AwsError, accountOf, type Caller, type Operation, operation } from '../wire.ts';
import { EVERYBODY, isAdmin } from './lookup.ts';
import { denied, invalid, mustExist, ResourceInput, readResource } from './resource.ts';
import { filterKey, type Permission, permissionKey, put, type Resource, type State } from './state.ts';
import type { Store } from './store.ts';

const TABLE = ['ALL', 'SELECT', 'ALTER', 'DROP', 'DELETE', 'INSERT', 'DESCRIBE'];

/** What can be granted on each kind of resource (LF permissions reference). */
const GRANTABLE: Readonly<Record<Resource['kind'], readonly string[]>> = {
	catalog: ['ALL', 'CREATE_DATABASE', 'DESCRIBE'],
	database: ['ALL', 'ALTER', 'DROP', 'CREATE_TABLE', 'DESCRIBE'],
	table: TABLE,
	'all-tables': TABLE,
	columns: ['SELECT'],
	filter: ['SELECT', 'DESCRIBE'],
	location: ['DATA_LOCATION_ACCESS'],
};

/** data-filtering-notes: "data filter permissions for one principal on a table". */
const MOST_FILTERS = 100;
const MOST_ENTRIES = 20;

const Names = z.array(z.string()).nullish();
const Entry = {
	Principal: z.object({ DataLakePrincipalIdentifier: z.string().min(1).max(255) }),
	Resource: ResourceInput,
	Permissions: Names,
	PermissionsWithGrantOption: Names,
	Condition: z.object({}).nullish(),
};
const One = z.object({ CatalogId: z.string().nullish(), ...Entry, Permissions: z.array(z.string()).min(1) });
const Request = z.object({ ...Entry, Id: z.string().min(1).max(255) });
const Many = z.object({ CatalogId: z.string().nullish(), Entries: z.array(Request) });

type Change = (state: State, caller: Caller, entry: z.infer<z.ZodObject<typeof Entry>>) => State;

export function permissionOperations(store: Store, clock: () => Date): readonly (readonly [string, Operation])[] {
	const grant: Change = (state, caller, entry) => granted(state, caller, entry, clock());
	const one = (change: Change) =>
		operation(One, invalid, async (caller, input) => {
			await store.change((state) => change(state, caller, input));
			return {};
		});
	const many = (change: Change) =>
		operation(Many, invalid, (caller, input) => batch(store, caller, input.Entries, change));
	return [
		['GrantPermissions', one(grant)],
		['RevokePermissions', one(revoked)],
		['BatchGrantPermissions', many(grant)],
		['BatchRevokePermissions', many(revoked)],
	];
}

async function batch(store: Store, caller: Caller, entries: readonly z.infer<typeof Request>[], change: Change) {
	if (entries.length > MOST_ENTRIES) throw invalid(`The number of entries exceeds the maximum of ${MOST_ENTRIES}`);
	if (new Set(entries.map(({ Id }) => Id)).size !== entries.length) throw invalid('Entries must have distinct Ids');
	const failures: object[] = [];
	await store.change((state) =>
		entries.reduce((before, entry) => {
			try {
				return change(before, caller, entry);
			} catch (error) {
				if (!(error instanceof AwsError)) throw error;
				failures.push({ RequestEntry: entry, Error: { ErrorCode: error.code, ErrorMessage: error.message } });
				return before;
			}
		}, state),
	);
	return { Failures: failures };
}

type Asked = { readonly resource: Resource; readonly names: readonly string[]; readonly grantable: readonly string[] };

/** What an entry asks for, once it is known to make sense and the caller to be allowed to ask. */
function read(state: State, caller: Caller, entry: z.infer<z.ZodObject<typeof Entry>>): Asked {
	if (entry.Condition) throw invalid('Condition is not supported by the embedded Lake Formation');
	const resource = readResource(entry.Resource, caller.account);
	const names = entry.Permissions ?? [];
	const grantable = entry.PermissionsWithGrantOption ?? [];
	const possible = GRANTABLE[resource.kind];
	if (names.length === 0 || [...names, ...grantable].some((name) => !possible.includes(name))) {
		throw invalid('Permissions modification is invalid.');
	}
	if (resource.kind === 'columns' && resource.excluded.length > 0 && grantable.length > 0) {
		throw invalid('Permissions modification is invalid.');
	}
	if (!isAdmin(state, resource.account, caller.principal)) throw denied();
	return { resource: wholeTable(resource), names, grantable };
}

/** All columns of a table are the table: the two ways to write it are one permission. */
function wholeTable(resource: Resource): Resource {
	if (resource.kind !== 'columns' || resource.columns !== null || resource.excluded.length > 0) return resource;
	const { account, database, table } = resource;
	return { kind: 'table', account, database, table };
}

function granted(state: State, caller: Caller, entry: z.infer<z.ZodObject<typeof Entry>>, now: Date): State {
	const { resource, names, grantable } = read(state, caller, entry);
	const principal = entry.Principal.DataLakePrincipalIdentifier;
	mustExist(state, resource);
	mustBePrincipal(state, principal);
	const key = permissionKey({ principal, resource });
	const old = state.permissions.get(key);
	if (old === undefined) mustFit(state, principal, resource);
	const merged: Permission = {
		principal,
		resource,
		permissions: union(old?.permissions, [...names, ...grantable]),
		grantable: union(old?.grantable, grantable),
		updated: now.getTime(),
		updatedBy: caller.principal,
	};
	return { ...state, permissions: put(state.permissions, key, merged) };
}

function revoked(state: State, caller: Caller, entry: z.infer<z.ZodObject<typeof Entry>>): State {
	const { resource, names, grantable } = read(state, caller, entry);
	const principal = entry.Principal.DataLakePrincipalIdentifier;
	if (resource.kind === 'filter' && !state.filters.has(filterKey(resource))) throw invalid('Cell Filter not found');
	mustExist(state, resource);
	const key = permissionKey({ principal, resource });
	const old = state.permissions.get(key);
	const left = { permissions: without(old?.permissions, names), grantable: without(old?.grantable, grantable) };
	const unchanged =
		left.permissions.length === old?.permissions.length && left.grantable.length === old.grantable.length;
	if (old === undefined || unchanged) {
		throw invalid('No permissions revoked. Grantee has no permissions and no grantable permissions on resource');
	}
	const gone = left.permissions.length === 0 && left.grantable.length === 0;
	return { ...state, permissions: put(state.permissions, key, gone ? undefined : { ...old, ...left }) };
}

/** A role that IAM does not know (yet) cannot be granted anything. */
function mustBePrincipal(state: State, principal: string): void {
	if (principal === EVERYBODY) return;
	const known = state.landing.roles.some(({ arn }) => arn === principal);
	if (!known || !/^\d{12}$/.test(accountOf(principal))) throw invalid('Invalid principal');
}

function mustFit(state: State, principal: string, resource: Resource): void {
	if (resource.kind !== 'filter') return;
	const held = [...state.permissions.values()].filter(
		(permission) =>
			permission.principal === principal &&
			permission.resource.kind === 'filter' &&
			permission.resource.account === resource.account &&
			permission.resource.database === resource.database &&
			permission.resource.table === resource.table,
	);
	if (held.length >= MOST_FILTERS) {
		throw new AwsError(
			'ResourceNumberLimitExceededException',
			'Too many data filter permissions for the principal on the table',
		);
	}
}

function union(old: readonly string[] = [], added: readonly string[]): string[] {
	return [...new Set([...old, ...added])].toSorted();
}

function without(old: readonly string[] = [], taken: readonly string[]): string[] {
	return old.filter((name) => !taken.includes(name));
}
