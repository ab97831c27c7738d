/**
 * Grants: an approved request in force, from opening to proven end.
 *
 * Promise: `granted` is recorded only after Lake Formation was read back and shows it, `revoked` and `expired` only
 * after it shows it gone. A revoked grant opens nothing from the moment `end` returns; an expired one from its minute
 * on, whatever the sweep does.
 */
import type { Context } from './context.ts';
import { BrokerError } from './error.ts';
import {
	end,
	isInForce,
	narrow as narrowed,
	resume as resumed,
	suspend as suspended,
	wrongState,
} from './grants/ending.ts';
import { type Grant, get, isOver, leftBy } from './grants/grant.ts';
import { holdersOf, liftedBy, officeFor } from './grants/holds.ts';
import { depart, type GrantLeave } from './grants/leaving.ts';
import { advance, feasible, finish } from './grants/life.ts';
import * as Link from './grants/link.ts';
import { lookedAt, resourceOf } from './grants/resource.ts';
import { holdsOf, retire } from './grants/settle.ts';
import type * as Ledger from './ledger.ts';
import { authorize, may, notFound, type Permit, permits } from './policy.ts';
import type { Scope } from './scope.ts';

export {
	beside,
	CellsView,
	Clash,
	clash,
	clashAmong,
	gathering,
	liveHoldings,
	type Reading,
	readingOf,
	type Sight,
	sightOf,
} from './grants/beside.ts';
export { BreakGlassView, type Taken, takenIn, verdicts, viewOfTaken } from './grants/breakglass.ts';
export { filterPrefix, type Holding, versionOf } from './grants/entitlement.ts';
export { type Gate, gate } from './grants/gate.ts';
export { type Grant, GrantState, GrantView, get, isOver, scopeView, TableScopeView, viewOf } from './grants/grant.ts';
export { type Standing, standing } from './grants/held.ts';
export { GrantLeave } from './grants/leaving.ts';
export { advance, feasible, type Opening, open, tidy } from './grants/life.ts';
export { linkOf, linkStands } from './grants/link.ts';
export { resourceOf } from './grants/resource.ts';
export { restore, sweepStrays } from './grants/settle.ts';
export { shorten } from './grants/shortening.ts';
export { isHeldBack } from './grants/superseding.ts';

/** The grant with this id, if the caller may see it. Throws `not-found` alike for absent and hidden ones. */
export async function find(ctx: Context, id: string): Promise<Grant> {
	const grant = await get(ctx, id);
	if (grant === null || !(await isVisible(ctx, grant))) throw notFound();
	return grant;
}

export async function isVisible(ctx: Context, grant: Grant): Promise<boolean> {
	return may(ctx, 'viewGrant', await lookedAt(ctx, grant));
}

/** Ends a grant for the caller: refused at our gate first, then taken out of Lake Formation as far as it will go now. */
export async function revoke(ctx: Context, id: string, reason: string): Promise<Grant> {
	const grant = await find(ctx, id);
	const permit = authorize(ctx, 'revokeGrant', await resourceOf(ctx, grant));
	return finish(ctx, await end(ctx, permit, grant, 'revoked', reason));
}

/** Ends what was taken in an emergency without need, as whoever reviewed it found. */
export async function endUnjustified(ctx: Context, permit: Permit<'reviewBreakGlass'>, grant: Grant): Promise<Grant> {
	return finish(ctx, await end(ctx, permit, grant, 'revoked'));
}

/**
 * Gives up the caller's part of a grant, in all his guises; whoever is the last one ends it. One guise may do so for
 * another, which it may not see to benefit. Throws `not-found` for whoever left and sees no more of it, else `conflict`.
 */
export async function leave(ctx: Context, id: string): Promise<GrantLeave> {
	const grant = await find(ctx, id);
	const resource = await resourceOf(ctx, grant);
	const gone = leftBy(grant.entries).includes(ctx.caller.person ?? '');
	if (gone && permits(ctx, 'leaveGrant', resource) === null) {
		throw new BrokerError('conflict', 'You have left this grant already.', { state: grant.state });
	}
	const permit = authorize(ctx, 'leaveGrant', resource);
	const { persons, grant: now, ended } = await depart(ctx, permit, grant);
	const { state } = ended === null ? now : await finish(ctx, ended);
	return { grant: id, left: [...persons], state };
}

/** Ends a grant whose time is over; nobody's leave is needed for that. */
export async function expire(ctx: Context, grant: Grant): Promise<Grant> {
	return finish(ctx, await end(ctx, null, grant, 'expired'));
}

