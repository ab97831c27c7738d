/** Giving up one's part of a grant. */
import * as Grants from '#core/grants.ts';
import * as Example from '../examples.ts';
import { json, newRouter, one, operation } from '../router.ts';

const leaveGrant = operation(
	{ tag: 'Grants', action: 'leaveGrant', refuses: ['not-permitted', 'not-found', 'conflict'] },
	{
		method: 'post',
		path: '/grants/{id}/leave',
		operationId: 'leaveGrant',
		summary: 'Give up your part of a grant: you are refused at once, others keep theirs; the last one ends it',
		request: one('grant'),
		responses: {
			202: json(Grants.GrantLeave, 'You are out of it; where you were the last one, Lake Formation follows', {
				grant: Example.grant.id,
				left: Example.grant.beneficiaries,
				state: 'granted',
			}),
		},
	},
);

export function leavingRoutes() {
	const app = newRouter();
	app.openapi(leaveGrant, async (c) => c.json(await Grants.leave(c.var.ctx, c.req.valid('param').id), 202));
	return app;
}
