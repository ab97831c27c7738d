/** What SQL that runs elsewhere reads, and where its outputs come from. */
import { authorize, Entity } from '#core/policy.ts';
import * as Query from '#core/query.ts';
import * as Example from './examples.ts';
import { json, jsonBody, newRouter, operation } from './router.ts';

const postLineage = operation(
	{ tag: 'Queries', action: 'viewProducts', refuses: ['not-permitted'] },
	{
		method: 'post',
		path: '/lineage',
		operationId: 'readLineage',
		summary: 'Read the lineage of SQL that runs elsewhere; nothing runs, and no grant is asked for',
		request: { body: jsonBody(Query.ForeignSql, Example.foreignSql) },
		responses: { 200: json(Query.ForeignLineage, 'The lineage, or why it could not be known', Example.lineage) },
	},
);

export function lineageRoutes() {
	const app = newRouter();
	app.openapi(postLineage, async (c) => {
		const { ctx } = c.var;
		authorize(ctx, 'viewProducts', Entity.mesh(ctx.config.governance));
		return c.json(await Query.readForeign(ctx, c.req.valid('json')), 200);
	});
	return app;
}
