/** What AWS saw of reads, held against the flows of the ledger, day by day; and a day checked on demand. */
import { z } from '@hono/zod-openapi';
import * as Completeness from '#core/completeness.ts';
import { Listing } from '#core/ledger.ts';
import * as Example from './examples/completeness.ts';
import { listed } from './listing.ts';
import { json, jsonBody, link, newRouter, nextPageToken, operation, Paging, retryAfter } from './router.ts';

const Day = z.iso.date().meta({ description: 'A day in UTC', example: '2026-03-01' });

const listDays = operation(
	{ tag: 'Ledger', action: 'viewCompleteness', refuses: ['not-found'] },
	{
		method: 'get',
		path: '/completeness',
		operationId: 'listCompleteness',
		summary:
			'Days that were checked against what AWS saw of them, newest first; owners: as far as it is about their products',
		request: { query: Paging },
		responses: {
			200: {
				...json(z.object({ days: z.array(Completeness.DayView), nextPageToken }), 'Days', {
					days: [Example.day],
					nextPageToken: null,
				}),
				headers: link,
			},
		},
	},
);

const Findings = Completeness.DayFindings.extend({
	bypasses: z.array(Completeness.BypassView),
	nextPageToken,
});

const getDay = operation(
	{ tag: 'Ledger', action: 'viewCompleteness', refuses: ['not-found'] },
	{
		method: 'get',
		path: '/completeness/{day}',
		operationId: 'getCompleteness',
		summary: 'What was found on a day; bypasses by pages. Owners see those that read their products',
		request: { params: z.object({ day: Day }), query: Paging },
		responses: {
			200: {
				...json(Findings, 'What was found', { ...Example.findings, bypasses: [Example.bypass], nextPageToken: null }),
				headers: link,
			},
		},
	},
);

const Asked = z
	.strictObject({ day: Day.optional().meta({ description: 'The last one that is over, unless given' }) })
	.meta({ id: 'CompletenessRequest' });

const Unfinished = z
	.object({ day: Day, state: z.literal('unfinished') })
	.meta({ id: 'CompletenessUnfinished', description: 'What was done is kept; asking again goes on from there' });

const checkDay = operation(
	{ tag: 'Ledger', action: 'checkCompleteness', refuses: ['not-permitted', 'not-found', 'conflict'] },
	{
		method: 'post',
		path: '/completeness',
		operationId: 'checkCompleteness',
		summary: 'Check a day now against what AWS saw of it, or go on with that; also one that was checked before',
		request: { body: jsonBody(Asked, Example.asked) },
		responses: {
			200: json(Completeness.DayView, 'Checked', Example.day),
			202: {
				...json(Unfinished, 'It takes longer than a call may; ask again', { day: '2026-03-01', state: 'unfinished' }),
				headers: retryAfter,
			},
		},
	},
);

/** API Gateway gives up after thirty seconds; a page that is under way takes some, too. */
const FOR_MS = 18_000;

export function completenessRoutes() {
	const app = newRouter();
	app.openapi(listDays, async (c) => {
		const { ctx } = c.var;
		const sight = Completeness.mustSee(ctx);
		const paging = { ...c.req.valid('query'), of: Listing.key.completeness, newestFirst: true };
		const { found, nextPageToken: next } = await listed(c, paging, (as, day) => Completeness.seenDay(as, sight, day));
		c.set('shown', { count: found.length });
		return c.json({ days: found, nextPageToken: next }, 200);
	});
	app.openapi(getDay, async (c) => {
		const { ctx } = c.var;
		const sight = Completeness.mustSee(ctx);
		const { day } = c.req.valid('param');
		const found = await Completeness.findDay(ctx, sight, day);
		const paging = { ...c.req.valid('query'), of: Completeness.bypassListings(sight, day), newestFirst: false };
		const { found: bypasses, nextPageToken: next } = await listed(c, paging, (as, line) =>
			Completeness.seenBypass(as, sight, line),
		);
		c.set('shown', { count: bypasses.length });
		return c.json({ ...found, bypasses, nextPageToken: next }, 200);
	});
	app.openapi(checkDay, async (c) => {
		const { ctx } = c.var;
		const { day } = c.req.valid('json');
		const done = await Completeness.check(ctx, { ...(day === undefined ? {} : { day }), forMs: FOR_MS });
		if (done.view !== null) return c.json(done.view, 200);
		c.header('retry-after', '5');
		return c.json({ day: done.day, state: 'unfinished' as const }, 202);
	});
	return app;
}
