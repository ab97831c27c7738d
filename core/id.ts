/** Ids: a prefix that names the kind, then a ULID, so that ids of one kind sort by creation time. */
import { ulid } from 'ulid';
import * as z from 'zod';

const prefixes = {
	request: 'req',
	decision: 'dec',
	grant: 'grt',
	query: 'qry',
	report: 'rep',
	entry: 'led',
	person: 'per',
	batch: 'bat',
	reading: 'rdg',
	delegation: 'dlg',
} as const;

export type Kind = keyof typeof prefixes;

/** A new id of this kind, stamped with `now`. */
export function newId(kind: Kind, { now, random }: { now: Date; random: (bytes: number) => Uint8Array }): string {
	const fraction = () => Buffer.from(random(4)).readUInt32BE() / 2 ** 32;
	return `${prefixes[kind]}_${ulid(now.getTime(), fraction)}`;
}

/** The schema of an id of this kind. */
export function idOf(kind: Kind) {
	return z
		.string()
		.regex(
			new RegExp(`^${prefixes[kind]}_[0-9A-HJKMNP-TV-Z]{26}$`),
			`must be a ${kind} id, ${prefixes[kind]}_ and 26 characters`,
		);
}

/** The schema of an id of whatever kind. */
export const AnyId = z.string().regex(new RegExp(`^(${Object.values(prefixes).join('|')})_[0-9A-HJKMNP-TV-Z]{26}$`));

/** A domain's or data product's name part: lower case, digits, hyphen or underscore. */
export const Slug = z
	.string()
	.regex(/^[a-z][a-z0-9_-]{0,62}$/, 'must be lower-case letters, digits, - or _, starting with a letter');

export const ProductId = z
	.string()
	.regex(/^[a-z][a-z0-9_-]{0,62}\.[a-z][a-z0-9_-]{0,62}$/, 'must be <domain>.<name> in lower case');

export const AccountId = z.string().regex(/^[0-9]{12}$/, 'must be a 12-digit AWS account id');

/** An OIDC issuer as its tokens spell it: compared as it stands, so nothing is trimmed or normalised. */
export const Issuer = z
	.string()
	.max(2000)
	.regex(/^https?:\/\/[\w.~:/?#[\]@!$&'()*+,;=%-]+$/, 'must be the URL of an OIDC issuer, exactly as in its tokens');

/** A full IAM role ARN; nothing shorter identifies a principal across accounts. */
export const RoleArn = z
	.string()
	.max(255)
	.regex(/^arn:aws[a-z-]*:iam::[0-9]{12}:role\/[\w+=,.@/-]+$/, 'must be the full ARN of an IAM role');
