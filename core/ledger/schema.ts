/**
 * Every type of entry: this file and its folder are the ledger's format. A member is never renamed or re-used;
 * a new meaning gets a new member or a new `v`. Reading parses with these schemas, so an entry that does not fit
 * is `record-corrupt` and denies, instead of being half understood.
 *
 * How a type changes. What says more and takes nothing back gets an optional member: entries of before parse as they are.
 * What an entry of before cannot say in the present form gets a new version: its schema here becomes that of the new
 * version, and `upcasts` (upcast.ts) gets one step for it, which makes of the members of the version before what the new
 * one would have written. Entries are written in the last version and keep theirs for ever; a step is never changed or
 * taken away, and its test holds bytes that were really written. A process of the release before finds the new entries
 * `record-corrupt`, told and until it is replaced; a sealer would put them aside. So the sealer is deployed first, and what
 * writes that type last.
 *
 * In the leaf a row filter is in clear except constants on columns classified personal, which are salted hashes;
 * the filter as it must be enforced is then in the payload (`pii.rowFilters`, by table).
 */
import * as z from 'zod';
import * as Access from './schema/access.ts';
import * as Catalog from './schema/catalog.ts';
import { BypassDetected, CompletenessChecked } from './schema/completeness.ts';
import * as Delegation from './schema/delegation.ts';
import * as Erasure from './schema/erasure.ts';
import * as Flows from './schema/flows.ts';
import * as Grants from './schema/grants.ts';
import { IntegrityFault } from './schema/integrity.ts';
import type { TableRef } from './schema/parts.ts';
import { RecordsRead } from './schema/reading.ts';

export { bypassReasons, unreadReasons } from './schema/completeness.ts';
export { erasureReasons, findings as erasureFindings } from './schema/erasure.ts';
export { ColumnMap } from './schema/flows.ts';
export { DriftKind, GrantEffect, GrantStep } from './schema/grants.ts';
export { Rules, TableRef, TableScope } from './schema/parts.ts';

export const Body = z.discriminatedUnion('type', [
	Catalog.DomainRegistering,
	Catalog.DomainRegistered,
	Catalog.ContractPublished,
	Access.AccessRequested,
	Access.AccessEdited,
	Access.AccessDecided,
	Access.AccessCancelled,
	Access.AccessReopened,
	Access.AccessLapsed,
	Access.AccessReminded,
	Access.AccessReviewed,
	Access.AccessReviewOverdue,
	Delegation.DelegationGiven,
	Delegation.DelegationEnded,
	Grants.GrantOpened,
	Grants.GrantSettled,
	Grants.GrantSuspending,
	Grants.GrantHeld,
	Grants.GrantReleased,
	Grants.GrantShortened,
	Grants.GrantSuspended,
	Grants.GrantResuming,
	Grants.GrantNarrowed,
	Grants.GrantLeft,
	Grants.GrantEnding,
	Grants.GrantEnded,
	Grants.EntitlementChanged,
	Grants.DriftRecorded,
	Flows.FlowIntended,
	Flows.FlowCompleted,
	Flows.FlowFailed,
	Flows.FlowCancelled,
	Flows.FlowDelivered,
	Flows.ColumnsRecorded,
	Flows.ReportRequested,
	RecordsRead,
	CompletenessChecked,
	BypassDetected,
	IntegrityFault,
	Erasure.ErasureRequested,
	Erasure.PayloadErased,
]);
export type Body = z.infer<typeof Body>;
export type BodyOf<T extends Body['type']> = Extract<Body, { type: T }>;

/** Stream names. `A#` streams fold into a state; an `F#` stream is one flow from intent to delivery. */
export const stream = {
	/** Which domain is about to move: one stream, so that those who register follow each other. */
	registry: () => 'A#registry#mesh',
	domain: (id: string) => `A#domain#${id}`,
	product: (id: string) => `A#product#${id}`,
	request: (id: string) => `A#request#${id}`,
	grant: (id: string) => `A#grant#${id}`,
	delegation: (id: string) => `A#delegation#${id}`,
	entitlement: (principal: string, t: TableRef) => `A#entitlement#${principal}#${t.account}.${t.database}.${t.table}`,
	table: (t: TableRef) => `A#table#${t.account}.${t.database}.${t.table}`,
	report: (id: string) => `A#report#${id}`,
	reading: (id: string) => `A#reading#${id}`,
	/** What AWS saw on a day (UTC), held against the flows. */
	completeness: (day: string) => `A#completeness#${day}`,
	/** A query of an account that went past Fairlead, by Athena's id of it; where there is none, by that of the record. */
	bypass: (account: string, id: string) => `A#bypass#${account}#${id}`,
	/** What the sealer found of one entry, told once. */
	integrity: (id: string) => `A#integrity#${id}`,
	/** The payload of one entry that is to go, by the id of the entry. */
	erasure: (entry: string) => `A#erasure#${entry}`,
	/** Columns of flows, by the hash of all of them. */
	columns: (hash: string) => `A#columns#${hash}`,
	flow: (id: string) => `F#${id}`,
} as const;

const kinds = Object.keys(stream).filter((kind) => kind !== 'flow');
/** The name of a stream that somebody asks for. In ASCII, so that it is a key of the store (2048 bytes at most). */
export const StreamName = z
	.string()
	.max(1000)
	.regex(
		new RegExp(`^(A#(${kinds.join('|')})|F)#[A-Za-z0-9_+=,.@/:#-]+$`),
		'must be the name of a stream, such as A#product#lending.loans',
	);
