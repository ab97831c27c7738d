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
import { compatible, covers, type Scope, sameScope, tableKey, union } from '../scope.ts';

export type Holding = Scope & {
	readonly grant: string;
	readonly leaf: string;
	readonly purpose: string;
	readonly beneficiaries: readonly string[];
	readonly from: string;
	readonly until: string;
	readonly proven: boolean;
	readonly ended: Ending | null;
};

/** Why a holding opens nothing any more; one that is suspended stays listed, to be taken up again. */
export type Ending = 'revoked' | 'expired' | 'suspended';

export type Entitlement = {
	readonly principal: string;
	readonly product: string;
	readonly table: TableRef;
	readonly holdings: readonly Holding[];
	readonly scope: Scope | null;
	readonly filter: { readonly desired: string | null; readonly retiring: readonly string[] };
	readonly step: 'settled' | 'widening' | 'replacing';
	/** When Glue says that the table was made, as the last proof found it. */
	readonly made: string | null;
};

/** All filters that Fairlead ever makes for a principal on a table share this prefix. */
export function filterPrefix(principal: string, table: TableRef): string {
	const hash = createHash('sha256')
		.update(JSON.stringify([principal, tableKey(table)]))
		.digest('hex');
	return `fl_${hash.slice(0, 24)}_`;
}

/**
 * With one more grant, or with less of a grant that is in it: a scope that is listed is only ever replaced by a part of
 * it. Null when the union of grants would not be, or not stay, exactly one filter.
 */
export function admit(state: Entitlement, holding: Holding, ver: number): Entitlement | null {
	const listed = state.holdings.find((h) => h.grant === holding.grant);
	const stands = listed !== undefined && listed.ended !== 'suspended';
	if (stands && (listed.ended !== null || sameScope(listed, holding) || !covers(listed, holding))) return state;
	const holdings = [...state.holdings.filter((h) => h !== listed), holding];
	if (!compatible(live(holdings))) return null;
	return retarget(state, holdings, union(live(holdings)), ver);
}

/**
 * With less of a grant that is in it: shut until that is proven. Where what is left would be no exact union beside the
 * others, the grant is held back.
 */
export function confine(state: Entitlement, grant: string, scope: Scope, ver: number): Entitlement {
	const listed = state.holdings.find((h) => h.grant === grant && h.ended === null);
	if (listed === undefined || sameScope(listed, scope)) return state;
	const { columns, rowFilter } = scope;
	const less = { ...listed, columns, rowFilter, proven: false };
	const holdings = state.holdings.map((h) => (h === listed ? less : h));
	if (!compatible(live(holdings))) return end(state, grant, 'suspended', ver);
	return retarget(state, holdings, union(live(holdings)), ver);
}

/** With an earlier end of a grant: what Lake Formation carries stays, until then. Another state in any case. */
export function curtail(state: Entitlement, grant: string, until: string): Entitlement {
	const sooner = (h: Holding) => (h.grant === grant && h.until > until ? { ...h, until } : h);
	return { ...state, holdings: state.holdings.map(sooner) };
}

/** With a grant that nobody but these benefits from any more: the same cells, so nothing of the filter changes. */
export function keep(state: Entitlement, grant: string, stay: readonly string[]): Entitlement {
	const left = (h: Holding) => ({ ...h, beneficiaries: h.beneficiaries.filter((b) => stay.includes(b)) });
	return { ...state, holdings: state.holdings.map((h) => (h.grant === grant ? left(h) : h)) };
}

/** Whether a grant is in it with exactly this scope, as Lake Formation was shown to carry it. */
export function carries(state: Entitlement, grant: string, scope: Scope): boolean {
	return state.holdings.some((h) => h.grant === grant && h.ended === null && h.proven && sameScope(h, scope));
}

/** With one grant ended: shut at our gate from this version on. */
export function end(state: Entitlement, grant: string, cause: Ending, ver: number): Entitlement {
	const open = (h: Holding) =>
		h.grant === grant && (h.ended === null || (h.ended === 'suspended' && cause !== h.ended));
	if (!state.holdings.some(open)) return state;
	const holdings = state.holdings.map((h) => (open(h) ? { ...h, ended: cause } : h));
	// What is left was a part of an exact union, and may still fail to be one alone: then nothing stays open.
	return retarget(state, holdings, union(live(holdings)), ver);
}

