/** The domains file of a lake: who there is before anybody registers over HTTP. A mistake in it is told at once. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';
import { roles } from '#core/context.ts';
import { AccountId, RoleArn, Slug } from '#core/id.ts';
import { type Handle, isHandle, people } from '#local/people.ts';

const Person = z.string().refine(isHandle, `must be one of ${Object.keys(people).join(', ')}`);

const Domain = z
	.strictObject({
		id: Slug,
		name: z.string().min(1),
		charter: z.string().min(1),
		/** Quoted in YAML: an account id is not a number. */
		account: AccountId,
		/** Databases that the domain has in catalogs of other accounts. */
		catalogs: z.array(z.strictObject({ account: AccountId, databases: z.array(z.string().min(1)).min(1) })).default([]),
		/** `actsFor`: the person behind. `service`: a program. */
		members: z.array(
			z.strictObject({
				person: Person,
				roles: z.array(z.enum(roles)).min(1),
				actsFor: Person.optional(),
				service: z.boolean().optional(),
			}),
		),
		principals: z.array(z.strictObject({ arn: RoleArn, purpose: Slug })),
		attributes: z.record(Slug, z.string().min(1)).default({}),
	})
	.refine(
		({ account, principals }) => principals.every(({ arn }) => arn.split(':')[4] === account),
		"a principal is not a role of the domain's account",
	);

export const DomainFile = z.strictObject({
	domains: z
		.array(Domain)
		.min(1)
		.refine((list) => differ(list.map(({ id }) => id)), 'two domains have one id')
		.refine((list) => differ(list.map(({ account }) => account)), 'two domains have one account')
		.refine(areShared, "a catalog is the account of a domain, and a catalog's database of one domain only")
		.refine((list) => differ(list.flatMap(({ principals }) => principals.map(({ arn }) => arn))), 'a principal twice'),
});
export type DomainFile = z.infer<typeof DomainFile>;
export type Domain = DomainFile['domains'][number];

export function readDomains(file: string): DomainFile {
	let value: unknown;
	try {
		value = parse(readFileSync(file, 'utf8'), { schema: 'core' });
	} catch (cause) {
		const why = cause instanceof Error ? cause.message : String(cause);
		throw new Error(`The domains file ${file} cannot be read: ${why}`, { cause });
	}
	const read = DomainFile.safeParse(value);
	if (!read.success) throw new Error(`The domains file ${file} is not valid:\n${z.prettifyError(read.error)}`);
	return read.data;
}

/** What registers a domain over HTTP as the file has it, its people by their identities at this issuer. */
export function registrationOf(found: Domain, issuer: string) {
	const { id: _, members, ...domain } = found;
	const identityOf = (who: Handle) => ({ issuer, subject: people[who].subject });
	return {
		...domain,
		members: members.map(({ person, actsFor, ...member }) => ({
			...identityOf(person),
			...member,
			...(actsFor === undefined ? {} : { actsFor: identityOf(actsFor) }),
		})),
	};
}

type Placed = z.infer<typeof Domain>;

function areShared(list: readonly Placed[]): boolean {
	const own = new Set(list.map(({ account }) => account));
	const catalogs = list.flatMap((domain) => domain.catalogs);
	const databases = catalogs.flatMap(({ account, databases: names }) => names.map((name) => `${account} ${name}`));
	return catalogs.every(({ account }) => !own.has(account)) && differ(databases);
}

function differ(list: readonly string[]): boolean {
	return new Set(list).size === list.length;
}
