/**
 * Looking at access that was taken in an emergency: once, by somebody who answers for the product and had no part in it.
 * The verdict is durable first; one that finds no need ends the grant, and a crash in between is taken up by the sweep.
 * What nobody looks at in time is told of, once.
 */
import * as z from 'zod';
import { actorOf, type Context, SYSTEM } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Grants from '../grants.ts';
import { idOf, ProductId, Slug } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { authorize, may, type Permit } from '../policy.ts';
import { Text } from '../text.ts';
import { takenIn, takersOf, unlist } from './breakglass-taken.ts';
import { find, get, type Request, resourceOf } from './load.ts';

export const ReviewBody = z
	.strictObject({ verdict: z.enum(Grants.verdicts), comment: Text })
	.meta({ id: 'BreakGlassReview', description: '`unjustified` ends what is still open of it' });
export type ReviewBody = z.infer<typeof ReviewBody>;

/** Throws `self-approval`, `already-decided`, and `conflict` for what was not taken in an emergency. */
export async function review(ctx: Context, id: string, { verdict, comment }: ReviewBody): Promise<Request> {
	const request = await find(ctx, id);
	const permit = authorize(ctx, 'reviewBreakGlass', await resourceOf(ctx, request));
	const { breakGlass, productDomain } = request.filed.body;
	const taken = await takenIn(ctx, request);
	if (breakGlass === undefined || taken === null) {
		throw new BrokerError('conflict', 'Nothing was taken in an emergency here, so there is nothing to review.');
	}
	if (request.breakGlass?.review !== null) throw new BrokerError('already-decided', 'Somebody has reviewed this.');
	const { grant } = taken;
	await Ledger.append(ctx, {
		stream: Ledger.stream.request(id),
		after: request.entries.at(-1) ?? null,
		actor: actorOf(ctx),
		body: {
			type: 'AccessReviewed',
			request: id,
			verdict,
			grant,
			productDomain,
			reviewDue: breakGlass.reviewDue,
			takers: takersOf(request),
			rules: permit.rules,
		},
		pii: { comment },
	});
	if (verdict === 'unjustified') await endNow(ctx, permit, grant);
	return find(ctx, id);
}

/** The verdict stands whatever happens now: what cannot be ended at once is left to the sweep. */
async function endNow(ctx: Context, permit: Permit<'reviewBreakGlass'>, id: string): Promise<void> {
	try {
		const grant = await Grants.get(ctx, id);
		if (grant === null || grant.opened.body.until <= ctx.now.toISOString()) return;
		await Grants.endUnjustified(ctx, permit, grant);
	} catch (error) {
		ctx.warn('access: an ending is left to the sweep', error);
	}
}

export const UnreviewedView = z
	.object({
		request: idOf('request'),
		product: ProductId,
		consumerDomain: Slug,
		purpose: Slug,
		requester: idOf('person').meta({ description: 'Pseudonym of whoever took it' }),
		grant: idOf('grant'),
		until: z.iso.datetime().meta({ description: 'When it ends, or ended, unless somebody ends it before' }),
		reviewDue: z.iso.datetime(),
		overdue: z.boolean(),
	})
	.meta({ id: 'Unreviewed' });
export type UnreviewedView = z.infer<typeof UnreviewedView>;

/** What a line of a listing shows the caller; null of what he may not see, or what there is nothing to review of. */
export async function unreviewed(ctx: Context, line: string): Promise<UnreviewedView | null> {
	const request = await get(ctx, line.slice(line.indexOf('#') + 1));
	if (request?.breakGlass?.review !== null) return null;
	const grant = (await takenIn(ctx, request))?.grant;
	const asked = request.filed.body.breakGlass;
	if (grant === undefined || asked === undefined) return null;
	if (!may(ctx, 'viewBreakGlass', await resourceOf(ctx, request))) return null;
	const { id, content, filed } = request;
	const { product, consumerDomain, requester } = filed.body;
	const { until, reviewDue } = asked;
	const overdue = reviewDue <= ctx.now.toISOString();
	const due = { until, reviewDue, overdue };
	return { request: id, product, consumerDomain, purpose: content.purpose, requester, grant, ...due };
}

/** The sweep's part, of a line of what was due by now: tells that nobody has looked at it. */
export async function followReview(ctx: Context, line: string): Promise<void> {
	const [, id = ''] = line.split('#');
	const request = await get(ctx, id);
	const { remove, key, shardOf } = Ledger.Listing;
	const breakGlass = request?.filed.body.breakGlass;
	if (request === null || breakGlass === undefined || (await takenIn(ctx, request)) === null) {
		// Its time is over, so it will not be taken any more.
		if (request !== null) await unlist(ctx, request);
		await remove(ctx, key.reviews(shardOf(id)), line);
		return;
	}
	const told = request.entries.some(({ body }) => body.type === 'AccessReviewOverdue');
	if (request.breakGlass?.review === null && !told) {
		// Said before it is recorded: rather twice than never.
		const error = new Error(`nobody has reviewed ${id}`);
		ctx.warn('access: review overdue', Object.assign(error, { name: 'ReviewOverdue', code: id }));
		const after = request.entries.at(-1) ?? null;
		const body = { type: 'AccessReviewOverdue' as const, request: id, reviewDue: breakGlass.reviewDue };
		await Ledger.append(ctx, { stream: Ledger.stream.request(id), after, actor: SYSTEM, body });
	}
	await remove(ctx, key.reviews(shardOf(id)), line);
}
