/**
 * Access in an emergency: taken by the caller for himself, by those whom the rules let do that, with a reason, for hours,
 * loudly, and looked at afterwards. Promise: everything that refuses a request refuses this, too; only the approvals are
 * not waited for, and nobody is put in their place. The request is stored first, then that it was taken, then the grant is
 * opened as any other. Whoever took it may not live to see that: the sweep goes on, within the time that he asked for.
 * Nobody takes it again and again: what waits for review, and what was found to be without need, counts against him, also
 * what he asks for at the same time. Each request is stored before the others are counted, so that one of two sees the other.
 */
import * as z from 'zod';
import * as Catalog from '../catalog.ts';
import { actorOf, type Context } from '../context.ts';
import * as Domains from '../domains.ts';
import { isRefusal } from '../error.ts';
import type * as Ledger from '../ledger.ts';
import { textOf } from '../text.ts';
import { mustBeTakable } from './breakglass-rules.ts';
import { giveUp, type Taken, take } from './breakglass-taking.ts';
import { type Checked, check } from './check.ts';
import { get, type Request } from './load.ts';
import { AccessRequest, invalid, until } from './request.ts';
import type { Ground } from './stands.ts';
import { fold } from './state.ts';
import { store } from './submit.ts';

const { product, version, tables, purpose, principal } = AccessRequest.shape;

export const BreakGlassRequest = z
	.strictObject({
		product,
		version,
		tables,
		purpose,
		principal,
		duration: z.iso.duration().max(40).meta({ description: 'ISO 8601 duration from now on', example: 'PT4H' }),
		reason: textOf(20).meta({
			description: 'What the emergency is, in 20 visible characters at least; whoever reviews this reads it',
		}),
	})
	.meta({ id: 'BreakGlassRequest', description: 'For the caller himself, and nobody else' });
export type BreakGlassRequest = z.infer<typeof BreakGlassRequest>;

/** Throws what filing a request would throw, and `not-permitted` for whom no rule lets do without approvers. */
export async function breakGlass(ctx: Context, { reason, ...asked }: BreakGlassRequest): Promise<Taken> {
	const checked = await check(ctx, { ...asked, justification: reason });
	const serving = await Domains.principal(ctx, checked.principal);
	if (serving?.domain.id !== checked.consumer.id) throw invalid('/principal', 'was registered anew; try again');
	const ground = { product: checked.product, serving };
	const permit = await mustBeTakable(ctx, ground, checked);
	const ends = until(checked.duration, ctx.now);
	const due = new Date(ends.getTime() + ctx.config.breakGlassReviewMs);
	const of = ctx.caller.of ?? actorOf(ctx);
	const taken = { until: ends.toISOString(), reviewDue: due.toISOString(), of };
	const request = asFiled(checked, await store(ctx, checked, { breakGlass: taken }));
	let refusal: Error | null = null;
	try {
		refusal = await refusedNow(ctx, ground, request);
		if (refusal === null) return await take(ctx, request, permit, checked.consumer.version);
		await giveUp(ctx, request);
	} catch (error) {
		ctx.warn('access: an emergency is left to the sweep', error);
		// It is stored: whoever took it is told its id, whatever can be read now.
		return { request: (await get(ctx, request.id).catch(() => null)) ?? request, grant: null };
	}
	throw refusal;
}

/** The refusal, should it have become one too many by what he asked for meanwhile. */
async function refusedNow(ctx: Context, ground: Ground, { id, content }: Request): Promise<Error | null> {
	try {
		await mustBeTakable(ctx, ground, content, id);
		return null;
	} catch (error) {
		if (isRefusal(error)) return error;
		throw error;
	}
}

/** The request that was just stored, without reading it. No rule approves it at once: it would be no emergency. */
function asFiled(
	{ product, scopes: asked, justification, duration }: Checked,
	filed: Ledger.Recorded<'AccessRequested'>,
): Request {
	const { request: id, contract, principal, purpose, legalBasis, beneficiaries, route, contentHash } = filed.body;
	const { until: ends = '', reviewDue = '' } = filed.body.breakGlass ?? {};
	const scopes = asked.map((scope) => ({ ...scope, readable: true }));
	const said = { contract, principal, purpose, legalBasis, scopes, beneficiaries, duration, justification };
	return {
		...fold([filed]),
		id,
		filed,
		entries: [filed],
		content: { ...said, route, contentHash },
		asked: { scopes, duration },
		durations: [duration],
		template: null,
		lapsesAt: new Date(ends),
		breakGlass: { reason: justification, reviewDue, review: null },
		product: Catalog.factsOf(product),
		productTitle: product.contract.title,
	};
}
