/**
 * One who decides for a domain lets another decide in his place: for a time, in one role, one level deep.
 *
 * Promise: nobody decides by a delegation but the one person it was given to, within its time, before it was ended, and
 * while the giver himself holds the role. All of that is read from the streams at the moment of the decision, and again
 * where a grant is opened; listings only say where to look. Each change is one insert; a crash leaves it made or not made.
 */
import * as z from 'zod';
import { actorOf, type Context, supervises } from './context.ts';
import { mustHaveRoom } from './delegation/ahead.ts';
import { type Delegation, get, resourceOf, stateOf } from './delegation/load.ts';
import * as Domains from './domains.ts';
import { BrokerError, type Fault } from './error.ts';
import { Issuer, newId, Slug } from './id.ts';
import * as Ledger from './ledger.ts';
import { personOf } from './person.ts';
import { authorize, Entity, may, notFound, reveal } from './policy.ts';
import { Text } from './text.ts';

export { covers, type Delegation, type DelegationState, delegationStates, get, stateOf } from './delegation/load.ts';
export {
	actsIn,
	inForceFor,
	type Mandate,
	mandateOf,
	mandatesIn,
	type Reference,
	stands,
} from './delegation/mandate.ts';
export { DelegationView, viewOf } from './delegation/view.ts';

const MAX_DAYS = 90;
const DAY_MS = 86_400_000;

export const DelegationBody = z
	.strictObject({
		domain: Slug.meta({ example: 'lending' }),
		role: z.enum(['owner', 'privacy-officer']).meta({ description: 'The role that you hold in the domain' }),
		to: z
			.strictObject({ issuer: Issuer, subject: z.string().min(1).max(255) })
			.meta({ description: 'Who decides in your place: under this identity of his, and no other' }),
		from: z.iso.datetime().optional().meta({ description: 'Now if absent; never earlier' }),
		until: z.iso.datetime().meta({ description: `At most ${MAX_DAYS} days from now` }),
		reason: Text,
	})
	.meta({ id: 'DelegationBody' });
export type DelegationBody = z.infer<typeof DelegationBody>;

/**
 * Throws `not-permitted` for whoever does not hold the role himself, `validation` for whom or when it cannot be, `conflict`
 * where it was given already, or too many are.
 */
export async function give(ctx: Context, body: DelegationBody): Promise<Delegation> {
	const { domain, role } = body;
	const giver = actorOf(ctx);
	const to = await personOf(ctx, body.to);
	const id = newId('delegation', ctx);
	const facts = { id, domain, role, giver, to: to ?? giver };
	const permit = authorize(ctx, 'delegate', Entity.delegation(facts, ctx.config.governance));
	const time = timeOf(body, ctx.now);
	refuse([...time.faults, ...(await faultsOf(ctx, body, to))]);
	const { from, until } = time;
	await mustHaveRoom(ctx, facts);
	await Ledger.append(ctx, {
		stream: Ledger.stream.delegation(id),
		after: null,
		actor: giver,
		body: {
			type: 'DelegationGiven',
			delegation: id,
			domain,
			role,
			giver,
			to: facts.to,
			from,
			until,
			rules: permit.rules,
		},
		pii: { reason: body.reason },
	});
	return mustBeThere(await get(ctx, id));
}

/** Takes it back, from this instant on. Throws `conflict` where it is over already. */
export async function end(ctx: Context, id: string): Promise<Delegation> {
	const delegation = await find(ctx, id);
	const permit = authorize(ctx, 'endDelegation', resourceOf(ctx, delegation));
	const state = stateOf(delegation, ctx.now);
	if (state === 'ended' || state === 'over') {
		throw new BrokerError('conflict', `The delegation is ${state} already.`, { state });
	}
	const { domain, to, until } = delegation.given.body;
	await Ledger.append(ctx, {
		stream: Ledger.stream.delegation(id),
		after: delegation.given,
		actor: actorOf(ctx),
		body: { type: 'DelegationEnded', delegation: id, domain, to, until, rules: permit.rules },
	});
	return mustBeThere(await get(ctx, id));
}

/** The delegation with this id, if the caller may see it. Throws `not-found` alike for absent and hidden ones. */
export async function find(ctx: Context, id: string): Promise<Delegation> {
	const delegation = await get(ctx, id);
	if (delegation === null) throw notFound();
	reveal(ctx, 'viewDelegation', resourceOf(ctx, delegation));
	return delegation;
}

/** Whether the caller may see it: for narrowing a list. */
export function isVisible(ctx: Context, delegation: Delegation): boolean {
	return may(ctx, 'viewDelegation', resourceOf(ctx, delegation));
}

function mustBeThere(delegation: Delegation | null): Delegation {
	if (delegation === null) throw new BrokerError('unavailable', 'The store does not answer; try again.');
	return delegation;
}

function timeOf(body: DelegationBody, now: Date): { from: string; until: string; faults: Fault[] } {
	const from = body.from === undefined ? now : new Date(body.from);
	const until = new Date(body.until);
	const faults: Fault[] = [];
	if (from < now) faults.push({ pointer: '/from', detail: 'must not be past; leave it out for now' });
	if (until <= from) faults.push({ pointer: '/until', detail: 'must be after `from`, and ahead' });
	if (until.getTime() - now.getTime() > MAX_DAYS * DAY_MS) {
		faults.push({ pointer: '/until', detail: `must be at most ${MAX_DAYS} days ahead` });
	}
	return { from: from.toISOString(), until: until.toISOString(), faults };
}

/** Why it cannot be given to this person. */
async function faultsOf(ctx: Context, { domain, role }: DelegationBody, to: string | null): Promise<Fault[]> {
	const at = (detail: string): Fault[] => [{ pointer: '/to', detail }];
	const other = to === null ? null : await Domains.registered(ctx, to);
	if (to === null || other === null || other.roles.length === 0) return at('no domain has registered this person');
	if (other.service === true) return at('is a program, which decides nothing');
	if (supervises(ctx, other)) return at('supervises the mesh, and decides nothing');
	const holders = await Domains.holders(ctx, domain, role);
	const [own, self, ...others] = await Domains.selvesOf(ctx, [actorOf(ctx), to, ...holders]);
	if (self === own) return at('is yourself, in this or another guise');
	return others.includes(self ?? to) ? at(`is ${role} of ${domain} already, and decides as himself`) : [];
}

function refuse(errors: readonly Fault[]): void {
	if (errors.length === 0) return;
	throw new BrokerError('validation', `This cannot be delegated like this: ${errors[0]?.detail}.`, { errors });
}
