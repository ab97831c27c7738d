/**
 * Lake Formation brought to what is recorded: ordered, idempotent steps, each read back. Killed at any await, the same
 * call run again finishes it; the sweep does that.
 */
import pRetry from 'p-retry';
import * as Catalog from '../catalog.ts';
import { type Context, SYSTEM } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as LF from '../lakeformation.ts';
import * as Ledger from '../ledger.ts';
import * as Preflight from '../preflight.ts';
import type { Personal, Scope } from '../scope.ts';
import { type Entitlement, filterPrefix, plan, settled } from './entitlement.ts';
import { doubt, draft, type Held, held, isConflict, RACES } from './held.ts';
import { describeLink, type Holds, linkOf, linkStands, makeLink, releaseLink } from './link.ts';

type TableRef = Ledger.TableRef;

/** Tells how far a table got, for who records what is missing. */
export type Progress = (step: Ledger.GrantStep) => void;

/**
 * Brings Lake Formation to the entitlement as recorded and reads it back. Returns the settled state. Whoever recorded
 * the newest version does the work; others wait for it, and take it over once it has had its time. A process that was
 * overtaken takes its own stale filter away and waits likewise.
 */
export async function settle(ctx: Context, of: Of, personal: Personal, at: Progress = () => {}): Promise<Held | null> {
	for (let tries = 0; tries < RACES; tries += 1) {
		at('entitlement');
		const now = await turn(ctx, of);
		if (now === null) return null;
		if (now.state.step === 'settled') {
			await dropStrays(ctx, now);
			return now;
		}
		try {
			const made = await apply(ctx, now, at);
			const state = settled(now.state, made);
			if (state.filter.desired === null) await release(ctx, of);
			const recorded = await Ledger.append(ctx, draft(ctx, state, now.recorded, personal));
			return { state, recorded: Ledger.as(recorded, 'EntitlementChanged') };
		} catch (error) {
			await dropOurs(ctx, now);
			if (await isNewest(ctx, now)) throw error;
		}
	}
	throw new BrokerError('conflict', 'The entitlement keeps changing; the sweep will finish it.');
}

type Of = { readonly principal: string; readonly table: TableRef };

/** How long the writer of a version has to settle it before another caller does. */
const PATIENCE_MS = 5000;

/** The entitlement once it is settled or ours to settle. The sweep waits for nobody: doing it twice changes nothing. */
async function turn(ctx: Context, { principal, table }: Of): Promise<Held | null> {
	const look = async () => {
		const now = await held(ctx, principal, table);
		if (now === null || now.state.step === 'settled' || ctx.caller.subject === SYSTEM) return now;
		const { trace, at } = now.recorded.entry;
		const age = ctx.clock().getTime() - Date.parse(at);
		const theirs = trace !== ctx.trace && Math.abs(age) < PATIENCE_MS;
		if (theirs) throw new BrokerError('conflict', 'Another call is bringing this entitlement to Lake Formation.');
		return now;
	};
	const { retryMs } = ctx.config;
	const pauses = { minTimeout: 5 * retryMs, maxTimeout: 25 * retryMs, factor: 1.5, randomize: true };
	return pRetry(look, { ...pauses, retries: RACES, shouldRetry: ({ error }) => isConflict(error) });
}

async function isNewest(ctx: Context, { state, recorded }: Held): Promise<boolean> {
	return (await held(ctx, state.principal, state.table))?.recorded.ver === recorded.ver;
}

async function mustBeNewest(ctx: Context, now: Held): Promise<void> {
	if (!(await isNewest(ctx, now))) throw new BrokerError('conflict', 'The entitlement changed meanwhile.');
}

/** Nothing is held any more: the way to it is not needed. What cannot be cleared now, the sweep clears. */
async function release(ctx: Context, { principal, table }: Of): Promise<void> {
	try {
		await releaseLink(ctx, principal, table, holdsOf(ctx));
	} catch (error) {
		ctx.warn('grants: a resource link is left to the sweep', error);
	}
}

export const holdsOf =
	(ctx: Context): Holds =>
	async (principal, table) =>
		(await held(ctx, principal, table))?.state.scope != null;

/**
 * A process that was overtaken takes away the filter it made for a state that is no longer wanted; one that the newer
 * state still has to retire may be all that stands, and goes when that state is settled.
 */
async function dropOurs(ctx: Context, { state }: Held): Promise<void> {
	const newer = (await held(ctx, state.principal, state.table))?.state.filter;
	const ours = state.filter.desired;
	if (ours === null || newer?.desired === ours || newer?.retiring.includes(ours) === true) return;
	await retire(ctx, state.table, [ours], state.principal);
}

