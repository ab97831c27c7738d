/** A delegation as the API shows it. */
import * as z from 'zod';
import type { Context } from '../context.ts';
import { idOf, Slug } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { type Delegation, delegationStates, stateOf } from './load.ts';

export const DelegationView = z
	.object({
		id: idOf('delegation'),
		domain: Slug,
		role: z.enum(['owner', 'privacy-officer']),
		giver: idOf('person').meta({ description: 'In whose place it is decided' }),
		to: idOf('person').meta({ description: 'Who decides by it' }),
		from: z.iso.datetime(),
		until: z.iso.datetime(),
		state: z.enum(delegationStates).meta({
			description: 'By the clock; one in force has no effect while its giver does not hold the role himself',
		}),
		reason: z.string().nullable().meta({ description: 'null once erased' }),
		givenAt: z.iso.datetime(),
		endedAt: z.iso.datetime().nullable().meta({ description: 'When it was taken back; null if it was not' }),
	})
	.meta({ id: 'Delegation' });
export type DelegationView = z.infer<typeof DelegationView>;

export async function viewOf(
	ctx: Pick<Context, 'aws' | 'config' | 'now'>,
	delegation: Delegation,
): Promise<DelegationView> {
	const { id, given, ended } = delegation;
	const { domain, role, giver, to, from, until } = given.body;
	const reason = (await Ledger.payload(ctx, given.entry))?.['reason'];
	return {
		id,
		domain,
		role,
		giver,
		to,
		from,
		until,
		state: stateOf(delegation, ctx.now),
		reason: typeof reason === 'string' ? reason : null,
		givenAt: given.entry.at,
		endedAt: ended?.entry.at ?? null,
	};
}
