/** How the rules are asked about a decision in somebody's place, and by which mandate one could be made. Looks nothing up. */
import type { Context, Role } from '../context.ts';
import type { Mandate } from '../delegation.ts';
import { BrokerError } from '../error.ts';
import { Entity, permits, type Resource } from '../policy.ts';

/** What is decided on: in which domain, and in which roles. */
type Decided = { readonly domain: string; readonly route: readonly string[] };

/** The resource and the context of `decide`, in one's own place where there is no mandate. */
export function asked(domain: string, resource: Resource, as: Role, mandate: Mandate | null) {
	const role = Entity.roleRef(domain, as);
	if (mandate === null) return { resource, context: { as: role } };
	const context = { as: role, giver: Entity.personRef(mandate.reference.giver) };
	return { resource: Entity.along(resource, Entity.principalOf(mandate.giver)), context };
}

/**
 * The first of these mandates by which the caller may decide on this, in a role of its route; null if none lets him. Rules
 * that cannot be evaluated let nobody.
 */
export function mandateFor(
	ctx: Pick<Context, 'policies' | 'caller'>,
	{ domain, route }: Decided,
	of: Resource,
	mandates: readonly Mandate[],
): Mandate | null {
	const lets = (mandate: Mandate) => {
		const { resource, context } = asked(domain, of, mandate.role, mandate);
		try {
			return permits(ctx, 'decide', resource, context) !== null;
		} catch (error) {
			if (error instanceof BrokerError && error.code === 'internal') return false;
			throw error;
		}
	};
	return mandates.find((mandate) => route.includes(mandate.role) && lets(mandate)) ?? null;
}
