/** Who the caller is, why data may be read, and the registry of domains. */
import { z } from '@hono/zod-openapi';
import { roles } from '#core/context.ts';
import * as Domains from '#core/domains.ts';
import { idOf, RoleArn, Slug } from '#core/id.ts';
import { authorize, Entity, notFound } from '#core/policy.ts';
import * as Example from './examples.ts';
import { etag, IfMatch, json, jsonBody, newRouter, operation } from './router.ts';

const Me = z
	.object({
		issuer: z.string(),
		subject: z.string(),
		person: idOf('person')
			.nullable()
			.meta({ description: 'Your pseudonym in the ledger; null if no domain registered you' }),
		of: idOf('person').optional().meta({ description: 'Who counts with you as one person, where you act for him' }),
		service: z.boolean().optional().meta({ description: 'Whether you are registered as a program' }),
		roles: z.array(z.object({ domain: Slug, role: z.enum(roles) })),
		principals: z.array(z.object({ domain: Slug, arn: RoleArn, purpose: Slug })),
	})
	.meta({ id: 'Me' });

const Purpose = z
	.object({ id: Slug, name: z.string(), legalBasis: z.string(), retention: z.iso.duration() })
	.meta({ id: 'Purpose' });

const getMe = operation(
	{ tag: 'Mesh', action: 'viewMe', refuses: [] },
	{
		method: 'get',
		path: '/me',
		operationId: 'getMe',
		summary: 'Who you are here: roles, and the principals that you may query with',
		responses: { 200: json(Me, 'You', Example.me) },
	},
);

const listPurposes = operation(
	{ tag: 'Mesh', action: 'viewPurposes', refuses: ['not-permitted'] },
	{
		method: 'get',
		path: '/purposes',
		operationId: 'listPurposes',
		summary: 'The governed purpose list',
		responses: { 200: json(z.object({ purposes: z.array(Purpose) }), 'Purposes', Example.purposes) },
	},
);

const listDomains = operation(
	{ tag: 'Mesh', action: 'viewDomains', refuses: ['not-permitted'] },
	{
		method: 'get',
		path: '/domains',
		operationId: 'listDomains',
		summary: 'All domains',
		responses: { 200: json(z.object({ domains: z.array(Domains.Domain) }), 'Domains', { domains: [Example.domain] }) },
	},
);

const getDomain = operation(
	{ tag: 'Mesh', action: 'viewDomains', refuses: ['not-permitted', 'not-found'] },
	{
		method: 'get',
		path: '/domains/{id}',
		operationId: 'getDomain',
		summary: 'One domain',
		request: { params: z.object({ id: Slug.meta({ description: 'Id of the domain' }) }) },
		responses: { 200: { ...json(Domains.Domain, 'The domain', Example.domain), headers: etag } },
	},
);

const putDomain = operation(
	{ tag: 'Mesh', action: 'registerDomain', refuses: ['not-permitted', 'conflict', 'stale', 'precondition-required'] },
	{
		method: 'put',
		path: '/domains/{id}',
		operationId: 'putDomain',
		summary: 'Register a domain: account, shared catalogs, members with their roles, principals with their one purpose',
		request: {
			params: z.object({ id: Slug.meta({ description: 'Id of the domain' }) }),
			headers: IfMatch,
			body: jsonBody(Domains.DomainRegistration, Example.registration),
		},
		responses: {
			200: { ...json(Domains.Domain, 'Changed or unchanged', Example.domain), headers: etag },
			201: { ...json(Domains.Domain, 'Registered', Example.domain), headers: etag },
		},
	},
);

export function meRoutes() {
	const app = newRouter();
	app.openapi(getMe, async (c) => {
		const { caller } = c.var.ctx;
		authorize(c.var.ctx, 'viewMe', Entity.mesh(c.var.ctx.config.governance));
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
		c.header('etag', Domains.etagOf(domain));
		return c.json(domain, 200);
	});
	app.openapi(putDomain, async (c) => {
		const { ctx } = c.var;
		const permit = authorize(ctx, 'registerDomain', Entity.mesh(ctx.config.governance));
		const ifMatch = c.req.valid('header')['if-match'];
		const { id } = c.req.valid('param');
		const { domain, created } = await Domains.register(ctx, permit, id, c.req.valid('json'), ifMatch);
		c.header('etag', Domains.etagOf(domain));
		return created ? c.json(domain, 201) : c.json(domain, 200);
	});
	return app;
}
