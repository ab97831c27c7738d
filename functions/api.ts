/** Lambda entry of the HTTP API (API Gateway HTTP API, payload 2.0; also function URLs). */
import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { makeApp } from './app.ts';
import { fetchable } from './lambda.ts';
import { buildPlatform } from './platform.ts';

const built = buildPlatform(process.env);

// Loading the parser takes about 0.15 s, warming it about 0.5 s on two quiet processors: the first query pays for it, unless
// the start is nobody's waiting time.
if (built.site.startsAhead) await built.platform.parser.warm();

const answer = handle(makeApp(built));

type GatewayEvent = Extract<LambdaEvent, { rawPath: string }>;

export const handler = (event: GatewayEvent, context?: LambdaContext) => answer(fetchable(event), context);
