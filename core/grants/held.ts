/**
 * What a principal holds on a table, as the ledger has it: read by one consistent read, changed by one conditional
 * insert. The entitlement's stream is the lock: of writers that race, one wins and the others run again on its outcome.
 */
import { setTimeout } from 'node:timers/promises';
import pRetry from 'p-retry';
import { actorOf, type Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { concealer, type Personal, recall, type Scope } from '../scope.ts';
import {
	admit,
	confine,
	curtail,
	type Ending,
	type Entitlement,
	end,
	forget,
	type Holding,
	keep,
	reopen,
} from './entitlement.ts';
import { linkOf } from './link.ts';

type TableRef = Ledger.TableRef;
/** Kept free when a grant enters, so that ending it always fits into an entry. */
const ROOM_TO_END = 8 * 1024;

type Change = (state: Entitlement, ver: number) => Entitlement;
export type Held = { readonly state: Entitlement; readonly recorded: Ledger.Recorded<'EntitlementChanged'> };

/**
 * The entitlement as last recorded, or null; one consistent read. A grant whose filter was erased is not in it, and what
 * carried it is to be retired. Throws `record-corrupt` when the entry itself cannot be read.
 */
export async function held(
	ctx: Pick<Context, 'aws' | 'config'>,
	principal: string,
	table: TableRef,
): Promise<Held | null> {
	const recorded = await Ledger.last(ctx, Ledger.stream.entitlement(principal, table), 'EntitlementChanged');
	if (recorded === null) return null;
	const pii = await Ledger.payload(ctx, recorded.entry);
	const secrets = (pii?.['rowFilters'] ?? {}) as Record<string, unknown>;
	const { grants, scope, ...rest } = recorded.body;
	const read = grants.map((g) => ({ grant: g, scope: recall(g, secrets[g.grant]) }));
	const whole = scope === null ? null : recall(scope, secrets['scope']);
	const holdings = read.map((r): Holding => ({ ...r.grant, rowFilter: r.scope.rowFilter }));
	const state = { ...rest, holdings, scope: whole };
	const lost = new Set(read.filter((r) => !r.scope.readable).map((r) => r.grant.grant));
	return { recorded, state: lost.size === 0 ? state : forget(state, lost, recorded.ver + 1) };
}

/**
 * Commits one change to an entitlement by one conditional insert; a lost race is run again on the new state, after a
 * pause. `guard` runs after each read: what it reads is no older than the version that the insert follows.
 */
async function commit(
	ctx: Context,
	blank: Entitlement,
	change: Change,
	personal: Personal,
	admission: { guard: () => Promise<void>; reserve: number } = { guard: async () => {}, reserve: 0 },
): Promise<Held> {
	const once = async (attempt: number) => {
		const before = await held(ctx, blank.principal, blank.table);
		await admission.guard();
		const ver = (before?.recorded.ver ?? 0) + 1;
		const state = change(before?.state ?? blank, ver);
		if (before !== null && state === before.state) return before;
		const recorded = await Ledger.append(ctx, {
			...draft(ctx, state, before?.recorded ?? null, personal),
			reserve: admission.reserve,
		});
		// Others are writing, too: whoever is last brings it all to Lake Formation at once.
		if (attempt > 1) await setTimeout(LINGER * ctx.config.retryMs);
		return { state, recorded: Ledger.as(recorded, 'EntitlementChanged') };
	};
	return pRetry(once, { ...pauses(ctx), retries: RACES, shouldRetry: ({ error }) => isConflict(error) });
}

/** Pauses of `config.retryMs` after a race, for those that lost it to catch up. */
const LINGER = 5;
/** As many writers as may race for one entitlement, and some more. */
export const RACES = 100;
const pauses = ({ config }: Context) => ({
	minTimeout: config.retryMs / 2,
	maxTimeout: 10 * config.retryMs,
	factor: 1.5,
	randomize: true,
});

export const isConflict = (error: unknown) => error instanceof BrokerError && error.code === 'conflict';

export function draft(
	ctx: Context,
	state: Entitlement,
	after: Ledger.Recorded | null,
	personal: Personal,
): Ledger.Draft {
	const hide = concealer(ctx.random(16));
	const { principal, product, table, filter, step, made } = state;
	const body: Ledger.BodyOf<'EntitlementChanged'> = {
		type: 'EntitlementChanged',
		principal,
		product,
		table,
		grants: state.holdings.map((h) => ({
			...h,
			beneficiaries: [...h.beneficiaries],
			...hide.store(h.grant, h, personal),
		})),
		scope: state.scope === null ? null : hide.store('scope', state.scope, personal),
		filter: { desired: filter.desired, retiring: [...filter.retiring] },
		step,
		made,
	};
	const stream = Ledger.stream.entitlement(principal, table);
	return { stream, after, actor: actorOf(ctx), body, ...hide.pii() };
}

/**
 * Puts a grant's holding into the entitlement. Throws `union-not-exact`; `guard` throws when the grant is no longer
 * wanted.
 */
export async function enter(
	ctx: Context,
	of: Of,
	holding: Holding,
	personal: Personal,
	guard: () => Promise<void>,
): Promise<Held> {
	return commit(
		ctx,
		blank(of),
		(state, ver) => {
			const next = admit(withoutLapsed(state, ctx.now, ver), holding, ver);
			if (next === null) throw inexact(of);
			return next;
		},
		personal,
		{ guard, reserve: ROOM_TO_END },
	);
}

const blank = (of: Of): Entitlement => ({
	...of,
	holdings: [],
	scope: null,
	filter: { desired: null, retiring: [] },
	step: 'settled',
	made: null,
});

/** Grants past their end no longer count in a union, swept or not. */
export function withoutLapsed(state: Entitlement, now: Date, ver: number): Entitlement {
	const lapsed = state.holdings.filter((h) => h.ended === null && h.until <= now.toISOString());
	return lapsed.reduce((s, h) => end(s, h.grant, 'expired', ver), state);
}

/** `told`: what is known of the cells and of the ways out. */
export function inexact(of: { table: TableRef }, told: Readonly<Record<string, unknown>> = {}): BrokerError {
	const name = `${of.table.database}.${of.table.table}`;
	return new BrokerError(
		'union-not-exact',
		`On ${name} this principal already holds other cells. Lake Formation has one filter for them all, which would open ` +
			'cells that nobody approved, now or once one of the grants has ended: see `unapproved`, and `waysOut` for what to do.',
		{ table: name, ...told },
	);
}

/**
 * Shuts a grant on one table at our gate, by one insert, always: also where nothing changes, for its opening may be under
 * way elsewhere. The new version makes that opening's insert fail, and its guard then sees the end.
 */
export async function leave(ctx: Context, of: Of, grant: string, cause: Ending, personal: Personal): Promise<Held> {
	const change: Change = (state, ver) => {
		const next = end(state, grant, cause, ver);
		return next === state ? { ...state } : next;
	};
	return commit(ctx, blank(of), change, personal);
}

/** Shuts a grant on one table at our gate for whoever is not among `stay`; as {@link leave}, by one insert, always. */
export async function keepOnly(
	ctx: Context,
	of: Of,
	grant: string,
	stay: readonly string[],
	personal: Personal,
): Promise<Held> {
	return commit(ctx, blank(of), (state) => keep(state, grant, stay), personal);
}

/** Shuts a grant on one table until what is left of it is proven; as {@link leave}, by one insert, always. */
export async function makeLess(
	ctx: Context,
	of: Of,
	to: { readonly grant: string; readonly scope: Scope },
	personal: Personal,
	guard: () => Promise<void>,
): Promise<Held> {
	const change: Change = (state, ver) => {
		const next = confine(state, to.grant, to.scope, ver);
		return next === state ? { ...state } : next;
	};
	try {
		return await commit(ctx, blank(of), change, personal, { guard, reserve: 0 });
	} catch (error) {
		// Less may take more words. Held back, it takes no more than it did.
		if (!(error instanceof BrokerError) || error.code !== 'too-large') throw error;
		return leave(ctx, of, to.grant, 'suspended', personal);
	}
}

/**
 * Lets a grant end sooner on one table, by one insert, always: whoever is opening it elsewhere meets a newer version, and
 * reads the grant again.
 */
export async function endSooner(
	ctx: Context,
	of: Of,
	to: { readonly grant: string; readonly until: string },
	personal: Personal,
): Promise<Held> {
	return commit(ctx, blank(of), (state) => curtail(state, to.grant, to.until), personal);
}

/** Throws `quota-exceeded` where the grant would not fit into the record beside the others. Writes nothing. */
export function mustFit(ctx: Context, of: Of, before: Held | null, holding: Holding, personal: Personal): void {
	const ver = (before?.recorded.ver ?? 0) + 1;
	const next = admit(withoutLapsed(before?.state ?? blank(of), ctx.now, ver), holding, ver);
	if (next === null) return;
	if (Ledger.fits({ ...draft(ctx, next, before?.recorded ?? null, personal), reserve: ROOM_TO_END })) return;
	throw new BrokerError(
		'quota-exceeded',
		`On ${of.table.database}.${of.table.table} this principal holds as much as one record takes. ` +
			'Ask with fewer columns, a shorter row filter or fewer beneficiaries, or for another principal.',
	);
}

export type Of = { readonly principal: string; readonly product: string; readonly table: TableRef };

/** Records that everything on the table must be proven again; see {@link reopen}. */
export async function doubt(ctx: Context, { state }: Held, how: 'again' | 'anew', personal: Personal): Promise<Held> {
	return commit(ctx, blank(state), (now, ver) => reopen(now, how, ver), personal);
}

/** What is recorded of an entitlement: what should stand, and under which names more of ours may still do. */
export type Standing = {
	readonly principal: string;
	readonly product: string;
	readonly table: TableRef;
	readonly ver: number;
	readonly step: Entitlement['step'];
	/** ISO 8601: when this version was recorded. */
	readonly at: string;
	readonly desired: { readonly name: string; readonly scope: Scope } | null;
	readonly retiring: readonly string[];
	/** The resource link that leads to it in the principal's account. */
	readonly link: string | null;
	readonly made: string | null;
	/** Grants that are in it and have not ended. */
	readonly grants: readonly string[];
};

/** One consistent read; null where nothing was ever held. */
export async function standing(ctx: Context, principal: string, table: TableRef): Promise<Standing | null> {
	const found = await held(ctx, principal, table);
	if (found === null) return null;
	const { product, step, filter, scope, holdings, made } = found.state;
	return {
		principal,
		product,
		table,
		ver: found.recorded.ver,
		step,
		at: found.recorded.entry.at,
		desired: filter.desired === null || scope === null ? null : { name: filter.desired, scope },
		retiring: filter.retiring,
		link: linkOf(principal, table),
		made,
		grants: holdings.filter((h) => h.ended === null).map((h) => h.grant),
	};
}
