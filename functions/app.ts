/** The HTTP face: middleware, routes, OpenAPI document. No domain rule and no AWS call stands here. */
import { randomUUID } from 'node:crypto';
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { routePath } from 'hono/route';
import { secureHeaders } from 'hono/secure-headers';
import * as Domains from '#core/domains.ts';
import { BrokerError } from '#core/error.ts';
import { accessRoutes } from './api/access.ts';
import { catalogRoutes } from './api/catalog.ts';
import { completenessRoutes } from './api/completeness.ts';
import { countRoutes } from './api/counts.ts';
import { delegationRoutes } from './api/delegations.ts';
import { doctorRoutes } from './api/doctor.ts';
import { erasureRoutes } from './api/erasures.ts';
import { grantRoutes } from './api/grants.ts';
import { ledgerRoutes } from './api/ledger.ts';
import { lineageRoutes } from './api/lineage.ts';
import { meRoutes } from './api/me.ts';
import { policyRoutes } from './api/policies.ts';
import { previewRoutes } from './api/preview.ts';
import { queryRoutes } from './api/query.ts';
import { reconcileRoutes } from './api/reconcile.ts';
import { reportRoutes } from './api/report.ts';
import { newRouter } from './api/router.ts';
import { serviceRoutes } from './api/service.ts';
import { tlogRoutes } from './api/tlog.ts';
import { BASE } from './base.ts';
import { limitBody, MAX_BODY } from './body.ts';
import { document } from './document.ts';
import type { Env } from './env.ts';
import { idempotency } from './idempotency.ts';
import { applyLimit, makeCount } from './limits.ts';
import { logRequest, warnTo } from './log.ts';
import { pageRoutes } from './pages/routes.ts';
import type { Built } from './platform.ts';
import { problem } from './problem.ts';
import { type Written, waitForSeal } from './sealed.ts';
import { traceOf, traceparentOf } from './trace.ts';

const operations = [
	meRoutes,
	policyRoutes,
	catalogRoutes,
	accessRoutes,
	delegationRoutes,
	grantRoutes,
	previewRoutes,
	countRoutes,
	queryRoutes,
	lineageRoutes,
	reconcileRoutes,
	reportRoutes,
	ledgerRoutes,
	tlogRoutes,
	erasureRoutes,
	completenessRoutes,
	doctorRoutes,
];

export function makeApp(built: Built): OpenAPIHono<Env> {
	const app = newRouter();
	app.use(begin(built));
	app.use(secureHeaders());
	app.use(methodNotAllowed({ app, onMethodNotAllowed: wrongMethod }));
	app.use(limitBody(MAX_BODY));
	app.use(`${BASE}/*`, signIn(built));
	app.use(`${BASE}/*`, waitForSeal());
	app.use(`${BASE}/*`, idempotency(built.platform));
	app.onError((error, c) => problem(c, error));
	app.notFound((c) => problem(c, new BrokerError('not-found', 'There is no such address.')));
	for (const routes of operations) app.route(BASE, routes());
	app.route('/', serviceRoutes());
	app.route('/', pageRoutes(built.site));
	app.doc31('/openapi.json', document);
	app.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
		type: 'http',
		scheme: 'bearer',
		bearerFormat: 'JWT',
	});
	return app;
}

/** Each request gets an id and a place in a trace, and leaves one line in the log, however it ends. */
function begin({ platform, site }: Built): MiddlewareHandler<Env> {
	return async (c, next) => {
		const started = performance.now();
		const trace = traceOf(c.req.header('traceparent'), platform.random);
		c.set('platform', platform);
		c.set('site', site);
		c.set('requestId', randomUUID());
		c.set('trace', trace);
		await next();
		c.header('cache-control', c.res.headers.get('cache-control') ?? 'no-store');
		c.header('x-request-id', c.var.requestId);
		c.header('traceparent', traceparentOf(trace));
		logRequest(site.log, {
			trace: trace.id,
			request: c.var.requestId,
			method: c.req.method,
			route: routePath(c, -1),
			status: c.res.status,
			code: c.var.code,
			caller: c.var.ctx?.caller.person ?? null,
			ms: performance.now() - started,
		});
	};
}

function signIn({ platform, authenticate, site }: Built): MiddlewareHandler<Env> {
	const count = makeCount(platform, site.callsPerMinute);
	return async (c, next) => {
		const now = platform.clock();
		const trace = c.var.trace.id;
		const identity = await authenticate(c.req.header('authorization'), now);
		const [counted, caller] = await Promise.all([
			count(identity, now),
			Domains.callerOf({ ...platform, now }, identity),
		]);
		applyLimit(c, counted);
		const written: Written[] = [];
		const appended = (entry: Written) => void written.push(entry);
		c.set('written', written);
		c.set('ctx', Object.freeze({ ...platform, caller, now, trace, warn: warnTo(site.log, trace), appended }));
		await next();
	};
}

function wrongMethod(c: Parameters<MiddlewareHandler<Env>>[0], methods: string[]): Response {
	const answer = problem(c, new BrokerError('method-not-allowed', `Here you may use ${methods.join(', ')}.`));
	answer.headers.set('allow', methods.join(', '));
	return answer;
}
