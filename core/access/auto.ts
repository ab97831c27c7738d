/**
 * What a rule approves by itself: decided by the system right after it was asked for, in the rule's name. Whoever asked
 * may not live to see that; the sweep then asks the rules again, as he would have.
 */
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import { isRefusal } from '../error.ts';
import type { Permit } from '../policy.ts';
import { type Checked, examine, mustBeFeasible, tablesOf, type Wanted } from './check.ts';
import { mustNameNoLeaver } from './leavers.ts';
import { get, type Request } from './load.ts';
import { windowOf } from './open.ts';
import { keepsRowScope } from './rowscope.ts';
import { BY_POLICY } from './state.ts';
import { approveUnattended } from './unattended.ts';

/**
 * Decides at once where a rule permits that; a failure is left to the sweep, and the request stays as it is. `contentHash`
 * names what was judged: whatever else stands there by now is not approved.
 */
export async function approveAtOnce(
	ctx: Context,
	id: string,
	{ auto, consumer }: Pick<Checked, 'auto' | 'consumer'>,
	contentHash: string,
): Promise<void> {
	if (auto === null) return;
	try {
		const request = await get(ctx, id);
		if (request !== null) await approve(ctx, request, { rules: auto.rules, consumer }, contentHash);
	} catch (error) {
		ctx.warn('access: an approval by rule is left to the sweep', error);
	}
}

async function approve(
	ctx: Context,
	request: Request,
	{ rules, consumer }: Pick<Permit<'autoApprove'>, 'rules'> & Pick<Checked, 'consumer'>,
	contentHash: string,
): Promise<void> {
	const { content, durations } = request;
	if (content.contentHash !== contentHash) return;
	if (request.state !== 'pending' || request.approvals.length > 0) return;
	const { version: consumerVersion } = consumer;
	await approveUnattended(ctx, request, { as: BY_POLICY, rules, consumerVersion, ...windowOf(durations, ctx.now) });
}

/** The sweep's part: of a request that nobody decided on yet, whether a rule approves it as it stands. */
export async function approveLate(ctx: Context, id: string): Promise<void> {
	const request = await get(ctx, id);
	// What was asked for in an emergency is on its way by itself.
	if (request === null || request.filed.body.breakGlass !== undefined) return;
	if (request.state !== 'pending' || request.approvals.length > 0) return;
	const wanted = asWanted(request);
	if (wanted === null) return;
	try {
		const maker = request.editors.at(-1) ?? request.filed.body.requester;
		const as = { ...ctx, caller: await Domains.registered(ctx, maker) };
		const checked = await examine(as, wanted, request.content.scopes);
		if (checked.auto === null || !isOf(checked, request)) return;
		await mustNameNoLeaver(ctx, request);
		await mustBeFeasible(as, checked);
		const { auto, consumer } = checked;
		await approve(ctx, request, { rules: auto.rules, consumer }, request.content.contentHash);
	} catch (error) {
		// What could not be asked for now is for people to decide; somebody who was quicker has decided.
		if (!isRefusal(error)) throw error;
	}
}

/** Whether what was judged is what stands there: under the same contract, for the same domain, and the same rows. */
function isOf({ product, consumer }: Checked, { content, filed }: Request): boolean {
	const { consumerDomain } = filed.body;
	if (product.hash !== content.contract.hash || consumer.id !== consumerDomain) return false;
	return keepsRowScope(product, consumer, content.scopes);
}

/** What stands asked for, as somebody would ask for it; null where some of it was erased. */
function asWanted({ filed, content }: Pick<Request, 'filed' | 'content'>): Wanted | null {
	const { principal, purpose, duration, justification, scopes, beneficiaries } = content;
	if (justification === null || !scopes.every((s) => s.readable)) return null;
	return {
		product: filed.body.product,
		tables: tablesOf(scopes),
		purpose,
		principal,
		duration,
		justification,
		beneficiaries: { persons: beneficiaries },
	};
}
