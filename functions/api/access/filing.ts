/** Asking for access: one request, one like a grant that ends, and changing what was asked. */
import { z } from '@hono/zod-openapi';
import type { Context as HonoContext } from 'hono';
import * as Access from '#core/access.ts';
import type { Code } from '#core/error.ts';
import { idOf } from '#core/id.ts';
import { BASE } from '../../base.ts';
import type { Env } from '../../env.ts';
import * as Requests from '../examples/requests.ts';
import * as Example from '../examples.ts';
import { etag, IfMatch, json, jsonBody, location, newRouter, one, operation } from '../router.ts';

/** With what anything that is asked for may be refused. */
export const unaskable: readonly Code[] = [
	'not-permitted',
	'not-found',
	'union-not-exact',
	'not-governed',
	'quota-exceeded',
	'table-not-found',
	'column-not-found',
	'row-filter-invalid',
	'purpose-not-allowed',
	'request-refused',
	'product-retired',
];

const postRequest = operation(
	{ tag: 'Requests', action: 'requestAccess', refuses: unaskable },
	{
		method: 'post',
		path: '/requests',
		operationId: 'createRequest',
		summary: 'Ask for access: product, columns, rows, purpose, principal, duration',
		request: {
			query: z.object({
				dryRun: z
					.enum(['true', 'false'])
					.default('false')
					.meta({ description: 'Say what would be filed, who would decide, and what it would open; file nothing' }),
			}),
			body: jsonBody(Access.AccessAsk, Example.accessRequest),
		},
		responses: {
			200: json(Access.DryRunView, 'What would be filed', Requests.dryRun),
			201: {
				...json(Access.RequestView, 'Filed; approved already where a rule does that by itself', Example.request),
				headers: { ...location, ...etag },
			},
		},
	},
);

const Batch = z.object({ batch: idOf('batch'), requests: z.array(Access.RequestView) }).meta({ id: 'RequestsFiled' });

const postBatch = operation(
	{ tag: 'Requests', action: 'requestAccess', refuses: [...unaskable, 'conflict'] },
	{
		method: 'post',
		path: '/requests/batch',
		operationId: 'createRequests',
		summary: 'Ask for several products at once: all are checked before any is filed, each is decided on by itself',
		request: { body: jsonBody(Access.RequestBatch, Requests.batchBody) },
		responses: { 200: json(Batch, 'All of them filed, in the order of the body', Requests.batchAnswer) },
	},
);

const patchRequest = operation(
	{
		tag: 'Requests',
		action: 'editRequest',
		refuses: [...unaskable, 'conflict', 'already-decided', 'stale', 'precondition-required'],
	},
	{
		method: 'patch',
		path: '/requests/{id}',
		operationId: 'editRequest',
		summary: 'Change what is asked for; approvals that were given before count no more',
		request: { ...one('request'), headers: IfMatch, body: jsonBody(Access.RequestEdit, Requests.edit) },
		responses: {
			200: { ...json(Access.RequestView, 'As it stands now', Requests.edited), headers: etag },
		},
	},
);

const renewGrant = operation(
	{ tag: 'Grants', action: 'renewGrant', refuses: [...unaskable, 'conflict'] },
	{
		method: 'post',
		path: '/grants/{id}/renew',
		operationId: 'renewGrant',
		summary: 'Ask for what a grant opens now, for longer; once approved, it stands beside the grant',
		request: { ...one('grant'), body: jsonBody(Access.Renewal, Requests.renewal) },
		responses: {
			201: {
				...json(Access.RequestView, 'Filed, as any request', { ...Example.request, renews: Example.grant.id }),
				headers: { ...location, ...etag },
			},
		},
	},
);

export function filingRoutes() {
	const app = newRouter();
	app.openapi(postRequest, async (c) => {
		const { ctx } = c.var;
		const body = c.req.valid('json');
		if (c.req.valid('query').dryRun === 'true') return c.json(await Access.tryOut(ctx, body), 200);
		return c.json(await filed(c, await Access.submit(ctx, body)), 201);
	});
	app.openapi(postBatch, async (c) => {
		const { ctx } = c.var;
		const done = await Access.submitAll(ctx, c.req.valid('json'), c.var.repeatable ?? null);
		const requests = await Promise.all(done.requests.map((request) => Access.viewOf(ctx, request)));
		return c.json({ batch: done.batch, requests }, 200);
	});
	app.openapi(patchRequest, async (c) => {
		const { ctx } = c.var;
		const ifMatch = c.req.valid('header')['if-match'];
		const request = await Access.edit(ctx, c.req.valid('param').id, c.req.valid('json'), ifMatch);
		const view = await Access.viewOf(ctx, request);
		c.header('etag', `"${view.contentHash}"`);
		return c.json(view, 200);
	});
	app.openapi(renewGrant, async (c) => {
		const request = await Access.renew(c.var.ctx, c.req.valid('param').id, c.req.valid('json'));
		return c.json(await filed(c, request), 201);
	});
	return app;
}

/** The view of a new request, whose address and tag the answer names. */
async function filed(c: HonoContext<Env>, request: Access.Request): Promise<Access.RequestView> {
	const view = await Access.viewOf(c.var.ctx, request);
	c.header('location', `${BASE}/requests/${view.id}`);
	c.header('etag', `"${view.contentHash}"`);
	return view;
}
