/**
 * Desired against actual on one table, as values. Pure: what is recorded and what Lake Formation shows in, differences out.
 *
 * Rows of ListPermissions are brought to one form first: one SELECT may come split over several rows, as Table or as
 * TableWithColumns with a wildcard (Terraform provider, permissions.go), and how it is split must not look like drift.
 */
import { filterPrefix, type Standing } from '../grants.ts';
import { type Filter, isEverybody, isOurs, opens, prefixOf, type Right } from '../lakeformation.ts';
import type { TableRef } from '../ledger.ts';
import type { DriftKind } from './record.ts';

/** What Lake Formation and Glue show of a table. */
export type Actual = {
	readonly filters: readonly Filter[];
	readonly rights: readonly Right[];
	/** When Glue says that the table was made; null where it does not say. */
	readonly made: string | null;
	readonly exists: boolean;
	/** The principals that see the resource link which they need. */
	readonly linked: ReadonlySet<string>;
};

/** What would mend a difference. `none`: it is not Fairlead's to change. */
export type Remedy =
	| { readonly do: 'restore'; readonly how: 'again' | 'anew' }
	| { readonly do: 'drop'; readonly filter: string }
	| { readonly do: 'revoke'; readonly right: Pick<Right, 'principal' | 'on' | 'permissions' | 'grantable'> }
	| { readonly do: 'suspend'; readonly grants: readonly string[] }
	| { readonly do: 'none' };

export type Discrepancy = {
	readonly kind: DriftKind;
	/** Who holds it, or should. */
	readonly principal: string | null;
	readonly filter: string | null;
	readonly permissions: readonly string[];
	/** Whose entitlement it contradicts; null where it contradicts none. */
	readonly owner: string | null;
	readonly remedy: Remedy;
};

/**
 * Longer than bringing one entitlement to Lake Formation takes, with every retry. What is unfinished after that nobody
 * is at work on, most likely; and if somebody is, both go through the entitlement's stream, and one waits for the other.
 */
export const GRACE_MS = 5 * 60_000;

/**
 * [unverified] What the holder of a filter may be shown to hold on it: SELECT, and DESCRIBE, which only lets him read
 * the filter's definition and which Lake Formation may add by itself (aws-facts section 1, LFDG/managing-filters).
 */
const ON_OWN_FILTER: ReadonlySet<string> = new Set(['SELECT', 'DESCRIBE']);

/** Tells of a grantee whether it is, or stands also for, a principal of Fairlead's: registered, or a holder of something. */
export type Known = (principal: string) => boolean;

