/** Reports with their evidence. */

import { Readable } from 'node:stream';
import { z } from '@hono/zod-openapi';
import type { Context as HonoContext } from 'hono';
import { BrokerError } from '#core/error.ts';
import * as Report from '#core/report.ts';
import { BASE } from '../base.ts';
import type { Env } from '../env.ts';
import { logFailure } from '../log.ts';
import * as Example from './examples.ts';
import { format, json, jsonBody, location, newRouter, one, operation } from './router.ts';

const postReport = operation(
	{ tag: 'Reports', action: 'requestReport', refuses: ['not-permitted', 'not-found'] },
	{
		method: 'post',
		path: '/reports',
		operationId: 'createReport',
		summary: 'Ask for the flows of a product over a period; the asking is recorded',
		request: { body: jsonBody(Report.ReportBody, { kind: 'flows', product: 'lending.loans' }) },
		responses: { 201: { ...json(Report.ReportView, 'Recorded; read /content', Example.report), headers: location } },
	},
);

const getReport = operation(
	{ tag: 'Reports', action: 'viewReport', refuses: ['not-found'] },
	{
		method: 'get',
		path: '/reports/{id}',
		operationId: 'getReport',
		summary: 'A report of yours',
		request: one('report'),
		responses: { 200: json(Report.ReportView, 'The report', Example.report) },
	},
);

const getContent = operation(
	{ tag: 'Reports', action: 'viewReport', refuses: ['not-found'] },
	{
		method: 'get',
		path: '/reports/{id}/content',
		operationId: 'getReportContent',
		summary: 'Each flow with its chain to grant, decisions, request and contract version',
		request: { ...one('report'), query: z.object({ format: format('json', 'csv') }) },
		responses: {
			200: {
				description: 'The same rows in either format, streamed',
				content: {
					'application/json': { schema: Report.ReportContent, example: Example.reportContent },
					'text/csv': { schema: z.string(), example: Example.reportCsv },
				},
			},
		},
	},
);

export function reportRoutes() {
	const app = newRouter();
	app.openapi(postReport, async (c) => {
		const report = await Report.request(c.var.ctx, c.req.valid('json'));
		c.header('location', `${BASE}/reports/${report.id}`);
		return c.json(report, 201);
	});
	app.openapi(getReport, async (c) => c.json(await Report.find(c.var.ctx, c.req.valid('param').id), 200));
	app.openapi(getContent, async (c) => {
		const report = await Report.find(c.var.ctx, c.req.valid('param').id);
		const csv = c.req.valid('query').format === 'csv';
		const chunks = csv ? Report.csv(c.var.ctx, report) : Report.json(c.var.ctx, report);
		c.header('content-type', csv ? 'text/csv; charset=utf-8' : 'application/json');
		const bytes = Readable.from(breakingOff(c, chunks), { objectMode: false });
		return c.body(Readable.toWeb(bytes) as ReadableStream<Uint8Array>, 200);
	});
	return app;
}

/**
 * A failure midway breaks the connection off: a cut report must not look like a whole one. What carries the stream
 * prints or even sends the message of what was thrown, so that one holds nothing; the log has the cause by name.
 */
async function* breakingOff(c: HonoContext<Env>, chunks: AsyncIterable<string>): AsyncGenerator<string> {
	try {
		yield* chunks;
	} catch (thrown) {
		const { site, trace, requestId } = c.var;
		const known = thrown instanceof BrokerError ? thrown : undefined;
		const of = { trace: trace.id, request: requestId, code: known?.code ?? 'internal' };
		logFailure(site.log, of, known?.cause ?? thrown);
		throw cutOff();
	}
}

const cutOff = () => new Error('cut off');
