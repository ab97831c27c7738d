/**
 * Grants: an approved request in force, from opening to proven end.
 *
 * Promise: `granted` is recorded only after Lake Formation was read back and shows it, `revoked` and `expired` only
 * after it shows it gone. A revoked grant opens nothing from the moment `end` returns; an expired one from its minute
 * on, whatever the sweep does.
 */
import * as Catalog from './catalog.ts';
import type { Context } from './context.ts';
import { BrokerError } from './error.ts';
import { type Grant, get } from './grants/grant.ts';
import { advance, end } from './grants/life.ts';
import { authorize, Entity, may, notFound, type Resource } from './policy.ts';

export { type Gate, gate } from './grants/gate.ts';
export { type Grant, GrantState, GrantView, get, scopeView, TableScopeView, viewOf } from './grants/grant.ts';
export { advance, checkUnion, end, type Opening, open, preflight, tidy } from './grants/life.ts';

/** The grant with this id, if the caller may see it. Throws `not-found` alike for absent and hidden ones. */
export async function find(ctx: Context, id: string): Promise<Grant> {
	const grant = await get(ctx, id);
	if (grant === null || !(await isVisible(ctx, grant))) throw notFound();
	return grant;
}

export async function isVisible(ctx: Context, grant: Grant): Promise<boolean> {
	return may(ctx, 'viewGrant', await resourceOf(ctx, grant));
}

/** Ends a grant for the caller: refused at our gate first, then taken out of Lake Formation as far as it will go now. */
export async function revoke(ctx: Context, id: string, reason: string): Promise<Grant> {
	const grant = await find(ctx, id);
	const permit = authorize(ctx, 'revokeGrant', await resourceOf(ctx, grant));
	await end(ctx, permit, grant, 'revoked', reason);
	return advance(ctx, id);
}

async function resourceOf(ctx: Context, grant: Grant): Promise<Resource> {
	const { grant: id, product: productId, consumerDomain, beneficiaries } = grant.opened.body;
	const product = await Catalog.get(ctx, productId);
	if (product === null) throw new BrokerError('record-corrupt', 'A grant names a product without entries.');
	return Entity.grant({ id, product: Catalog.factsOf(product), consumerDomain, beneficiaries }, ctx.config.governance);
}
