/** Letting another decide in one's place, and taking that back. */
import { z } from '@hono/zod-openapi';
import { actorOf, type Context } from '#core/context.ts';
import * as Delegation from '#core/delegation.ts';
import { Listing } from '#core/ledger.ts';
import { Entity, may } from '#core/policy.ts';
import { LISTING } from '#core/reading.ts';
import { BASE } from '../base.ts';
import * as Example from './examples/delegations.ts';
import { listed } from './listing.ts';
import {
	json,
	jsonBody,
	link,
	location,
	newRouter,
	nextPageToken,
	OfDomain,
	one,
	operation,
	Paging,
} from './router.ts';

const postDelegation = operation(
	{ tag: 'Requests', action: 'delegate', refuses: ['not-permitted', 'conflict'] },
	{
		method: 'post',
		path: '/delegations',
		operationId: 'createDelegation',
		summary: 'Let another decide on requests in your place for a time: one level deep, in one role',
		request: { body: jsonBody(Delegation.DelegationBody, Example.delegationBody) },
		responses: { 201: { ...json(Delegation.DelegationView, 'Given', Example.delegation), headers: location } },
	},
);

const listDelegations = operation(
	{ tag: 'Requests', action: 'viewDelegation', refuses: ['not-permitted'] },
	{
		method: 'get',
		path: '/delegations',
		operationId: 'listDelegations',
		summary: "Delegations that you gave or were given, or with `domain` that domain's, for its owners and officers",
		request: { query: Paging.extend({ domain: OfDomain }) },
		responses: {
			200: {
				...json(z.object({ delegations: z.array(Delegation.DelegationView), nextPageToken }), 'Newest first', {
					delegations: [Example.delegation],
					nextPageToken: null,
				}),
				headers: link,
			},
		},
	},
);

const getDelegation = operation(
	{ tag: 'Requests', action: 'viewDelegation', refuses: ['not-found'] },
	{
		method: 'get',
		path: '/delegations/{id}',
		operationId: 'getDelegation',
		summary: 'One delegation',
		request: one('delegation'),
		responses: { 200: json(Delegation.DelegationView, 'The delegation', Example.delegation) },
	},
);

const endDelegation = operation(
	{ tag: 'Requests', action: 'endDelegation', refuses: ['not-permitted', 'not-found', 'conflict'] },
	{
		method: 'post',
		path: '/delegations/{id}/end',
		operationId: 'endDelegation',
		summary: 'Take a delegation back: nobody decides by it any more; what was decided stands',
		request: one('delegation'),
		responses: { 200: json(Delegation.DelegationView, 'Ended', Example.ended) },
	},
);

export function delegationRoutes() {
	const app = newRouter();
	app.openapi(postDelegation, async (c) => {
		const { ctx } = c.var;
		const delegation = await Delegation.give(ctx, c.req.valid('json'));
		c.header('location', `${BASE}/delegations/${delegation.id}`);
		return c.json(await Delegation.viewOf(ctx, delegation), 201);
	});
	app.openapi(listDelegations, async (c) => {
		const { ctx } = c.var;
		const { domain, ...paging } = c.req.valid('query');
		const { key } = Listing;
		const pk = domain === undefined ? key.delegationsOfPerson(actorOf(ctx)) : key.delegationsOfDomain(domain);
		const of = domain === undefined || mayList(ctx, domain) ? pk : null;
		const { found, nextPageToken: next } = await listed(c, { ...paging, of, newestFirst: true }, visible);
		return c.json({ delegations: found, nextPageToken: next }, 200);
	});
	app.openapi(getDelegation, async (c) => {
		const { ctx } = c.var;
		return c.json(await Delegation.viewOf(ctx, await Delegation.find(ctx, c.req.valid('param').id)), 200);
	});
	app.openapi(endDelegation, async (c) => {
		const { ctx } = c.var;
		return c.json(await Delegation.viewOf(ctx, await Delegation.end(ctx, c.req.valid('param').id)), 200);
	});
	return app;
}

/** Whether a domain's list is open to the caller at all: to others not even its length is told. Each line is decided by itself. */
function mayList(ctx: Context, domain: string): boolean {
	const anything = { id: LISTING, domain, role: 'owner', giver: LISTING, to: LISTING } as const;
	return may(ctx, 'viewDelegation', Entity.delegation(anything, ctx.config.governance));
}

async function visible(ctx: Context, id: string): Promise<Delegation.DelegationView | null> {
	const delegation = await Delegation.get(ctx, id);
	return delegation !== null && Delegation.isVisible(ctx, delegation) ? Delegation.viewOf(ctx, delegation) : null;
}