/** `desired` are the entitlements of everybody who ever held anything on the table. */
export function compare(desired: readonly Standing[], actual: Actual, known: Known, now: Date): Discrepancy[] {
	if (!actual.exists) {
		const wanted = desired.some((s) => s.desired !== null);
		return wanted ? [differs('table-gone', { remedy: { do: 'none' } })] : [];
	}
	const owners = new Map(desired.map((s) => [filterPrefix(s.principal, s.table), s]));
	const rights = merged(actual.rights);
	const kept = (name: string) => keeps(owners.get(prefixOf(name)), name, now);
	return [
		...desired.flatMap((s) => ofStanding(s, actual, rights, now)),
		...actual.filters.flatMap(({ name }) => {
			if (!isOurs(name) || kept(name)) return [];
			const principal = owners.get(prefixOf(name))?.principal ?? null;
			return [
				differs('orphaned-filter', { principal, owner: principal, filter: name, remedy: { do: 'drop', filter: name } }),
			];
		}),
		...rights.flatMap((right) => {
			if (right.on.kind !== 'filter' || !isOurs(right.on.name)) return ofStranger(right, known);
			// What goes with its filter needs no revocation of its own.
			return kept(right.on.name) ? onOurs(right, right.on.name, owners.get(prefixOf(right.on.name)), now) : [];
		}),
	].toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** What tells one difference from another, whenever it is seen. */
export function keyOf({ kind, principal, filter, permissions }: Shown): string {
	return JSON.stringify([kind, principal, filter, permissions]);
}

type Shown = Omit<Discrepancy, 'owner' | 'remedy'>;

/** Whether it is about the table, or about what Fairlead made, and not about a right that others gave. */
export const isOwn = ({ kind, filter }: Pick<Shown, 'kind' | 'filter'>): boolean =>
	kind !== 'extra-permission' || (filter !== null && isOurs(filter));

/** Fairlead's own first: where not all can be recorded, what can be mended is. */
export function byWeight(a: Shown, b: Shown): number {
	return Number(isOwn(b)) - Number(isOwn(a)) || (keyOf(a) < keyOf(b) ? -1 : 1);
}

/** Prefix of the filters of the entitlement that a finding on this table is about; null where it is about none. */
export function entitlementOf({ kind, principal, filter }: Shown, table: TableRef): string | null {
	if (!isOwn({ kind, filter })) return null;
	if (filter !== null) return prefixOf(filter);
	return principal === null ? null : filterPrefix(principal, table);
}

type Told = Pick<Discrepancy, 'remedy'> & Partial<Discrepancy>;
const differs = (kind: DriftKind, told: Told): Discrepancy => ({
	kind,
	principal: null,
	filter: null,
	permissions: [],
	owner: null,
	...told,
});

/** A saga may be at work on it: what stands there meanwhile is no drift. */
export function isBusy({ step, at }: Pick<Standing, 'step' | 'at'>, now: Date): boolean {
	return step !== 'settled' && now.getTime() - new Date(at).getTime() < GRACE_MS;
}

/** Whether a filter of ours may stand: it is the desired one, or on its way, or somebody may be making it right now. */
function keeps(owner: Standing | undefined, name: string, now: Date): boolean {
	if (owner === undefined) return false;
	return isBusy(owner, now) || owner.desired?.name === name || owner.retiring.includes(name);
}

/** What is missing or wider than recorded. */
function ofStanding(standing: Standing, actual: Actual, rights: readonly Right[], now: Date): Discrepancy[] {
	const { principal, desired, made, grants } = standing;
	if (isBusy(standing, now) || desired === null) return [];
	const of = { principal, owner: principal, filter: desired.name };
	if (made !== null && actual.made !== null && made !== actual.made)
		return [differs('table-recreated', { ...of, filter: null, remedy: { do: 'suspend', grants } })];
	const again: Remedy = { do: 'restore', how: 'again' };
	const found: Discrepancy[] = [];
	const filter = actual.filters.find((f) => f.name === desired.name);
	if (filter === undefined) found.push(differs('missing-filter', { ...of, remedy: again }));
	else if (!opens(filter, desired.scope))
		found.push(differs('widened-filter', { ...of, remedy: { do: 'restore', how: 'anew' } }));
	const holds = rights.some(
		(r) =>
			r.on.kind === 'filter' &&
			r.on.name === desired.name &&
			r.principal === principal &&
			r.permissions.includes('SELECT'),
	);
	if (filter !== undefined && !holds)
		found.push(differs('missing-permission', { ...of, permissions: ['SELECT'], remedy: again }));
	if (standing.link !== null && !actual.linked.has(principal))
		found.push(differs('missing-link', { ...of, filter: null, remedy: again }));
	return found;
}

/** On a filter that Fairlead made only its owner holds anything, and cannot hand it on. */
function onOurs(right: Right, name: string, owner: Standing | undefined, now: Date): Discrepancy[] {
	if (owner === undefined || isBusy(owner, now)) return [];
	const mine = right.principal === owner.principal;
	const more = right.permissions.filter((p) => !mine || !ON_OWN_FILTER.has(p));
	const names = [...new Set([...more, ...right.grantable])].toSorted();
	if (names.length === 0) return [];
	return [
		differs('extra-permission', {
			principal: right.principal,
			owner: owner.principal,
			filter: name,
			permissions: names,
			remedy: { do: 'revoke', right: { ...right, permissions: names } },
		}),
	];
}

/** A right that opens cells to a principal of ours and was not made by Fairlead: told, and left to who made it. */
function ofStranger({ principal, on, permissions }: Right, known: Known): Discrepancy[] {
	const names = permissions.filter((p) => p !== 'DESCRIBE');
	if (names.length === 0 || !(isEverybody(principal) || known(principal))) return [];
	const filter = on.kind === 'filter' ? on.name : null;
	return [differs('extra-permission', { principal, filter, permissions: names, remedy: { do: 'none' } })];
}

/** One row per principal and filter, or per principal for all that is on the table, its columns or all tables. */
function merged(rights: readonly Right[]): Right[] {
	const rows = new Map<string, Right>();
	for (const right of rights) {
		const key = JSON.stringify([right.principal, right.on.kind === 'filter' ? right.on.name : null]);
		const other = rows.get(key);
		rows.set(key, {
			...(other ?? right),
			permissions: union(other?.permissions, right.permissions),
			grantable: union(other?.grantable, right.grantable),
		});
	}
	return [...rows.values()];
}

const union = (a: readonly string[] = [], b: readonly string[]) => [...new Set([...a, ...b])].toSorted();
