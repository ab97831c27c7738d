/**
 * Delegations whose end is ahead, by their end: of one person in one domain, and of a domain. How many there can be is
 * bounded when they are given, for others pay for reading them: whoever asks what that person sees, and the sweep. Several
 * that are given at one instant can pass the bound; what is beyond it is not read, and has no effect until others are over.
 */
import pMap from 'p-map';
import type { Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { type Delegation, get, stateOf } from './load.ts';

type Ctx = Pick<Context, 'aws' | 'config' | 'now'>;

/** So many at once somebody is given in one domain, and so many there are of a domain. */
export const MOST_OF_PERSON = 20;
export const MOST_OF_DOMAIN = 100;

const AT_ONCE = 8;

/** What is ahead or in force of those that a person was given in a domain. One that cannot be read is left out. */
export async function givenTo(ctx: Ctx, person: string, domain: string): Promise<Delegation[]> {
	const found = await readAhead(ctx, Ledger.Listing.key.mandates(person, domain), MOST_OF_PERSON);
	return found.filter(({ given: { body } }) => body.to === person && body.domain === domain);
}

/** The same of a domain, whoever was given them. */
export async function standingIn(ctx: Ctx, domain: string): Promise<Delegation[]> {
	const found = await readAhead(ctx, Ledger.Listing.key.delegationsByEnd(domain), MOST_OF_DOMAIN);
	return found.filter(({ given: { body } }) => body.domain === domain);
}

/**
 * Throws `conflict` where the same person decides in the same place already, or will, and where he or the domain has as
 * many as there may be.
 */
export async function mustHaveRoom(
	ctx: Ctx,
	{ giver, to, domain, role }: Pick<Delegation['given']['body'], 'giver' | 'to' | 'domain' | 'role'>,
): Promise<void> {
	const [own, ofDomain] = await Promise.all([
		givenTo(ctx, to, domain),
		linesAhead(ctx, Ledger.Listing.key.delegationsByEnd(domain), MOST_OF_DOMAIN),
	]);
	const same = own.find(({ given: { body } }) => body.giver === giver && body.role === role);
	if (same !== undefined) {
		const state = stateOf(same, ctx.now);
		const detail = `You have let this person decide as ${role} of ${domain} already: ${same.id} is ${state}. End it first.`;
		throw new BrokerError('conflict', detail, { state });
	}
	if (own.length >= MOST_OF_PERSON) throw full(`That person was given ${MOST_OF_PERSON} in ${domain}`);
	if (ofDomain.length >= MOST_OF_DOMAIN) throw full(`${domain} has ${MOST_OF_DOMAIN} of them`);
}

const full = (why: string) =>
	new BrokerError('conflict', `${why}, as many as there may be at once; one of them must end first.`);

async function readAhead(ctx: Ctx, pk: string, most: number): Promise<Delegation[]> {
	const ids = (await linesAhead(ctx, pk, most)).map((line) => line.slice(line.indexOf('#') + 1));
	const found = await pMap(ids, (id) => Ledger.readable(() => get(ctx, id)), { concurrency: AT_ONCE });
	const ahead = (d: Delegation) => ['ahead', 'in-force'].includes(stateOf(d, ctx.now));
	return found.filter((d) => d !== null).filter(ahead);
}

/** The first lines of a listing by end, of what is not over by the clock. */
async function linesAhead(ctx: Ctx, pk: string, most: number): Promise<string[]> {
	return (await Ledger.Listing.list(ctx, pk, { limit: most, after: ctx.now.toISOString() })).keys;
}