/** To be proven again, nothing open meanwhile: `again` under the filter's own name, `anew` under another one. */
export function reopen(state: Entitlement, how: 'again' | 'anew', ver: number): Entitlement {
	const { desired, retiring } = state.filter;
	const doubted = state.step !== 'settled' && state.holdings.every((h) => !h.proven);
	if (how === 'again' && doubted) return state;
	const holdings = state.holdings.map((h) => ({ ...h, proven: false }));
	if (how === 'again' || desired === null || state.scope === null) {
		return { ...state, holdings, step: state.step === 'replacing' ? 'replacing' : 'widening' };
	}
	const filter = { desired: `${filterPrefix(state.principal, state.table)}${ver}`, retiring: [...retiring, desired] };
	return { ...state, holdings, filter, step: 'replacing' };
}

/** Without grants whose scope can no longer be read: what carried them must go. */
export function forget(state: Entitlement, grants: ReadonlySet<string>, ver: number): Entitlement {
	const holdings = state.holdings.filter((h) => !grants.has(h.grant));
	return retarget({ ...state, scope: null }, holdings, union(live(holdings)), ver);
}

/**
 * Lake Formation was read back and holds exactly the desired filter, on a table that was made then. The first proof tells
 * which table was approved: one made later under its name is another one, until everything on it has ended.
 */
export function settled(state: Entitlement, made: string | null): Entitlement {
	const proven = state.filter.desired !== null;
	return {
		...state,
		holdings: state.holdings
			.filter((h) => h.ended === null || h.ended === 'suspended')
			.map((h) => ({ ...h, proven: proven && h.ended === null })),
		filter: { desired: state.filter.desired, retiring: [] },
		step: 'settled',
		made: proven ? (state.made ?? made) : null,
	};
}

function retarget(state: Entitlement, holdings: readonly Holding[], scope: Scope | null, ver: number): Entitlement {
	const { desired, retiring } = state.filter;
	if (scope !== null && state.scope !== null && state.step === 'settled' && sameScope(scope, state.scope)) {
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

/** Why a holding opens nothing at `now`, or null while it is in force. The clock alone ends it: no sweep is needed. */
export function shut(state: Entitlement, holding: Holding, now: Date): Code | null {
	if (holding.ended === 'revoked') return 'grant-revoked';
	if (holding.ended === 'suspended') return 'grant-suspended';
	if (holding.ended === 'expired' || now.toISOString() >= holding.until) return 'grant-expired';
	if (!holding.proven || state.step === 'replacing' || now.toISOString() < holding.from) return 'grant-not-proven';
	return null;
}

/** Steps towards Lake Formation, by their names in the ledger. */
export type Step =
	| {
			readonly do: 'filter' | 'permission' | 'link' | 'describe' | 'read-back';
			readonly filter: string;
			readonly scope: Scope;
	  }
	| { readonly do: 'retire'; readonly filters: readonly string[] };

/** The version that a filter's name says it was made for. */
export const versionOf = (filter: string) => Number(filter.slice(filter.lastIndexOf('_') + 1));

/**
 * What Lake Formation still needs, in order. `standing` are our filters found on the table; one made for a version
 * after `ver` belongs to a newer state and is not ours to touch. `linked`: the principal's account sees the table
 * through a resource link.
 */
export function plan(state: Entitlement, ver: number, standing: readonly string[], linked: boolean): Step[] {
	const { desired, retiring } = state.filter;
	const earlier = standing.filter((f) => versionOf(f) <= ver);
	const old = [...new Set([...retiring, ...earlier])].filter((f) => f !== desired);
	const retire: Step[] = old.length === 0 ? [] : [{ do: 'retire', filters: old }];
	if (desired === null || state.scope === null) return retire;
	const scope = state.scope;
	const way = linked ? (['link', 'describe'] as const) : [];
	const build = (['filter', 'permission', ...way, 'read-back'] as const).map(
		(verb): Step => ({ do: verb, filter: desired, scope }),
	);
	return state.step === 'replacing' ? [...retire, ...build] : [...build, ...retire];
}
