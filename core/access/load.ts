/** A request as its stream tells it, and as the API shows it. */
import * as z from 'zod';
import * as Catalog from '../catalog.ts';
import { type Context, type Role, roles } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import * as Grants from '../grants.ts';
import { idOf, ProductId, RoleArn, Slug } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { Entity, may, notFound, type Resource, reveal } from '../policy.ts';
import { type Recalled, recall, tableKey } from '../scope.ts';
import { type Approval, fold, openRoles, type RequestState, requestStates } from './state.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;

export const RequestView = z
	.object({
		id: idOf('request'),
		product: ProductId,
		contractVersion: z.string(),
		principal: RoleArn,
		consumerDomain: Slug,
		purpose: Slug,
		tables: z.array(Grants.TableScopeView),
		requester: idOf('person').meta({ description: 'Pseudonym' }),
		beneficiaries: z.array(idOf('person')),
		duration: z.iso.duration(),
		justification: z.string().nullable().meta({ description: 'null once erased' }),
		state: z.enum(requestStates),
		route: z.array(z.enum(roles)).meta({ description: 'Roles that must each approve, by different people' }),
		awaiting: z.array(z.enum(roles)).meta({ description: 'Roles of the route that have not approved yet' }),
		createdAt: z.iso.datetime(),
		contentHash: Ledger.Hash.meta({ description: 'The ETag; send it as If-Match with a decision' }),
		grant: idOf('grant').nullable(),
	})
	.meta({ id: 'Request' });
export type RequestView = z.infer<typeof RequestView>;

/** A request as folded from its stream. */
export type Request = {
	readonly asked: Ledger.Recorded<'AccessRequested'>;
	readonly entries: readonly Ledger.Recorded[];
	readonly scopes: readonly (Recalled & { readonly table: Ledger.TableRef })[];
	readonly justification: string | null;
	readonly state: RequestState;
	readonly approvals: readonly Approval[];
	readonly product: Entity.ProductFacts;
	readonly productTitle: string;
};

export async function get(ctx: ReadCtx, id: string): Promise<Request | null> {
	const entries = await Ledger.read(ctx, Ledger.stream.request(id));
	const asked = Ledger.find(entries, 'AccessRequested');
	if (asked === undefined) return null;
	const [pii, product] = await Promise.all([Ledger.payload(ctx, asked.entry), Catalog.get(ctx, asked.body.product)]);
	if (product === null) throw new BrokerError('record-corrupt', 'A request names a product without entries.');
	const secrets = (pii?.['rowFilters'] ?? {}) as Record<string, unknown>;
	const scopes = asked.body.tables.map(({ columns, rowFilter, ...table }) => ({
		table,
		...recall({ columns, rowFilter }, secrets[tableKey(table)]),
	}));
	const justification = typeof pii?.['justification'] === 'string' ? pii['justification'] : null;
	const facts = Catalog.factsOf(product);
	return {
		asked,
		entries,
		scopes,
		justification,
		...fold(entries),
		product: facts,
		productTitle: product.contract.title,
	};
}

/** The request with this id, if the caller may see it. Throws `not-found` alike for absent and hidden ones. */
export async function find(ctx: Context, id: string): Promise<Request> {
	const request = await get(ctx, id);
	if (request === null) throw notFound();
	reveal(ctx, 'viewRequest', resourceOf(ctx, request));
	return request;
}

/** Whether the caller may see a request: for narrowing a list. */
export function isVisible(ctx: Context, request: Request): boolean {
	return may(ctx, 'viewRequest', resourceOf(ctx, request));
}

export function resourceOf(ctx: Pick<Context, 'config'>, request: Request): Resource {
	const { request: id, consumerDomain, requester, beneficiaries } = request.asked.body;
	const facts = { id, product: request.product, consumerDomain, submitter: requester, beneficiaries };
	return Entity.request(facts, ctx.config.governance);
}

/** Approvals that still count: who gave them must hold the role now, and one person counts once. */
export async function standing(ctx: ReadCtx, request: Request): Promise<Approval[]> {
	const domain = request.asked.body.productDomain;
	const counted: Approval[] = [];
	for (const approval of request.approvals) {
		const counts = !counted.some((c) => c.person === approval.person || c.as === approval.as);
		const holders = counts ? await Domains.holders(ctx, domain, approval.as as Role) : [];
		if (holders.includes(approval.person)) counted.push(approval);
	}
	return counted;
}

/** The entry whose decision brought the grant into being, if there is one. */
export function granting(request: Request): Ledger.Recorded<'AccessDecided'> | undefined {
	const found = request.entries.find((e) => e.body.type === 'AccessDecided' && e.body.grant !== undefined);
	return found === undefined ? undefined : Ledger.as(found, 'AccessDecided');
}

export async function viewOf(ctx: ReadCtx, request: Request): Promise<RequestView> {
	const { body, entry } = request.asked;
	return {
		id: body.request,
		product: body.product,
		contractVersion: body.contract.version,
		principal: body.principal,
		consumerDomain: body.consumerDomain,
		purpose: body.purpose,
		tables: request.scopes.map(Grants.scopeView),
		requester: body.requester,
		beneficiaries: body.beneficiaries,
		duration: body.duration,
		justification: request.justification,
		state: request.state,
		route: body.route as Role[],
		awaiting: request.state === 'pending' ? (openRoles(body.route, await standing(ctx, request)) as Role[]) : [],
		createdAt: entry.at,
		contentHash: body.contentHash,
		grant: granting(request)?.body.grant ?? null,
	};
}
