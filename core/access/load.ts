/** A request as its stream tells it, and as the API shows it. */
import * as z from 'zod';
import * as Catalog from '../catalog.ts';
import { type Context, decidesAs, type Role, roles } from '../context.ts';
import * as Delegation from '../delegation.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import * as Grants from '../grants.ts';
import { idOf, ProductId, RoleArn, Slug } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { Entity, may, notFound, type Resource, reveal } from '../policy.ts';
import { sameScope, tableKey } from '../scope.ts';
import { isTakenBack, takableUntil } from './breakglass-taken.ts';
import { type Content, contentOf, type Extent } from './content.ts';
import { mandateFor } from './mandated.ts';
import { type Approval, counting, type Folded, fold, openRoles, requestStates, voices } from './state.ts';

type ReadCtx = Pick<Context, 'aws' | 'config' | 'now'>;

export const RequestView = z
	.object({
		id: idOf('request'),
		product: ProductId,
		contractVersion: z.string(),
		principal: RoleArn,
		consumerDomain: Slug,
		purpose: Slug,
		tables: z.array(Grants.TableScopeView).meta({ description: 'What is decided on, or was' }),
		requester: idOf('person').meta({ description: 'Pseudonym' }),
		beneficiaries: z.array(idOf('person')),
		duration: z.iso.duration(),
		asked: z
			.object({ tables: z.array(Grants.TableScopeView), duration: z.iso.duration() })
			.nullable()
			.meta({ description: 'What was asked for, where approvers made it less; null where it is the same' }),
		justification: z.string().nullable().meta({ description: 'null once erased' }),
		state: z.enum(requestStates),
		route: z.array(z.enum(roles)).meta({
			description: 'Roles that must each approve, by different people; one that stands twice needs two of them',
		}),
		awaiting: z.array(z.enum(roles)).meta({ description: 'Roles of the route that have not approved yet' }),
		delegated: z
			.array(
				z.object({
					delegation: idOf('delegation'),
					as: z.enum(roles),
					by: idOf('person'),
					giver: idOf('person').meta({ description: 'In whose place' }),
				}),
			)
			.meta({ description: 'Approvals that were given in the place of others' }),
		createdAt: z.iso.datetime(),
		lapsesAt: z.iso.datetime().nullable().meta({
			description: 'When nobody can decide on it any more, or could; null once decided or withdrawn',
		}),
		remindedAt: z.iso.datetime().nullable().meta({ description: 'When those who must still decide were reminded' }),
		contentHash: Ledger.Hash.meta({ description: 'The ETag; send it as If-Match with a decision or an edit' }),
		grant: idOf('grant').nullable(),
		renews: idOf('grant').nullable().meta({ description: 'The grant that this would go on from' }),
		batch: idOf('batch').nullable().meta({ description: 'Shared by requests that were filed together' }),
		template: Slug.nullable().meta({
			description: 'The template of that contract version that spelled out the tables',
		}),
		breakGlass: Grants.BreakGlassView.nullable().meta({ description: 'null unless it was taken in an emergency' }),
	})
	.meta({ id: 'Request' });
export type RequestView = z.infer<typeof RequestView>;

/** A request as folded from its stream; from the instant at which it lapses on, its state is `expired`. */
export type Request = Folded & {
	readonly id: string;
	readonly filed: Ledger.Recorded<'AccessRequested'>;
	readonly entries: readonly Ledger.Recorded[];
	/** What is asked for as it stands. */
	readonly content: Content;
	/** How much was asked for before approvers made it less. */
	readonly asked: Extent;
	/** The duration asked for, and each that an approver left of it; what is granted ends with the first of them. */
	readonly durations: readonly string[];
	/** The template of its contract version that spelled out the tables. */
	readonly template: string | null;
	readonly lapsesAt: Date;
	/** Null unless it was asked for in an emergency, without approvers. */
	readonly breakGlass: Grants.Taken | null;
	readonly product: Entity.ProductFacts;
	readonly productTitle: string;
};

export async function get(ctx: ReadCtx, id: string): Promise<Request | null> {
	const entries = await Ledger.read(ctx, Ledger.stream.request(id));
	const filed = Ledger.find(entries, 'AccessRequested');
	if (filed === undefined) return null;
	const folded = fold(entries);
	const [contents, product, breakGlass] = await Promise.all([
		contentOf(ctx, entries, filed),
		Catalog.get(ctx, filed.body.product),
		Grants.takenIn(ctx, entries),
	]);
	if (product === null) throw new BrokerError('record-corrupt', 'A request names a product without entries.');
	const told = { filed, entries };
	const lapsesAt = new Date(takableUntil(told) ?? Date.parse(folded.since) + ctx.config.requestLapsesAfterMs);
	const lapsed = folded.state === 'pending' && (ctx.now >= lapsesAt || isTakenBack(told));
	return {
		...folded,
		...(lapsed ? { state: 'expired' as const } : {}),
		...contents,
		id,
		filed,
		entries,
		lapsesAt,
		breakGlass,
		product: Catalog.factsOf(product),
		productTitle: product.contract.title,
	};
}

/** The request with this id, if the caller may see it. Throws `not-found` alike for absent and hidden ones. */
export async function find(ctx: Context, id: string): Promise<Request> {
	const request = await get(ctx, id);
	if (request === null) throw notFound();
	reveal(ctx, 'viewRequest', await resourceOf(ctx, request));
	return request;
}

