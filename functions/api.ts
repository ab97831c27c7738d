/** Lambda entry of the HTTP API (API Gateway HTTP API, payload 2.0; also function URLs). */
import { handle } from 'hono/aws-lambda';
import { warm } from '#core/sql.ts';
import { makeApp } from './app.ts';
import { buildPlatform } from './platform.ts';

const built = buildPlatform(process.env);

// The grammar's first parse takes about a second: the first query pays for it, unless the start is nobody's waiting time.
if (built.site.startsAhead) warm();

export const handler = handle(makeApp(built));
