/**
 * What one principal holds on one table, as values. Pure: state and change in, next state out.
 *
 * Each version of the entitlement stream carries the whole state, so one consistent read decides. The order of a
 * filter's replacement (design section 6): a wider one is granted before the old one goes; otherwise everything is
 * shut at our gate until the old one is proven gone and the new one proven there.
 */
import { createHash } from 'node:crypto';
import type { Code } from '../error.ts';
import type { TableRef } from '../ledger.ts';
import { compatible, covers, type Scope, tableKey, union } from '../scope.ts';

export type Holding = Scope & {
	readonly grant: string;
	readonly leaf: string;
	readonly purpose: string;
	readonly beneficiaries: readonly string[];
	readonly from: string;
	readonly until: string;
	readonly proven: boolean;
	readonly ended: 'revoked' | 'expired' | null;
};

export type Entitlement = {
	readonly principal: string;
	readonly product: string;
	readonly table: TableRef;
	readonly holdings: readonly Holding[];
	readonly scope: Scope | null;
	readonly filter: { readonly desired: string | null; readonly retiring: readonly string[] };
	readonly step: 'settled' | 'widening' | 'replacing';
};

/** All filters that Fairlead ever makes for a principal on a table share this prefix. */
export function filterPrefix(principal: string, table: TableRef): string {
	const hash = createHash('sha256')
		.update(JSON.stringify([principal, tableKey(table)]))
		.digest('hex');
	return `fl_${hash.slice(0, 24)}_`;
}

/** With one more grant; null when the union of grants would not be, or not stay, exactly one filter. */
export function admit(state: Entitlement, holding: Holding, ver: number): Entitlement | null {
	if (state.holdings.some((h) => h.grant === holding.grant)) return state;
	const holdings = [...state.holdings, holding];
	if (!compatible(live(holdings))) return null;
	return retarget(state, holdings, union(live(holdings)), ver);
}

/** With one grant ended: shut at our gate from this version on. */
export function end(state: Entitlement, grant: string, cause: 'revoked' | 'expired', ver: number): Entitlement {
	if (!state.holdings.some((h) => h.grant === grant && h.ended === null)) return state;
	const holdings = state.holdings.map((h) => (h.grant === grant ? { ...h, ended: cause } : h));
	// What is left was a part of an exact union, and may still fail to be one alone: then nothing stays open.
	return retarget(state, holdings, union(live(holdings)), ver);
}

/** Without grants whose scope can no longer be read: what carried them must go. */
export function forget(state: Entitlement, grants: ReadonlySet<string>, ver: number): Entitlement {
	const holdings = state.holdings.filter((h) => !grants.has(h.grant));
	return retarget({ ...state, scope: null }, holdings, union(live(holdings)), ver);
}

/** Lake Formation was read back and holds exactly the desired filter. */
export function settled(state: Entitlement): Entitlement {
	return {
		...state,
		holdings: live(state.holdings).map((h) => ({ ...h, proven: state.filter.desired !== null })),
		filter: { desired: state.filter.desired, retiring: [] },
		step: 'settled',
	};
}

function retarget(state: Entitlement, holdings: readonly Holding[], scope: Scope | null, ver: number): Entitlement {
	const { desired, retiring } = state.filter;
	if (scope !== null && state.scope !== null && state.step === 'settled' && equal(scope, state.scope)) {
		// The standing filter already says it; it is proven again before the new holding counts.
		return { ...state, holdings, scope, step: 'widening' };
	}
	const nothingOpen = desired === null && retiring.length === 0;
	const holdsOld = scope !== null && state.scope !== null && covers(scope, state.scope);
	const wider = scope !== null && state.step !== 'replacing' && (nothingOpen || holdsOld);
	return {
		...state,
		holdings,
		scope,
		filter: {
			desired: scope === null ? null : `${filterPrefix(state.principal, state.table)}${ver}`,
			retiring: desired === null ? retiring : [...retiring, desired],
		},
		step: wider ? 'widening' : 'replacing',
	};
}

const live = (holdings: readonly Holding[]) => holdings.filter((h) => h.ended === null);
const equal = (a: Scope, b: Scope) => covers(a, b) && covers(b, a);

/** Why a holding opens nothing at `now`, or null while it is in force. The clock alone ends it: no sweep is needed. */
export function shut(state: Entitlement, holding: Holding, now: Date): Code | null {
	if (holding.ended === 'revoked') return 'grant-revoked';
	if (holding.ended === 'expired' || now.toISOString() >= holding.until) return 'grant-expired';
	if (!holding.proven || state.step === 'replacing' || now.toISOString() < holding.from) return 'grant-not-proven';
	return null;
}

export type Step =
	| { readonly do: 'create' | 'grant' | 'prove'; readonly filter: string; readonly scope: Scope }
	| { readonly do: 'retire'; readonly filter: string };

/**
 * What Lake Formation still needs, in order. `standing` are our filters found on the table; one made for a version
 * after `ver` belongs to a newer state and is not ours to touch.
 */
export function plan(state: Entitlement, ver: number, standing: readonly string[]): Step[] {
	const { desired, retiring } = state.filter;
	const earlier = standing.filter((f) => Number(f.slice(f.lastIndexOf('_') + 1)) <= ver);
	const old = [...new Set([...retiring, ...earlier])].filter((f) => f !== desired);
	const retire: Step[] = old.map((filter) => ({ do: 'retire', filter }));
	if (desired === null || state.scope === null) return retire;
	const scope = state.scope;
	const build: Step[] = (['create', 'grant', 'prove'] as const).map((verb) => ({ do: verb, filter: desired, scope }));
	return state.step === 'replacing' ? [...retire, ...build] : [...build, ...retire];
}
