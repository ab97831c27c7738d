/**
 * The domain registry: one stream per domain, whose last version says who holds which role and which principals
 * serve which purpose. Roles are read from here at each call, never from a token.
 */
import * as z from 'zod';
import { actorOf, type Caller, type Context, type Identity, type Membership, type Role, roles } from './context.ts';
import { BrokerError, type Fault } from './error.ts';
import { mustMatch } from './etag.ts';
import { AccountId, Issuer, RoleArn, Slug } from './id.ts';
import * as Ledger from './ledger.ts';
import { ensurePerson, personOf } from './person.ts';
import type { Permit } from './policy.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;

export const DomainRegistration = z
	.strictObject({
		name: z.string().min(1).max(80),
		/** What the domain answers for; free text. */
		charter: z.string().max(2000).optional(),
		account: AccountId,
		members: z
			.array(
				z.strictObject({
					issuer: Issuer,
					subject: z.string().min(1).max(255),
					roles: z.array(z.enum(roles)).min(1).max(roles.length),
				}),
			)
			.max(500),
		principals: z.array(z.strictObject({ arn: RoleArn, purpose: Slug })).max(100),
	})
	.meta({ id: 'DomainRegistration' });
export type DomainRegistration = z.infer<typeof DomainRegistration>;

export const Domain = z
	.object({
		id: Slug,
		name: z.string(),
		account: AccountId,
		members: z.array(z.object({ person: z.string(), roles: z.array(z.enum(roles)) })),
		principals: z.array(z.object({ arn: RoleArn, purpose: z.string() })),
		version: z.int(),
	})
	.meta({ id: 'Domain' });
export type Domain = z.infer<typeof Domain>;

/** A domain as its stream says now, or null. */
export async function get(ctx: ReadCtx, id: string): Promise<Domain | null> {
	const last = await Ledger.last(ctx, Ledger.stream.domain(id), 'DomainRegistered');
	return last === null ? null : view(last);
}

function view(recorded: Ledger.Recorded<'DomainRegistered'>): Domain {
	const { domain: id, name, account, members, principals } = recorded.body;
	const parsed = Domain.safeParse({ id, name, account, members, principals, version: recorded.ver });
	if (!parsed.success)
		throw new BrokerError('record-corrupt', 'A domain entry cannot be read.', {}, { cause: parsed.error });
	return parsed.data;
}

export async function list(ctx: ReadCtx): Promise<Domain[]> {
	const ids = await Ledger.Listing.all(ctx, Ledger.Listing.key.domains);
	const found = await Promise.all(ids.map((id) => get(ctx, id)));
	return found.filter((d) => d !== null);
}

/**
 * Registers a domain or its new state. The same content again changes nothing. Throws `validation` when a principal is
 * not of the domain's account, or a purpose is not governed, or another domain has the account; `precondition-required`
 * or `stale` unless `ifMatch` names the ETag of the state that is changed.
 */
export async function register(
	ctx: Context,
	permit: Permit<'registerDomain'>,
	id: string,
	input: DomainRegistration,
	ifMatch?: string,
): Promise<{ domain: Domain; created: boolean }> {
	const [last, others] = await Promise.all([Ledger.last(ctx, Ledger.stream.domain(id), 'DomainRegistered'), list(ctx)]);
	refuse(faults(ctx.config, id, input, others));
	// Somebody new is a change for certain: refused before he gets a pseudonym.
	const known = await Promise.all(input.members.map((m) => personOf(ctx, m)));
	if (known.includes(null)) mustHaveSeen(last, ifMatch);
	const members = [];
	for (const m of input.members) members.push({ person: await ensurePerson(ctx, m), roles: m.roles });
	const body = {
		type: 'DomainRegistered' as const,
		domain: id,
		name: input.name,
		account: input.account,
		members,
		principals: input.principals,
		rules: permit.rules,
	};
	if (last !== null && same(last.body, body) && (await charterOf(ctx, last)) === input.charter) {
		return { domain: view(last), created: false };
	}
	mustHaveSeen(last, ifMatch);
	const recorded = await Ledger.append(ctx, {
		stream: Ledger.stream.domain(id),
		after: last,
		actor: actorOf(ctx),
		body,
		...(input.charter === undefined ? {} : { pii: { charter: input.charter } }),
	});
	return { domain: view(Ledger.as(recorded, 'DomainRegistered')), created: last === null };
}

