/** How many rows a pending request would open, for those who decide on it. */
import * as Counts from '#core/counts.ts';
import { BASE } from '../base.ts';
import * as Example from './examples/counts.ts';
import { json, location, newRouter, one, operation, retryAfter } from './router.ts';

const countRequest = operation(
	{
		tag: 'Requests',
		action: 'countRequest',
		refuses: ['not-permitted', 'not-found', 'already-decided', 'conflict'],
	},
	{
		method: 'post',
		path: '/requests/{id}/counts',
		operationId: 'countRequest',
		summary: 'Count the rows that a pending request would open, by a query of yours for each table',
		request: one('request'),
		responses: {
			200: json(Counts.CountsView, 'Nothing to be started: counted within the hour, or why not', Example.counted),
			202: {
				...json(Counts.CountsView, 'Recorded and started; follow Location', Example.running),
				headers: { ...location, ...retryAfter },
			},
		},
	},
);

const getRequestCounts = operation(
	{ tag: 'Requests', action: 'countRequest', refuses: ['not-permitted', 'not-found', 'already-decided', 'conflict'] },
	{
		method: 'get',
		path: '/requests/{id}/counts',
		operationId: 'getRequestCounts',
		summary: 'What you counted of a pending request: rows visible before and after, and their share',
		request: one('request'),
		responses: { 200: json(Counts.CountsView, 'Per table, or why it is not counted', Example.counted) },
	},
);

export function countRoutes() {
	const app = newRouter();
	app.openapi(countRequest, async (c) => {
		const { id } = c.req.valid('param');
		const { counts, started } = await Counts.start(c.var.ctx, id);
		if (!started) return c.json(counts, 200);
		c.header('location', `${BASE}/requests/${id}/counts`);
		c.header('retry-after', '1');
		return c.json(counts, 202);
	});
	app.openapi(getRequestCounts, async (c) => c.json(await Counts.look(c.var.ctx, c.req.valid('param').id), 200));
	return app;
}
