/**
 * Giving up one's part of a grant that others share: recorded first, then shut at our gate for whoever left, so that he is
 * refused from the moment on that the call returns. The others keep theirs: what the principal holds stays as it is, and
 * Lake Formation is not asked for anything. One person leaves in all his guises at once; of the last one it is the end.
 *
 * A crash in between leaves the grant among those that the sweep goes on with: it compares, and shuts. Nothing puts him
 * back: a holding is made of who benefits now, and whoever was making one when he left meets a newer version and is told.
 */
import * as z from 'zod';
import * as Catalog from '../catalog.ts';
import { actorOf, type Context } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import { idOf } from '../id.ts';
import type * as Ledger from '../ledger.ts';
import type { Permit } from '../policy.ts';
import type { Personal } from '../scope.ts';
import { again, each, intend, type Shut, shut, wrongState } from './ending.ts';
import { type Grant, GrantState, leftBy } from './grant.ts';
import { held, keepOnly } from './held.ts';
import { settle } from './settle.ts';

export const GrantLeave = z
	.object({
		grant: idOf('grant'),
		left: z.array(idOf('person')).meta({ description: 'You, under each pseudonym that benefited' }),
		state: GrantState.meta({ description: 'Of the grant: it goes on for others, or ends with the last one' }),
	})
	.meta({ id: 'GrantLeave' });
export type GrantLeave = z.infer<typeof GrantLeave>;

/** Who left, and the grant: ended where nobody else benefits. */
export type Left = { readonly persons: readonly string[]; readonly grant: Grant; readonly ended: Shut | null };

/** Throws `conflict` for a grant that is over. */
export async function depart(ctx: Context, permit: Permit<'leaveGrant'>, grant: Grant): Promise<Left> {
	const { grant: id } = grant.opened.body;
	if (grant.entries.some((e) => e.body.type === 'GrantEnding')) throw wrongState(grant);
	if (grant.until <= ctx.now.toISOString())
		throw new BrokerError('conflict', 'The grant is over.', { state: grant.state });
	const persons = await guisesIn(ctx, grant.beneficiaries);
	// He left by another call meanwhile.
	if (persons.length === 0) return { persons, grant, ended: null };
	if (persons.length === grant.beneficiaries.length) {
		// One entry says both: that it ends, and that this is because he left.
		const ending = { type: 'GrantEnding' as const, grant: id, cause: 'revoked' as const, rules: permit.rules, persons };
		const last = await intend(ctx, grant, ending, undefined);
		if (last === null) return depart(ctx, permit, await again(ctx, id));
		await shut(ctx, last, 'revoked');
		return { persons, grant: last, ended: { grant: last, shut: true } };
	}
	const now = await intend(ctx, grant, { type: 'GrantLeft', grant: id, persons, rules: permit.rules }, undefined);
	if (now === null) return depart(ctx, permit, await again(ctx, id));
	await dropLeft(ctx, now, true);
	return { persons, grant: now, ended: null };
}

/** Those of these who are the caller. */
async function guisesIn(ctx: Context, beneficiaries: readonly string[]): Promise<string[]> {
	const self = ctx.caller.of ?? actorOf(ctx);
	const selves = await Domains.selvesOf(ctx, beneficiaries);
	return beneficiaries.filter((_, i) => selves[i] === self);
}

/** Shuts the grant for whoever left it, on every table where that was not done; `always`: also where it was. */
export async function dropLeft(ctx: Context, grant: Grant, always = false): Promise<void> {
	if (leftBy(grant.entries).length === 0) return;
	const { principal, product } = grant.opened.body;
	const personal = await Catalog.personalColumns(ctx, product);
	await each(grant.scopes, async ({ table }) => {
		const settled = await dropLeftOn(ctx, grant, table, personal(table), always);
		if (settled) return;
		try {
			// Whoever wrote the newest version brings it to Lake Formation, whatever it was about.
			await settle(ctx, { principal, table }, personal(table));
		} catch (error) {
			ctx.warn('grants: an entitlement that was on its way is left to the sweep', error);
		}
	});
}

/**
 * The same on one table, by one insert. `always` also where nothing changes: its opening may be under way elsewhere, and
 * must meet a newer version. Returns whether there is nothing to bring to Lake Formation because of it.
 */
export async function dropLeftOn(
	ctx: Context,
	{ opened, beneficiaries, entries }: Grant,
	table: Ledger.TableRef,
	personal: Personal,
	always = false,
): Promise<boolean> {
	if (leftBy(entries).length === 0) return true;
	const { grant: id, principal, product } = opened.body;
	const found = await held(ctx, principal, table);
	const stale = found?.state.holdings.some(
		(h) => h.grant === id && h.beneficiaries.some((b) => !beneficiaries.includes(b)),
	);
	if (!always && stale !== true) return true;
	const { state } = await keepOnly(ctx, { principal, product, table }, id, beneficiaries, personal);
	return state.step === 'settled';
}
