/**
 * The domain registry: one stream per domain, whose last version says who holds which role, which identities are of one
 * person, which principals serve which purpose, and what the domain is in the bank. Read from here at each call, never
 * from a token.
 */
import * as z from 'zod';
import { actorOf, type Caller, type Context, type Identity, type Membership, roles } from './context.ts';
import { abandoned, catalogFaults, SharedCatalog } from './domains/catalogs.ts';
import { guiseFaults, membershipsOf, type Said, selfOf, Who } from './domains/guises.ts';
import { type Domain, type ReadCtx, view } from './domains/read.ts';
import { announce, holders, isAnnounced, mustBeWhole, registry } from './domains/registry.ts';
import { BrokerError, type Fault } from './error.ts';
import { mustMatch } from './etag.ts';
import { AccountId, RoleArn, Slug } from './id.ts';
import * as Ledger from './ledger.ts';
import { ensurePerson, personOf } from './person.ts';
import type { Permit } from './policy.ts';
import { Text } from './text.ts';

export { owns, type Places } from './domains/catalogs.ts';
export { guisesOf, selvesOf } from './domains/guises.ts';
export { Domain } from './domains/read.ts';
export { get, holders, list, principal } from './domains/registry.ts';

const MAX_ATTRIBUTES = 20;
/** Printable: it is compared with what stands in tables, and shown to approvers. */
const AttributeValue = z
	.string()
	.min(1)
	.max(100)
	.refine((value) => value.isWellFormed() && !/\p{C}/u.test(value), 'must be printable');

/** Zod passes over this name, as if nothing had been sent; no record is then none. */
const named = (sent: unknown) =>
	typeof sent === 'object' && sent !== null && Object.hasOwn(sent, '__proto__') ? null : sent;

export const DomainRegistration = z
	.strictObject({
		name: z.string().min(1).max(80),
		/** What the domain answers for; free text. */
		charter: Text.optional(),
		account: AccountId,
		members: z.array(z.strictObject({ ...Who, roles: z.array(z.enum(roles)).min(1).max(roles.length) })).max(500),
		principals: z.array(z.strictObject({ arn: RoleArn, purpose: Slug })).max(100),
		catalogs: z
			.array(SharedCatalog)
			.max(20)
			.default([])
			.meta({ description: "Where else the domain's tables may be than in its own account" }),
		attributes: z
			.preprocess(named, z.record(Slug, AttributeValue))
			.refine((found) => Object.keys(found).length <= MAX_ATTRIBUTES, `at most ${MAX_ATTRIBUTES} attributes`)
			.default({})
			.meta({
				description:
					'What the domain is in the bank, by name: `jurisdiction` for residency, others for the row scopes of contracts',
				example: { jurisdiction: 'CZ' },
			}),
	})
	.meta({ id: 'DomainRegistration' });
export type DomainRegistration = z.infer<typeof DomainRegistration>;

/**
 * Registers a domain or its new state. The same content again changes nothing. Throws `validation` when a principal is
 * not of the domain's account, or a purpose is not governed, or another domain has the account or a database of a shared
 * catalog, or says otherwise of who a member is, or what only this one said of an identity would be forgotten where
 * another domain lists it, or a product stands on a database that is no longer named;
 * `precondition-required` or `stale` unless `ifMatch` names the ETag of the state that is changed.
 */
