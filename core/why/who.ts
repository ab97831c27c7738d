/** In whose place a question is asked: the caller himself, somebody of the registry, or somebody who holds given roles. */
import pMap from 'p-map';
import * as z from 'zod';
import { type Caller, type Context, holds, type Membership, type Role, roles } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import { idOf, Slug } from '../id.ts';

export const As = z
	.strictObject({
		person: idOf('person')
			.optional()
			.meta({ description: 'Pseudonym; somebody who has no part in anything if absent' }),
		roles: z
			.array(z.strictObject({ domain: Slug, role: z.enum(roles) }))
			.max(20)
			.optional()
			.meta({ description: 'In place of the roles that the person holds' }),
	})
	.refine((as) => as.person !== undefined || as.roles !== undefined, 'must name a person or roles')
	.meta({ description: 'In whose place you ask; yourself if absent. For stewards, owners and privacy officers' });
export type As = z.infer<typeof As>;

/** A pseudonym that nobody has. */
const SOMEBODY = `per_${'0'.repeat(26)}`;

/** Somebody who holds these roles, and is no party to anything unless he is named. */
export function somebody(held: readonly Membership[], person = SOMEBODY): Caller {
	return { issuer: '', subject: '', person, roles: held };
}

/** Throws `not-permitted` unless the caller may ask in the place of others. */
export async function personaOf(ctx: Context, as: As | undefined): Promise<Caller> {
	// A copy: what he asks about was not shown to him, so no rule marks it as read.
	if (as === undefined) return { ...ctx.caller };
	const answers = ctx.caller.roles.some(({ role }) => role === 'owner' || role === 'privacy-officer');
	if (!answers && !holds(ctx.caller, ctx.config.governance, 'steward')) {
		const detail = 'Only stewards, owners and privacy officers may ask in the place of somebody else.';
		throw new BrokerError('not-permitted', detail, { policies: [] });
	}
	const known = as.person === undefined ? somebody([]) : await Domains.registered(ctx, as.person);
	return as.roles === undefined ? known : { ...known, roles: as.roles };
}

/** Holders of a role that are told at most, and how many are looked up at once. */
export const MAX_HOLDERS = 20;
const AT_ONCE = 4;

export type Registry = ReturnType<typeof registryOf>;

/** Who holds which role, each domain and person read once however often one call asks. */
export function registryOf(ctx: Context) {
	const domains = new Map<string, ReturnType<typeof Domains.get>>();
	const persons = new Map<string, Promise<Caller>>();
	return {
		/** The first holders, in the order of the registry, of whom `passes` says so. */
		async holders({ domain, role }: Membership, passes: (caller: Caller) => boolean): Promise<string[]> {
			const found = await once(domains, domain, () => Domains.get(ctx, domain));
			const ids = holding(found, role);
			const told: string[] = [];
			for (let at = 0; at < ids.length && told.length < MAX_HOLDERS; at += MAX_HOLDERS) {
				const some = ids.slice(at, at + MAX_HOLDERS);
				const known = await pMap(some, (id) => once(persons, id, () => Domains.registered(ctx, id)), {
					concurrency: AT_ONCE,
				});
				told.push(...known.filter(passes).flatMap(({ person }) => person ?? []));
			}
			return told.slice(0, MAX_HOLDERS);
		},
	};
}

function holding(domain: Domains.Domain | null, role: Role): string[] {
	return (domain?.members ?? []).filter((m) => m.roles.includes(role)).map((m) => m.person);
}

function once<T>(known: Map<string, Promise<T>>, id: string, read: () => Promise<T>): Promise<T> {
	const found = known.get(id) ?? read();
	known.set(id, found);
	return found;
}
