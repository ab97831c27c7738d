/** What may be asked: an action on a thing that the caller may see, as one function of the rules and of who would act. */
import * as z from 'zod';
import * as Access from '../access.ts';
import * as Catalog from '../catalog.ts';
import { type Context, roles } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import * as Grants from '../grants.ts';
import { idOf, ProductId, Slug } from '../id.ts';
import { type Action, authorize, Entity, may, notFound, type Resource, reveal } from '../policy.ts';
import type { Permits } from './verdict.ts';
import { As } from './who.ts';

/** Actions by what they are on. Queries and reports are nobody's business but their owner's: none are asked about. */
export const onMesh = [
	'viewMe',
	'registerDomain',
	'viewDomains',
	'viewPurposes',
	'viewProducts',
	'viewPolicies',
	'explainPolicy',
	'viewLog',
	'readLedger',
	'verifyLedger',
	'eraseEntry',
	'viewErasures',
	'viewUnapproved',
	'examine',
	'checkCompleteness',
] as const satisfies Action[];
/** On the mesh, or on one domain. */
export const onEither = ['viewCompleteness'] as const satisfies Action[];
export const onDomain = ['runQuery'] as const satisfies Action[];
export const onProduct = [
	'viewProduct',
	'publishContract',
	'requestReport',
	'reconcile',
	'proveEntry',
] as const satisfies Action[];
export const onAsk = ['requestAccess', 'breakGlass'] as const satisfies Action[];
export const onRequest = [
	'viewRequest',
	'editRequest',
	'cancelRequest',
	'previewRequest',
	'countRequest',
	'viewBreakGlass',
	'reviewBreakGlass',
] as const satisfies Action[];
export const onDecision = ['decide'] as const satisfies Action[];
export const onGrant = [
	'viewGrant',
	'previewGrant',
	'renewGrant',
	'revokeGrant',
	'suspendGrant',
	'resumeGrant',
	'narrowGrant',
	'leaveGrant',
] as const satisfies Action[];

const Ask = Access.AccessRequest.pick({ tables: true, purpose: true, principal: true, duration: true }).meta({
	id: 'HypotheticalRequest',
	description: 'As it would stand in a request',
});

const Changes = z
	.record(
		z.string().regex(/^[a-z][a-z0-9-]{0,62}(\/[a-z][a-z0-9-]{0,62})?$/, 'must be the id of a rule'),
		z.string().min(1).max(65_536).nullable(),
	)
	.meta({
		description:
			"Rules as they would be, by id: Cedar text, or null for one that would go. A domain's own are `<domain>/<name>`. For stewards",
	});

const common = { as: As.optional(), policies: Changes.optional() };
const product = ProductId.meta({ example: 'lending.loans' });
const request = idOf('request');

export const Question = z
	.discriminatedUnion('action', [
		z.strictObject({ action: z.enum(onMesh), ...common }),
		z.strictObject({ action: z.enum(onDomain), domain: Slug, ...common }),
		z.strictObject({
			action: z.enum(onEither),
			domain: Slug.optional().meta({ description: 'Whose products; the whole mesh, if absent' }),
			...common,
		}),
		z.strictObject({ action: z.enum(onProduct), product, ...common }),
		z.strictObject({ action: z.enum(onAsk), product, ask: Ask, ...common }),
		z.strictObject({ action: z.enum(onRequest), request, ...common }),
		z.strictObject({
			action: z.enum(onDecision),
			request,
			role: z.enum(roles).optional().meta({ description: 'The role decided in; of the route, if absent' }),
			...common,
		}),
		z.strictObject({ action: z.enum(onGrant), grant: idOf('grant'), ...common }),
	])
	.meta({ id: 'PolicyQuestion' });
export type Question = z.infer<typeof Question>;

type Ctx = Pick<Context, 'policies' | 'caller'>;

export type Asked = {
	/** Asks the rules of `ctx` whether its caller may. Looks nothing up. */
	readonly ask: (ctx: Ctx) => Permits;
	/** Domains whose roles could matter. */
	readonly domains: readonly string[];
};

/** Gathers what the rules look at. Throws `not-found` alike for what is absent and what the caller may not see. */
export async function gather(ctx: Context, question: Question): Promise<Asked> {
	if ('ask' in question) return ofAsk(ctx, question);
	if ('product' in question) return ofProduct(ctx, question);
	if ('request' in question) return ofRequest(ctx, question);
	if ('grant' in question) return ofGrant(ctx, question);
	if ('domain' in question && question.domain !== undefined) return ofDomain(ctx, question.action, question.domain);
	return plain(question.action, Entity.mesh(ctx.config.governance), [ctx.config.governance]);
}

