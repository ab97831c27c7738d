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
import { concealer, recall, type Scope } from '../scope.ts';
import { admit, type Entitlement, end, filterPrefix, type Holding, plan, settled } from './entitlement.ts';
import { createFilter, filtersOn, grantSelect, prove, retire } from './lakeformation.ts';

type TableRef = Ledger.TableRef;
type Change = (state: Entitlement, ver: number) => Entitlement;
export type Held = { readonly state: Entitlement; readonly recorded: Ledger.Recorded<'EntitlementChanged'> };

/** Columns whose constants must not stand in the ledger, by table: decided when the grant is opened. */
export type Personal = (table: TableRef) => ReadonlySet<string>;

/** The entitlement as last recorded, or null. One consistent read; throws `record-corrupt` when it cannot be read. */
export async function held(
	ctx: Pick<Context, 'aws' | 'config'>,
	principal: string,
	table: TableRef,
): Promise<Held | null> {
	const recorded = await Ledger.last(ctx, Ledger.stream.entitlement(principal, table), 'EntitlementChanged');
	if (recorded === null) return null;
	const pii = await Ledger.payload(ctx, recorded.entry);
	const secrets = (pii?.['rowFilters'] ?? {}) as Record<string, unknown>;
	const scopeOf = (name: string, s: { columns: string[]; rowFilter: unknown }): Scope => ({
		columns: s.columns,
		rowFilter: recall(s.rowFilter, secrets[name]),
	});
	const { grants, scope, ...rest } = recorded.body;
	const holdings = grants.map((g): Holding => ({ ...g, ...scopeOf(g.grant, g) }));
	return { recorded, state: { ...rest, holdings, scope: scope === null ? null : scopeOf('scope', scope) } };
}

/**
 * Commits one change to an entitlement by one conditional insert; a lost race is retried on the new state. `guard`
 * runs after each read: what it reads is no older than the version that the insert follows.
 */
async function commit(
	ctx: Context,
	blank: Entitlement,
	change: Change,
	personal: ReadonlySet<string>,
	guard: () => Promise<void> = async () => {},
): Promise<Held> {
	for (let tries = 0; ; tries += 1) {
		const before = await held(ctx, blank.principal, blank.table);
		await guard();
		const ver = (before?.recorded.ver ?? 0) + 1;
		const state = change(before?.state ?? blank, ver);
		if (before !== null && state === before.state) return before;
		try {
			const recorded = await Ledger.append(ctx, draft(ctx, state, before?.recorded ?? null, personal));
			return { state, recorded: Ledger.as(recorded, 'EntitlementChanged') };
		} catch (error) {
			if (!(error instanceof BrokerError) || error.code !== 'conflict' || tries >= 20) throw error;
		}
	}
}

function draft(
	ctx: Context,
	state: Entitlement,
	after: Ledger.Recorded | null,
	personal: ReadonlySet<string>,
): Ledger.Draft {
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
 * Puts a grant's holding into the entitlement. Throws `union-not-exact`, naming the grants in the way; `guard` throws
 * when the grant is no longer wanted.
 */
export async function enter(
	ctx: Context,
	of: { principal: string; product: string; table: TableRef },
	holding: Holding,
	personal: ReadonlySet<string>,
	guard: () => Promise<void>,
): Promise<Held> {
	return commit(
		ctx,
		blank(of),
		(state, ver) => {
			const next = admit(withoutLapsed(state, ctx.now, ver), holding, ver);
			if (next === null) throw inexact(of, state);
			return next;
		},
		personal,
		guard,
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

export function inexact(of: { principal: string; table: TableRef }, state: Entitlement): BrokerError {
	const name = `${of.table.database}.${of.table.table}`;
	return new BrokerError(
		'union-not-exact',
		`On ${name} this principal already holds other cells; together they would open cells that nobody approved. ` +
			'Ask for the same columns or the same rows, give the earlier grant back first, or use another principal.',
		{ grants: state.holdings.filter((h) => h.ended === null).map((h) => h.grant), table: name },
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
	personal: ReadonlySet<string>,
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
	personal: ReadonlySet<string>,
): Promise<Held | null> {
	for (let tries = 0; tries < 20; tries += 1) {
		const now = await held(ctx, of.principal, of.table);
		if (now === null || now.state.step === 'settled') return now;
		await apply(ctx, now);
		const fresh = { ...ctx, now: ctx.clock() };
		try {
			const recorded = await Ledger.append(fresh, draft(fresh, settled(now.state), now.recorded, personal));
			return { state: settled(now.state), recorded: Ledger.as(recorded, 'EntitlementChanged') };
		} catch (error) {
			if (!(error instanceof BrokerError) || error.code !== 'conflict') throw error;
			const newer = await held(ctx, of.principal, of.table);
			const ours = now.state.filter.desired;
			if (ours !== null && newer?.state.filter.desired !== ours) await retire(ctx, { table: of.table, name: ours });
		}
	}
	throw new BrokerError('conflict', 'The entitlement keeps changing; the sweep will finish it.');
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
