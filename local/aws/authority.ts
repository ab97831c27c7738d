/**
 * Who may grant, and what may not be granted together. An administrator of the account that owns a resource grants
 * anything on it; anybody else of that account what he holds with the grant option, on what covers the resource. Who
 * has a right from another account does not share it onward (LFDG/cross-account-notes).
 */
import { AwsError, accountOf, type Caller } from '../wire.ts';
import { EVERYBODY, findLink, findTable, isAdmin, locationArn, registrationOf } from './lookup.ts';
import { denied, invalid } from './resource.ts';
import { filterKey, type Permission, type Resource, type State } from './state.ts';

/** data-filtering-notes: "data filter permissions for one principal on a table". */
const MOST_FILTERS = 100;
/** GR/lake-formation: LF-Tag policies per principal. */
const MOST_POLICIES = 50;

/**
 * [unverified] aws-facts 1, "Limits and interactions": a column list is refused to who may write, and the other way
 * round; whether a data cells filter is refused too, or has no effect like the documentation says of column lists
 * that came first, is not documented. Without refusal the filter has no effect, which is the worse case.
 */
const FILTER_REFUSED_TO_WRITERS: boolean = false;

/** [unverified] aws-facts 2, "Hybrid, cross-account, tags": whether everybody's rights on the database alone forbid sharing its tables. */
const DATABASE_OF_EVERYBODY_FORBIDS_SHARING: boolean = true;

/** From version 3 on a grant may name a principal of another account (LFDG/optimize-ram). */
const VERSION_OF_DIRECT_GRANTS = 3;

/** [unverified] aws-facts 2, "Hybrid, cross-account, tags": the text is the one for principals of Identity Center. */
const NOT_SHAREABLE = 'Cross-account grants are not supported for the principal.';

const WRITES = ['ALTER', 'DROP', 'DELETE', 'INSERT'];

export function mustBeAllowedToGrant(state: State, caller: Caller, resource: Resource, names: readonly string[]): void {
	if (!mayGrant(state, caller, resource, names)) throw denied();
}

export function mayGrant(state: State, caller: Caller, resource: Resource, names: readonly string[]): boolean {
	if (isAdmin(state, resource.account, caller.principal)) return true;
	if (caller.account !== resource.account) return false;
	const held = [...state.permissions.values()].filter(
		(permission) => permission.principal === caller.principal && covers(state, permission.resource, resource),
	);
	return names.every((name) =>
		// To show a filter to others is part of what its maker may do.
		held.some(({ grantable, resource: on }) => {
			const needed = resource.kind === 'filter' && on.kind !== 'filter' ? 'SELECT' : name;
			return grantable.includes(needed) || grantable.includes('ALL');
		}),
	);
}

/** Whether a right on the first resource is also one on the second. */
function covers(state: State, held: Resource, asked: Resource): boolean {
	if (held.account !== asked.account) return false;
	if (held.kind === 'all-tables') return 'database' in asked && asked.database === held.database && 'table' in asked;
	if (held.kind === 'table' || held.kind === 'columns') {
		if (!('table' in asked) || asked.database !== held.database || asked.table !== held.table) return false;
		return held.kind === 'table' || (asked.kind !== 'table' && withinColumns(state, held, asked));
	}
	return sameRight(held, asked);
}

function sameRight(held: Resource, asked: Resource): boolean {
	return held.kind === asked.kind && JSON.stringify(sortedKeys(held)) === JSON.stringify(sortedKeys(asked));
}

const sortedKeys = (resource: Resource) => Object.entries(resource).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** A right on some columns covers fewer of them, and filters on fewer of them that have all rows (managing-filters). */
function withinColumns(
	state: State,
	held: Extract<Resource, { kind: 'columns' }>,
	asked: Extract<Resource, { kind: 'columns' | 'filter' }>,
): boolean {
	const table = findTable(state, held.account, held.database, held.table);
	const scope = asked.kind === 'columns' ? asked : state.filters.get(filterKey(asked));
	if (table === undefined || scope === undefined) return false;
	if ('expression' in scope && scope.expression !== null) return false;
	const names = table.columns.map(({ name }) => name);
	const own = named(names, held);
	return named(names, scope).every((name) => own.includes(name));
}

function named(
	all: readonly string[],
	{ columns, excluded }: { readonly columns: readonly string[] | null; readonly excluded: readonly string[] },
): readonly string[] {
	return columns ?? all.filter((name) => !excluded.includes(name));
}

export type Wanted = Pick<Permission, 'principal' | 'resource'> & {
	readonly names: readonly string[];
	readonly grantable: readonly string[];
};

