/** Erasing what the ledger holds in words: asked for by the privacy officer of the mesh, on record, and done by the eraser. */
import { z } from '@hono/zod-openapi';
import * as Erasure from '#core/erasure.ts';
import { idOf } from '#core/id.ts';
import { Listing } from '#core/ledger.ts';
import { authorize, Entity } from '#core/policy.ts';
import * as Example from './examples/erasures.ts';
import { listed } from './listing.ts';
import { json, jsonBody, link, newRouter, nextPageToken, operation, Paging } from './router.ts';

const eraseEntry = operation(
	{
		tag: 'Ledger',
		action: 'eraseEntry',
		refuses: ['not-permitted', 'not-found', 'nothing-to-erase', 'still-needed', 'conflict'],
	},
	{
		method: 'post',
		path: '/ledger/entries/{id}/erasure',
		operationId: 'eraseEntry',
		summary: 'Have the payload of an entry erased: names, free text, literals. The entry stays, and verifies',
		request: {
			params: z.object({ id: idOf('entry').meta({ description: 'Id of the entry' }) }),
			body: jsonBody(Erasure.ErasureRequest, Example.request),
		},
		responses: { 202: json(Erasure.ErasureView, 'Recorded; it is erased within minutes', Example.requested) },
	},
);

const listErasures = operation(
	{ tag: 'Ledger', action: 'viewErasures', refuses: ['not-permitted'] },
	{
		method: 'get',
		path: '/ledger/erasures',
		operationId: 'listErasures',
		summary: 'What was erased of the ledger or is about to be: when, why and by whom, newest first',
		request: { query: Paging },
		responses: {
			200: {
				...json(z.object({ erasures: z.array(Erasure.ErasureView), nextPageToken }), 'Erasures', {
					erasures: [Example.erased],
					nextPageToken: null,
				}),
				headers: link,
			},
		},
	},
);

export function erasureRoutes() {
	const app = newRouter();
	app.openapi(eraseEntry, async (c) => {
		const { ctx } = c.var;
		const erasure = await Erasure.request(ctx, c.req.valid('param').id, c.req.valid('json'));
		return c.json(await Erasure.viewOf(ctx, erasure), 202);
	});
	app.openapi(listErasures, async (c) => {
		const { ctx } = c.var;
		authorize(ctx, 'viewErasures', Entity.mesh(ctx.config.governance));
		const paging = { ...c.req.valid('query'), of: Listing.key.erasures, newestFirst: true };
		const { found, nextPageToken: next } = await listed(c, paging, async (as, line) => {
			const erasure = await Erasure.get(as, line.slice(line.indexOf('#') + 1));
			return erasure === null ? null : Erasure.viewOf(as, erasure);
		});
		c.set('shown', { count: found.length });
		return c.json({ erasures: found, nextPageToken: next }, 200);
	});
	return app;
}
