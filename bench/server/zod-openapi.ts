/** One described route on zod-openapi: input validated, answer typed, no caller and no rule. */
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { handle } from 'hono/aws-lambda';
import { body } from './body.ts';

const Purpose = z.object({ id: z.string(), name: z.string(), legalBasis: z.string(), retention: z.string() });
const listPurposes = createRoute({
	method: 'get',
	path: '/api/v1/purposes',
	request: { query: z.object({ pageSize: z.coerce.number().int().min(1).max(100).default(20) }) },
	responses: {
		200: {
			description: 'Purposes',
			content: { 'application/json': { schema: z.object({ purposes: z.array(Purpose) }) } },
		},
	},
});

const app = new OpenAPIHono();
app.openapi(listPurposes, (c) => c.json(body, 200));

export const handler = handle(app);
