/** The domains file of a lake: who there is before anybody registers over HTTP. A mistake in it is told at once. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import * as z from 'zod';
import { roles } from '#core/context.ts';
import { AccountId, RoleArn, Slug } from '#core/id.ts';
import { isHandle, people } from '#local/people.ts';

const Person = z.string().refine(isHandle, `must be one of ${Object.keys(people).join(', ')}`);

const Domain = z
	.strictObject({
		id: Slug,
		name: z.string().min(1),
		charter: z.string().min(1),
		/** Quoted in YAML: an account id is not a number. */
		account: AccountId,
		members: z.array(z.strictObject({ person: Person, roles: z.array(z.enum(roles)).min(1) })),
		principals: z.array(z.strictObject({ arn: RoleArn, purpose: Slug })),
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

function differ(list: readonly string[]): boolean {
	return new Set(list).size === list.length;
}
