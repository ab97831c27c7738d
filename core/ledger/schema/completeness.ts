/** Entries of what AWS itself saw of reads, held against the flows of the ledger: one a day, and one of each bypass. */
import * as z from 'zod';
import { Instant, TableRef } from './parts.ts';

/** A day in UTC. */
const Day = z.iso.date();

export const unreadReasons = [
	'refused',
	'throttled',
	'unavailable',
	/** It has so many records that no run came to their end yet, days after the day was over. */
	'unfinished',
] as const;

/**
 * What was seen, by what became of it. Each record of the trail and each execution of Athena is counted once, but in
 * `bypasses` (queries, or records where there is no query) and `orphaned` (flows).
 */
const Counts = z.object({
	/** Of a flow. */
	matched: z.int().min(0),
	/** A domain's own roles on its own tables, past Fairlead. */
	ownDomain: z.int().min(0),
	bypassing: z.int().min(0),
	/** Refused by AWS: nothing was read. */
	refused: z.int().min(0),
	/** On tables that were not published then. */
	ungoverned: z.int().min(0),
	/** Queries of others, of which nothing shows that they read a published table. */
	elsewhere: z.int().min(0),
	/** Records that lack what it takes to judge them. */
	unreadable: z.int().min(0),
	bypasses: z.int().min(0),
	/** Flows of the day without an end an hour later, at the time of the check. */
	orphaned: z.int().min(0),
});

/** A version of it says all; another one is written only where it says something else. */
export const CompletenessChecked = z.object({
	type: z.literal('CompletenessChecked'),
	day: Day,
	/** `incomplete`: not everything could be looked at, whatever else was found. `clean`: nothing is left to explain. */
	state: z.enum(['clean', 'findings', 'incomplete']),
	/** How many were to be looked at; those that could not be, the first of them by number. */
	accounts: z.int().min(0),
	unread: z.array(z.object({ account: z.string(), why: z.enum(unreadReasons) })),
	unreadAccounts: z.int().min(0),
	/** Products whose entries cannot be read, so that nobody knows which tables they have. */
	unknownProducts: z.array(z.string()),
	counts: Counts,
	/** The most frequent reads of `ownDomain`; a role, or null where it was none. */
	ownDomain: z.array(
		z.object({
			table: TableRef,
			products: z.array(z.string()),
			principal: z.string().nullable(),
			reads: z.int().min(1),
		}),
	),
	/** The first of them, by the id that CloudTrail gave them, if any. */
	unreadable: z.array(z.object({ account: z.string(), event: z.string().nullable(), lacks: z.string() })),
	/** The first of them. */
	orphaned: z.array(z.string()),
});

export const bypassReasons = [
	/** No flow has this execution. */
	'unknown-query',
	/** The record names no query: another engine. */
	'no-query',
	/** A flow has it, and another principal read. */
	'other-principal',
	/** A flow has it, which does not name this table. */
	'other-table',
	/** Not Athena asked for the data. */
	'other-service',
	/** No domain has registered the role. */
	'unregistered-principal',
	/** Started as a principal, or in a work group, that is there for Fairlead alone. */
	'started-directly',
] as const;

/**
 * Data of one domain read by another past Fairlead. One stream for each query, by the account that asked; each version says
 * all that is known by then. Who it was, where it is no role, and the session's name are in the payload (`pii.name`,
 * `pii.session`), and so is a work group that is not Fairlead's (`pii.workGroup`).
 */
export const BypassDetected = z.object({
	type: z.literal('BypassDetected'),
	/** The day whose check found it first. */
	day: Day,
	/** Further days whose records tell of it, in their order: a query may go on over midnight. */
	otherDays: z.array(Day).optional(),
	account: z.string(),
	/** The domain that has the account, if any. */
	domain: z.string().nullable(),
	query: z.string().nullable(),
	/** Id of the record that first told of it; null where Athena alone did. */
	event: z.string().nullable(),
	/** When it was first seen; `at` is when that was written down. */
	seenAt: Instant,
	/** A role. */
	principal: z.string().nullable(),
	/** IAM's id of who asked: all that a copy of a record of another account says. */
	principalId: z.string().nullable(),
	service: z.string().nullable(),
	workGroup: z.string().nullable(),
	/** The flow that has this execution. */
	flow: z.string().nullable(),
	reasons: z.array(z.enum(bypassReasons)).min(1),
	/** Published tables that it read, the first of them by name; none where it is only known to have run. */
	tables: z.array(TableRef.extend({ products: z.array(z.string()).min(1) })),
	moreTables: z.boolean(),
	/** Whose products it read, those of tables that are not named here among them. */
	domains: z.array(z.string()).optional(),
});
