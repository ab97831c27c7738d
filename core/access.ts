/**
 * From request to decision to grant.
 *
 * Promise: nothing is granted but what stood on screen when each approver of the route said yes (content hash), by
 * distinct people who hold their role at that moment and gain nothing from it. A decision is durable before its grant
 * begins; a crash in between is taken up by the sweep.
 */
import * as z from 'zod';
import { type AccessRequest, invalid, type RequestedScope, scopesOf, until } from './access/request.ts';
import { type Approval, fold, nextRole, openRoles, type RequestState, requestStates } from './access/state.ts';
import * as Catalog from './catalog.ts';
import { actorOf, type Context, type Identity, type Role } from './context.ts';
import * as Domains from './domains.ts';
import { BrokerError } from './error.ts';
import * as Grants from './grants.ts';
import { newId } from './id.ts';
import * as Ledger from './ledger.ts';
import { personOf } from './person.ts';
import { authorize, Entity, may, notFound, type Permit, reveal } from './policy.ts';
import { conceal, recall, tableKey } from './scope.ts';

export { AccessRequest } from './access/request.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;

export const RequestView = z
	.object({
		id: z.string(),
		product: z.string(),
		contractVersion: z.string(),
		principal: z.string(),
		consumerDomain: z.string(),
		purpose: z.string(),
		tables: z.array(Grants.TableScopeView),
		requester: z.string().meta({ description: 'Pseudonym' }),
		beneficiaries: z.array(z.string()),
		duration: z.string(),
		justification: z.string().nullable().meta({ description: 'null once erased' }),
		state: z.enum(requestStates),
		route: z.array(z.string()).meta({ description: 'Roles that must each approve, by different people' }),
		awaiting: z.array(z.string()).meta({ description: 'Roles of the route that have not approved yet' }),
		createdAt: z.iso.datetime(),
		contentHash: z.string().meta({ description: 'The ETag; send it as If-Match with a decision' }),
		grant: z.string().nullable(),
	})
	.meta({ id: 'Request' });
export type RequestView = z.infer<typeof RequestView>;

export const DecisionBody = z
	.strictObject({
		verdict: z.enum(['approve', 'reject']),
		comment: z.string().max(2000).optional(),
	})
	.meta({ id: 'Decision' });
export type DecisionBody = z.infer<typeof DecisionBody>;