function plain(action: Action, resource: Resource, domains: readonly string[]): Asked {
	const ask = (ctx: Ctx) => ({ permit: authorize(ctx, action, resource), auto: null });
	return { ask, domains: [...new Set(domains)] };
}

type Of<A extends Question['action']> = Extract<Question, { action: A }>;

async function ofDomain(ctx: Context, action: Action, domain: string): Promise<Asked> {
	const found = may(ctx, 'viewDomains', Entity.mesh(ctx.config.governance)) ? await Domains.get(ctx, domain) : null;
	if (found === null) throw notFound();
	return plain(action, Entity.domain(domain), [domain]);
}

async function visible(ctx: Context, id: string): Promise<Catalog.Product> {
	const found = await Catalog.get(ctx, id);
	if (found === null) throw notFound();
	reveal(ctx, 'viewProduct', factsOf(ctx, found));
	return found;
}

const factsOf = (ctx: Context, found: Catalog.Product) => Entity.product(Catalog.factsOf(found), ctx.config.governance);

async function ofProduct(ctx: Context, { action, product: id }: Of<(typeof onProduct)[number]>): Promise<Asked> {
	const found = await visible(ctx, id);
	return plain(action, factsOf(ctx, found), [found.domain, ctx.config.governance]);
}

async function ofAsk(ctx: Context, { action, product: id, ask }: Of<(typeof onAsk)[number]>): Promise<Asked> {
	const found = await visible(ctx, id);
	const serving = await Domains.principal(ctx, ask.principal);
	if (serving === null) {
		const errors = [{ pointer: '/ask/principal', detail: 'no domain has registered this principal' }];
		throw new BrokerError('validation', 'The request is not valid: no domain has registered its principal.', {
			errors,
		});
	}
	const { purpose, duration } = ask;
	const scopes = await Access.scopesOf(ctx.parser, found, ask.tables).catch((error: unknown) => {
		throw within('/ask', error);
	});
	const personal = await Catalog.personalColumns(ctx, found.id);
	const content = { product: found, serving, scopes, purpose, duration, personal };
	const past = action === 'breakGlass' ? await Access.pastOf(ctx, ctx.caller) : Access.NO_PAST;
	return {
		ask: (asking) => {
			const as = { ...ctx, ...asking };
			const asked = Access.judge(as, content);
			// What may not be asked for may not be taken in an emergency, either.
			if (action !== 'breakGlass') return asked;
			// What others took is nobody's to learn here.
			const before = asking.caller.person === ctx.caller.person ? past : Access.NO_PAST;
			return { permit: Access.judgeTaking(as, content, before), auto: null };
		},
		domains: [...new Set([serving.domain.id, found.domain])],
	};
}

async function ofRequest(ctx: Context, question: Of<(typeof onRequest)[number]> | Of<'decide'>): Promise<Asked> {
	const found = await Access.find(ctx, question.request);
	const { product: id, consumerDomain, route } = await Access.viewOf(ctx, found);
	const resource = await Access.resourceOf(ctx, found);
	const domain = id.split('.')[0] ?? '';
	const domains = [domain, consumerDomain, ctx.config.governance];
	if (question.action !== 'decide') return plain(question.action, resource, domains);
	const { role } = question;
	return {
		ask: (asking) => {
			const held = asking.caller.roles.filter((m) => m.domain === domain).map((m) => m.role);
			const as = role ?? route.find((r) => held.includes(r)) ?? route[0] ?? 'owner';
			return { permit: authorize(asking, 'decide', resource, { as: Entity.roleRef(domain, as) }), auto: null };
		},
		domains: [domain],
	};
}

async function ofGrant(ctx: Context, { action, grant: id }: Of<(typeof onGrant)[number]>): Promise<Asked> {
	const found = await Grants.find(ctx, id);
	const { productDomain, consumerDomain } = found.opened.body;
	const resource = await Grants.resourceOf(ctx, found);
	return plain(action, resource, [productDomain, consumerDomain, ctx.config.governance]);
}

/** The same refusal, its pointers below `at`. */
function within(at: string, error: unknown): unknown {
	if (!(error instanceof BrokerError)) return error;
	const errors = error.extensions.errors?.map((e) => ({ ...e, pointer: `${at}${e.pointer}` }));
	const extensions = { ...error.extensions, ...(errors === undefined ? {} : { errors }) };
	return new BrokerError(error.code, error.message, extensions, { cause: error.cause });
}
