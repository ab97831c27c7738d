/** The rules in plain words, and what they would say of a decision that nobody has taken. */
import { z } from '@hono/zod-openapi';
import { Hash } from '#core/ledger.ts';
import type { Asked } from '#core/reading.ts';
import * as Why from '#core/why.ts';
import * as Example from './examples/policies.ts';
import { json, jsonBody, link, linkNext, newRouter, operation, Paging, pageSize } from './router.ts';

const Rules = z
	.object({
		setHash: Hash.meta({ description: 'Names the whole set, as ledger entries do' }),
		rules: z.array(Why.RuleView),
	})
	.meta({ id: 'Rules' });

const listPolicies = operation(
	{ tag: 'Mesh', action: 'viewPolicies', refuses: ['not-permitted'] },
	{
		method: 'get',
		path: '/policies',
		operationId: 'listPolicies',
		summary: 'Every rule in force, in plain words and as Cedar',
		responses: { 200: json(Rules, 'Rules, by id', Example.rules) },
	},
);

const explainPolicy = operation(
	{
		tag: 'Mesh',
		action: 'explainPolicy',
		refuses: ['not-permitted', 'not-found', 'table-not-found', 'column-not-found', 'row-filter-invalid'],
	},
	{
		method: 'post',
		path: '/policies/why',
		operationId: 'explainPolicy',
		summary: 'What the rules would decide and why, also under a change not merged and which live grants it would break',
		request: {
			query: Paging.extend({
				pageSize: pageSize(100, 20).openapi({ description: 'Most live grants to judge again at a time' }),
			}),
			body: jsonBody(Why.Question, Example.question),
		},
		responses: {
			200: { ...json(Why.WhyView, 'What the rules say; nothing was stored', Example.answer), headers: link },
		},
	},
);

export function policyRoutes() {
	const app = newRouter();
	app.openapi(listPolicies, (c) => c.json(Why.list(c.var.ctx), 200));
	app.openapi(explainPolicy, async (c) => {
		const question = c.req.valid('json');
		c.set('asked', askedIn(question));
		const answer = await Why.explain(c.var.ctx, question, c.req.valid('query'));
		linkNext(c, answer.nextPageToken);
		return c.json(answer, 200);
	});
	return app;
}

/** What is recorded of a question whose answer tells of a thing: which decision, on what, in which role, in whose place. */
function askedIn({ as, ...question }: Why.Question): Asked {
	const plain = Object.entries(question).filter((member): member is [string, string] => typeof member[1] === 'string');
	const place = {
		...(as?.person === undefined ? {} : { 'as.person': as.person }),
		...(as?.roles === undefined ? {} : { 'as.roles': as.roles.map((m) => `${m.domain}/${m.role}`).join(' ') }),
	};
	return { parameters: { ...Object.fromEntries(plain), ...place }, declared: ['action', 'role'] };
}