/** A request as folded from its stream. */
export type Request = {
	readonly asked: Ledger.Recorded<'AccessRequested'>;
	readonly entries: readonly Ledger.Recorded[];
	readonly scopes: readonly RequestedScope[];
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
		columns,
		rowFilter: recall(rowFilter, secrets[tableKey(table)]),
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

function resourceOf(ctx: Pick<Context, 'config'>, request: Request) {
	const { request: id, consumerDomain, requester, beneficiaries } = request.asked.body;
	const facts = { id, product: request.product, consumerDomain, submitter: requester, beneficiaries };
	return Entity.request(facts, ctx.config.governance);
}

/** Files a request. Nothing is stored unless everything about it could be granted if approved. */
export async function submit(ctx: Context, body: AccessRequest): Promise<Request> {
	const [product, serving] = await Promise.all([
		Catalog.get(ctx, body.product),
		Domains.principal(ctx, body.principal),
	]);
	if (product === null) throw notFound();
	const facts = Entity.product(Catalog.factsOf(product), ctx.config.governance);
	reveal(ctx, 'viewProduct', facts);
	if (serving === null) throw invalid('/principal', 'no domain has registered this principal');
	const consumer = serving.domain.id;
	const about = Entity.along(facts, Entity.domain(consumer));
	const permit = authorize(ctx, 'requestAccess', about, { consumer: Entity.domainRef(consumer) });
	checkPurpose(body, product, serving.purpose);
	const scopes = scopesOf(product, body.tables);
	until(body.duration, ctx.now);
	const beneficiaries = await beneficiariesOf(ctx, body.beneficiaries, consumer);
	for (const { table } of scopes) await Grants.preflight(ctx, table);
	await Grants.checkUnion(ctx, body.principal, scopes);
	return record(ctx, permit, { body, product, consumer, scopes, beneficiaries });
}

function checkPurpose(body: AccessRequest, product: Catalog.Product, served: string): void {
	const { contract } = product;
	if (body.version !== undefined && body.version !== contract.version) {
		throw invalid('/version', `the current version is ${contract.version}`);
	}
	if (served !== body.purpose) throw invalid('/purpose', `the principal is registered for \`${served}\` alone`);
	if (!contract.purposes.includes(body.purpose)) {
		throw new BrokerError(
			'purpose-not-allowed',
			`The contract of ${product.id} allows: ${contract.purposes.join(', ')}.`,
			{
				errors: [{ pointer: '/purpose', detail: 'not among the purposes of the contract' }],
			},
		);
	}
}

async function beneficiariesOf(
	ctx: Context,
	asked: readonly Identity[] | undefined,
	consumer: string,
): Promise<string[]> {
	if (asked === undefined) return [actorOf(ctx)];
	const consumers = await Domains.holders(ctx, consumer, 'consumer');
	const found: string[] = [];
	for (const [i, identity] of asked.entries()) {
		const person = await personOf(ctx, identity);
		if (person === null || !consumers.includes(person)) {
			throw invalid(`/beneficiaries/${i}`, `must be a consumer of domain ${consumer}`);
		}
		found.push(person);
	}
	return [...new Set(found)];
}

type Checked = {
	readonly body: AccessRequest;
	readonly product: Catalog.Product;
	readonly consumer: string;
	readonly scopes: readonly RequestedScope[];
	readonly beneficiaries: readonly string[];
};

async function record(ctx: Context, permit: Permit<'requestAccess'>, checked: Checked): Promise<Request> {
	const { body, product, consumer, scopes, beneficiaries } = checked;
	const id = newId('request', ctx.now);
	const salt = ctx.random(16);
	const rowFilters: Record<string, unknown> = {};
	const tables = scopes.map(({ table, columns, rowFilter }) => {
		const { stored, clear } = conceal(rowFilter, personalColumns(product, table), salt);
		if (!clear) rowFilters[tableKey(table)] = rowFilter;
		return { ...table, columns: [...columns], rowFilter: stored };
	});
	const { purpose, principal, duration, justification } = body;
	const shown = {
		id,
		product: product.id,
		contract: product.hash,
		principal,
		purpose,
		scopes,
		beneficiaries,
		duration,
		justification,
	};
	await Ledger.append(ctx, {
		stream: Ledger.stream.request(id),
		after: null,
		actor: actorOf(ctx),
		body: {
			type: 'AccessRequested',
			request: id,
			product: product.id,
			productDomain: product.domain,
			contract: { version: product.contract.version, hash: product.hash, leaf: product.leaf },
			consumerDomain: consumer,
			principal,
			purpose,
			legalBasis: ctx.config.purposes.find((p) => p.id === purpose)?.legalBasis ?? '',
			tables,
			requester: actorOf(ctx),
			beneficiaries: [...beneficiaries],
			duration,
			route: [...permit.requires],
			policies: [...permit.policies],
			contentHash: Ledger.sha256(Ledger.canonicalBytes(shown)),
		},
		pii: { justification, salt: Buffer.from(salt).toString('hex'), rowFilters },
	});
	return find(ctx, id);
}

function personalColumns(product: Catalog.Product, table: Ledger.TableRef): ReadonlySet<string> {
	const bound = product.contract.tables.find((t) => t.name === table.table && t.database === table.database);
	return new Set((bound?.columns ?? []).filter((c) => c.personal).map((c) => c.name));
}

/**
 * One approver's decision on the content he saw (`ifMatch`, the request's content hash). The approval that completes
 * the route opens the grant. Throws `self-approval`, `already-decided`, `precondition-required`, `stale`.
 */
export async function decide(
	ctx: Context,
	id: string,
	body: DecisionBody,
	ifMatch: string | undefined,
): Promise<{ request: Request; decision: string; grant: Grants.Grant | null }> {
	const request = await find(ctx, id);
	const { asked } = request;
	const domain = asked.body.productDomain;
	const approvals = await standing(ctx, request);
	const held = ctx.caller.roles.filter((m) => m.domain === domain).map((m) => m.role);
	const role = nextRole(asked.body.route, approvals, actorOf(ctx), held);
	const as = role ?? openRoles(asked.body.route, approvals)[0] ?? asked.body.route[0] ?? 'owner';
	const permit = authorize(ctx, 'decide', resourceOf(ctx, request), { as: Entity.roleRef(domain, as as Role) });
	if (request.state !== 'pending') throw new BrokerError('already-decided', `The request is ${request.state}.`);
	if (ifMatch === undefined) {
		throw new BrokerError('precondition-required', 'Send If-Match with the ETag of the request that you decide on.');
	}
	if (ifMatch !== `"${asked.body.contentHash}"`) {
		throw new BrokerError('stale', 'This is not the content that you saw; read the request again.');
	}
	if (role === null) throw new BrokerError('already-decided', 'You have approved this; another person must, too.');
	const completes = body.verdict === 'approve' && openRoles(asked.body.route, approvals).length === 1;
	if (completes) {
		for (const { table } of request.scopes) await Grants.preflight(ctx, table);
		await Grants.checkUnion(ctx, asked.body.principal, request.scopes);
	}
	const decision = await recordDecision(ctx, permit, { request, body, as, completes });
	const decided = (await get(ctx, id)) ?? request;
	return { request: decided, decision, grant: completes ? await openGrant(ctx, decided) : null };
}

/** Approvals that still count: who gave them must hold the role now. */
async function standing(ctx: ReadCtx, request: Request): Promise<Approval[]> {
	const domain = request.asked.body.productDomain;
	const counted: Approval[] = [];
	for (const approval of request.approvals) {
		if ((await Domains.holders(ctx, domain, approval.as as Role)).includes(approval.person)) counted.push(approval);
	}
	return counted;
}

type Deciding = {
	readonly request: Request;
	readonly body: DecisionBody;
	readonly as: string;
	readonly completes: boolean;
};

async function recordDecision(ctx: Context, permit: Permit<'decide'>, deciding: Deciding): Promise<string> {
	const { request, body, as, completes } = deciding;
	const { asked } = request;
	const decision = newId('decision', ctx.now);
	const outcome = body.verdict === 'reject' ? 'rejected' : completes ? 'approved' : 'pending';
	const window = { from: ctx.now.toISOString(), until: until(asked.body.duration, ctx.now).toISOString() };
	await Ledger.append(ctx, {
		stream: Ledger.stream.request(asked.body.request),
		after: request.entries.at(-1) ?? null,
		actor: actorOf(ctx),
		body: {
			type: 'AccessDecided',
			request: asked.body.request,
			decision,
			verdict: body.verdict,
			as,
			contentHash: asked.body.contentHash,
			outcome,
			policies: [...permit.policies],
			...(completes ? { grant: newId('grant', ctx.now), ...window } : {}),
		},
		...(body.comment === undefined ? {} : { pii: { comment: body.comment } }),
	});
	return decision;
}

/** The entry whose decision brought the grant into being, if there is one. */
function granting(request: Request): Ledger.Recorded<'AccessDecided'> | undefined {
	const found = request.entries.find((e) => e.body.type === 'AccessDecided' && e.body.grant !== undefined);
	return found === undefined ? undefined : Ledger.as(found, 'AccessDecided');
}

/** Opens, or goes on opening, the grant of an approved request. The sweep calls this too. */
export async function openGrant(ctx: Context, request: Request): Promise<Grants.Grant | null> {
	const decided = granting(request);
	const { grant, from, until: ends } = decided?.body ?? {};
	if (decided === undefined || grant === undefined || from === undefined || ends === undefined) return null;
	const { body } = request.asked;
	return Grants.open(ctx, {
		grant,
		request: body.request,
		decisionLeaf: decided.leaf,
		product: body.product,
		productDomain: body.productDomain,
		contract: body.contract,
		consumerDomain: body.consumerDomain,
		principal: body.principal,
		purpose: body.purpose,
		legalBasis: body.legalBasis,
		tables: request.scopes,
		beneficiaries: body.beneficiaries,
		from,
		until: ends,
	});
}

/** Withdraws a pending request. */
export async function cancel(ctx: Context, id: string): Promise<Request> {
	const request = await find(ctx, id);
	const permit = authorize(ctx, 'cancelRequest', resourceOf(ctx, request));
	if (request.state !== 'pending') throw new BrokerError('already-decided', `The request is ${request.state}.`);
	await Ledger.append(ctx, {
		stream: Ledger.stream.request(id),
		after: request.entries.at(-1) ?? null,
		actor: actorOf(ctx),
		body: { type: 'AccessCancelled', request: id, policies: [...permit.policies] },
	});
	return find(ctx, id);
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
		route: body.route,
		awaiting: request.state === 'pending' ? openRoles(body.route, await standing(ctx, request)) : [],
		createdAt: entry.at,
		contentHash: body.contentHash,
		grant: granting(request)?.body.grant ?? null,
	};
}
