/**
 * ListPermissions, with the habits of the real one that mislead a reader: listing by principal needs a
 * resource; a table's grants come back split over Table and TableWithColumns; filters on a table show only
 * with IncludeRelated; a role of another account sees nothing on a filter although the grant is there.
 * Sources: service model, Terraform provider issues 44574 and 48360, aws-facts "ListPermissions quirks".
 */
import * as z from 'zod';
import { accountOf, type Caller, epoch, type Operation, operation, page } from '../wire.ts';
import { mayRead } from './lookup.ts';
import { denied, invalid, mustExist, ResourceInput, readResource, writeResource } from './resource.ts';
import { type Permission, type Resource, resourceKey, type State } from './state.ts';
import type { Store } from './store.ts';

const Input = z.object({
	CatalogId: z.string().nullish(),
	Principal: z.object({ DataLakePrincipalIdentifier: z.string().min(1).max(255) }).nullish(),
	ResourceType: z.enum(['CATALOG', 'DATABASE', 'TABLE', 'DATA_LOCATION']).nullish(),
	Resource: ResourceInput.nullish(),
	NextToken: z.string().nullish(),
	MaxResults: z.number().int().min(1).max(1000).nullish(),
	IncludeRelated: z.string().max(5).nullish(),
});
type Input = z.infer<typeof Input>;

const TYPES: Readonly<Record<NonNullable<Input['ResourceType']>, readonly Resource['kind'][]>> = {
	CATALOG: ['catalog'],
	DATABASE: ['database'],
	TABLE: ['table', 'all-tables', 'columns', 'filter'],
	DATA_LOCATION: ['location'],
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
	const resource = input.Resource ? readResource(input.Resource, caller.account) : undefined;
	const account = resource?.account ?? input.CatalogId ?? caller.account;
	const related = input.IncludeRelated?.toUpperCase() === 'TRUE';
	if (related && principal !== undefined) throw invalid('Principal must be omitted when IncludeRelated is set');
	if (resource?.kind === 'columns') throw invalid('TableWithColumns is not supported by this operation');
	const everything = mayRead(state, account, caller.principal);
	if (!everything && account !== caller.account) throw denied();
	if (resource !== undefined) mustExist(state, resource);
	return [...state.permissions.values()].filter(
		(permission) =>
			permission.resource.account === account &&
			(everything || permission.principal === caller.principal) &&
			(resource === undefined || matches(permission.resource, resource, related)) &&
			(principal === undefined || isEffective(permission, principal)) &&
			(!input.ResourceType || TYPES[input.ResourceType].includes(permission.resource.kind)),
	);
}

function matches(held: Resource, asked: Resource, related: boolean): boolean {
	if (asked.kind !== 'table') return resourceKey(held) === resourceKey(asked);
	if (held.kind !== 'table' && held.kind !== 'columns' && !(related && held.kind === 'filter')) return false;
	return held.account === asked.account && held.database === asked.database && held.table === asked.table;
}

function isEffective(permission: Permission, principal: string): boolean {
	if (permission.principal !== principal) return false;
	return permission.resource.kind !== 'filter' || accountOf(principal) === permission.resource.account;
}

/** SELECT on a whole table is told as SELECT on all its columns, beside the other permissions. */
function rows(permission: Permission): object[] {
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
