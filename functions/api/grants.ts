/** Grants in force and past, and ending them. */
import { z } from '@hono/zod-openapi';
import * as Access from '#core/access.ts';
import { actorOf, type Context } from '#core/context.ts';
import * as Grants from '#core/grants.ts';
import { Listing } from '#core/ledger.ts';
import * as Reconcile from '#core/reconcile.ts';
import { Text } from '#core/text.ts';
import * as Example from './examples.ts';
import { leavingRoutes } from './grants/leaving.ts';
import { listed, mayList } from './listing.ts';
import { json, jsonBody, link, newRouter, nextPageToken, OfDomain, one, operation, Paging } from './router.ts';

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

const GrantDetail = Grants.GrantView.extend({
	health: z.enum(['healthy', 'drifted', 'unknown']).meta({
		description: 'Whether Lake Formation held just what it should when it was last compared; `unknown` before that',
	}),
}).meta({ id: 'GrantDetail' });

const getGrant = operation(
	{ tag: 'Grants', action: 'viewGrant', refuses: ['not-found'] },
	{
		method: 'get',
		path: '/grants/{id}',
		operationId: 'getGrant',
		summary: 'One grant',
		request: one('grant'),
		responses: { 200: json(GrantDetail, 'The grant', { ...Example.grant, health: 'healthy' as const }) },
	},
);

const Revocation = z.strictObject({ reason: Text }).meta({ id: 'Revocation' });

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

const suspendGrant = operation(
	{ tag: 'Grants', action: 'suspendGrant', refuses: ['not-permitted', 'not-found', 'conflict'] },
	{
		method: 'post',
		path: '/grants/{id}/suspend',
		operationId: 'suspendGrant',
		summary: 'Hold a grant back: queries are refused at once, Lake Formation follows and is read back',
		request: { ...one('grant'), body: jsonBody(Revocation, { reason: 'An incident is looked into' }) },
		responses: {
			202: json(Grants.GrantView, 'Refused from now on, until it is resumed', {
				...Example.grant,
				state: 'suspending',
				heldBy: ['owner'],
			}),
		},
	},
);

const resumeGrant = operation(
	{
		tag: 'Grants',
		action: 'resumeGrant',
		refuses: [
			'not-permitted',
			'not-found',
			'conflict',
			'self-approval',
			'union-not-exact',
			'not-governed',
			'quota-exceeded',
		],
	},
	{
		method: 'post',
		path: '/grants/{id}/resume',
		operationId: 'resumeGrant',
		summary: 'Lift your hold on a suspended grant; without another one it is taken up again, for the time that is left',
		request: { ...one('grant'), body: jsonBody(Revocation, { reason: 'Nothing was wrong' }) },
		responses: {
			202: json(
				Grants.GrantView,
				'Open once Lake Formation shows it; still `suspended` where `heldBy` names who else holds it back',
				{ ...Example.grant, state: 'suspended', heldBy: ['privacy-officer'] },
			),
		},
	},
);

const narrowGrant = operation(
	{
		tag: 'Grants',
		action: 'narrowGrant',
		refuses: [
			'not-permitted',
			'not-found',
			'conflict',
			'union-not-exact',
			'not-governed',
			'quota-exceeded',
			'row-filter-invalid',
			'column-not-found',
			'request-refused',
		],
	},
	{
		method: 'post',
		path: '/grants/{id}/narrow',
		operationId: 'narrowGrant',
		summary: 'Let a grant open less: fewer columns, fewer rows',
		request: {
			...one('grant'),
			body: jsonBody(Access.Narrowing, {
				tables: [{ table: 'loans', columns: ['loan_id', 'status'] }],
				reason: 'Amounts are not needed any more',
			}),
		},
		responses: {
			202: json(Grants.GrantView, 'Shut until Lake Formation shows what is left', {
				...Example.grant,
				state: 'granting',
			}),
		},
	},
);

export function grantRoutes() {
	const app = newRouter();
	app.route('/', leavingRoutes());
	app.openapi(listGrants, async (c) => {
		const { ctx } = c.var;
		const { domain, ...paging } = c.req.valid('query');
		const { key } = Listing;
		const pk = domain === undefined ? key.grantsOfPerson(actorOf(ctx)) : key.grantsOfDomain(domain);
		const of = domain === undefined || mayList(ctx, domain) ? pk : null;
		const { found, nextPageToken: next } = await listed(c, { ...paging, of, newestFirst: true }, visible);
		return c.json({ grants: found, nextPageToken: next }, 200);
	});
	app.openapi(getGrant, async (c) => {
		const { ctx } = c.var;
		const grant = await Grants.find(ctx, c.req.valid('param').id);
		const health = await Reconcile.health(
			ctx,
			grant.scopes.map(({ table }) => table),
			grant.opened.body.principal,
		);
		return c.json({ ...Grants.viewOf(grant, ctx.now), health }, 200);
	});
	app.openapi(revokeGrant, async (c) => {
		const grant = await Grants.revoke(c.var.ctx, c.req.valid('param').id, c.req.valid('json').reason);
		return c.json(Grants.viewOf(grant, c.var.ctx.now), 202);
	});
	app.openapi(suspendGrant, async (c) => {
		const grant = await Grants.suspend(c.var.ctx, c.req.valid('param').id, c.req.valid('json').reason);
		return c.json(Grants.viewOf(grant, c.var.ctx.now), 202);
	});
	app.openapi(resumeGrant, async (c) => {
		const grant = await Access.resume(c.var.ctx, c.req.valid('param').id, c.req.valid('json').reason);
		return c.json(Grants.viewOf(grant, c.var.ctx.now), 202);
	});
	app.openapi(narrowGrant, async (c) => {
		const grant = await Access.narrow(c.var.ctx, c.req.valid('param').id, c.req.valid('json'));
		return c.json(Grants.viewOf(grant, c.var.ctx.now), 202);
	});
	return app;
}

async function visible(ctx: Context, id: string): Promise<Grants.GrantView | null> {
	const grant = await Grants.get(ctx, id);
	return grant !== null && (await Grants.isVisible(ctx, grant)) ? Grants.viewOf(grant, ctx.now) : null;
}
