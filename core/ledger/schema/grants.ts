/** Entries of grants, of what principals hold, and of how Lake Formation differs from it. */
import * as z from 'zod';
import { Hash } from '../entry.ts';
import { Instant, Person, Rules, StoredFilter, TableRef, TableScope } from './parts.ts';

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
	/** The grant that this one goes on from. */
	renews: z.string().optional(),
	/** Taken in an emergency; by when somebody must look at it. */
	breakGlass: z.object({ reviewDue: Instant }).optional(),
});

/** What a table's part of a grant goes through, in this order on the way in; `retire` comes first where it must. */
export const GrantStep = z.enum([
	'preflight',
	'entitlement',
	'retire',
	'filter',
	'permission',
	'link',
	'describe',
	'read-back',
]);
export type GrantStep = z.infer<typeof GrantStep>;

/** How far a table got: `step` is the one that is missing. Entries from before steps were told apart have none. */
const TableOutcome = TableRef.extend({
	leaf: Hash.nullable(),
	reason: z.string().nullable(),
	step: GrantStep.nullable().default(null),
});

export const GrantSettled = z.object({
	type: z.literal('GrantSettled'),
	grant: z.string(),
	state: z.enum(['granted', 'partial', 'failed']),
	tables: z.array(TableOutcome.extend({ filter: z.string().nullable() })),
	/** The grant that this one, now granted, may take the place of. */
	renews: z.string().optional(),
});

/**
 * Why what was granted could not be granted like this any more, now that the contract or the consuming domain is another:
 * a code, the rules that refuse, the roles that never approved. No names of columns, no values.
 */
export const GrantEffect = z.object({
	code: z.enum([
		'column-gone',
		'type-changed',
		'partition-key',
		'principal',
		'row-scope',
		'rules-forbid',
		'route-grew',
		'retires',
	]),
	rules: z.array(z.string()),
	roles: z.array(z.string()),
});
export type GrantEffect = z.infer<typeof GrantEffect>;

/**
 * Held back for a while: nothing of it opens anything until it is resumed. `cause` is a code, never free text; `owner` and
 * `officer` are the office of whoever did it, in the product's domain.
 */
export const GrantSuspending = z.object({
	type: z.literal('GrantSuspending'),
	grant: z.string(),
	cause: z.enum(['owner', 'officer', 'table-recreated', 'contract', 'domain']),
	rules: Rules,
	/** Why, where the cause is `contract` or `domain`. */
	effects: z.array(GrantEffect).min(1).optional(),
});

/** Held back already, and from here on for this, too. */
export const GrantHeld = GrantSuspending.extend({ type: z.literal('GrantHeld') });

export const GrantSuspended = z.object({
	type: z.literal('GrantSuspended'),
	grant: z.string(),
	/** `suspending`: Lake Formation still holds something of it. */
	state: z.enum(['suspended', 'suspending']),
	tables: z.array(TableOutcome),
});

/** Held back no more for those who hold these offices, and still for somebody else, or for what Fairlead itself found. */
export const GrantReleased = z.object({
	type: z.literal('GrantReleased'),
	grant: z.string(),
	offices: z.array(z.enum(['owner', 'officer'])).min(1),
	rules: Rules,
});

export const GrantResuming = z.object({
	type: z.literal('GrantResuming'),
	grant: z.string(),
	rules: Rules,
});

/** From here on the grant opens these cells, which are among those it opened before. */
export const GrantNarrowed = z.object({
	type: z.literal('GrantNarrowed'),
	grant: z.string(),
	tables: z.array(TableScope).min(1),
	rules: Rules,
});

/** These persons, one in all his guises, benefit no more; the others do as before. */
export const GrantLeft = z.object({
	type: z.literal('GrantLeft'),
	grant: z.string(),
	persons: z.array(Person).min(1),
	rules: Rules,
});

/** From here on the grant ends earlier: the product retires before it. */
export const GrantShortened = z.object({
	type: z.literal('GrantShortened'),
	grant: z.string(),
	/** When it was to end before. */
	was: Instant,
	until: Instant,
	cause: z.literal('retires'),
	rules: Rules,
});

export const GrantEnding = z.object({
	type: z.literal('GrantEnding'),
	grant: z.string(),
	cause: z.enum(['revoked', 'expired']),
	rules: Rules,
	/** The last who benefited, one in all his guises, where it ends because he left. */
	persons: z.array(Person).min(1).optional(),
});

export const GrantEnded = z.object({
	type: z.literal('GrantEnded'),
	grant: z.string(),
	state: z.enum(['revoked', 'expired', 'revoke_failed']),
	tables: z.array(TableOutcome),
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
			ended: z.enum(['revoked', 'expired', 'suspended']).nullable(),
		}),
	),
	/** Union of the grants that have not ended: what the filter must carry; null when none is left. */
	scope: z.object({ columns: z.array(z.string()).min(1), rowFilter: StoredFilter }).nullable(),
	/** Name of the data cells filter that should stand, and every other one that may still do. */
	filter: z.object({ desired: z.string().nullable(), retiring: z.array(z.string()) }),
	/** `settled`: read-back showed exactly `desired`. `widening`: earlier grants stay open. `replacing`: all closed. */
	step: z.enum(['settled', 'widening', 'replacing']),
	/** When Glue says that the table was made, as the read-back that proved the filter found it. */
	made: z.string().nullable().default(null),
});

/** How Lake Formation differs from what is recorded. */
export const DriftKind = z.enum([
	'missing-filter',
	'missing-permission',
	'missing-link',
	'widened-filter',
	'extra-permission',
	'orphaned-filter',
	'table-recreated',
	'table-gone',
]);
export type DriftKind = z.infer<typeof DriftKind>;

/** What a reconciliation found on one table, and what became of it. Recorded when it differs from the last one. */
export const DriftRecorded = z.object({
	type: z.literal('DriftRecorded'),
	table: TableRef,
	findings: z.array(
		z.object({
			kind: DriftKind,
			principal: z.string().nullable(),
			filter: z.string().nullable(),
			permissions: z.array(z.string()),
			/** `alerted`: not Fairlead's to change, or not repaired yet. */
			outcome: z.enum(['repaired', 'alerted', 'suspended']),
		}),
	),
});
