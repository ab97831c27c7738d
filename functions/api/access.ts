/** Requests for access and the decisions on them. */
import { z } from '@hono/zod-openapi';
import * as Access from '#core/access.ts';
import { actorOf, type Context } from '#core/context.ts';
import * as Grants from '#core/grants.ts';
import { idOf } from '#core/id.ts';
import { Listing, readable } from '#core/ledger.ts';
import { BASE } from '../base.ts';
import * as Example from './examples.ts';
import {
	etag,
	grantLocation,
	IfMatch,
	json,
	jsonBody,
	link,
	linkNext,
	location,
	mayList,
	newRouter,
	nextPageToken,
	OfDomain,
	one,
	operation,
	Paging,
	pageOf,
} from './router.ts';

const postRequest = operation(
	{
		tag: 'Requests',
		action: 'requestAccess',
		refuses: [
			'not-permitted',
			'not-found',
			'union-not-exact',
			'not-governed',
			'table-not-found',
			'column-not-found',
			'row-filter-invalid',
			'purpose-not-allowed',
			'product-retired',
		],
	},
	{
		method: 'post',
		path: '/requests',
		operationId: 'createRequest',
		summary: 'Ask for access: product, columns, rows, purpose, principal, duration',
		request: { body: jsonBody(Access.AccessRequest, Example.accessRequest) },
		responses: {
			201: {
				...json(Access.RequestView, 'Filed', Example.request),
				headers: { ...location, ...etag },
			},
		},
	},
);

const listRequests = operation(
	{ tag: 'Requests', action: 'viewRequest', refuses: ['not-permitted'] },
	{
		method: 'get',
		path: '/requests',
		operationId: 'listRequests',
		summary: "Your own requests, or with `domain` those for that domain's products",
		request: { query: Paging.extend({ domain: OfDomain }) },
		responses: {
			200: {
				...json(z.object({ requests: z.array(Access.RequestView), nextPageToken }), 'Requests, newest first', {
					requests: [Example.request],
					nextPageToken: null,
				}),
				headers: link,
			},
		},
	},
);

const getRequest = operation(
	{ tag: 'Requests', action: 'viewRequest', refuses: ['not-found'] },
	{
		method: 'get',
		path: '/requests/{id}',
		operationId: 'getRequest',
		summary: 'One request',
		request: one('request'),
		responses: { 200: { ...json(Access.RequestView, 'The request', Example.request), headers: etag } },
	},
);

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
			'stale',
			'precondition-required',
			'product-retired',
		],
	},
	{
		method: 'post',
		path: '/requests/{id}/decisions',
		operationId: 'decideRequest',
		summary: 'Approve or reject the version you saw; the approval that completes the route opens the grant',
		request: {
			...one('request'),
			headers: IfMatch,
			body: jsonBody(Access.DecisionBody, { verdict: 'approve' }),
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
		responses: { 200: json(Access.RequestView, 'Withdrawn', { ...Example.request, state: 'cancelled' }) },
	},
);

export function accessRoutes() {
	const app = newRouter();
	app.openapi(postRequest, async (c) => {
		const request = await Access.submit(c.var.ctx, c.req.valid('json'));
		const view = await Access.viewOf(c.var.ctx, request);
		c.header('location', `${BASE}/requests/${view.id}`);
		c.header('etag', `"${view.contentHash}"`);
		return c.json(view, 201);
	});
	app.openapi(listRequests, async (c) => {
		const { domain, ...paging } = c.req.valid('query');
		const { key } = Listing;
		const pk = domain === undefined ? key.requestsOfPerson(actorOf(c.var.ctx)) : key.requestsOfDomain(domain);
		if (domain !== undefined && !mayList(c.var.ctx, domain)) return c.json({ requests: [], nextPageToken: null }, 200);
		const { keys, nextPageToken: next } = await pageOf(c.var.ctx, pk, paging, true);
		const found = await Promise.all(keys.map((id) => visible(c.var.ctx, id)));
		linkNext(c, next);
		return c.json({ requests: found.filter((r) => r !== null), nextPageToken: next }, 200);
	});
	app.openapi(getRequest, async (c) => {
		const view = await Access.viewOf(c.var.ctx, await Access.find(c.var.ctx, c.req.valid('param').id));
		c.header('etag', `"${view.contentHash}"`);
		return c.json(view, 200);
	});
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

/** A list shows what its reader may see one by one, and nothing else. */
async function visible(ctx: Context, id: string): Promise<Access.RequestView | null> {
	const request = await readable(() => Access.get(ctx, id));
	return request !== null && Access.isVisible(ctx, request) ? Access.viewOf(ctx, request) : null;
}
