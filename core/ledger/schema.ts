/**
 * Every type of entry, in one place: this file is the ledger's format. A member is never renamed or re-used;
 * a new meaning gets a new member or a new `v`. Reading parses with these schemas, so an entry that does not fit
 * is `record-corrupt` and denies, instead of being half understood.
 *
 * In the leaf a row filter is in clear except constants on columns classified personal, which are salted hashes;
 * the filter as it must be enforced is then in the payload (`pii.rowFilters`, by table).
 */
import * as z from 'zod';
import { Hash } from './entry.ts';

const Person = z.string();
const Instant = z.iso.datetime({ precision: 3 });

/** A Glue table where it really is: never a share or a resource link. */
export const TableRef = z.object({ account: z.string(), database: z.string(), table: z.string() });
export type TableRef = z.infer<typeof TableRef>;

/** Which policies decided, and the hash of the whole set they belong to. */
export const Rules = z.object({ policies: z.array(z.string()), setHash: Hash });
export type Rules = z.infer<typeof Rules>;

/** Row filter tree as recorded; parsed again by the row-filter schema before it is used. */
const StoredFilter = z.union([z.null(), z.record(z.string(), z.json())]);

export const TableScope = TableRef.extend({ columns: z.array(z.string()).min(1), rowFilter: StoredFilter });

export const DomainRegistered = z.object({
	type: z.literal('DomainRegistered'),
	domain: z.string(),
	name: z.string(),
	account: z.string(),
	members: z.array(z.object({ person: Person, roles: z.array(z.string()) })),
	principals: z.array(z.object({ arn: z.string(), purpose: z.string() })),
	rules: Rules,
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
	/** Roles that must each approve, by different people. */
	route: z.array(z.string()).min(1),
	rules: Rules,
	contentHash: Hash,
});

export const AccessDecided = z.object({
	type: z.literal('AccessDecided'),
	request: z.string(),
	decision: z.string(),
	verdict: z.enum(['approve', 'reject']),
	as: z.string(),
	contentHash: Hash,
	outcome: z.enum(['pending', 'approved', 'rejected']),
	/** The grant that this decision brings into being, when it is the last one needed. */
	grant: z.string().optional(),
	from: Instant.optional(),
	until: Instant.optional(),
	rules: Rules,
});

export const AccessCancelled = z.object({
	type: z.literal('AccessCancelled'),
	request: z.string(),
	rules: Rules,
});

export const GrantOpened = z.object({
	type: z.literal('GrantOpened'),
	grant: z.string(),
	request: z.string(),
	/** Leaf of the decision that completed the route. */
	decisionLeaf: Hash,
	product: z.string(),
	productDomain: z.string(),
	contract: z.object({ version: z.string(), hash: Hash, leaf: Hash }),
	consumerDomain: z.string(),
	principal: z.string(),
	purpose: z.string(),
	legalBasis: z.string(),
	tables: z.array(TableScope).min(1),
	beneficiaries: z.array(Person).min(1),
	from: Instant,
	until: Instant,
});

export const GrantSettled = z.object({
	type: z.literal('GrantSettled'),
	grant: z.string(),
	state: z.enum(['granted', 'partial', 'failed']),
	tables: z.array(
		TableRef.extend({ filter: z.string().nullable(), leaf: Hash.nullable(), reason: z.string().nullable() }),
	),
});

export const GrantEnding = z.object({
	type: z.literal('GrantEnding'),
	grant: z.string(),
	cause: z.enum(['revoked', 'expired']),
	rules: Rules,
});

export const GrantEnded = z.object({
	type: z.literal('GrantEnded'),
	grant: z.string(),
	state: z.enum(['revoked', 'expired', 'revoke_failed']),
	tables: z.array(TableRef.extend({ leaf: Hash.nullable(), reason: z.string().nullable() })),
});

/** Whole state of an entitlement in each version: one read of the last one decides. */
export const EntitlementChanged = z.object({
	type: z.literal('EntitlementChanged'),
	principal: z.string(),
	product: z.string(),
	table: TableRef,
	grants: z.array(
		z.object({
			grant: z.string(),
			/** Leaf of the grant's opening entry. */
			leaf: Hash,
			columns: z.array(z.string()).min(1),
			rowFilter: StoredFilter,
			purpose: z.string(),
			beneficiaries: z.array(Person),
			from: Instant,
			until: Instant,
			/** Lake Formation was read back and carries this grant. */
			proven: z.boolean(),
			ended: z.enum(['revoked', 'expired']).nullable(),
		}),
	),
	/** Union of the grants that have not ended: what the filter must carry; null when none is left. */
	scope: z.object({ columns: z.array(z.string()).min(1), rowFilter: StoredFilter }).nullable(),
	/** Name of the data cells filter that should stand, and every other one that may still do. */
	filter: z.object({ desired: z.string().nullable(), retiring: z.array(z.string()) }),
	/** `settled`: read-back showed exactly `desired`. `widening`: earlier grants stay open. `replacing`: all closed. */
	step: z.enum(['settled', 'widening', 'replacing']),
});