/** Whether the caller may see a request: for narrowing a list. */
export async function isVisible(ctx: Context, request: Request): Promise<boolean> {
	return may(ctx, 'viewRequest', await resourceOf(ctx, request));
}

/**
 * What the rules are told of a request. Where it cannot be told who is behind the parties, that may be the caller. He is
 * among the delegates if the rules let him decide on this request in somebody's place, and not because he was asked to.
 */
export async function resourceOf(
	ctx: ReadCtx & Pick<Context, 'caller' | 'policies'>,
	request: Request,
): Promise<Resource> {
	const { requester: submitter, consumerDomain } = request.filed.body;
	const { id, product } = request;
	const beneficiaries = [...request.content.beneficiaries];
	const [known, mandates] = await Promise.all([
		Ledger.readable(() => partiesOf(ctx, request)),
		Delegation.mandatesIn(ctx, product.domain),
	]);
	const { person } = ctx.caller;
	const parties = known ?? [submitter, ...beneficiaries, person].filter((p) => p !== null);
	const facts = { id, product, consumerDomain, submitter, beneficiaries, parties };
	const of = { domain: product.domain, route: request.content.route };
	const among = Entity.request({ ...facts, delegates: person === null ? [] : [person] }, ctx.config.governance);
	if (mandateFor(ctx, of, among, mandates) !== null) return among;
	return Entity.request(facts, ctx.config.governance);
}

/** The people who asked, benefit or edited, whatever guise they did it in: none of them decides. */
async function partiesOf(ctx: Pick<Context, 'aws' | 'config'>, request: Request): Promise<string[]> {
	const { filed, content, editors } = request;
	const persons = [...new Set([filed.body.requester, ...content.beneficiaries, ...editors])];
	return [...new Set(await Domains.selvesOf(ctx, persons))];
}

/**
 * Approvals that still count, each with the person behind it: he must hold the role now and not supervise the mesh, gain
 * nothing from it, and counts once in all his guises. Of one that was given in somebody's place, all of that holds for both of them, but that it is
 * who gave the delegation who must hold the role.
 */
export async function standing(ctx: Pick<Context, 'aws' | 'config'>, request: Request): Promise<Approval[]> {
	const { approvals, content, filed } = request;
	if (approvals.length === 0) return [];
	const persons = [...new Set(approvals.flatMap(voices))];
	const { productDomain } = filed.body;
	const holds = async ({ person, as, delegated }: Approval) =>
		delegated === undefined
			? decidesAs(ctx, await Domains.registered(ctx, person), productDomain, as as Role)
			: Delegation.stands(ctx, delegated, { by: person, as, domain: productDomain, at: delegated.at });
	const [held, selves, parties] = await Promise.all([
		Promise.all(approvals.map(async (approval) => ({ approval, stands: await holds(approval) }))),
		Domains.selvesOf(ctx, persons),
		partiesOf(ctx, request),
	]);
	const selfOf = (person: string) => selves[persons.indexOf(person)] ?? person;
	const entitled: Approval[] = [];
	for (const { approval: one, stands } of held) {
		const { person, as, delegated } = one;
		const behind = delegated === undefined ? {} : { delegated: { ...delegated, giver: selfOf(delegated.giver) } };
		const approval: Approval = { person: selfOf(person), as, ...behind };
		if (stands && !voices(approval).some((p) => parties.includes(p))) entitled.push(approval);
	}
	return counting(content.route, entitled);
}

export async function viewOf(ctx: ReadCtx, request: Request): Promise<RequestView> {
	const { id, filed, content, state, lapsesAt } = request;
	const { body, entry } = filed;
	const open =
		state === 'pending' && body.breakGlass === undefined ? openRoles(content.route, await standing(ctx, request)) : [];
	return {
		id,
		product: body.product,
		contractVersion: content.contract.version,
		principal: content.principal,
		consumerDomain: body.consumerDomain,
		purpose: content.purpose,
		tables: content.scopes.map(Grants.scopeView),
		requester: body.requester,
		beneficiaries: [...content.beneficiaries],
		duration: content.duration,
		asked: askedView(request),
		justification: content.justification,
		state,
		route: content.route as Role[],
		awaiting: open as Role[],
		delegated: request.approvals.flatMap(delegatedView),
		createdAt: entry.at,
		lapsesAt: state === 'pending' || state === 'expired' ? lapsesAt.toISOString() : null,
		remindedAt: request.remindedAt,
		contentHash: content.contentHash,
		grant: request.granting?.body.grant ?? null,
		renews: body.renews ?? null,
		batch: body.batch ?? null,
		template: request.template,
		breakGlass: request.breakGlass === null ? null : Grants.viewOfTaken(request.breakGlass, ctx.now),
	};
}

function delegatedView({ person: by, as, delegated }: Approval): RequestView['delegated'] {
	if (delegated === undefined) return [];
	return [{ delegation: delegated.id, as: as as Role, by, giver: delegated.giver }];
}

function askedView({ asked, content }: Request): RequestView['asked'] {
	const same = content.scopes.every((scope) =>
		asked.scopes.some((a) => tableKey(a.table) === tableKey(scope.table) && sameScope(a, scope)),
	);
	if (same && asked.duration === content.duration) return null;
	return { tables: asked.scopes.map(Grants.scopeView), duration: asked.duration };
}
