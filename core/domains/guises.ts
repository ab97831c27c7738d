/**
 * Several identities of one person: an account of his beside the first, or a program that acts for him. Each holds the
 * roles that it was given, and no other; wherever people are counted, they are one.
 *
 * What one domain says of an identity holds everywhere. Two that say different things are refused when they register;
 * where two stewards did so at the same instant, whoever it is about is refused until one of them mends it. The only
 * domain that says it does not take it back as long as another one lists the identity: who somebody is would be forgotten
 * there, while what he asked for waits to be decided on.
 */
import * as z from 'zod';
import type { Role } from '../context.ts';
import { BrokerError, type Fault } from '../error.ts';
import { Issuer } from '../id.ts';
import * as Ledger from '../ledger.ts';
import type { Domain, ReadCtx } from './read.ts';
import { mustBeWhole, type Registry, registry } from './registry.ts';

const identity = { issuer: Issuer, subject: z.string().min(1).max(255) };

/** Who a member is, as the steward writes it. */
export const Who = {
	...identity,
	actsFor: z
		.strictObject(identity)
		.optional()
		.meta({ description: 'The person behind, where this is a second identity of his or a program that acts for him' }),
	service: z.boolean().optional().meta({ description: 'Whether this is a program, which decides nothing' }),
};

/** What is said of an identity; a person who has no pseudonym yet goes by anything that is his alone. */
export type Said = {
	readonly person: string;
	readonly of?: string | undefined;
	readonly service?: boolean | undefined;
};

type Source = Said & { readonly where: string };

const HERE = 'this registration';

/** `standing` are the domain's own members until now: what it said of one may be said again when that person has left. */
export function guiseFaults(
	members: readonly Said[],
	standing: readonly Said[],
	others: readonly Pick<Domain, 'id' | 'members'>[],
): Fault[] {
	const all: Source[] = [
		...members.map((m) => ({ ...m, where: HERE })),
		...others.flatMap(({ id, members: theirs }) => theirs.map((m) => ({ ...m, where: `domain ${id}` }))),
	];
	const said = members.flatMap((member, i) => {
		const known = standing.some((m) => m.person === member.person && m.of === member.of);
		const link = member.of === undefined ? undefined : linkFault(member, member.of, all, known);
		const service = all.find(
			(m) => m.person === member.person && m.service !== undefined && m.service !== member.service,
		);
		return [
			...(link === undefined ? [] : [{ pointer: `/members/${i}/actsFor`, detail: link }]),
			...(member.service === undefined || service === undefined
				? []
				: [{ pointer: `/members/${i}/service`, detail: `${service.where} says otherwise of this identity` }]),
		];
	});
	return [...said, ...forgotten(standing, all)];
}

/** What only this domain said until now, of identities that others list. */
function forgotten(standing: readonly Said[], all: readonly Source[]): Fault[] {
	return standing.flatMap(({ person, of, service }) => {
		const left = all.filter((m) => m.person === person);
		const other = left.find((m) => m.where !== HERE);
		if (other === undefined) return [];
		const lost = [
			...(of === undefined || left.some((m) => m.of !== undefined) ? [] : ['who is behind']),
			...(service !== true || left.some((m) => m.service !== undefined) ? [] : ['that it is a program, of']),
		];
		return lost.map((what) => ({
			pointer: '/members',
			detail: `${other.where} lists ${person}, too, and only this domain says ${what} that identity; say it there first`,
		}));
	});
}

function linkFault({ person }: Said, of: string, all: readonly Source[], known: boolean): string | undefined {
	if (of === person) return 'must be somebody else';
	if (!known && !all.some((m) => m.person === of)) return 'no domain has registered this person';
	const chain = all.find((m) => m.person === of && m.of !== undefined);
	if (chain !== undefined) return `acts for somebody, too, says ${chain.where}; name the person behind both`;
	const follower = all.find((m) => m.of === person);
	if (follower !== undefined) {
		return `somebody acts for this identity, says ${follower.where}; let him act for the person behind both`;
	}
	const other = all.find((m) => m.person === person && m.of !== undefined && m.of !== of);
	return other === undefined ? undefined : `${other.where} says that this identity acts for somebody else`;
}

/** What one domain says of a person, and the roles that it gives him. */
export type Membership = Said & { readonly domain: string; readonly roles: readonly Role[] };

/**
 * What each domain says of a person. A domain that cannot be read holds up those whom their own listing leads to it, and
 * nobody else. Throws `record-corrupt`.
 */
export async function membershipsOf(ctx: ReadCtx, known: Registry, person: string): Promise<Membership[]> {
	if (known.unreadable.length > 0) {
		const listed = await Ledger.Listing.all(ctx, Ledger.Listing.key.person(person));
		if (listed.some((id) => known.unreadable.includes(id))) mustBeWhole(known);
	}
	return known.domains.flatMap(({ id, members }) =>
		members.filter((m) => m.person === person).map((m) => ({ ...m, domain: id })),
	);
}

/** The person behind somebody of whom all this is said; himself if nobody is. */
export async function selfOf(ctx: ReadCtx, known: Registry, person: string, said: readonly Said[]): Promise<string> {
	const seen = [person];
	let behind = behindOf(said);
	while (behind !== undefined && !seen.includes(behind)) {
		seen.push(behind);
		behind = behindOf(await membershipsOf(ctx, known, behind));
	}
	if (behind !== undefined) throw contradiction();
	return seen.at(-1) ?? person;
}

/** Every identity that some domain lists of this person, as far as domains can be read; he himself is one. */
export async function guisesOf(ctx: ReadCtx, person: string): Promise<string[]> {
	const { domains } = await registry(ctx);
	const found = new Set([person]);
	for (let before = 0; before < found.size; ) {
		before = found.size;
		for (const m of domains.flatMap(({ members }) => members))
			if (m.of !== undefined && found.has(m.of)) found.add(m.person);
	}
	return [...found];
}

function behindOf(said: readonly Said[]): string | undefined {
	const [one, other] = new Set(said.flatMap(({ of }) => of ?? []));
	if (other !== undefined) throw contradiction();
	return one;
}

function contradiction(): BrokerError {
	return new BrokerError('record-corrupt', 'The registry says different things of who one person is.');
}

/**
 * The person behind each of these, in their order: two of them are one person exactly if these are equal. Throws
 * `record-corrupt` where the registry contradicts itself.
 */
export async function selvesOf(ctx: ReadCtx, persons: readonly string[]): Promise<string[]> {
	const known = await registry(ctx);
	const selves = new Map<string, Promise<string>>();
	const self = async (person: string) => selfOf(ctx, known, person, await membershipsOf(ctx, known, person));
	for (const person of persons) if (!selves.has(person)) selves.set(person, self(person));
	return Promise.all(persons.map(async (person) => selves.get(person) ?? person));
}