/** Throws where Lake Formation refuses to add this to what is there. */
export function mustCombine(state: State, wanted: Wanted): void {
	const { principal, resource } = wanted;
	if (principal !== EVERYBODY && accountOf(principal) !== resource.account) mustBeShareable(state, wanted);
	const refusedToWriters = resource.kind === 'columns' || (resource.kind === 'filter' && FILTER_REFUSED_TO_WRITERS);
	const whole = (on: Resource) => on.kind === 'table' || on.kind === 'all-tables';
	const writing = [...wanted.names, ...wanted.grantable].some((name) => name === 'ALL' || WRITES.includes(name));
	for (const { permissions, resource: on } of heldOnTable(state, principal, resource)) {
		const narrow = on.kind === 'columns' || (on.kind === 'filter' && FILTER_REFUSED_TO_WRITERS);
		const writes = whole(on) && permissions.some((name) => name === 'ALL' || WRITES.includes(name));
		if ((refusedToWriters && writes) || (whole(resource) && writing && narrow))
			throw invalid('Permissions modification is invalid.');
	}
	mustFit(state, principal, resource);
}

/** What the principal holds on the table, or on any table that the resource stands for, all tables being each of them. */
function heldOnTable(state: State, principal: string, resource: Resource): Permission[] {
	if (!('table' in resource) && resource.kind !== 'all-tables') return [];
	return [...state.permissions.values()].filter(({ principal: who, resource: on }) => {
		if (who !== principal || on.account !== resource.account) return false;
		if (!('table' in on) && on.kind !== 'all-tables') return false;
		if (on.database !== resource.database) return false;
		return !('table' in on) || !('table' in resource) || on.table === resource.table;
	});
}

/** What may be granted to a principal of another account (LFDG/cross-account-notes, -prereqs). */
function mustBeShareable(state: State, { resource, names: plain, grantable }: Wanted): void {
	const names = [...plain, ...grantable];
	const version = Number(state.settings.get(resource.account)?.parameters['CROSS_ACCOUNT_VERSION'] ?? 1);
	if (version < VERSION_OF_DIRECT_GRANTS) throw invalid(NOT_SHAREABLE);
	if (resource.kind === 'database') {
		if (findLink(state, resource.account, resource.database) !== undefined)
			throw invalid('Permissions modification is invalid.');
		mustNotDrop(names);
	}
	if (resource.kind === 'tag' && names.some((name) => name !== 'DESCRIBE' && name !== 'ASSOCIATE'))
		throw invalid('Permissions modification is invalid.');
	if (resource.kind === 'tag-policy' && resource.on === 'DATABASE') mustNotDrop(names);
	if (resource.kind === 'columns' && resource.columns === null) throw invalid('Permissions modification is invalid.');
	if (isOpenToEverybody(state, resource)) {
		throw new AwsError('AccessDeniedException', 'Insufficient Lake Formation permissions: Illegal combination', {
			status: 403,
		});
	}
}

/** Nobody of another account drops a database, however it is shared with him. */
function mustNotDrop(names: readonly string[]): void {
	if (names.some((name) => name === 'DROP' || name === 'ALL')) throw invalid('Permissions modification is invalid.');
}

/** Whether everybody still holds something on the resource, which must be gone before it is shared. */
function isOpenToEverybody(state: State, resource: Resource): boolean {
	if (!('database' in resource)) return false;
	if ('table' in resource && isHybrid(state, resource)) return false;
	return [...state.permissions.values()].some(({ principal, resource: on }) => {
		if (principal !== EVERYBODY || on.account !== resource.account) return false;
		if (!('database' in on) || on.database !== resource.database) return false;
		if (on.kind === 'database') return resource.kind === 'database' || DATABASE_OF_EVERYBODY_FORBIDS_SHARING;
		return 'table' in resource && (on.kind === 'all-tables' || ('table' in on && on.table === resource.table));
	});
}

/** From version 4 on everybody may keep his rights on what is registered in hybrid mode (LFDG/optimize-ram). */
function isHybrid(state: State, { account, database, table: name }: Extract<Resource, { table: string }>): boolean {
	const version = Number(state.settings.get(account)?.parameters['CROSS_ACCOUNT_VERSION'] ?? 1);
	const table = findTable(state, account, database, name);
	return (
		version >= 4 && table !== undefined && registrationOf(state, account, locationArn(table.location))?.hybrid === true
	);
}

function mustFit(state: State, principal: string, resource: Resource): void {
	const count = (held: readonly Permission[], kind: Resource['kind']) =>
		held.filter(({ resource: on }) => on.kind === kind && !sameRight(on, resource)).length;
	if (resource.kind === 'filter' && count(heldOnTable(state, principal, resource), 'filter') >= MOST_FILTERS)
		throw tooMany('Too many data filter permissions for the principal on the table');
	if (resource.kind !== 'tag-policy') return;
	const own = [...state.permissions.values()].filter((permission) => permission.principal === principal);
	if (count(own, 'tag-policy') >= MOST_POLICIES) throw tooMany('Too many LF-Tag policies for the principal');
}

export function tooMany(message: string): AwsError {
	return new AwsError('ResourceNumberLimitExceededException', message);
}
