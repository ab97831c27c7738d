/** Lambda entry of the HTTP API (API Gateway HTTP API, payload 2.0; also function URLs). */
import { handle } from 'hono/aws-lambda';
import { makeApp } from './app.ts';
import { buildPlatform } from './platform.ts';

const { platform, authenticate } = buildPlatform(process.env);

export const handler = handle(makeApp(platform, authenticate));
