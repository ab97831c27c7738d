/** The HTTP face: middleware, routes, OpenAPI document. No domain rule and no AWS call stands here. */
import { randomUUID } from 'node:crypto';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import type { Platform } from '#core/context.ts';
import * as Domains from '#core/domains.ts';
import { BrokerError } from '#core/error.ts';
import type { Authenticate } from '#core/identity.ts';
import { accessRoutes } from './api/access.ts';
import { catalogRoutes } from './api/catalog.ts';
import { grantRoutes } from './api/grants.ts';
import { ledgerRoutes } from './api/ledger.ts';
import { meRoutes } from './api/me.ts';
import { queryRoutes } from './api/query.ts';
import { reportRoutes } from './api/report.ts';
import { newRouter } from './api/router.ts';
import { BASE } from './base.ts';
import type { Env } from './env.ts';
import { problem } from './problem.ts';

/** Contracts are the largest thing anybody sends. */
const MAX_BODY = 1024 * 1024;

export function makeApp(platform: Platform, authenticate: Authenticate): OpenAPIHono<Env> {
	const app = newRouter();
	app.use(async (c, next) => {
		c.set('platform', platform);
		c.set('requestId', randomUUID());
		await next();
		c.header('cache-control', 'no-store');
		c.header('x-request-id', c.var.requestId);
	});
	app.use(secureHeaders());
	app.use(
		bodyLimit({
			maxSize: MAX_BODY,
			onError: (c) => problem(c, new BrokerError('too-large', `At most ${MAX_BODY} bytes.`)),
		}),
	);
	app.use(`${BASE}/*`, async (c, next) => {
		const now = platform.clock();
		const identity = await authenticate(c.req.header('authorization'), now);
		const caller = await Domains.callerOf({ ...platform, now }, identity);
		c.set('ctx', Object.freeze({ ...platform, caller, now, requestId: c.var.requestId }));
		await next();
	});
	app.onError((error, c) => problem(c, error));
	app.notFound((c) => problem(c, new BrokerError('not-found', 'There is no such address.')));
	for (const routes of [meRoutes, catalogRoutes, accessRoutes, grantRoutes, queryRoutes, reportRoutes, ledgerRoutes]) {
		app.route(BASE, routes());
	}
	app.get('/healthz', (c) => c.json({ status: 'ok' }));
	app.doc31('/openapi.json', document);
	app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
		type: 'http',
		scheme: 'bearer',
		bearerFormat: 'JWT',
	});
	return app;
}

const document = {
	openapi: '3.1.0',
	info: {
		title: 'Fairlead',
		version: '0.1.0',
		description: "Access and lineage broker for a bank's data mesh on AWS.",
		license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
	},
	servers: [{ url: '/' }],
	security: [{ bearer: [] }],
};
