/**
 * Whether what is asked for may still be granted: the contract that it was asked under, the principal, the rows that are
 * left to its domain and the rules, as they are now. Looked at before each decision, and again where a grant is opened
 * later than it was decided. Stores nothing.
 */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import type { Extent } from './content.ts';
import { mustNameNoLeaver } from './leavers.ts';
import type { Request } from './load.ts';
import { keepsRowScope } from './rowscope.ts';
import { type Asking, type Judged, judge } from './rules.ts';
import { openRoles } from './state.ts';

/** What a request is granted under. */
export type Ground = Pick<Asking, 'product' | 'serving'>;

/** Throws `stale` where the contract or the principal changed, `record-corrupt` for a filter that was erased. */
export async function mustStand(ctx: Context, request: Request): Promise<Ground> {
	const { contract, scopes } = request.content;
	const product = await Catalog.get(ctx, request.filed.body.product);
	if (product?.hash !== contract.hash) {
		throw new BrokerError('stale', 'The contract changed since this was asked; reject it and let it be asked again.');
	}
	if (!scopes.every((s) => s.readable)) {
		throw new BrokerError('record-corrupt', 'The row filter of this request was erased.');
	}
	await mustNameNoLeaver(ctx, request);
	return { product, serving: await mustBeServed(ctx, request, product) };
}

/** The principal still reads for whom and for what it was asked, and only the rows that the contract leaves to them. */
async function mustBeServed(
	ctx: Context,
	{ content, filed }: Request,
	product: Catalog.Product,
): Promise<Asking['serving']> {
	const serving = await Domains.principal(ctx, content.principal);
	if (serving?.domain.id !== filed.body.consumerDomain || serving.purpose !== content.purpose) {
		throw new BrokerError('stale', 'The principal serves another purpose or domain now; reject this.');
	}
	if (!keepsRowScope(product, serving.domain, content.scopes)) {
		const detail =
			'The rows that the contract leaves to the consuming domain changed; reject this, or let it be edited.';
		throw new BrokerError('stale', detail);
	}
	return serving;
}

/** The rules may have changed since it was asked: what they forbid now is not approved, nor by too few. */
export async function mustBeAllowed(
	ctx: Context,
	{ content, editors, filed }: Request,
	ground: Ground,
	extent: Extent,
): Promise<Judged> {
	const maker = await Domains.registered(ctx, editors.at(-1) ?? filed.body.requester);
	const personal = await Catalog.personalColumns(ctx, ground.product.id);
	const { scopes, duration } = extent;
	const asking = { ...ground, scopes, duration, purpose: content.purpose, personal };
	const judged = judgedFor({ ...ctx, caller: maker }, asking);
	const route = content.route.map((as) => ({ person: '', as }));
	const missing = openRoles(judged.permit.requires, route);
	if (missing.length === 0) return judged;
	const detail = `The rules changed since this was asked: it needs ${missing.join(', ')}, too. Let it be edited, or reject it.`;
	throw new BrokerError('stale', detail);
}

function judgedFor(ctx: Context, asking: Asking): Judged {
	try {
		return judge(ctx, asking);
	} catch (error) {
		if (!(error instanceof BrokerError) || error.code !== 'not-permitted') throw error;
		throw new BrokerError('stale', 'Whoever asked for this may not do so any more; reject it.', {}, { cause: error });
	}
}