/** Takes away what stands of ours beyond a settled state, the way to it too; what is not settled is somebody's work. */
export async function sweepStrays(ctx: Context, principal: string, table: TableRef): Promise<void> {
	const now = await held(ctx, principal, table);
	if (now?.state.step !== 'settled') return;
	await dropStrays(ctx, now);
	if (now.state.filter.desired === null) await releaseLink(ctx, principal, table, holdsOf(ctx));
}

/** What an overtaken process left and could not take away itself. */
async function dropStrays(ctx: Context, { state, recorded }: Held): Promise<void> {
	const standing = await ourFilters(ctx, state);
	for (const step of plan(state, recorded.ver, standing, false)) {
		if (step.do === 'retire') await retire(ctx, state.table, step.filters, state.principal);
	}
}

async function ourFilters(ctx: Context, { principal, table }: Entitlement): Promise<string[]> {
	return (await LF.filtersOn(ctx, table, filterPrefix(principal, table))).map(({ name }) => name);
}

/** Returns when the table was made, as Glue says it of the one that the filter was proven on. */
async function apply(ctx: Context, now: Held, at: Progress): Promise<string | null> {
	const { state, recorded } = now;
	const { principal, table } = state;
	at('retire');
	const standing = await ourFilters(ctx, state);
	const linked = linkOf(principal, table) !== null;
	let made = state.made;
	for (const step of plan(state, recorded.ver, standing, linked)) {
		at(step.do);
		// Once a newer version is settled nobody looks for what an older one makes after that.
		if (step.do === 'filter' || step.do === 'permission') await mustBeNewest(ctx, now);
		if (step.do === 'retire') await retire(ctx, table, step.filters, principal);
		else if (step.do === 'filter') await LF.createFilter(ctx, { table, name: step.filter }, step.scope);
		else if (step.do === 'permission') await LF.grantAll(ctx, seatOf(table), [selectOn(principal, table, step.filter)]);
		else if (step.do === 'link') await makeLink(ctx, principal, table);
		else if (step.do === 'describe') await describeLink(ctx, principal, table);
		else {
			await prove(ctx, { table, name: step.filter }, step.scope, principal);
			made = (await Catalog.glueTable(ctx, table))?.made ?? null;
		}
	}
	return made;
}

const seatOf = (table: TableRef): LF.Seat => ({ account: table.account, as: 'grantor' });

function selectOn(principal: string, table: TableRef, name: string): LF.Wanted {
	return { principal, on: { kind: 'filter', table, name }, permissions: ['SELECT'] };
}

/** Returns once the read-back shows the filter as it must be, SELECT on it for the principal, and the way to it. */
async function prove(ctx: Context, filter: LF.FilterRef, scope: Scope, principal: string): Promise<void> {
	await LF.until(ctx, async () => {
		const found = await LF.readFilter(ctx, filter);
		if (found === null || !LF.opens(found, scope)) return false;
		const rights = await LF.rightsOnFilter(ctx, filter.table, filter.name);
		const granted = rights.some((r) => r.principal === principal && r.permissions.includes('SELECT'));
		return granted && (await linkStands(ctx, principal, filter.table));
	});
}

/**
 * Revokes everything on the filters, proves it gone, deletes them, proves that gone. Of names that were recorded and are
 * not listed, a process that was overtaken may still have made one: the principal's right is revoked blindly, too.
 */
export async function retire(
	ctx: Context,
	table: TableRef,
	names: readonly string[],
	principal: string | null = null,
): Promise<void> {
	const listed = (await LF.filtersOn(ctx, table, '')).map(({ name }) => name).filter((name) => names.includes(name));
	const rights = async () => (await Promise.all(listed.map((name) => LF.rightsOnFilter(ctx, table, name)))).flat();
	const blind = names.filter((name) => principal !== null && !listed.includes(name));
	const unlisted = blind.map((name) => selectOn(principal ?? '', table, name));
	await LF.revokeAll(ctx, seatOf(table), [...(await rights()), ...unlisted]);
	await LF.until(ctx, async () => (await rights()).length === 0);
	await LF.deleteFilters(ctx, table, names);
}

/**
 * Brings Lake Formation back to what is recorded: `again` makes what is missing, `anew` replaces a filter whose content
 * is not to be trusted. Nothing is open at our gate until it is proven, and nothing is granted that could not be granted
 * anew: throws what {@link Preflight.demand} throws.
 */
export async function restore(ctx: Context, principal: string, table: TableRef, how: 'again' | 'anew'): Promise<void> {
	const found = await held(ctx, principal, table);
	if (found === null) return;
	const { product } = found.state;
	const personal = (await Catalog.personalColumns(ctx, product))(table);
	const { scope } = await doubt(ctx, found, how, personal).then((doubted) => doubted.state);
	if (scope !== null) await Preflight.demand(ctx, table, { principal, scope });
	await settle(ctx, { principal, table }, personal);
}
