/** Exactly what would become visible, and what is visible because of a grant. */
import { z } from '@hono/zod-openapi';
import * as Access from '#core/access.ts';
import * as Preview from '#core/preview.ts';
import { BASE } from '../base.ts';
import * as Example from './examples/preview.ts';
import { etag, json, newRouter, one, operation } from './router.ts';

const RequestPreview = Preview.PreviewView.extend({
	counts: z.object({ path: z.string() }).nullable().meta({
		description: 'Where you can have the rows counted; nothing is counted by looking here. null: you cannot',
	}),
}).meta({ id: 'RequestPreview' });

const previewRequest = operation(
	{ tag: 'Requests', action: 'previewRequest', refuses: ['not-permitted', 'not-found', 'already-decided'] },
	{
		method: 'get',
		path: '/requests/{id}/preview',
		operationId: 'previewRequest',
		summary: 'What the principal sees before and after a pending request; the ETag is that of the request',
		request: one('request'),
		responses: {
			200: { ...json(RequestPreview, 'Cell by cell, as filters tell it', Example.requestPreview), headers: etag },
		},
	},
);

const previewGrant = operation(
	{ tag: 'Grants', action: 'previewGrant', refuses: ['not-permitted', 'not-found'] },
	{
		method: 'get',
		path: '/grants/{id}/preview',
		operationId: 'previewGrant',
		summary: 'What the principal sees with a grant (`before`) and without it (`after`)',
		request: one('grant'),
		responses: { 200: json(Preview.PreviewView, 'Cell by cell, as filters tell it', Example.grantPreview) },
	},
);

export function previewRoutes() {
	const app = newRouter();
	app.openapi(previewRequest, async (c) => {
		const { id } = c.req.valid('param');
		const { preview, contentHash, mayCount } = await Access.previewOf(c.var.ctx, id);
		c.header('etag', `"${contentHash}"`);
		return c.json({ ...preview, counts: mayCount ? { path: `${BASE}/requests/${id}/counts` } : null }, 200);
	});
	app.openapi(previewGrant, async (c) => {
		return c.json(await Preview.previewGrant(c.var.ctx, c.req.valid('param').id), 200);
	});
	return app;
}