export async function register(
	ctx: Context,
	permit: Permit<'registerDomain'>,
	id: string,
	input: DomainRegistration,
	ifMatch?: string,
): Promise<{ domain: Domain; created: boolean }> {
	// First: what is read after it is at least as new as what it names.
	const known = await registry(ctx);
	const [last, named] = await Promise.all([
		Ledger.last(ctx, Ledger.stream.domain(id), 'DomainRegistered'),
		Promise.all(input.members.map((m) => saidOf(m, async (who) => (await personOf(ctx, who)) ?? nameOf(who)))),
	]);
	const others = mustBeWhole(known).domains.filter((d) => d.id !== id);
	const guises = guiseFaults(named, last?.body.members ?? [], others);
	refuse([...faults(ctx.config, id, input, others), ...guises, ...(await abandoned(ctx, last, input))]);
	// Somebody new is a change for certain: refused before he gets a pseudonym.
	if (named.some((m, i) => m.person === nameOf(input.members[i]))) mustHaveSeen(last, ifMatch);
	const members = [];
	for (const m of input.members)
		members.push({ ...(await saidOf(m, (who) => ensurePerson(ctx, who))), roles: m.roles });
	const { name, account, principals, catalogs, attributes } = input;
	const { rules } = permit;
	const type = 'DomainRegistered' as const;
	const body = { type, domain: id, name, account, members, principals, catalogs, attributes, rules };
	if (
		last !== null &&
		isAnnounced(known, id) &&
		same(last.body, body) &&
		(await charterOf(ctx, last)) === input.charter
	) {
		return { domain: view(last), created: false };
	}
	mustHaveSeen(last, ifMatch);
	await announce(ctx, known, { domain: id, version: (last?.ver ?? 0) + 1 });
	const recorded = await Ledger.append(ctx, {
		stream: Ledger.stream.domain(id),
		after: last,
		actor: actorOf(ctx),
		body,
		...(input.charter === undefined ? {} : { pii: { charter: input.charter } }),
	});
	return { domain: view(Ledger.as(recorded, 'DomainRegistered')), created: last === null };
}

type MemberInput = DomainRegistration['members'][number];

/** What is said of a member, each identity by the name that `name` gives it. */
async function saidOf(member: MemberInput, name: (who: Identity) => Promise<string>) {
	const { actsFor, service } = member;
	const person = await name(member);
	return {
		person,
		...(actsFor === undefined ? {} : { of: await name(actsFor) }),
		...(service === undefined ? {} : { service }),
	} satisfies Said;
}

/** Of an identity without a pseudonym. */
const nameOf = (who: Identity | undefined) => JSON.stringify([who?.issuer, who?.subject]);

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
	if (others.some((d) => d.account === input.account)) {
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
	return [...found, ...catalogFaults(id, input, others)];
}

function refuse(errors: readonly Fault[]): void {
	if (errors.length > 0) throw new BrokerError('validation', 'The domain cannot be registered like this.', { errors });
}

async function charterOf(ctx: ReadCtx, last: Ledger.Recorded): Promise<unknown> {
	return (await Ledger.payload(ctx, last.entry))?.['charter'];
}

type Body = Ledger.BodyOf<'DomainRegistered'>;
const same = (a: Body, b: Body) => comparable(a) === comparable(b);
const comparable = ({ name, account, members, principals, catalogs, attributes = {} }: Body) =>
	JSON.stringify([
		name,
		account,
		members.map((m) => [m.person, m.roles, m.of ?? null, m.service ?? null]),
		principals,
		catalogs,
		Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)),
	]);

/**
 * Who calls, with the roles that the registry gives this identity now, and who is behind it. Founders act as stewards
 * before any steward exists.
 */
export async function callerOf(ctx: ReadCtx & Pick<Context, 'now' | 'random'>, identity: Identity): Promise<Caller> {
	const founder = ctx.config.founders.some((f) => f.issuer === identity.issuer && f.subject === identity.subject);
	const person = founder ? await ensurePerson(ctx, identity) : await personOf(ctx, identity);
	if (person === null) return { ...identity, person: null, roles: [] };
	const known = await registry(ctx);
	const said = await membershipsOf(ctx, known, person);
	const held: Membership[] = said.flatMap(({ domain, roles: given }) => given.map((role) => ({ domain, role })));
	const founds = founder && (await holders(ctx, ctx.config.governance, 'steward')).length === 0;
	const founding: Membership[] = founds ? [{ domain: ctx.config.governance, role: 'steward' }] : [];
	const of = await selfOf(ctx, known, person, said);
	return {
		...identity,
		person,
		roles: [...held, ...founding],
		...(of === person ? {} : { of }),
		...(said.some((m) => m.service === true) ? { service: true } : {}),
	};
}

/** Somebody as the registry knows him now, without a token of his: to judge what he asked for once. */
export async function registered(ctx: ReadCtx, person: string): Promise<Caller> {
	const known = await registry(ctx);
	const said = await membershipsOf(ctx, known, person);
	const of = await selfOf(ctx, known, person, said);
	return {
		issuer: '',
		subject: '',
		person,
		roles: said.flatMap(({ domain, roles: given }) => given.map((role) => ({ domain, role }))),
		...(of === person ? {} : { of }),
		...(said.some((m) => m.service === true) ? { service: true } : {}),
	};
}
