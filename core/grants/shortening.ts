/**
 * A grant that ends earlier than it was approved for. Recorded first, then its end is moved on each table by one insert,
 * so that our gate says no from the new end on with nobody's help. What Lake Formation carries stays as it is until then.
 *
 * A crash in between leaves the later end at our gate; `uphold` mends that, called by whoever goes on with the grant. The
 * sweep does, for the entry put the grant among those on their way, and among those that end at the new instant.
 */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import { again, each, intend } from './ending.ts';
import { type Grant, isOver } from './grant.ts';
import { endSooner, held } from './held.ts';

/** Lets a grant end at `until`; one that ends by then, or was ended, is left as it is. */
export async function shorten(ctx: Context, grant: Grant, until: string): Promise<Grant> {
	if (isOver(grant) || grant.until <= until) return grant;
	const { grant: id } = grant.opened.body;
	const rules = { policies: [], setHash: ctx.policies.hash };
	const body = {
		type: 'GrantShortened' as const,
		grant: id,
		was: grant.until,
		until,
		cause: 'retires' as const,
		rules,
	};
	const now = await intend(ctx, grant, body, undefined);
	if (now === null) return shorten(ctx, await again(ctx, id), until);
	await move(ctx, now, now.scopes);
	return now;
}

/** Moves the end on tables where that is not done yet. */
export async function uphold(ctx: Context, grant: Grant): Promise<void> {
	const { principal, grant: id, until } = grant.opened.body;
	if (grant.until === until || isOver(grant)) return;
	const late = await Promise.all(
		grant.scopes.map(async ({ table }) => {
			const listed = (await held(ctx, principal, table))?.state.holdings.find((h) => h.grant === id);
			return listed !== undefined && listed.until > grant.until;
		}),
	);
	const scopes = grant.scopes.filter((_, i) => late[i] === true);
	if (scopes.length > 0) await move(ctx, grant, scopes);
}

async function move(ctx: Context, grant: Grant, scopes: Grant['scopes']): Promise<void> {
	const { principal, product, grant: id } = grant.opened.body;
	const personal = await Catalog.personalColumns(ctx, product);
	const to = { grant: id, until: grant.until };
	await each(scopes, ({ table }) => endSooner(ctx, { principal, product, table }, to, personal(table)));
}