const Influence = z.object({ table: z.string(), column: z.string(), use: z.string() });

export const FlowIntended = z.object({
	type: z.literal('FlowIntended'),
	flow: z.string(),
	/** The consuming domain, and who reads. */
	domain: z.string(),
	principal: z.string(),
	purpose: z.string(),
	legalBasis: z.string(),
	auth: z.array(z.object({ grants: z.array(z.string()).min(1), table: TableRef, ver: z.int(), leaf: Hash })).min(1),
	query: z.object({
		engine: z.literal('athena'),
		workGroup: z.string(),
		/** SHA-256 of the literal-stripped text. */
		sqlNormHash: Hash,
	}),
	from: z
		.array(
			TableRef.extend({
				product: z.string(),
				version: z.string(),
				columns: z.array(z.object({ name: z.string(), uses: z.array(z.string()) })),
			}),
		)
		.min(1),
	to: z.object({
		domain: z.string(),
		columns: z.array(
			z.object({
				/** Named only where the name is a source column's own; an alias is the caller's free text. */
				name: z.string().nullable(),
				sources: z.array(z.object({ table: z.string(), column: z.string(), kind: z.string() })),
				/** What its own expression decides by. Until it was told apart, conditions stood among the sources. */
				indirect: z.array(Influence).default([]),
			}),
		),
		/** What decides which rows there are, for every column. */
		rows: z.array(Influence).default([]),
	}),
	/** The instant at which the first of the grants used ends: the query may not outlive it. */
	until: Instant,
});

export const FlowCompleted = z.object({
	type: z.literal('FlowCompleted'),
	flow: z.string(),
	execution: z.string(),
	stats: z.object({ bytesScanned: z.int().nullable(), engineMs: z.int().nullable() }),
});

export const FlowFailed = z.object({
	type: z.literal('FlowFailed'),
	flow: z.string(),
	execution: z.string().nullable(),
	/** `lost`: the engine no longer knows the execution. */
	reason: z.enum(['not-started', 'engine', 'denied-by-lake-formation', 'lost']),
});

export const FlowCancelled = z.object({
	type: z.literal('FlowCancelled'),
	flow: z.string(),
	execution: z.string().nullable(),
	cause: z.enum(['grant-ended', 'caller', 'engine']),
});

export const FlowDelivered = z.object({
	type: z.literal('FlowDelivered'),
	flow: z.string(),
	/** Rows handed out when the result was read to its end. */
	rows: z.int(),
});

export const ReportRequested = z.object({
	type: z.literal('ReportRequested'),
	report: z.string(),
	kind: z.literal('flows'),
	product: z.string(),
	from: Instant,
	until: Instant,
	requester: Person,
	/** Whose view: the roles that widened or narrowed it. */
	view: z.object({ all: z.boolean(), consumerDomains: z.array(z.string()) }),
	rules: Rules,
});

export const Body = z.discriminatedUnion('type', [
	DomainRegistered,
	ContractPublished,
	AccessRequested,
	AccessDecided,
	AccessCancelled,
	GrantOpened,
	GrantSettled,
	GrantEnding,
	GrantEnded,
	EntitlementChanged,
	FlowIntended,
	FlowCompleted,
	FlowFailed,
	FlowCancelled,
	FlowDelivered,
	ReportRequested,
]);
export type Body = z.infer<typeof Body>;
export type BodyOf<T extends Body['type']> = Extract<Body, { type: T }>;

/** Stream names. `A#` streams fold into a state; an `F#` stream is one flow from intent to delivery. */
export const stream = {
	domain: (id: string) => `A#domain#${id}`,
	product: (id: string) => `A#product#${id}`,
	request: (id: string) => `A#request#${id}`,
	grant: (id: string) => `A#grant#${id}`,
	entitlement: (principal: string, t: TableRef) => `A#entitlement#${principal}#${t.account}.${t.database}.${t.table}`,
	report: (id: string) => `A#report#${id}`,
	flow: (id: string) => `F#${id}`,
} as const;
