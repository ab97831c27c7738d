/** Entries of domains and products. */
import * as z from 'zod';
import { Hash } from '../entry.ts';
import { Instant, Person, Rules, TableRef } from './parts.ts';

export const DomainRegistered = z.object({
	type: z.literal('DomainRegistered'),
	domain: z.string(),
	name: z.string(),
	account: z.string(),
	members: z.array(
		z.object({
			person: Person,
			roles: z.array(z.string()),
			/** The person behind this one: of a second identity, or of a service that acts for him. */
			of: Person.optional(),
			/** A program, which decides nothing. */
			service: z.boolean().optional(),
		}),
	),
	principals: z.array(z.object({ arn: z.string(), purpose: z.string() })),
	/** Databases in catalogs of other accounts whose tables are the domain's, too. */
	catalogs: z.array(z.object({ account: z.string(), databases: z.array(z.string()) })).default([]),
	/** What the domain is in the bank, by name: its jurisdiction, its line of business. */
	attributes: z.record(z.string(), z.string()).optional(),
	rules: Rules,
});

/**
 * Written before a version of a domain, for whoever keeps an earlier one: which version of each domain was written last,
 * or was about to be.
 */
export const DomainRegistering = z.object({
	type: z.literal('DomainRegistering'),
	domain: z.string(),
	version: z.int(),
	/** `since`: announced then, and not seen written yet. */
	domains: z.array(z.object({ domain: z.string(), version: z.int(), since: Instant.optional() })),
});

export const ContractPublished = z.object({
	type: z.literal('ContractPublished'),
	product: z.string(),
	domain: z.string(),
	version: z.string(),
	/** SHA-256 of the contract text as sent; the text is a content-addressed payload. */
	contractHash: Hash,
	format: z.enum(['yaml', 'json']),
	classification: z.string(),
	personal: z.boolean(),
	tables: z.array(TableRef),
	rules: Rules,
});
