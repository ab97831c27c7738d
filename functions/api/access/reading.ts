/** Reading requests, one by one and as lists. */
import { z } from '@hono/zod-openapi';
import * as Access from '#core/access.ts';
import { actorOf, type Context } from '#core/context.ts';
import * as Delegation from '#core/delegation.ts';
import { Listing } from '#core/ledger.ts';
import * as Example from '../examples.ts';
import { listed, mayList } from '../listing.ts';
import { etag, json, link, newRouter, nextPageToken, OfDomain, one, operation, Paging } from '../router.ts';

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

export function readingRoutes() {
	const app = newRouter();
	app.openapi(listRequests, async (c) => {
		const { ctx } = c.var;
		const { domain, ...paging } = c.req.valid('query');
		const { key } = Listing;
		const pk = domain === undefined ? key.requestsOfPerson(actorOf(ctx)) : key.requestsOfDomain(domain);
		const isOpen = domain === undefined || mayList(ctx, domain) || (await Delegation.actsIn(ctx, domain));
		const query = { ...paging, of: isOpen ? pk : null, newestFirst: true };
		const { found, nextPageToken: next } = await listed(c, query, visible);
		return c.json({ requests: found, nextPageToken: next }, 200);
	});
	app.openapi(getRequest, async (c) => {
		const view = await Access.viewOf(c.var.ctx, await Access.find(c.var.ctx, c.req.valid('param').id));
		c.header('etag', `"${view.contentHash}"`);
		return c.json(view, 200);
	});
	return app;
}

/** A list shows what its reader may see one by one, and nothing else. */
async function visible(ctx: Context, id: string): Promise<Access.RequestView | null> {
	const request = await Access.get(ctx, id);
	return request !== null && (await Access.isVisible(ctx, request)) ? Access.viewOf(ctx, request) : null;
}