/** Holds a grant back for the caller: refused at our gate first, then taken out of Lake Formation. */
export async function suspend(ctx: Context, id: string, reason: string): Promise<Grant> {
	const grant = await find(ctx, id);
	const permit = authorize(ctx, 'suspendGrant', await resourceOf(ctx, grant));
	const { productDomain } = grant.opened.body;
	const by = officeFor(ctx.caller, productDomain);
	return finish(ctx, await suspended(ctx, permit, grant, by, reason));
}

/** Holds back what Fairlead itself found not to be what was approved. One that is over or held back already is left. */
export async function holdBack(
	ctx: Context,
	id: string,
	cause: Ledger.BodyOf<'GrantSuspending'>['cause'],
): Promise<Grant | null> {
	const grant = await get(ctx, id);
	if (grant === null || !isInForce(grant)) return grant;
	return finish(ctx, await suspended(ctx, null, grant, cause));
}

/**
 * Shuts at our gate what could not be granted like this any more, and says why; the sweep takes it out of Lake Formation.
 * One that is held back already is so for this, too. Whether that is news; not of one that is over.
 */
export async function overtake(
	ctx: Context,
	grant: Grant,
	cause: 'contract' | 'domain',
	effects: Ledger.GrantEffect[],
): Promise<boolean> {
	if (isOver(grant)) return false;
	const now = await suspended(ctx, null, grant, cause, undefined, effects);
	return now.grant !== grant;
}

/**
 * Takes a suspended grant up again, if it could be granted now; `stands` throws where its ground is gone. Where another
 * office holds it back, too, or Fairlead itself, the caller's own hold is lifted, and it stays suspended.
 */
export async function resume(
	ctx: Context,
	id: string,
	reason: string,
	stands: (grant: Grant) => Promise<void>,
): Promise<Grant> {
	const grant = await find(ctx, id);
	const permit = await mayResume(ctx, grant);
	if (grant.state !== 'suspended') throw wrongState(grant);
	const { offices, opens } = liftedBy(ctx.caller, grant.opened.body.productDomain, grant.entries);
	if (opens) {
		await stands(grant);
		await feasible(ctx, grant.opened.body.principal, grant.scopes, id);
	}
	const now = await resumed(ctx, permit, grant, reason, opens ? null : offices);
	// Somebody may hold it back from now on, too: it is asked anew who may lift that.
	if (now === null) return resume(ctx, id, reason, stands);
	return opens ? advance(ctx, id) : now;
}

/** A refusal says who holds the grant back: whoever may see it sees that in it, too. */
async function mayResume(ctx: Context, grant: Grant): Promise<Permit<'resumeGrant'>> {
	const resource = await resourceOf(ctx, grant);
	try {
		return authorize(ctx, 'resumeGrant', resource);
	} catch (error) {
		const heldBy = holdersOf(grant.entries);
		if (!(error instanceof BrokerError) || error.code !== 'not-permitted' || heldBy.length === 0) throw error;
		const detail = `${error.message} It is held back by: ${heldBy.join(', ')}.`;
		throw new BrokerError(error.code, detail, { ...error.extensions, heldBy }, { cause: error });
	}
}

/** Makes a grant open these scopes in place of what it opens on their tables now; they are certainly among that. */
export async function narrow(
	ctx: Context,
	id: string,
	scopes: (grant: Grant) => Promise<readonly (Scope & { readonly table: Ledger.TableRef })[]>,
	reason: string,
): Promise<Grant> {
	const grant = await find(ctx, id);
	const permit = authorize(ctx, 'narrowGrant', await resourceOf(ctx, grant));
	if (grant.state !== 'granted' && grant.state !== 'partial') throw wrongState(grant);
	const less = await scopes(grant);
	await feasible(ctx, grant.opened.body.principal, less, id);
	await narrowed(ctx, permit, grant, less, reason);
	return advance(ctx, id);
}

/** Takes one of our filters out of Lake Formation: everything granted on it, then itself. */
export async function dropFilter(ctx: Context, filter: { table: Ledger.TableRef; name: string }): Promise<void> {
	await retire(ctx, filter.table, [filter.name]);
}

/** Takes away the resource links of ours in a consuming account that nobody needs; returns their names. */
export async function tidyLinks(ctx: Context, account: string): Promise<string[]> {
	return Link.tidyLinks(ctx, account, holdsOf(ctx));
}
