/** Entries of requests and the decisions on them. */
import * as z from 'zod';
import { Hash } from '../entry.ts';
import { Instant, Person, Rules, TableScope } from './parts.ts';

export const AccessRequested = z.object({
	type: z.literal('AccessRequested'),
	request: z.string(),
	product: z.string(),
	productDomain: z.string(),
	contract: z.object({ version: z.string(), hash: Hash, leaf: Hash }),
	consumerDomain: z.string(),
	principal: z.string(),
	purpose: z.string(),
	legalBasis: z.string(),
	tables: z.array(TableScope).min(1),
	requester: Person,
	beneficiaries: z.array(Person).min(1),
	/** ISO 8601 duration, from the moment of the last decision. */
	duration: z.string(),
	/** Roles that must approve, by different people; a role that stands twice needs two of them. */
	route: z.array(z.string()).min(1),
	rules: Rules,
	contentHash: Hash,
	/** The grant that this would prolong, and the version of its stream from which it was told who benefits. */
	renews: z.string().optional(),
	renewsVer: z.int().min(1).optional(),
	/** Requests that were filed together share one. */
	batch: z.string().optional(),
	/** The template of the contract that spelled out the tables. */
	template: z.string().optional(),
	/** Taken in an emergency: when it ends, by when somebody must look at it, and the person behind whoever took it. */
	breakGlass: z.object({ until: Instant, reviewDue: Instant, of: Person.optional() }).optional(),
});

/** What is asked for from here on, in place of all that was; approvals given before count no more. */
export const AccessEdited = z.object({
	type: z.literal('AccessEdited'),
	request: z.string(),
	/** That of the request, with which it names the stream of its contract; entries of before do not. */
	product: z.string().optional(),
	contract: z.object({ version: z.string(), hash: Hash, leaf: Hash }),
	principal: z.string(),
	purpose: z.string(),
	legalBasis: z.string(),
	tables: z.array(TableScope).min(1),
	beneficiaries: z.array(Person).min(1),
	duration: z.string(),
	route: z.array(z.string()).min(1),
	rules: Rules,
	contentHash: Hash,
	/** Of a renewal: the version of the grant's stream that was looked at for this. */
	renewsVer: z.int().min(1).optional(),
	/** The template of the contract that spelled out the tables. */
	template: z.string().optional(),
});

export const AccessDecided = z.object({
	type: z.literal('AccessDecided'),
	request: z.string(),
	decision: z.string(),
	verdict: z.enum(['approve', 'reject']),
	/** The role of the route in which it was decided; `policy` where a rule approved by itself, `break-glass` where nobody did. */
	as: z.string(),
	/** Of what was on screen. */
	contentHash: Hash,
	/** Where it was decided in somebody's place: by which delegation, whose, and the leaf of the entry that gave it. */
	delegation: z.object({ id: z.string(), giver: Person, leaf: Hash }).optional(),
	/** What is approved, where that is less: a part of what was asked, with the hash of the content from here on. */
	narrowed: z.object({ tables: z.array(TableScope).min(1), duration: z.string(), contentHash: Hash }).optional(),
	outcome: z.enum(['pending', 'approved', 'rejected']),
	/** The grant that this decision brings into being, when it is the last one needed. */
	grant: z.string().optional(),
	/** The version of the consuming domain that it was decided under. */
	consumerVersion: z.int().min(1).optional(),
	from: Instant.optional(),
	until: Instant.optional(),
	rules: Rules,
});

export const AccessCancelled = z.object({
	type: z.literal('AccessCancelled'),
	request: z.string(),
	rules: Rules,
});

/** When the grant was to be made, what was decided did not stand any more: a role lost, a rule or the contract changed. */
export const AccessReopened = z.object({
	type: z.literal('AccessReopened'),
	request: z.string(),
	/** The decision that had completed it. */
	decision: z.string(),
});

/** Nobody completed the route in time. */
export const AccessLapsed = z.object({
	type: z.literal('AccessLapsed'),
	request: z.string(),
});

/** Told to those who must still decide, once, before the request lapses. */
export const AccessReminded = z.object({
	type: z.literal('AccessReminded'),
	request: z.string(),
	awaiting: z.array(z.string()),
	/** Delegations in force by which others may fill these roles. */
	delegations: z.array(z.string()).optional(),
	lapses: Instant,
});

/** What somebody who answers for the product found of access that was taken in an emergency. */
export const AccessReviewed = z.object({
	type: z.literal('AccessReviewed'),
	request: z.string(),
	/** `unjustified` ends the grant. */
	verdict: z.enum(['justified', 'unjustified']),
	grant: z.string(),
	productDomain: z.string(),
	reviewDue: Instant,
	/** Who took it: the identity that he did it under, and the person behind it. */
	takers: z.array(Person).min(1).optional(),
	rules: Rules,
});

/** Nobody had looked at it in time; said once. */
export const AccessReviewOverdue = z.object({
	type: z.literal('AccessReviewOverdue'),
	request: z.string(),
	reviewDue: Instant,
});
