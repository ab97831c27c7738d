/** Lambda entry of the HTTP API (API Gateway HTTP API, payload 2.0; also function URLs). */
import { handle } from 'hono/aws-lambda';
import { warm } from '#core/sql.ts';
import { makeApp } from './app.ts';
import { buildPlatform } from './platform.ts';

const app = makeApp(buildPlatform(process.env));

// The grammar's first parse is slow: pay for it before the first request.
warm();

export const handler = handle(app);
