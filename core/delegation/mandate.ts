/**
 * Deciding by a delegation. Each time its stream is read, and the registry: who gave it must hold the role at that moment
 * as himself, so that nobody passes on what was only delegated to him.
 */
import pMap from 'p-map';
import { type Caller, type Context, decidesAs, type Role, supervises } from '../context.ts';
import * as Domains from '../domains.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { givenTo, standingIn } from './ahead.ts';
import { covers, type Delegation, get, stateOf } from './load.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;
type CallerCtx = ReadCtx & Pick<Context, 'caller' | 'now'>;

/** A delegation that is in force, as one to decide by. */
export type Mandate = {
	readonly reference: Reference;
	readonly role: Role;
	/** As the registry knows him now. */
	readonly giver: Caller;
};

/** What a decision records of it. */
export type Reference = { readonly id: string; readonly giver: string; readonly leaf: string };

const AT_ONCE = 8;

const unregistered = (caller: Caller) => caller.person === null || caller.roles.length === 0;

/**
 * The caller's delegation with this id, to decide by in this domain now. Throws `validation` for one that there is not or
 * that is not his, alike, and `not-permitted` for one that has no effect.
 */
export async function mandateOf(ctx: CallerCtx, id: string, domain: string): Promise<Mandate> {
	const delegation = await get(ctx, id);
	if (delegation === null || delegation.given.body.to !== ctx.caller.person) {
		const errors = [{ pointer: '/delegation', detail: 'none with this id was given to you' }];
		throw new BrokerError('validation', 'You were given no such delegation.', { errors });
	}
	const found = await effective(ctx, delegation);
	if ('why' in found) throw refusal(found.why);
	if (delegation.given.body.domain !== domain) throw refusal('It is of another domain.');
	return found;
}

const refusal = (why: string) => new BrokerError('not-permitted', `You may not decide by this delegation. ${why}`);

/** The mandate, or why it is none now. */
async function effective(ctx: CallerCtx, delegation: Delegation): Promise<Mandate | { readonly why: string }> {
	const { id, given } = delegation;
	const { giver, role, domain } = given.body;
	const state = stateOf(delegation, ctx.now);
	if (state !== 'in-force') return { why: `It is ${state}.` };
	if (unregistered(ctx.caller) || ctx.caller.service === true) return { why: 'You decide nothing by delegation.' };
	const known = await Domains.registered(ctx, giver);
	if (!decidesAs(ctx, known, domain, role)) return { why: `Who gave it does not decide as ${role} any more.` };
	if ((known.of ?? giver) === (ctx.caller.of ?? ctx.caller.person)) return { why: 'Who gave it is yourself.' };
	return { reference: { id, giver, leaf: given.leaf }, role, giver: known };
}

/** What each call found, by domain, so that a list of requests asks once. A context is of one call. */
const known = new WeakMap<object, Map<string, Promise<Mandate[]>>>();

/** The mandates by which the caller may decide in this domain now. Where to look says a listing, what is so the streams. */
export function mandatesIn(ctx: CallerCtx, domain: string): Promise<Mandate[]> {
	const found = known.get(ctx) ?? new Map<string, Promise<Mandate[]>>();
	known.set(ctx, found);
	const mandates = found.get(domain) ?? lookUp(ctx, domain);
	found.set(domain, mandates);
	return mandates;
}

/** Whether the caller may decide in somebody's place in this domain now. */
export async function actsIn(ctx: CallerCtx, domain: string): Promise<boolean> {
	return (await mandatesIn(ctx, domain)).length > 0;
}

async function lookUp(ctx: CallerCtx, domain: string): Promise<Mandate[]> {
	const { person } = ctx.caller;
	if (person === null) return [];
	const delegations = await givenTo(ctx, person, domain);
	const one = (delegation: Delegation) => Ledger.readable(() => effective(ctx, delegation));
	const found = await pMap(delegations, one, { concurrency: AT_ONCE });
	return found.flatMap((mandate) => (mandate === null || 'why' in mandate ? [] : [mandate]));
}

/**
 * Whether a decision that was made by delegation still has its mandate: it was in force at that instant, is the one that
 * was recorded, and who gave it holds the role now. That it was ended or ran out since changes nothing; that either of
 * them has become a program or supervises the mesh does, and that who decided is of no domain any more.
 */
export async function stands(
	ctx: ReadCtx,
	{ id, giver, leaf }: Reference,
	decided: { readonly by: string; readonly as: string; readonly domain: string; readonly at: string },
): Promise<boolean> {
	const delegation = await get(ctx, id);
	if (delegation === null || delegation.given.leaf !== leaf || !covers(delegation, decided.at)) return false;
	const { body } = delegation.given;
	const same = body.to === decided.by && body.domain === decided.domain && body.role === decided.as;
	if (!same || body.giver !== giver) return false;
	const [one, other] = await Promise.all([Domains.registered(ctx, giver), Domains.registered(ctx, decided.by)]);
	if (unregistered(other) || other.service === true || supervises(ctx, other)) return false;
	return decidesAs(ctx, one, body.domain, body.role);
}

/** Ids of the delegations of a domain that are in force by the clock, for telling who might decide; so many at most. */
export async function inForceFor(
	ctx: ReadCtx & Pick<Context, 'now'>,
	domain: string,
	among: readonly string[],
): Promise<string[]> {
	const standing = await standingIn(ctx, domain);
	const here = standing.filter((d) => stateOf(d, ctx.now) === 'in-force' && among.includes(d.given.body.role));
	return here.map(({ id }) => id);
}
