/**
 * What the rules say, and why: in plain words, of a decision that nobody has taken, and of a change that is not merged.
 *
 * Promise: nothing is stored and nothing else is done, whatever is asked; an answer comes from the engine and the rules
 * that decide in earnest. What the caller may not see is `not-found`, as everywhere.
 */
import pMap from 'p-map';
import * as z from 'zod';
import { type Caller, type Context, holds, type Membership, type PolicySet, roles } from './context.ts';
import { BrokerError, type Code, codes } from './error.ts';
import { idOf, Slug } from './id.ts';
import * as Ledger from './ledger.ts';
import { authorize, Entity, may } from './policy.ts';
import { Broken, broken, type Page, type Paging, pageOf } from './why/grants.ts';
import { type Asked, gather, type Question } from './why/question.ts';
import { briefOf, RuleBrief, type RuleView, rulesOf } from './why/rules.ts';
import { tried } from './why/trial.ts';
import { type Verdict, verdictOf } from './why/verdict.ts';
import { MAX_HOLDERS, personaOf, type Registry, registryOf, somebody } from './why/who.ts';

export { MAX_DEPTH, MAX_TOKENS } from './policy.ts';
export { MAX_BYTES, MAX_RULES } from './why/guard.ts';
export {
	onAsk,
	onDecision,
	onDomain,
	onEither,
	onGrant,
	onMesh,
	onProduct,
	onRequest,
	Question,
} from './why/question.ts';
export { RuleView } from './why/rules.ts';

export const Answer = z.object({
	allowed: z.boolean(),
	code: z
		.enum(Object.keys(codes) as Code[])
		.nullable()
		.meta({ description: 'Code of the refusal; null where it is allowed' }),
	setHash: Ledger.Hash.meta({ description: 'Names the rules that were asked, as ledger entries do' }),
	rules: z.array(RuleBrief).meta({ description: 'Those that decided; none where no rule permits it' }),
	route: z
		.array(z.enum(roles))
		.meta({ description: 'Roles that must approve; one that stands twice needs two people' }),
	auto: z
		.array(z.string())
		.nullable()
		.meta({ description: 'Rules by which a request would be approved at once; null where none does' }),
	advice: z
		.array(
			z.object({
				rule: z.string(),
				pointer: z.string().nullable().meta({ description: 'The part of the question that it is about' }),
				detail: z.string().meta({ description: 'What would have to be different' }),
			}),
		)
		.meta({ description: 'Of each rule that refuses' }),
	could: z
		.array(
			z.object({
				domain: Slug,
				role: z.enum(roles),
				holders: z
					.array(idOf('person'))
					.max(MAX_HOLDERS)
					.nullable()
					.meta({
						description: `Who holds the role and would be allowed, at most ${MAX_HOLDERS} of them; null if you may not know`,
					}),
			}),
		)
		.meta({ description: 'Roles any one of which would do, where it is refused' }),
});
type Answer = z.infer<typeof Answer>;

export const WhyView = Answer.extend({
	changed: Answer.extend({
		examined: z.int().min(0).meta({ description: 'Live grants on this page that were judged again' }),
		broken: z.array(Broken).meta({ description: 'Those among them that the change would break' }),
		unreadable: z.array(idOf('grant')).meta({ description: 'Those whose record cannot be read: nobody can say' }),
	})
		.nullable()
		.meta({ description: 'The same under `policies`; null where none were sent' }),
	nextPageToken: z.string().nullable().meta({ description: 'More live grants to judge; null on the last page' }),
}).meta({ id: 'PolicyAnswer' });
export type WhyView = z.infer<typeof WhyView>;

/** Every rule in force. */
export function list(ctx: Context): { setHash: string; rules: RuleView[] } {
	authorize(ctx, 'viewPolicies', Entity.mesh(ctx.config.governance));
	return { setHash: ctx.policies.hash, rules: [...rulesOf(ctx.policies).values()] };
}

/**
 * What the rules would say, and under `question.policies` what they would say then. Throws `not-permitted` for who may
 * not ask in another's place or try a change, `not-found` for what he may not see, `validation` and `too-large` for rules
 * that cannot be read.
 */
export async function explain(ctx: Context, question: Question, paging: Paging): Promise<WhyView> {
	authorize(ctx, 'explainPolicy', Entity.mesh(ctx.config.governance));
	const { policies: changes } = question;
	if (changes !== undefined) demandSteward(ctx);
	const persona = await personaOf(ctx, question.as);
	const asking: Asking = { ctx, persona, asked: await gather(ctx, question), registry: registryOf(ctx) };
	const now = await answer(asking, ctx.policies);
	if (changes === undefined) return { ...now, changed: null, nextPageToken: null };
	const set = tried(ctx.policies, changes);
	const page = await pageOf(ctx, paging, ['why', set.hash]);
	const changed = { ...(await answer(asking, set)), ...effects(ctx, page, set) };
	return { ...now, changed, nextPageToken: page.nextPageToken };
}

function effects(ctx: Context, { live, unreadable }: Page, set: PolicySet) {
	return { examined: live.length, broken: broken(ctx, live, set), unreadable: [...unreadable] };
}

function demandSteward(ctx: Context): void {
	if (holds(ctx.caller, ctx.config.governance, 'steward')) return;
	const detail = 'Only stewards of the mesh try out a change of its rules.';
	throw new BrokerError('not-permitted', detail, { policies: [] });
}

type Asking = {
	readonly ctx: Context;
	readonly persona: Caller;
	readonly asked: Asked;
	readonly registry: Registry;
};

async function answer({ ctx, persona, asked, registry }: Asking, policies: PolicySet): Promise<Answer> {
	const ask = (caller: Caller): Verdict => verdictOf(policies, () => asked.ask({ policies, caller }));
	const { allowed, code, rules, route, auto, advice } = ask(persona);
	const known = rulesOf(policies);
	const seats = asked.domains.flatMap((domain) => roles.map((role) => ({ domain, role })));
	const able = allowed ? [] : seats.filter((seat) => ask(somebody([seat])).allowed);
	const told = may(ctx, 'viewDomains', Entity.mesh(ctx.config.governance));
	// Who gains from a thing may hold the role that decides on it.
	const whoCould = async (seat: Membership) => {
		return { ...seat, holders: told ? await registry.holders(seat, (caller) => ask(caller).allowed) : null };
	};
	return {
		allowed,
		code,
		setHash: policies.hash,
		rules: rules.flatMap((id) => known.get(id) ?? []).map(briefOf),
		route: route.flatMap((name) => roles.filter((role) => role === name)),
		auto: auto === null ? null : [...auto],
		advice: advice.map((a) => ({ ...a })),
		could: await pMap(able, whoCould, { concurrency: 1 }),
	};
}
