/** One route on Hono and nothing else. */
import { Hono } from 'hono';
import { handle } from 'hono/aws-lambda';
import { body } from './body.ts';

const app = new Hono();
app.get('/api/v1/purposes', (c) => c.json(body, 200));

export const handler = handle(app);
