/**
 * Asking by a template of the contract: the request is what the template spells out, under the contract that stands now,
 * before anything of it is looked at. Nothing is granted because of a template; what is checked, hashed, shown and decided
 * on are tables, columns and rows, and a later version of the contract changes nothing in what was asked.
 */
import * as z from 'zod';
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import type { AccessTemplate } from '../contract.ts';
import { BrokerError, type Fault, isRefusal } from '../error.ts';
import { Slug } from '../id.ts';
import { Entity, notFound, reveal } from '../policy.ts';
import { type Checked, check } from './check.ts';
import { AccessRequest, invalid, until } from './request.ts';

const { tables, purpose, duration, ...others } = AccessRequest.shape;

export const template = Slug.nullish().meta({
	description: 'A template of the contract, in the place of `tables`; its purpose and duration hold where none is sent',
});

/** What may be sent; which members are needed depends on whether a template is named. */
export const AccessAsk = z
	.strictObject({
		...others,
		template,
		tables: tables.optional().meta({ description: 'Required unless a template is named' }),
		purpose: purpose.optional().meta({ description: 'Required unless the template has one', example: 'credit-risk' }),
		duration: duration.optional().meta({
			description: 'ISO 8601 duration from the decision; required unless the template has one, then at most that',
			example: 'P30D',
		}),
	})
	.meta({ id: 'AccessRequest' });
export type AccessAsk = z.infer<typeof AccessAsk>;

/** As an entry names it. */
export type Named = { readonly template?: string };

/** What was asked, checked, and the template that it was asked by. Throws what {@link check} throws, in terms of `body`. */
export async function checkAsk(ctx: Context, body: AccessAsk): Promise<{ checked: Checked; named: Named }> {
	const { template: id, tables: listed, purpose: why, duration: time, ...rest } = body;
	if (id == null) {
		if (listed === undefined || why === undefined || time === undefined) throw missing(body);
		return { checked: await check(ctx, { ...rest, tables: listed, purpose: why, duration: time }), named: {} };
	}
	const { asked, version } = await spellOut(ctx, body.product, id, body);
	if (asked.purpose === undefined || asked.duration === undefined) {
		throw missing({ tables: asked.tables, purpose: asked.purpose, duration: asked.duration });
	}
	// Of this version: one that is published meanwhile may have another template of the name, or none.
	const wanted = { version, ...rest, tables: asked.tables, purpose: asked.purpose, duration: asked.duration };
	return { checked: await inTermsOf(body, () => check(ctx, wanted)), named: { template: id } };
}

type Parts = Partial<Pick<AccessRequest, 'tables' | 'purpose' | 'duration'>>;
type Sent = { readonly [K in keyof Parts]?: Parts[K] | undefined };

function missing(sent: Sent): BrokerError {
	const needed = ['tables', 'purpose', 'duration'] as const;
	const errors = needed
		.filter((name) => sent[name] === undefined)
		.map((name) => ({ pointer: `/${name}`, detail: 'is required, unless a template that has it is named' }));
	return new BrokerError('validation', 'The body is not valid; see `errors`.', { errors });
}

/** What a template stands for beside what was sent with it, and the contract version that it is of. */
export async function spellOut(
	ctx: Context,
	productId: string,
	id: string,
	sent: Sent,
): Promise<{ asked: Sent & Pick<AccessRequest, 'tables'>; version: string }> {
	if (sent.tables !== undefined) throw invalid('/template', 'stands in the place of `tables`; send one of the two');
	const product = await Catalog.get(ctx, productId);
	if (product === null) throw notFound();
	reveal(ctx, 'viewProduct', Entity.product(Catalog.factsOf(product), ctx.config.governance));
	const { accessTemplates, version } = product.contract;
	const found = accessTemplates.find((t) => t.id === id);
	if (found === undefined) {
		const known = accessTemplates.map((t) => t.id).join(', ');
		throw invalid('/template', known === '' ? 'the contract has no templates' : `one of: ${known}`);
	}
	return { asked: filled(found, sent, ctx.now), version };
}

/** Its purpose and duration hold where none was sent; what was sent is that purpose, and no longer. */
export function filled(
	{ tables: spelled, purpose: meant, duration: longest }: AccessTemplate,
	{ purpose: why, duration: time }: Sent,
	now: Date,
): Sent & Pick<AccessRequest, 'tables'> {
	if (why !== undefined && meant !== undefined && why !== meant) {
		throw invalid('/purpose', `the template is for \`${meant}\`; for another, send its tables yourself`);
	}
	if (time !== undefined && longest !== undefined && until(time, now) > until(longest, now)) {
		throw invalid('/duration', `at most ${longest}, as the template says; for longer, send its tables yourself`);
	}
	const copied = spelled.map((t) => ({ ...t, columns: [...t.columns] }));
	return { tables: copied, purpose: why ?? meant, duration: time ?? longest };
}

/** Refusals of what the template spelled out point to it: the body has no such places. */
export async function inTermsOf<T>(sent: Sent, work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (error) {
		if (!isRefusal(error) || error.extensions.errors === undefined) throw error;
		const spelled = (pointer: string) => {
			const name = pointer.split('/')[1];
			if (name === 'version') return !Object.hasOwn(sent, name);
			return (name === 'tables' || name === 'purpose' || name === 'duration') && sent[name] === undefined;
		};
		const errors = error.extensions.errors.map((e): Fault => (spelled(e.pointer) ? { ...e, pointer: '/template' } : e));
		throw new BrokerError(error.code, error.message, { ...error.extensions, errors }, { cause: error });
	}
}
