/** Deciding on a request: one person's verdict on exactly the content that he saw, or on less of it. */
import * as z from 'zod';
import { actorOf, type Context, type Role } from '../context.ts';
import * as Delegation from '../delegation.ts';
import { BrokerError } from '../error.ts';
import { mustMatch } from '../etag.ts';
import * as Grants from '../grants.ts';
import { idOf, newId } from '../id.ts';
import * as Ledger from '../ledger.ts';
import type { Permit } from '../policy.ts';
import { tableKey } from '../scope.ts';
import { Text } from '../text.ts';
import { mustBeOrdinary } from './breakglass-rules.ts';
import { type Content, type Extent, sealed } from './content.ts';
import { inPlaceOf, mayDecide } from './delegated.ts';
import { find, get, type Request, standing } from './load.ts';
import { lessOf, TableNarrowings } from './narrowing.ts';
import { tryOpen, windowOf } from './open.ts';
import { invalid, mustEndInTime, until } from './request.ts';
import { mustBeAllowed, mustStand } from './stands.ts';
import { type Approval, nextRole, openRoles, overlap } from './state.ts';

export const DecisionBody = z
	.strictObject({
		verdict: z.enum(['approve', 'reject']),
		comment: Text.optional(),
		delegation: idOf('delegation').optional().meta({ description: 'Decides in the place of who gave it' }),
		narrow: z
			.strictObject({
				tables: TableNarrowings.optional(),
				duration: z.iso.duration().max(40).optional().meta({ description: 'Shorter than asked for', example: 'P7D' }),
			})
			.optional()
			.meta({ description: 'Approves less than was asked for: fewer columns, fewer rows, a shorter time' }),
	})
	.meta({ id: 'Decision' });
export type DecisionBody = z.infer<typeof DecisionBody>;

export type Decided = {
	readonly request: Request;
	readonly decision: string;
	readonly grant: Grants.Grant | null;
};

/**
 * One approver's decision on the content he saw: `ifMatch` names its hash, which approvals do not change unless they make
 * it less. The approval that completes the route opens the grant. Throws `self-approval`, `already-decided`,
 * `precondition-required`, `stale`.
 */
export async function decide(
	ctx: Context,
	id: string,
	body: DecisionBody,
	ifMatch: string | undefined,
): Promise<Decided> {
	const request = await find(ctx, id);
	const approvals = await standing(ctx, request);
	const { delegation } = body;
	const mandate =
		delegation === undefined ? null : await Delegation.mandateOf(ctx, delegation, request.filed.body.productDomain);
	const as = mandate === null ? roleOf(ctx, request, approvals) : mandate.role;
	const permit = await mayDecide(ctx, request, as as Role, mandate);
	mustBePending(request);
	mustHaveSeen(request, ifMatch);
	const mine = { person: selfOf(ctx), as, ...inPlaceOf(mandate, ctx.now) };
	if (body.verdict === 'reject') {
		if (body.narrow !== undefined) throw invalid('/narrow', 'what is rejected cannot be made less');
		const nothing = { narrowed: null, consumerVersion: null };
		const rejecting = { request, body, as, mandate, outcome: 'rejected' as const, ...nothing };
		const decision = await recordDecision(ctx, permit, rejecting);
		return { request: (await get(ctx, id)) ?? request, decision, grant: null };
	}
	mustBeOrdinary(request);
	const { narrowed, consumerVersion } = await approvable(ctx, request, body);
	mustCount(request, approvals, mine);
	const completes = openRoles(request.content.route, [...approvals, mine]).length === 0;
	const content = { ...request.content, ...narrowed };
	if (completes || narrowed !== null) await mustBeFeasible(ctx, request, content);
	const outcome = completes ? 'approved' : 'pending';
	const deciding = { request, body, as, mandate, outcome, narrowed, consumerVersion } as const;
	const decision = await recordDecision(ctx, permit, deciding);
	const decided = (await get(ctx, id)) ?? request;
	if (!completes) return { request: decided, decision, grant: null };
	const grant = await tryOpen(ctx, decided);
	// Where a role was lost at the last moment, it waits again.
	return { request: grant === null ? ((await get(ctx, id)) ?? decided) : decided, decision, grant };
}

/** The person who decides, whichever of his identities he does it under. */
const selfOf = (ctx: Context) => ctx.caller.of ?? actorOf(ctx);

/** The role in which the caller decides. Somebody without a role of the route is judged in the one that he would need. */
function roleOf(ctx: Context, { content, filed }: Request, approvals: readonly Approval[]): string {
	const { route } = content;
	const { productDomain } = filed.body;
	const held: string[] = ctx.caller.roles.filter((m) => m.domain === productDomain).map((m) => m.role);
	const own = nextRole(route, approvals, selfOf(ctx), held) ?? route.find((r) => held.includes(r));
	return own ?? openRoles(route, approvals)[0] ?? 'owner';
}

/** Throws `already-decided` for what nobody decides on any more. */
export function mustBePending({ state }: Request): void {
	if (state !== 'pending') throw new BrokerError('already-decided', `The request is ${state}.`, { state });
}

