/** What a decision in somebody's place is besides one in one's own: how the rules are asked, and what it counts as. */
import type { Context, Role } from '../context.ts';
import { type Mandate, mandatesIn } from '../delegation.ts';
import { BrokerError } from '../error.ts';
import { authorize, type Permit } from '../policy.ts';
import { type Request, resourceOf } from './load.ts';
import { asked, mandateFor } from './mandated.ts';
import type { Approval } from './state.ts';

/** Throws `not-permitted`, `self-approval`: also where who gave the delegation could not have decided himself. */
export async function mayDecide(
	ctx: Context,
	request: Request,
	as: Role,
	mandate: Mandate | null,
): Promise<Permit<'decide'>> {
	const of = await resourceOf(ctx, request);
	const { resource, context } = asked(request.filed.body.productDomain, of, as, mandate);
	const permit = authorize(ctx, 'decide', resource, context);
	// As for who holds the role himself: in a role that nobody asks for, nothing is decided.
	if (mandate === null || request.content.route.includes(as)) return permit;
	throw new BrokerError('not-permitted', `You may not decide as ${as}: no approval of that role is asked for.`);
}

/** In whose eyes a request is previewed: whoever may decide on it in somebody's place sees what that person would. */
export async function seenBy(ctx: Context, request: Request): Promise<Context> {
	const { productDomain: domain } = request.filed.body;
	const [of, mandates] = await Promise.all([resourceOf(ctx, request), mandatesIn(ctx, domain)]);
	const deciding = mandateFor(ctx, { domain, route: request.content.route }, of, mandates);
	return deciding === null ? ctx : { ...ctx, caller: deciding.giver };
}

/** What marks an approval as given in somebody's place: it counts as a word of his, in whatever guise he gave it. */
export function inPlaceOf(mandate: Mandate | null, now: Date): Pick<Approval, 'delegated'> {
	if (mandate === null) return {};
	const { id, giver, leaf } = mandate.reference;
	return { delegated: { id, leaf, giver: mandate.giver.of ?? giver, at: now.toISOString() } };
}
