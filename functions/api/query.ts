/** Queries under a grant, and their results. */
import { z } from '@hono/zod-openapi';
import { stringify } from 'csv-stringify/sync';
import * as Query from '#core/query.ts';
import { BASE } from '../base.ts';
import * as Example from './examples.ts';
import {
	format,
	json,
	jsonBody,
	link,
	location,
	newRouter,
	nextPageToken,
	one,
	operation,
	pageSize,
	pageToken,
	retryAfter,
} from './router.ts';

const postQuery = operation(
	{
		tag: 'Queries',
		action: 'runQuery',
		refuses: [
			'not-permitted',
			'purpose-mismatch',
			'table-not-granted',
			'column-not-granted',
			'grant-expired',
			'grant-suspended',
			'grant-revoked',
			'grant-not-proven',
			'union-not-exact',
			'query-failed',
			'sql-syntax',
			'unsupported',
			'table-not-found',
			'column-not-found',
		],
	},
	{
		method: 'post',
		path: '/queries',
		operationId: 'createQuery',
		summary: 'Run a query in place, under the principal, as far as your grants reach; or, with `dryRun`, only plan it',
		request: { body: jsonBody(Query.QueryBody, Example.queryBody) },
		responses: {
			200: json(Query.QueryPlan, 'Of a dry run: what it would read, and what is missing', Example.plan),
			202: {
				...json(Query.QueryView, 'Recorded and started; follow Location', Example.query),
				headers: { ...location, ...retryAfter },
			},
		},
	},
);

const getQuery = operation(
	{ tag: 'Queries', action: 'viewQuery', refuses: ['not-found', 'query-failed'] },
	{
		method: 'get',
		path: '/queries/{id}',
		operationId: 'getQuery',
		summary: 'How a query of yours is doing',
		request: one('query'),
		responses: { 200: json(Query.QueryView, 'The query', Example.completed) },
	},
);

const ResultPage = z
	.object({
		columns: z.array(z.object({ name: z.string(), type: z.string() })),
		rows: z.array(z.array(z.string().nullable())).meta({ description: "Athena's text of each value; null is NULL" }),
		nextPageToken,
	})
	.meta({ id: 'ResultPage' });

const getResults = operation(
	{
		tag: 'Queries',
		action: 'viewQuery',
		refuses: [
			'not-found',
			'purpose-mismatch',
			'table-not-granted',
			'union-not-exact',
			'grant-expired',
			'grant-suspended',
			'grant-revoked',
			'grant-not-proven',
			'not-finished',
			'query-failed',
		],
	},
	{
		method: 'get',
		path: '/queries/{id}/results',
		operationId: 'getQueryResults',
		summary: 'A page of the result, while the grants it used are in force',
		request: {
			...one('query'),
			query: z.object({
				pageSize: pageSize(999, 500),
				pageToken: pageToken(4000),
				format: format('json', 'csv'),
			}),
		},
		responses: {
			200: {
				headers: link,
				description: 'Rows; as CSV the header comes with the first page and `Link` names the next one',
				content: {
					'application/json': { schema: ResultPage, example: Example.results },
					'text/csv': { schema: z.string(), example: 'status,loans\nD,38\n' },
				},
			},
		},
	},
);

const cancelQuery = operation(
	{ tag: 'Queries', action: 'viewQuery', refuses: ['not-found', 'query-failed'] },
	{
		method: 'post',
		path: '/queries/{id}/cancel',
		operationId: 'cancelQuery',
		summary: 'Stop a query of yours',
		request: one('query'),
		responses: { 200: json(Query.QueryView, 'Stopped, or over already', { ...Example.query, state: 'cancelled' }) },
	},
);

export function queryRoutes() {
	const app = newRouter();
	app.openapi(postQuery, async (c) => {
		const body = c.req.valid('json');
		if (body.dryRun === true) return c.json(await Query.tryOut(c.var.ctx, body), 200);
		const flow = await Query.run(c.var.ctx, body);
		c.header('location', `${BASE}/queries/${flow.id}`);
		c.header('retry-after', '1');
		return c.json(await Query.viewOf(c.var.ctx, flow), 202);
	});
	app.openapi(getQuery, async (c) => {
		const { ctx } = c.var;
		const flow = await Query.follow(ctx, await Query.find(ctx, c.req.valid('param').id));
		return c.json(await Query.viewOf(ctx, flow), 200);
	});
	app.openapi(getResults, async (c) => {
		const { id } = c.req.valid('param');
		const { pageSize, pageToken, format } = c.req.valid('query');
		const page = await Query.results(c.var.ctx, id, pageToken, pageSize);
		if (page.nextPageToken !== null) {
			const next = new URLSearchParams({ format, pageSize: String(pageSize), pageToken: page.nextPageToken });
			c.header('link', `<${BASE}/queries/${id}/results?${next.toString()}>; rel="next"`);
		}
		if (format === 'json') {
			return c.json(
				{ columns: [...page.columns], rows: page.rows.map((r) => [...r]), nextPageToken: page.nextPageToken },
				200,
			);
		}
		const header = pageToken === undefined ? [page.columns.map((col) => col.name)] : [];
		c.header('content-type', 'text/csv; charset=utf-8');
		// NULL is nothing between the commas, the empty text is quoted, as in Athena's own CSV.
		const body = page.rows.map((r) => r.map((value, i) => cell(value, page.columns[i]?.type ?? '')));
		return c.body(
			stringify([...header.map((h) => h.map((name) => cell(name, ''))), ...body], { quoted_match: /^$/ }),
			200,
		);
	});
	app.openapi(cancelQuery, async (c) => {
		const { ctx } = c.var;
		return c.json(await Query.viewOf(ctx, await Query.cancel(ctx, c.req.valid('param').id)), 200);
	});
	return app;
}

const numeric = /^(tinyint|smallint|integer|bigint|float|real|double|decimal)/;

/** A text that a spreadsheet would take for a formula gets a quote before it (OWASP ASVS 5.0, 1.2.10); a number is none. */
function cell(value: string | null, type: string): string | null {
	return value !== null && !numeric.test(type) && /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/.test(value)
		? `'${value}`
		: value;
}