export function mustHaveSeen({ content }: Request, ifMatch: string | undefined): void {
	if (ifMatch === undefined) {
		throw new BrokerError('precondition-required', 'Send If-Match with the ETag of the request that you saw.');
	}
	mustMatch(ifMatch, `"${content.contentHash}"`, 'This is not the content that you saw; read the request again.');
}

/** With nothing open (a lost role came back), any holder of a role of the route confirms. */
function mustCount({ content }: Request, approvals: readonly Approval[], mine: Approval): void {
	const open = openRoles(content.route, approvals);
	if (open.length === 0) return;
	if (approvals.some((a) => a.person === mine.person)) {
		throw new BrokerError('already-decided', 'You have approved this; another person must, too.');
	}
	if (approvals.some((a) => overlap(a, mine))) {
		const detail = 'You, or whom you speak for, had a part in an approval of this; another person must approve, too.';
		throw new BrokerError('already-decided', detail);
	}
	if (!open.includes(mine.as)) {
		throw new BrokerError('already-decided', 'Your role has approved this; another role must, too.');
	}
}

/**
 * What is approved is the contract that was asked under, for no longer than the product lives, with a readable filter.
 * Gives what the approver leaves of it, null where he leaves it as it is, and the state of the consuming domain that this
 * was looked at under.
 */
async function approvable(
	ctx: Context,
	request: Request,
	{ narrow }: DecisionBody,
): Promise<{ readonly narrowed: Extent | null; readonly consumerVersion: number }> {
	const { scopes, duration } = request.content;
	const ground = await mustStand(ctx, request);
	const { product } = ground;
	if (narrow !== undefined && Object.keys(narrow).length === 0) throw invalid('/narrow', 'names nothing');
	const place = { pointer: '/narrow/tables', of: 'request' as const };
	const less = narrow?.tables === undefined ? [] : await lessOf(ctx, product, scopes, narrow.tables, place);
	const shorter = shorterOf(duration, narrow?.duration, ctx.now);
	mustEndInTime(product, until(shorter, ctx.now), ctx.now);
	const named = new Map(less.map((l) => [tableKey(l.table), { ...l, readable: true }]));
	const left = { scopes: scopes.map((s) => named.get(tableKey(s.table)) ?? s), duration: shorter };
	await mustBeAllowed(ctx, request, ground, left);
	return { narrowed: narrow === undefined ? null : left, consumerVersion: ground.serving.domain.version };
}

function shorterOf(asked: string, narrowed: string | undefined, now: Date): string {
	if (narrowed === undefined) return asked;
	try {
		if (until(narrowed, now) < until(asked, now)) return narrowed;
	} catch (error) {
		if (!(error instanceof BrokerError) || error.code !== 'validation') throw error;
		throw invalid('/narrow/duration', 'must be a positive ISO 8601 duration');
	}
	throw invalid('/narrow/duration', `must be shorter than the ${asked} asked for`);
}

async function mustBeFeasible(ctx: Context, { filed }: Request, content: Content): Promise<void> {
	const { principal, purpose, beneficiaries, scopes } = content;
	await Grants.feasible(ctx, principal, scopes, null, { product: filed.body.product, purpose, beneficiaries });
}

type Deciding = {
	readonly request: Request;
	readonly body: DecisionBody;
	readonly as: string;
	readonly mandate: Delegation.Mandate | null;
	readonly outcome: 'pending' | 'approved' | 'rejected';
	readonly narrowed: Extent | null;
	readonly consumerVersion: number | null;
};

async function recordDecision(ctx: Context, permit: Permit<'decide'>, deciding: Deciding): Promise<string> {
	const { request, body, as, mandate, outcome, narrowed, consumerVersion } = deciding;
	const { id, content } = request;
	const decision = newId('decision', ctx);
	const less = narrowed === null ? null : await sealedLess(ctx, request, narrowed);
	const grant = newId('grant', ctx);
	const durations = [...request.durations, ...(narrowed === null ? [] : [narrowed.duration])];
	const window = windowOf(durations, ctx.now);
	const pii = { ...less?.pii, ...(body.comment === undefined ? {} : { comment: body.comment }) };
	await Ledger.append(ctx, {
		stream: Ledger.stream.request(id),
		after: request.entries.at(-1) ?? null,
		actor: actorOf(ctx),
		body: {
			type: 'AccessDecided',
			request: id,
			decision,
			verdict: body.verdict,
			as,
			contentHash: content.contentHash,
			...(mandate === null ? {} : { delegation: { ...mandate.reference } }),
			...(less === null ? {} : { narrowed: less.narrowed }),
			outcome,
			rules: permit.rules,
			...(outcome === 'approved' ? { grant, ...(consumerVersion === null ? {} : { consumerVersion }), ...window } : {}),
		},
		...(Object.keys(pii).length === 0 ? {} : { pii }),
	});
	return decision;
}

/** What is left, as the decision's entry says it. */
async function sealedLess(ctx: Context, { id, filed, content }: Request, { scopes, duration }: Extent) {
	const { principal, purpose, beneficiaries, justification, contract } = content;
	const said = { principal, purpose, beneficiaries, justification, scopes, duration };
	const shown = { ...said, id, product: filed.body.product, contract: contract.hash };
	const { tables, contentHash, pii } = await sealed(ctx, shown);
	return { narrowed: { tables, duration, contentHash }, pii };
}
