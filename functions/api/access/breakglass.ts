/** Access in an emergency: taking it, the list of what nobody has looked at, and the verdict of who did. */
import { z } from '@hono/zod-openapi';
import * as Access from '#core/access.ts';
import * as Grants from '#core/grants.ts';
import { Listing } from '#core/ledger.ts';
import { BASE } from '../../base.ts';
import * as Example from '../examples/breakglass.ts';
import { listed, seesAny } from '../listing.ts';
import {
	etag,
	json,
	jsonBody,
	link,
	location,
	newRouter,
	nextPageToken,
	OfDomain,
	one,
	operation,
	Paging,
} from '../router.ts';
import { unaskable } from './filing.ts';

const Broken = z
	.object({
		request: Access.RequestView,
		grant: Grants.GrantView.nullable().meta({ description: 'null where it is still to be opened, by the sweep' }),
	})
	.meta({ id: 'GlassBroken' });

/** No domain: nobody has a role there. */
const NOWHERE = '-';

const postBreakGlass = operation(
	{ tag: 'Requests', action: 'breakGlass', refuses: unaskable },
	{
		method: 'post',
		path: '/requests/break-glass',
		operationId: 'breakGlass',
		summary: 'Take access in an emergency, without approvers: for yourself, for hours, reviewed afterwards',
		request: { body: jsonBody(Access.BreakGlassRequest, Example.body) },
		responses: { 201: { ...json(Broken, 'Taken, and told of', Example.broken), headers: { ...location, ...etag } } },
	},
);

const listBreakGlass = operation(
	{ tag: 'Requests', action: 'viewBreakGlass', refuses: [] },
	{
		method: 'get',
		path: '/break-glass',
		operationId: 'listBreakGlass',
		summary: "What was taken in an emergency and not reviewed yet: of a domain's products, or of the whole mesh",
		request: { query: Paging.extend({ domain: OfDomain }) },
		responses: {
			200: {
				...json(z.object({ unreviewed: z.array(Access.UnreviewedView), nextPageToken }), 'Those due first come first', {
					unreviewed: [Example.unreviewed],
					nextPageToken: null,
				}),
				headers: link,
			},
		},
	},
);

const postReview = operation(
	{
		tag: 'Requests',
		action: 'reviewBreakGlass',
		refuses: ['not-permitted', 'self-approval', 'not-found', 'conflict', 'already-decided'],
	},
	{
		method: 'post',
		path: '/requests/{id}/review',
		operationId: 'reviewBreakGlass',
		summary: 'Say whether what was taken in an emergency was needed; if not, it ends',
		request: { ...one('request'), body: jsonBody(Access.ReviewBody, Example.review) },
		responses: { 200: json(Access.RequestView, 'Recorded', Example.reviewed) },
	},
);

export function breakGlassRoutes() {
	const app = newRouter();
	app.openapi(postBreakGlass, async (c) => {
		const { ctx } = c.var;
		const { request, grant } = await Access.breakGlass(ctx, c.req.valid('json'));
		const view = await Access.viewOf(ctx, request);
		c.header('location', `${BASE}/requests/${view.id}`);
		c.header('etag', `"${view.contentHash}"`);
		return c.json({ request: view, grant: grant === null ? null : Grants.viewOf(grant, ctx.now) }, 201);
	});
	app.openapi(listBreakGlass, async (c) => {
		const { ctx } = c.var;
		const { domain, ...paging } = c.req.valid('query');
		const { key } = Listing;
		const pk = domain === undefined ? key.unreviewed : key.unreviewedOfDomain(domain);
		const of = seesAny(ctx, 'viewBreakGlass', domain ?? NOWHERE) ? pk : null;
		const query = { ...paging, of, newestFirst: false };
		const { found, nextPageToken: next } = await listed(c, query, Access.unreviewed);
		return c.json({ unreviewed: found, nextPageToken: next }, 200);
	});
	app.openapi(postReview, async (c) => {
		const { ctx } = c.var;
		const request = await Access.review(ctx, c.req.valid('param').id, c.req.valid('json'));
		return c.json(await Access.viewOf(ctx, request), 200);
	});
	return app;
}
