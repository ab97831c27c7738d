/** What Glue's operations share: the forms of their input (service model), their errors, their limits. */
import * as z from 'zod';
import { AwsError } from '../../wire.ts';

/** Glue's single-line text: no control character but the tab. */
const LINE = /^[\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}\t]*$/u;
const TEXT = /^[\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}\r\n\t]*$/u;

export const CatalogId = z.string().min(1).max(255).regex(LINE).nullish();
/** A name; Glue keeps the names of databases, tables and columns in lower case. */
export const Name = z
	.string()
	.min(1)
	.max(255)
	.regex(LINE)
	.transform((name) => name.toLowerCase());
export const Description = z.string().max(2048).regex(TEXT).nullish();
export const Uri = z.string().min(1).max(1024).regex(TEXT);
export const Location = z.string().max(2056).regex(TEXT);
export const Parameters = z.record(z.string().min(1).max(255), z.string().max(512_000)).nullish();
export const Paging = { NextToken: z.string().nullish(), MaxResults: z.number().int().min(1).max(100).nullish() };
/** Members of the model that would change the answer and are not served here. */
export const Unserved = z.unknown().optional();

/** AWS General Reference, Glue quotas. */
export const MOST_DATABASES = 10_000;
export const MOST_TABLES = 200_000;

export function invalid(message: string): AwsError {
	return new AwsError('InvalidInputException', message);
}

export function badToken(): AwsError {
	return invalid('Invalid pagination token');
}

/**
 * What may not be seen does not exist, in the same words (LF developer guide, "error-message-update"). [unverified]
 * for the operations that the page does not name (aws-facts section 2): those that write.
 */
export function absent(message = 'Entity Not Found'): AwsError {
	return new AwsError('EntityNotFoundException', message);
}

export function exists(what: 'Database' | 'Table' | 'Partition'): AwsError {
	return new AwsError('AlreadyExistsException', `${what} already exists.`);
}

/** Seen on AWS with status 400 (Terraform provider issues 49953, data.all issue 1053). */
export function lacks(what: 'Create Database' | 'Create Table' | 'Alter' | 'Drop' | 'Describe', on: string): AwsError {
	return new AwsError('AccessDeniedException', `Insufficient Lake Formation permission(s): Required ${what} on ${on}`);
}

export function tooMany(what: string): AwsError {
	return new AwsError('ResourceNumberLimitExceededException', `Number of ${what} exceeds the account limit`);
}

/** Refuses members that would otherwise be ignored. */
export function refuse(members: Readonly<Record<string, unknown>>): void {
	for (const [name, value] of Object.entries(members)) {
		const empty =
			value === undefined ||
			value === null ||
			value === false ||
			value === '' ||
			(Array.isArray(value) && value.length === 0);
		if (!empty) throw invalid(`${name} is not supported by the embedded Glue`);
	}
}
