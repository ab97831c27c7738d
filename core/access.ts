/**
 * From request to decision to grant.
 *
 * Promise: nothing is granted but what stood on screen when each approver of the route said yes (content hash), by
 * distinct people who hold their role at that moment and gain nothing from it. A decision is durable before its grant
 * begins; a crash in between is taken up by the sweep.
 */
import { find, type Request, resourceOf } from './access/load.ts';
import { actorOf, type Context } from './context.ts';
import { BrokerError } from './error.ts';
import * as Ledger from './ledger.ts';
import { authorize } from './policy.ts';

export { DecisionBody, decide, openGrant } from './access/decide.ts';
export { find, get, isVisible, type Request, RequestView, viewOf } from './access/load.ts';
export { AccessRequest } from './access/request.ts';
export { submit } from './access/submit.ts';

/** Withdraws a pending request. */
export async function cancel(ctx: Context, id: string): Promise<Request> {
	const request = await find(ctx, id);
	const permit = authorize(ctx, 'cancelRequest', resourceOf(ctx, request));
	if (request.state !== 'pending') throw new BrokerError('already-decided', `The request is ${request.state}.`);
	await Ledger.append(ctx, {
		stream: Ledger.stream.request(id),
		after: request.entries.at(-1) ?? null,
		actor: actorOf(ctx),
		body: { type: 'AccessCancelled', request: id, rules: permit.rules },
	});
	return find(ctx, id);
}
