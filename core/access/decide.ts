/** Deciding on a request, and opening the grant that the last decision calls for. */
import * as z from 'zod';
import * as Catalog from '../catalog.ts';
import { actorOf, type Context, type Role } from '../context.ts';
import { BrokerError } from '../error.ts';
import { mustMatch } from '../etag.ts';
import * as Grants from '../grants.ts';
import { newId } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { authorize, Entity, type Permit } from '../policy.ts';
import { find, get, granting, type Request, resourceOf, standing } from './load.ts';
import { mustEndInTime, until } from './request.ts';
import { nextRole, openRoles } from './state.ts';

export const DecisionBody = z
	.strictObject({
		verdict: z.enum(['approve', 'reject']),
		comment: z.string().max(2000).optional(),
	})
	.meta({ id: 'Decision' });
export type DecisionBody = z.infer<typeof DecisionBody>;

/**
 * One approver's decision on the content he saw (`ifMatch` names the request's content hash, which approvals do not
 * change). The approval that completes the route opens the grant. Throws `self-approval`, `already-decided`,
 * `precondition-required`, `stale`.
 */
export async function decide(
	ctx: Context,
	id: string,
	body: DecisionBody,
	ifMatch: string | undefined,
): Promise<{ request: Request; decision: string; grant: Grants.Grant | null }> {
	const request = await find(ctx, id);
	const { asked } = request;
	const domain = asked.body.productDomain;
	const approvals = await standing(ctx, request);
	const held = ctx.caller.roles.filter((m) => m.domain === domain).map((m) => m.role);
	const { route } = asked.body;
	const roles = route.filter((r) => held.some((h) => h === r));
	// Somebody without a role of the route is judged in the role he would need.
	const as = nextRole(route, approvals, actorOf(ctx), held) ?? roles[0] ?? openRoles(route, approvals)[0] ?? 'owner';
	const permit = authorize(ctx, 'decide', resourceOf(ctx, request), { as: Entity.roleRef(domain, as as Role) });
	if (request.state !== 'pending') throw new BrokerError('already-decided', `The request is ${request.state}.`);
	if (ifMatch === undefined) {
		throw new BrokerError('precondition-required', 'Send If-Match with the ETag of the request that you decide on.');
	}
	const etag = `"${asked.body.contentHash}"`;
	mustMatch(ifMatch, etag, 'This is not the content that you saw; read the request again.');
	if (body.verdict === 'approve') await mustBeCurrent(ctx, request);
	const mine = { person: actorOf(ctx), as };
	const open = openRoles(route, approvals);
	// With nothing open (a lost role came back), any holder of a role of the route confirms.
	if (body.verdict === 'approve' && open.length > 0 && !open.includes(as)) {
		throw new BrokerError('already-decided', 'Your role has approved this; another role must, too.');
	}
	if (body.verdict === 'approve' && open.length > 0 && approvals.some((a) => a.person === mine.person)) {
		throw new BrokerError('already-decided', 'You have approved this; another person must, too.');
	}
	const completes = body.verdict === 'approve' && openRoles(route, [...approvals, mine]).length === 0;
	if (completes) {
		for (const { table } of request.scopes) await Grants.preflight(ctx, table);
		await Grants.checkUnion(ctx, asked.body.principal, request.scopes);
	}
	const decision = await recordDecision(ctx, permit, { request, body, as, completes });
	const decided = (await get(ctx, id)) ?? request;
	return { request: decided, decision, grant: completes ? await tryOpen(ctx, decided) : null };
}

/** What is approved is the contract that was asked under, for no longer than the product lives, with a readable filter. */
async function mustBeCurrent(ctx: Context, request: Request): Promise<void> {
	const { product: id, contract, duration } = request.asked.body;
	const product = await Catalog.get(ctx, id);
	if (product?.hash !== contract.hash) {
		throw new BrokerError('stale', 'The contract changed since this was asked; reject it and let it be asked again.');
	}
	mustEndInTime(product, until(duration, ctx.now), ctx.now);
	if (!request.scopes.every((s) => s.readable)) {
		throw new BrokerError('record-corrupt', 'The row filter of this request was erased.');
	}
}

type Deciding = {
	readonly request: Request;
	readonly body: DecisionBody;
	readonly as: string;
	readonly completes: boolean;
};

async function recordDecision(ctx: Context, permit: Permit<'decide'>, deciding: Deciding): Promise<string> {
	const { request, body, as, completes } = deciding;
	const { asked } = request;
	const decision = newId('decision', ctx);
	const outcome = body.verdict === 'reject' ? 'rejected' : completes ? 'approved' : 'pending';
	await Ledger.append(ctx, {
		stream: Ledger.stream.request(asked.body.request),
		after: request.entries.at(-1) ?? null,
		actor: actorOf(ctx),
		body: {
			type: 'AccessDecided',
			request: asked.body.request,
			decision,
			verdict: body.verdict,
			as,
			contentHash: asked.body.contentHash,
			outcome,
			rules: permit.rules,
			...(completes ? { grant: newId('grant', ctx), ...windowOf(asked.body.duration, ctx.now) } : {}),
		},
		...(body.comment === undefined ? {} : { pii: { comment: body.comment } }),
	});
	return decision;
}

function windowOf(duration: string, now: Date): { from: string; until: string } {
	return { from: now.toISOString(), until: until(duration, now).toISOString() };
}

/** The decision stands whatever happens now: a grant that cannot be opened at once is left to the sweep. */
async function tryOpen(ctx: Context, request: Request): Promise<Grants.Grant | null> {
	try {
		return await openGrant(ctx, request);
	} catch (error) {
		ctx.warn('access: a grant is left to the sweep', error);
		return null;
	}
}

/** Opens, or goes on opening, the grant of an approved request. The sweep calls this too. */
export async function openGrant(ctx: Context, request: Request): Promise<Grants.Grant | null> {
	const decided = granting(request);
	const { grant, from, until: ends } = decided?.body ?? {};
	if (decided === undefined || grant === undefined || from === undefined || ends === undefined) return null;
	const { body } = request.asked;
	return Grants.open(ctx, {
		grant,
		request: body.request,
		decisionLeaf: decided.leaf,
		product: body.product,
		productDomain: body.productDomain,
		contract: body.contract,
		consumerDomain: body.consumerDomain,
		principal: body.principal,
		purpose: body.purpose,
		legalBasis: body.legalBasis,
		tables: request.scopes,
		beneficiaries: body.beneficiaries,
		from,
		until: ends,
	});
}
