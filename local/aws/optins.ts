/**
 * Opt-ins: for whom Lake Formation decides on what lies in a location registered in hybrid mode. Only administrators
 * of the account that owns the resource opt somebody in, and only on databases and tables, never by LF-Tags
 * (LFDG/notes-hybrid).
 */
import * as z from 'zod';
import { type Caller, epoch, type Operation, operation, page } from '../wire.ts';
import { isAdmin, mayRead } from './lookup.ts';
import { mustBePrincipal, wholeTable } from './permissions.ts';
import { denied, invalid, mustExist, notFound, ResourceInput, readResource, writeResource } from './resource.ts';
import { type OptIn, permissionKey, put, type Resource, resourceKey, type State } from './state.ts';
import type { Store } from './store.ts';

/**
 * [unverified] aws-facts 2, "Hybrid": opting in again is no error (the model of CreateLakeFormationOptIn has no
 * AlreadyExistsException).
 */
const TWICE_IS_REFUSED: boolean = false;

const Principal = z.object({ DataLakePrincipalIdentifier: z.string().min(1).max(255) });
const Input = z.object({ Principal, Resource: ResourceInput, Condition: z.object({}).nullish() });
const List = z.object({
	Principal: Principal.nullish(),
	Resource: ResourceInput.nullish(),
	MaxResults: z.number().int().min(1).max(1000).nullish(),
	NextToken: z.string().nullish(),
});

export function optInOperations(store: Store, clock: () => Date): readonly (readonly [string, Operation])[] {
	return [
		[
			'CreateLakeFormationOptIn',
			operation(Input, invalid, async (caller, input) => {
				const entry = read(caller, input);
				await store.change((state) => optedIn(state, caller, entry, clock()));
				return {};
			}),
		],
		[
			'DeleteLakeFormationOptIn',
			operation(Input, invalid, async (caller, input) => {
				const entry = read(caller, input);
				await store.change((state) => {
					if (!isAdmin(state, entry.resource.account, caller.principal)) throw denied();
					if (!state.optIns.has(permissionKey(entry))) throw notFound();
					return { ...state, optIns: put(state.optIns, permissionKey(entry), undefined) };
				});
				return {};
			}),
		],
		[
			'ListLakeFormationOptIns',
			operation(List, invalid, (caller, input) => {
				const resource = input.Resource ? optable(readResource(input.Resource, caller.account)) : undefined;
				const account = resource?.account ?? caller.account;
				if (!mayRead(store.read(), account, caller.principal)) throw denied();
				const all = [...store.read().optIns.values()].filter(
					(entry) =>
						entry.resource.account === account &&
						(resource === undefined || resourceKey(resource) === resourceKey(entry.resource)) &&
						(!input.Principal || input.Principal.DataLakePrincipalIdentifier === entry.principal),
				);
				const { items, next } = page(all, input.MaxResults ?? 1000, input.NextToken, () =>
					invalid('Invalid NextToken'),
				);
				return { LakeFormationOptInsInfoList: items.map(written), ...next };
			}),
		],
	];
}

type Entry = Pick<OptIn, 'principal' | 'resource'>;

function read(caller: Caller, input: z.infer<typeof Input>): Entry {
	if (input.Condition) throw invalid('Condition is not supported by the embedded Lake Formation');
	const resource = optable(readResource(input.Resource, caller.account));
	return { principal: input.Principal.DataLakePrincipalIdentifier, resource };
}

/** All columns of a table are the table. */
function optable(resource: Resource): Resource {
	const whole = wholeTable(resource);
	if (whole.kind === 'database' || whole.kind === 'table' || whole.kind === 'all-tables') return whole;
	throw invalid('Only databases and tables can be opted in');
}

function optedIn(state: State, caller: Caller, entry: Entry, now: Date): State {
	if (!isAdmin(state, entry.resource.account, caller.principal)) throw denied();
	mustExist(state, entry.resource);
	mustBePrincipal(state, entry.principal);
	const key = permissionKey(entry);
	if (TWICE_IS_REFUSED && state.optIns.has(key)) throw invalid('The principal has opted in already');
	const optIn: OptIn = { ...entry, updated: now.getTime(), updatedBy: caller.principal };
	return { ...state, optIns: put(state.optIns, key, optIn) };
}

function written({ principal, resource, updated, updatedBy }: OptIn) {
	return {
		Principal: { DataLakePrincipalIdentifier: principal },
		Resource: writeResource(resource),
		LastModified: epoch(updated),
		LastUpdatedBy: updatedBy,
	};
}
