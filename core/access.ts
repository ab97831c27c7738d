/**
 * From request to decision to grant.
 *
 * Promise: nothing is granted but what stood on screen when each approver of the route said yes (content hash), or less
 * of it, by distinct people who hold their role at that moment and gain nothing from it; or what a rule approves by
 * itself. A decision is durable before its grant begins; a crash in between is taken up by the sweep.
 */
import { mustBePending } from './access/decide.ts';
import { find, type Request, resourceOf } from './access/load.ts';
import { actorOf, type Context } from './context.ts';
import * as Ledger from './ledger.ts';
import { authorize } from './policy.ts';

export { Effect } from './access/affected.ts';
export { Affected, affectedBy } from './access/affected-grants.ts';
export { daysOf } from './access/affected-ground.ts';
export { followChange } from './access/affected-lines.ts';
export { approveLate } from './access/auto.ts';
export { type Repeatable, RequestBatch, submitAll } from './access/batch.ts';
export { BreakGlassRequest, breakGlass } from './access/breakglass.ts';
export { NO_PAST, type Past, pastOf } from './access/breakglass-past.ts';
export { followReview, ReviewBody, review, UnreviewedView, unreviewed } from './access/breakglass-review.ts';
export { proceed } from './access/breakglass-taking.ts';
export { type Checked, check } from './access/check.ts';
export type { Content } from './access/content.ts';
export { type Decided, DecisionBody, decide } from './access/decide.ts';
export { edit, RequestEdit } from './access/edit.ts';
export { dueUpTo, followUp } from './access/lapse.ts';
export { find, get, isVisible, type Request, RequestView, resourceOf, viewOf } from './access/load.ts';
export { Narrowing, narrow } from './access/narrow.ts';
export { previewOf } from './access/preview.ts';
export { Renewal, renew } from './access/renew.ts';
export { AccessRequest, type RequestedScope, scopesOf } from './access/request.ts';
export { resume } from './access/resume.ts';
export { judge, judgeTaking } from './access/rules.ts';
export { DryRunView, submit, tryOut } from './access/submit.ts';
export { AccessAsk } from './access/template.ts';

/** Withdraws a pending request. */
export async function cancel(ctx: Context, id: string): Promise<Request> {
	const request = await find(ctx, id);
	const permit = authorize(ctx, 'cancelRequest', await resourceOf(ctx, request));
	mustBePending(request);
	await Ledger.append(ctx, {
		stream: Ledger.stream.request(id),
		after: request.entries.at(-1) ?? null,
		actor: actorOf(ctx),
		body: { type: 'AccessCancelled', request: id, rules: permit.rules },
	});
	return find(ctx, id);
}
