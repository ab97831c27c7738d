/** Who the caller is, why data may be read, and the registry of domains. */
import { createRoute, z } from '@hono/zod-openapi';
import * as Domains from '#core/domains.ts';
import { Slug } from '#core/id.ts';
import { authorize, Entity, notFound } from '#core/policy.ts';
import { json, jsonBody, newRouter, refusals } from './router.ts';

const Me = z
	.object({
		issuer: z.string(),
		subject: z.string(),
		person: z
			.string()
			.nullable()
			.meta({ description: 'Your pseudonym in the ledger; null if no domain registered you' }),
		roles: z.array(z.object({ domain: z.string(), role: z.string() })),
		principals: z.array(z.object({ domain: z.string(), arn: z.string(), purpose: z.string() })),
	})
	.meta({ id: 'Me' });

const Purpose = z
	.object({ id: z.string(), name: z.string(), legalBasis: z.string(), retention: z.string() })
	.meta({ id: 'Purpose' });

const getMe = createRoute({
	method: 'get',
	path: '/me',
	operationId: 'getMe',
	summary: 'Who you are here: roles, and the principals that you may query with',
	responses: { 200: json(Me, 'You'), ...refusals },
});

const listPurposes = createRoute({
	method: 'get',
	path: '/purposes',
	operationId: 'listPurposes',
	summary: 'The governed purpose list',
	responses: { 200: json(z.object({ purposes: z.array(Purpose) }), 'Purposes'), ...refusals },
});

const listDomains = createRoute({
	method: 'get',
	path: '/domains',
	operationId: 'listDomains',
	summary: 'All domains',
	responses: { 200: json(z.object({ domains: z.array(Domains.Domain) }), 'Domains'), ...refusals },
});

const getDomain = createRoute({
	method: 'get',
	path: '/domains/{id}',
	operationId: 'getDomain',
	summary: 'One domain',
	request: { params: z.object({ id: Slug }) },
	responses: { 200: json(Domains.Domain, 'The domain'), ...refusals },
});

const putDomain = createRoute({
	method: 'put',
	path: '/domains/{id}',
	operationId: 'putDomain',
	summary: 'Register a domain: account, members with their roles, principals with their one purpose',
	request: { params: z.object({ id: Slug }), body: jsonBody(Domains.DomainRegistration) },
	responses: {
		200: json(Domains.Domain, 'Changed or unchanged'),
		201: json(Domains.Domain, 'Registered'),
		...refusals,
	},
});

export function meRoutes() {
	const app = newRouter();
	app.openapi(getMe, async (c) => {
		const { caller } = c.var.ctx;
		const own = [...new Set(caller.roles.filter((m) => m.role === 'consumer').map((m) => m.domain))];
		const domains = await Promise.all(own.map((id) => Domains.get(c.var.ctx, id)));
		const principals = domains.flatMap((d) => (d?.principals ?? []).map((p) => ({ domain: d?.id ?? '', ...p })));
		return c.json({ ...caller, roles: [...caller.roles], principals }, 200);
	});
	app.openapi(listPurposes, (c) => {
		authorize(c.var.ctx, 'viewPurposes', Entity.mesh(c.var.ctx.config.governance));
		return c.json({ purposes: [...c.var.ctx.config.purposes] }, 200);
	});
	app.openapi(listDomains, async (c) => {
		authorize(c.var.ctx, 'viewDomains', Entity.mesh(c.var.ctx.config.governance));
		return c.json({ domains: await Domains.list(c.var.ctx) }, 200);
	});
	app.openapi(getDomain, async (c) => {
		authorize(c.var.ctx, 'viewDomains', Entity.mesh(c.var.ctx.config.governance));
		const domain = await Domains.get(c.var.ctx, c.req.valid('param').id);
		if (domain === null) throw notFound();
		return c.json(domain, 200);
	});
	app.openapi(putDomain, async (c) => {
		const permit = authorize(c.var.ctx, 'registerDomain', Entity.mesh(c.var.ctx.config.governance));
		const { domain, created } = await Domains.register(c.var.ctx, permit, c.req.valid('param').id, c.req.valid('json'));
		return created ? c.json(domain, 201) : c.json(domain, 200);
	});
	return app;
}
