/** Grants in force and past, and ending them. */
import { z } from '@hono/zod-openapi';
import { actorOf, type Context } from '#core/context.ts';
import * as Grants from '#core/grants.ts';
import { Listing, readable } from '#core/ledger.ts';
import * as Example from './examples.ts';
import {
	json,
	jsonBody,
	link,
	linkNext,
	mayList,
	newRouter,
	nextPageToken,
	OfDomain,
	one,
	operation,
	Paging,
	pageOf,
} from './router.ts';

const listGrants = operation(
	{ tag: 'Grants', action: 'viewGrant', refuses: ['not-permitted'] },
	{
		method: 'get',
		path: '/grants',
		operationId: 'listGrants',
		summary: 'Grants you benefit from, or with `domain` those of that domain that you may see',
		request: { query: Paging.extend({ domain: OfDomain }) },
		responses: {
			200: {
				...json(z.object({ grants: z.array(Grants.GrantView), nextPageToken }), 'Grants, newest first', {
					grants: [Example.grant],
					nextPageToken: null,
				}),
				headers: link,
			},
		},
	},
);

const getGrant = operation(
	{ tag: 'Grants', action: 'viewGrant', refuses: ['not-found'] },
	{
		method: 'get',
		path: '/grants/{id}',
		operationId: 'getGrant',
		summary: 'One grant',
		request: one('grant'),
		responses: { 200: json(Grants.GrantView, 'The grant', Example.grant) },
	},
);

const Revocation = z.strictObject({ reason: z.string().min(1).max(2000) }).meta({ id: 'Revocation' });

const revokeGrant = operation(
	{ tag: 'Grants', action: 'revokeGrant', refuses: ['not-permitted', 'not-found', 'conflict'] },
	{
		method: 'post',
		path: '/grants/{id}/revoke',
		operationId: 'revokeGrant',
		summary: 'End a grant: queries are refused at once, Lake Formation follows and is read back',
		request: { ...one('grant'), body: jsonBody(Revocation, { reason: 'The review is done' }) },
		responses: {
			202: json(Grants.GrantView, 'Refused from now on; `revoked` once Lake Formation shows it gone', {
				...Example.grant,
				state: 'revoking',
			}),
		},
	},
);

export function grantRoutes() {
	const app = newRouter();
	app.openapi(listGrants, async (c) => {
		const { ctx } = c.var;
		const { domain, ...paging } = c.req.valid('query');
		const { key } = Listing;
		const pk = domain === undefined ? key.grantsOfPerson(actorOf(ctx)) : key.grantsOfDomain(domain);
		if (domain !== undefined && !mayList(ctx, domain)) return c.json({ grants: [], nextPageToken: null }, 200);
		const { keys, nextPageToken: next } = await pageOf(ctx, pk, paging, true);
		const found = await Promise.all(keys.map((id) => visible(ctx, id)));
		linkNext(c, next);
		return c.json({ grants: found.filter((g) => g !== null), nextPageToken: next }, 200);
	});
	app.openapi(getGrant, async (c) => {
		return c.json(Grants.viewOf(await Grants.find(c.var.ctx, c.req.valid('param').id), c.var.ctx.now), 200);
	});
	app.openapi(revokeGrant, async (c) => {
		const grant = await Grants.revoke(c.var.ctx, c.req.valid('param').id, c.req.valid('json').reason);
		return c.json(Grants.viewOf(grant, c.var.ctx.now), 202);
	});
	return app;
}

async function visible(ctx: Context, id: string): Promise<Grants.GrantView | null> {
	const grant = await readable(() => Grants.get(ctx, id));
	return grant !== null && (await Grants.isVisible(ctx, grant)) ? Grants.viewOf(grant, ctx.now) : null;
}
