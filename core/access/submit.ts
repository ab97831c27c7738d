/** Filing a request: everything about it is checked before anything is stored. */
import * as Catalog from '../catalog.ts';
import { actorOf, type Context, type Identity } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import * as Grants from '../grants.ts';
import { newId } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { personOf } from '../person.ts';
import { authorize, Entity, notFound, type Permit, reveal } from '../policy.ts';
import { concealer, tableKey } from '../scope.ts';
import { find, type Request } from './load.ts';
import { type AccessRequest, invalid, mustEndInTime, type RequestedScope, scopesOf, until } from './request.ts';
import { refuseViews } from './views.ts';

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
	await refuseViews(ctx, product, body.tables);
	const scopes = await scopesOf(ctx.parser, product, body.tables);
	mustEndInTime(product, until(body.duration, ctx.now), ctx.now);
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
	const id = newId('request', ctx);
	const personal = await Catalog.personalColumns(ctx, product.id);
	const hide = concealer(ctx.random(16));
	const tables = scopes.map(({ table, ...scope }) => ({
		...table,
		...hide.store(tableKey(table), scope, personal(table)),
	}));
	const { purpose, principal, duration, justification } = body;
	// Without it, the hash would confirm a guess of what the payload holds.
	const nonce = Buffer.from(ctx.random(16)).toString('hex');
	const shown = {
		nonce,
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
			rules: permit.rules,
			contentHash: Ledger.sha256(Ledger.canonicalBytes(shown)),
		},
		pii: { justification, nonce, ...hide.pii().pii },
	});
	return find(ctx, id);
}