/** The ETag of a domain: its version. */
export const etagOf = (domain: Pick<Domain, 'version'>) => `"${domain.version}"`;

/** Two stewards at once: the second has not seen what the first changed (RFC 9110 section 13.1.1, RFC 6585 section 3). */
function mustHaveSeen(last: Ledger.Recorded | null, ifMatch: string | undefined): void {
	if (ifMatch === undefined) {
		if (last === null) return;
		throw new BrokerError('precondition-required', 'Send If-Match with the ETag of the domain that you change.');
	}
	const etag = last === null ? null : etagOf({ version: last.ver });
	mustMatch(ifMatch, etag, 'This is not the state that you saw; read the domain again.');
}

function faults(config: Context['config'], id: string, input: DomainRegistration, others: readonly Domain[]): Fault[] {
	const found: Fault[] = [];
	if (others.some((d) => d.id !== id && d.account === input.account)) {
		found.push({ pointer: '/account', detail: 'another domain has this account' });
	}
	for (const [i, p] of input.principals.entries()) {
		if (p.arn.split(':')[4] !== input.account) {
			found.push({ pointer: `/principals/${i}/arn`, detail: `must be a role of account ${input.account}` });
		}
		if (!config.purposes.some((g) => g.id === p.purpose)) {
			found.push({
				pointer: `/principals/${i}/purpose`,
				detail: 'not in the governed purpose list; see GET /purposes',
			});
		}
		if (input.principals.findIndex((q) => q.arn === p.arn) !== i) {
			found.push({ pointer: `/principals/${i}/arn`, detail: 'listed twice; a principal serves exactly one purpose' });
		}
	}
	return found;
}

function refuse(errors: readonly Fault[]): void {
	if (errors.length > 0) throw new BrokerError('validation', 'The domain cannot be registered like this.', { errors });
}

async function charterOf(ctx: ReadCtx, last: Ledger.Recorded): Promise<unknown> {
	return (await Ledger.payload(ctx, last.entry))?.['charter'];
}

type Body = Ledger.BodyOf<'DomainRegistered'>;
const same = (a: Body, b: Body) => comparable(a) === comparable(b);
const comparable = (b: Body) => JSON.stringify([b.name, b.account, b.members, b.principals]);

/**
 * Who calls, with the roles that the registry gives him now. Founders act as stewards before any steward exists.
 * The listing only says which domains to ask; each is then read from its own stream.
 */
export async function callerOf(ctx: ReadCtx & Pick<Context, 'now' | 'random'>, identity: Identity): Promise<Caller> {
	const founder = ctx.config.founders.some((f) => f.issuer === identity.issuer && f.subject === identity.subject);
	const person = founder ? await ensurePerson(ctx, identity) : await personOf(ctx, identity);
	if (person === null) return { ...identity, person: null, roles: [] };
	const ids = await Ledger.Listing.all(ctx, Ledger.Listing.key.person(person));
	const domains = await Promise.all(ids.map((id) => get(ctx, id)));
	const held: Membership[] = domains.flatMap((d) =>
		(d?.members ?? [])
			.filter((m) => m.person === person)
			.flatMap((m) => m.roles.map((role) => ({ domain: d?.id ?? '', role }))),
	);
	const founds = founder && (await holders(ctx, ctx.config.governance, 'steward')).length === 0;
	const founding: Membership[] = founds ? [{ domain: ctx.config.governance, role: 'steward' }] : [];
	return { ...identity, person, roles: [...held, ...founding] };
}

/** The domain that a principal belongs to and the one purpose it serves, or null for an unknown ARN. */
export async function principal(ctx: ReadCtx, arn: string): Promise<{ domain: Domain; purpose: string } | null> {
	const ids = await Ledger.Listing.all(ctx, Ledger.Listing.key.principal(arn));
	for (const domain of await Promise.all(ids.map((id) => get(ctx, id)))) {
		const registered = domain?.principals.find((p) => p.arn === arn);
		if (domain != null && registered !== undefined) return { domain, purpose: registered.purpose };
	}
	return null;
}

/** The persons who hold a role in a domain now. */
export async function holders(ctx: ReadCtx, domain: string, role: Role): Promise<string[]> {
	const found = await get(ctx, domain);
	return (found?.members ?? []).filter((m) => m.roles.includes(role)).map((m) => m.person);
}
