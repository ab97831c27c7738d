/** Filing a request: checked first, then stored, then decided where a rule does that by itself. */
import * as z from 'zod';
import { actorOf, type Context, roles } from '../context.ts';
import * as Grants from '../grants.ts';
import { idOf, newId, ProductId, RoleArn, Slug } from '../id.ts';
import * as Ledger from '../ledger.ts';
import * as Preview from '../preview.ts';
import { approveAtOnce } from './auto.ts';
import type { Checked } from './check.ts';
import { sealed } from './content.ts';
import { find, type Request } from './load.ts';
import { type AccessAsk, checkAsk } from './template.ts';

/** Files a request. Nothing is stored unless everything about it could be granted if approved. */
export async function submit(ctx: Context, body: AccessAsk): Promise<Request> {
	const { checked, named } = await checkAsk(ctx, body);
	return record(ctx, checked, named);
}

/** What else is said of a request when it is filed. */
export type Of = {
	readonly id?: string;
	readonly renews?: string;
	readonly renewsVer?: number;
	readonly batch?: string;
	readonly template?: string;
	readonly breakGlass?: { readonly until: string; readonly reviewDue: string; readonly of?: string };
};

/** Stores what was checked, and lets rules decide on it. */
export async function record(ctx: Context, checked: Checked, of: Of = {}): Promise<Request> {
	const { request: id, contentHash } = (await store(ctx, checked, of)).body;
	await approveAtOnce(ctx, id, checked, contentHash);
	return find(ctx, id);
}

/** Stores what was checked; from then on it is there, whatever else can be read. */
export async function store(
	ctx: Context,
	checked: Checked,
	{ id: given, ...more }: Of,
): Promise<Ledger.Recorded<'AccessRequested'>> {
	const { product, consumer, permit } = checked;
	const id = given ?? newId('request', ctx);
	const { pii, ...said } = await recordable(ctx, id, checked);
	const stored = await Ledger.append(ctx, {
		stream: Ledger.stream.request(id),
		after: null,
		actor: actorOf(ctx),
		body: {
			...said,
			type: 'AccessRequested',
			product: product.id,
			productDomain: product.domain,
			consumerDomain: consumer.id,
			requester: actorOf(ctx),
			rules: permit.rules,
			...more,
		},
		pii,
	});
	return Ledger.as(stored, 'AccessRequested');
}

/** What was checked, as an entry says it. */
export async function recordable(ctx: Context, id: string, checked: Checked) {
	const { product, principal, purpose, legalBasis, beneficiaries, duration, justification, permit } = checked;
	const { scopes } = checked;
	const shown = { principal, purpose, scopes, beneficiaries, duration, justification };
	const { tables, contentHash, pii } = await sealed(ctx, { ...shown, id, product: product.id, contract: product.hash });
	return {
		request: id,
		contract: { version: product.contract.version, hash: product.hash, leaf: product.leaf },
		principal,
		purpose,
		legalBasis,
		tables,
		beneficiaries: [...beneficiaries],
		duration,
		route: [...permit.requires],
		contentHash,
		pii: { justification, ...pii },
	};
}

export const DryRunView = z
	.object({
		product: ProductId,
		contractVersion: z.string(),
		principal: RoleArn,
		consumerDomain: Slug,
		template: Slug.nullable().meta({ description: 'The template that it would be asked by' }),
		purpose: Slug,
		legalBasis: z.string(),
		tables: z.array(Grants.TableScopeView),
		beneficiaries: z.array(idOf('person')),
		duration: z.iso.duration(),
		justification: z.string(),
		route: z.array(z.enum(roles)).meta({ description: 'Roles that would have to approve, by different people' }),
		autoApproval: z
			.array(z.string())
			.nullable()
			.meta({ description: 'The rules that would approve it at once; null: people decide' }),
		preview: Preview.PreviewView,
	})
	.meta({ id: 'RequestDryRun' });
export type DryRunView = z.infer<typeof DryRunView>;

/** What would be filed, and what it would open. Throws what filing would throw; stores nothing. */
export async function tryOut(ctx: Context, body: AccessAsk): Promise<DryRunView> {
	const { checked, named } = await checkAsk(ctx, body);
	const { product, consumer, principal, purpose, legalBasis, scopes, beneficiaries, duration, justification } = checked;
	return {
		product: product.id,
		contractVersion: product.contract.version,
		principal,
		consumerDomain: consumer.id,
		template: named.template ?? null,
		purpose,
		legalBasis,
		tables: scopes.map((scope) => Grants.scopeView({ ...scope, readable: true })),
		beneficiaries: [...beneficiaries],
		duration,
		justification,
		route: [...checked.permit.requires] as DryRunView['route'],
		autoApproval: checked.auto === null ? null : [...checked.auto.rules.policies],
		preview: await Preview.preview(ctx, { principal, product, scopes }),
	};
}
