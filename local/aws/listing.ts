/**
 * ListPermissions, with the habits of the real one that mislead a reader: listing by principal needs a
 * resource; a table's grants come back split over Table and TableWithColumns; filters on a table show only
 * with IncludeRelated; a role of another account sees nothing on a filter although the grant is there.
 * Sources: service model, Terraform provider issues 44574 and 48360, aws-facts "ListPermissions quirks".
 */
import * as z from 'zod';
import { accountOf, type Caller, epoch, type Operation, operation, page } from '../wire.ts';
import { findView, isAdmin, mayRead, permissionsOn, permissionsOnDatabase } from './lookup.ts';
import { denied, invalid, mustExist, mustFindTable, ResourceInput, readResource, writeResource } from './resource.ts';
import { MADE, type Permission, type Resource, resourceKey, type State } from './state.ts';
import type { Store } from './store.ts';

const Input = z.object({
	CatalogId: z.string().nullish(),
	Principal: z.object({ DataLakePrincipalIdentifier: z.string().min(1).max(255) }).nullish(),
	ResourceType: z
		.enum([
			'CATALOG',
			'DATABASE',
			'TABLE',
			'DATA_LOCATION',
			'LF_TAG',
			'LF_TAG_POLICY',
			'LF_TAG_POLICY_DATABASE',
			'LF_TAG_POLICY_TABLE',
			'LF_NAMED_TAG_EXPRESSION',
		])
		.nullish(),
	Resource: ResourceInput.nullish(),
	NextToken: z.string().nullish(),
	MaxResults: z.number().int().min(1).max(1000).nullish(),
	IncludeRelated: z.string().max(5).nullish(),
});
type Input = z.infer<typeof Input>;

const TYPES: Readonly<Record<NonNullable<Input['ResourceType']>, (resource: Resource) => boolean>> = {
	CATALOG: ({ kind }) => kind === 'catalog',
	DATABASE: ({ kind }) => kind === 'database',
	TABLE: ({ kind }) => kind === 'table' || kind === 'all-tables' || kind === 'columns' || kind === 'filter',
	DATA_LOCATION: ({ kind }) => kind === 'location',
	LF_TAG: ({ kind }) => kind === 'tag',
	LF_TAG_POLICY: ({ kind }) => kind === 'tag-policy',
	LF_TAG_POLICY_DATABASE: (resource) => resource.kind === 'tag-policy' && resource.on === 'DATABASE',
	LF_TAG_POLICY_TABLE: (resource) => resource.kind === 'tag-policy' && resource.on === 'TABLE',
	LF_NAMED_TAG_EXPRESSION: () => false,
};

export function listPermissions(store: Store): Operation {
	return operation(Input, invalid, (caller, input) => {
		const found = select(store.read(), caller, input).flatMap(rows);
		const { items, next } = page(found, input.MaxResults ?? 1000, input.NextToken, () => invalid('Invalid NextToken'));
		return { PrincipalResourcePermissions: items, ...next };
	});
}

function select(state: State, caller: Caller, input: Input): Permission[] {
	const principal = input.Principal?.DataLakePrincipalIdentifier;
	if (principal !== undefined && !input.Resource)
		throw invalid('Resource is mandatory if Principal is set in the input.');
	const resource = input.Resource ? readResource(input.Resource, input.CatalogId ?? caller.account) : undefined;
	const account = resource?.account ?? input.CatalogId ?? caller.account;
	const related = input.IncludeRelated?.toUpperCase() === 'TRUE';
	if (related && principal !== undefined) throw invalid('Principal must be omitted when IncludeRelated is set');
	if (resource?.kind === 'columns') throw invalid('TableWithColumns is not supported by this operation');
	const everything = mayRead(state, account, caller.principal);
	if (!everything && account !== caller.account) throw denied();
	if (resource !== undefined) mustExist(state, resource);
	const grantable = grantableBy(state, caller);
	const fits = resource === undefined ? () => true : matcher(resource, related);
	const found =
		resource === undefined || principal === undefined
			? [...state.permissions.values()].filter(
					(permission) => permission.resource.account === account && fits(permission.resource),
				)
			: effective(state, principal, resource);
	return found.filter(
		(permission) =>
			(everything || permission.principal === caller.principal || grantable.has(resourceKey(permission.resource))) &&
			(!input.ResourceType || TYPES[input.ResourceType](permission.resource)),
	);
}

