/** What keeps grants from holding: read-only, for those who run the mesh and for owners. */
import { z } from '@hono/zod-openapi';
import * as Doctor from '#core/doctor.ts';
import { ProductId, Slug } from '#core/id.ts';
import * as Example from './examples.ts';
import { json, newRouter, operation } from './router.ts';

const getExamination = operation(
	{ tag: 'Mesh', action: 'examine', refuses: ['not-permitted', 'not-found'] },
	{
		method: 'get',
		path: '/doctor',
		operationId: 'examineMesh',
		summary: 'What keeps grants from holding: tables, principals and accounts, each finding with its fix',
		request: {
			query: z.object({
				domain: Slug.optional().meta({
					description:
						'Tables of this domain, its principals and those that hold something there; owners must name theirs',
				}),
				product: ProductId.optional().meta({
					description: 'Tables of this product alone, and the principals that hold something there',
				}),
			}),
		},
		responses: { 200: json(Doctor.Examination, 'What was found', Example.examination) },
	},
);

export function doctorRoutes() {
	const app = newRouter();
	app.openapi(getExamination, async (c) => c.json(await Doctor.examine(c.var.ctx, c.req.valid('query')), 200));
	return app;
}
