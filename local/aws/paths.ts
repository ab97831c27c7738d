/**
 * GetEffectivePermissionsForPath: who holds what on the tables and databases that lie at a path in S3. For
 * administrators of the account and for read-only ones. Source: service model.
 */
import * as z from 'zod';
import { type Operation, operation, page } from '../wire.ts';
import { rows } from './listing.ts';
import { isWithin, locationArn, mayRead } from './lookup.ts';
import { denied, invalid } from './resource.ts';
import type { Resource, State } from './state.ts';
import type { Store } from './store.ts';

/** [unverified] aws-facts 2, "Calls" (the model says "located at a path"): what lies below the path counts too. */
const BELOW_COUNTS: boolean = true;

const Input = z.object({
	CatalogId: z.string().nullish(),
	ResourceArn: z.string().regex(/^arn:aws:s3:::[^/]+(\/.*)?$/),
	NextToken: z.string().nullish(),
	MaxResults: z.number().int().min(1).max(1000).nullish(),
});

export function permissionsForPath(store: Store): Operation {
	return operation(Input, invalid, (caller, input) => {
		const state = store.read();
		const account = input.CatalogId ?? caller.account;
		if (!mayRead(state, account, caller.principal)) throw denied();
		const lies = liesAt(state, account, input.ResourceArn);
		const all = [...state.permissions.values()].filter(({ resource }) => lies(resource)).flatMap(rows);
		const { items, next } = page(all, input.MaxResults ?? 1000, input.NextToken, () => invalid('Invalid NextToken'));
		return { Permissions: items, ...next };
	});
}

function liesAt(state: State, account: string, path: string): (resource: Resource) => boolean {
	const folder = path.replace(/\/$/, '');
	const at = (location: string | null) => {
		if (location === null) return false;
		const arn = locationArn(location);
		return arn === folder || (BELOW_COUNTS && isWithin(arn, folder));
	};
	const own = <T extends { account: string; location: string | null }>(all: readonly T[]) =>
		all.filter((entry) => entry.account === account && at(entry.location));
	const tables = new Set(own(state.landing.tables).map(({ database, name }) => JSON.stringify([database, name])));
	const databases = new Set(own(state.landing.databases).map(({ name }) => name));
	const databasesOfTables = new Set(own(state.landing.tables).map(({ database }) => database));
	return (resource) => {
		if (resource.account !== account) return false;
		if ('table' in resource) return tables.has(JSON.stringify([resource.database, resource.table]));
		if (resource.kind === 'database') return databases.has(resource.database);
		return resource.kind === 'all-tables' && databasesOfTables.has(resource.database);
	};
}
