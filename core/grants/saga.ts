/**
 * The life of a grant in Lake Formation: ordered, idempotent, recorded steps.
 *
 * Intent is recorded first: the grant's opening (or ending), then one entitlement version per table, which is what the
 * gate reads. Then Lake Formation is brought to it and read back, then the outcome is recorded. Killed at any await,
 * `advance` run again finishes it; the sweep does that.
 */
import { actorOf, type Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { concealer, type Personal, recall } from '../scope.ts';
import { admit, type Entitlement, end, filterPrefix, forget, type Holding, plan, settled } from './entitlement.ts';
import { createFilter, filtersOn, grantSelect, prove, retire } from './lakeformation.ts';

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
 * Commits one change to an entitlement by one conditional insert; a lost race is retried on the new state. `guard`
 * runs after each read: what it reads is no older than the version that the insert follows.
 */
async function commit(
	ctx: Context,
	blank: Entitlement,
	change: Change,
	personal: Personal,
	admission: { guard: () => Promise<void>; reserve: number } = { guard: async () => {}, reserve: 0 },
): Promise<Held> {
	for (let tries = 0; ; tries += 1) {
		const before = await held(ctx, blank.principal, blank.table);
		await admission.guard();
		const ver = (before?.recorded.ver ?? 0) + 1;
		const state = change(before?.state ?? blank, ver);
		if (before !== null && state === before.state) return before;
		try {
			const recorded = await Ledger.append(ctx, {
				...draft(ctx, state, before?.recorded ?? null, personal),
				reserve: admission.reserve,
			});
			return { state, recorded: Ledger.as(recorded, 'EntitlementChanged') };
		} catch (error) {
			if (!(error instanceof BrokerError) || error.code !== 'conflict' || tries >= 20) throw error;
		}
	}
}

function draft(ctx: Context, state: Entitlement, after: Ledger.Recorded | null, personal: Personal): Ledger.Draft {
	const hide = concealer(ctx.random(16));
	const { principal, product, table, filter, step } = state;
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
	of: { principal: string; product: string; table: TableRef },
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

const blank = (of: { principal: string; product: string; table: TableRef }): Entitlement => ({
	...of,
	holdings: [],
	scope: null,
	filter: { desired: null, retiring: [] },
	step: 'settled',
});

/** Grants past their end no longer count in a union, swept or not. */
export function withoutLapsed(state: Entitlement, now: Date, ver: number): Entitlement {
	const lapsed = state.holdings.filter((h) => h.ended === null && h.until <= now.toISOString());
	return lapsed.reduce((s, h) => end(s, h.grant, 'expired', ver), state);
}

export function inexact(of: { table: TableRef }): BrokerError {
	const name = `${of.table.database}.${of.table.table}`;
	return new BrokerError(
		'union-not-exact',
		`On ${name} this principal already holds other cells; together they would open cells that nobody approved. ` +
			'Ask for the same columns or the same rows, give the earlier grant back first, or use another principal.',
		{ table: name },
	);
}

/**
 * Shuts a grant on one table at our gate, by one insert. Also where the entitlement does not list the grant (its
 * opening may be under way elsewhere): the new version makes that opening's insert fail, and its guard then sees the end.
 */
export async function leave(
	ctx: Context,
	of: { principal: string; product: string; table: TableRef },
	grant: string,
	cause: 'revoked' | 'expired',
	personal: Personal,
): Promise<Held> {
	const change: Change = (state, ver) => {
		const listed = state.holdings.some((h) => h.grant === grant);
		return listed ? end(state, grant, cause, ver) : { ...state };
	};
	return commit(ctx, blank(of), change, personal);
}

/**
 * Brings Lake Formation to the entitlement as recorded and reads it back. Returns the settled state. A process that
 * was overtaken meanwhile finds the newer state and goes on from there, taking its own stale filter away.
 */
export async function settle(
	ctx: Context,
	of: { principal: string; table: TableRef },
	personal: Personal,
): Promise<Held | null> {
	for (let tries = 0; tries < 20; tries += 1) {
		const now = await held(ctx, of.principal, of.table);
		if (now === null) return null;
		if (now.state.step === 'settled') {
			await dropStrays(ctx, now);
			return now;
		}
		try {
			await apply(ctx, now);
		} catch (error) {
			await dropOurs(ctx, now);
			throw error;
		}
		try {
			const recorded = await Ledger.append(ctx, draft(ctx, settled(now.state), now.recorded, personal));
			return { state: settled(now.state), recorded: Ledger.as(recorded, 'EntitlementChanged') };
		} catch (error) {
			if (!(error instanceof BrokerError) || error.code !== 'conflict') throw error;
			await dropOurs(ctx, now);
		}
	}
	throw new BrokerError('conflict', 'The entitlement keeps changing; the sweep will finish it.');
}

/** A process that was overtaken takes away the filter it made for a state that is no longer wanted. */
async function dropOurs(ctx: Context, { state }: Held): Promise<void> {
	const newer = await held(ctx, state.principal, state.table);
	const ours = state.filter.desired;
	if (ours !== null && newer?.state.filter.desired !== ours) await retire(ctx, { table: state.table, name: ours });
}

/** What an overtaken process left and could not take away itself. */
async function dropStrays(ctx: Context, { state, recorded }: Held): Promise<void> {
	const standing = await filtersOn(ctx, state.table, filterPrefix(state.principal, state.table));
	for (const step of plan(state, recorded.ver, standing)) {
		if (step.do === 'retire') await retire(ctx, { table: state.table, name: step.filter });
	}
}

async function apply(ctx: Context, { state, recorded }: Held): Promise<void> {
	const { principal, table } = state;
	const standing = await filtersOn(ctx, table, filterPrefix(principal, table));
	for (const step of plan(state, recorded.ver, standing)) {
		const filter = { table, name: step.filter };
		if (step.do === 'retire') await retire(ctx, filter);
		else if (step.do === 'create') await createFilter(ctx, filter, step.scope);
		else if (step.do === 'grant') await grantSelect(ctx, filter, principal);
		else await prove(ctx, filter, step.scope, principal);
	}
}