/** Others' permissions are shown to who holds any with the grant option on the resource (LFDG/viewing-permissions). */
function grantableBy(state: State, caller: Caller): ReadonlySet<string> {
	const held = [...state.permissions.values()].filter(
		({ principal, grantable }) => principal === caller.principal && grantable.length > 0,
	);
	return new Set(held.map(({ resource }) => resourceKey(resource)));
}

function matcher(asked: Resource, related: boolean): (held: Resource) => boolean {
	const key = resourceKey(asked);
	if (asked.kind !== 'table') return (held) => held.kind === asked.kind && resourceKey(held) === key;
	return (held) => {
		if (held.kind !== 'table' && held.kind !== 'columns' && !(related && held.kind === 'filter')) return false;
		return held.account === asked.account && held.database === asked.database && held.table === asked.table;
	};
}

/**
 * What a principal may do with a resource, whoever it was granted to and on whatever (service model, ListPermissions;
 * Terraform provider issue 44574). An administrator's own rights look like granted ones.
 */
function effective(state: State, principal: string, resource: Resource): Permission[] {
	const { account } = resource;
	const found = held(state, principal, resource).map((permission) => ({ ...permission, principal }));
	const named = resource.kind === 'database' || resource.kind === 'table';
	if (!named || !isAdmin(state, account, principal)) return found;
	const implicit = { principal, resource, permissions: ['DESCRIBE'], grantable: ['DESCRIBE'], updated: MADE };
	return [...found, { ...implicit, updatedBy: principal }];
}

function held(state: State, principal: string, resource: Resource): readonly Permission[] {
	if (resource.kind === 'table') {
		const { account, database, table: name } = resource;
		const table = findView(state, account, database, name) ?? mustFindTable(state, resource);
		return permissionsOn(state, principal, table).filter(({ resource: on }) => on.kind !== 'filter');
	}
	if (resource.kind === 'database') return permissionsOnDatabase(state, principal, resource.account, resource.database);
	return [...state.permissions.values()].filter(
		(permission) =>
			permission.principal === principal &&
			resourceKey(permission.resource) === resourceKey(resource) &&
			(resource.kind !== 'filter' || accountOf(principal) === resource.account),
	);
}

/** SELECT on a whole table is told as SELECT on all its columns, beside the other permissions. */
export function rows(permission: Permission): object[] {
	const { resource } = permission;
	if (resource.kind !== 'table' || !permission.permissions.includes('SELECT'))
		return [row(permission, writeResource(resource))];
	const columns: Resource = { ...resource, kind: 'columns', columns: null, excluded: [] };
	const reads = keep(permission, (name) => name === 'SELECT');
	const others = keep(permission, (name) => name !== 'SELECT');
	const written = [row(reads, writeResource(columns))];
	return others.permissions.length === 0 ? written : [...written, row(others, writeResource(resource))];
}

function keep(permission: Permission, wanted: (name: string) => boolean): Permission {
	return {
		...permission,
		permissions: permission.permissions.filter(wanted),
		grantable: permission.grantable.filter(wanted),
	};
}

function row(permission: Permission, resource: object) {
	return {
		Principal: { DataLakePrincipalIdentifier: permission.principal },
		Resource: resource,
		Permissions: permission.permissions,
		PermissionsWithGrantOption: permission.grantable,
		LastUpdated: epoch(permission.updated),
		LastUpdatedBy: permission.updatedBy,
	};
}
