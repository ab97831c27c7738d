/** Deciding on requests, and withdrawing them. */
import { z } from '@hono/zod-openapi';
import * as Access from '#core/access.ts';
import * as Grants from '#core/grants.ts';
import { idOf } from '#core/id.ts';
import { BASE } from '../../base.ts';
import * as Example from '../examples.ts';
import { grantLocation, IfMatch, json, jsonBody, newRouter, one, operation } from '../router.ts';

const Decided = z
	.object({ decision: idOf('decision'), request: Access.RequestView, grant: Grants.GrantView.nullable() })
	.meta({ id: 'Decided' });

const postDecision = operation(
	{
		tag: 'Requests',
		action: 'decide',
		refuses: [
			'not-permitted',
			'self-approval',
			'not-found',
			'conflict',
			'already-decided',
			'union-not-exact',
			'not-governed',
			'quota-exceeded',
			'stale',
			'precondition-required',
			'product-retired',
			'column-not-found',
			'row-filter-invalid',
			'request-refused',
			'purpose-not-allowed',
		],
	},
	{
		method: 'post',
		path: '/requests/{id}/decisions',
		operationId: 'decideRequest',
		summary:
			'Approve the version you saw, or less of it, or reject it; the approval that completes the route opens the grant',
		request: {
			...one('request'),
			headers: IfMatch,
			body: jsonBody(Access.DecisionBody, { verdict: 'approve', comment: 'For the review of this quarter' }),
		},
		responses: { 201: { ...json(Decided, 'Recorded', Example.decided), headers: grantLocation } },
	},
);

const cancelRequest = operation(
	{ tag: 'Requests', action: 'cancelRequest', refuses: ['not-permitted', 'not-found', 'conflict', 'already-decided'] },
	{
		method: 'post',
		path: '/requests/{id}/cancel',
		operationId: 'cancelRequest',
		summary: 'Withdraw a pending request',
		request: one('request'),
		responses: {
			200: json(Access.RequestView, 'Withdrawn', {
				...Example.request,
				state: 'cancelled',
				awaiting: [],
				lapsesAt: null,
			}),
		},
	},
);

export function decidingRoutes() {
	const app = newRouter();
	app.openapi(postDecision, async (c) => {
		const { ctx } = c.var;
		const ifMatch = c.req.valid('header')['if-match'];
		const done = await Access.decide(ctx, c.req.valid('param').id, c.req.valid('json'), ifMatch);
		const grant = done.grant === null ? null : Grants.viewOf(done.grant, ctx.now);
		if (grant !== null) c.header('location', `${BASE}/grants/${grant.id}`);
		return c.json({ decision: done.decision, request: await Access.viewOf(ctx, done.request), grant }, 201);
	});
	app.openapi(cancelRequest, async (c) => {
		const request = await Access.cancel(c.var.ctx, c.req.valid('param').id);
		return c.json(await Access.viewOf(c.var.ctx, request), 200);
	});
	return app;
}
