/** Entries of flows, of columns that are too many for theirs, and of reports on them. */
import * as z from 'zod';
import { Hash } from '../entry.ts';
import { Instant, Person, Rules, TableRef } from './parts.ts';

const Influence = z.object({ table: z.string(), column: z.string(), use: z.string() });
const Reads = z.array(z.object({ name: z.string(), uses: z.array(z.string()) }));
const Outputs = z.array(
	z.object({
		/** Named only where the name is a source column's own; an alias is the caller's free text. */
		name: z.string().nullable(),
		sources: z.array(z.object({ table: z.string(), column: z.string(), kind: z.string() })),
		/** What its own expression decides by. Until it was told apart, conditions stood among the sources. */
		indirect: z.array(Influence).default([]),
	}),
);

/** The columns of a flow in one: per table of its `from`, and of its `to`. */
export const ColumnMap = z.object({
	from: z.array(Reads),
	to: z.object({ columns: Outputs, rows: z.array(Influence) }),
});

const Intended = z.object({
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
				columns: Reads.optional(),
			}),
		)
		.min(1),
	to: z.object({
		domain: z.string(),
		columns: Outputs.optional(),
		/** What decides which rows there are, for every column. */
		rows: z.array(Influence).optional(),
	}),
	/**
	 * Of columns that are too many for one entry, which then has none itself: the hash of all (a {@link ColumnMap}, RFC 8785),
	 * which names their stream, the last version of that and its leaf; how many are read, and how many come out.
	 */
	columns: z
		.object({ hash: Hash, ver: z.int().min(1), leaf: Hash, read: z.int().min(0), outputs: z.int().min(0) })
		.optional(),
	/** The instant at which the first of the grants used ends: the query may not outlive it. */
	until: Instant,
	/** What it was run to decide on, where Fairlead made the query for that. */
	review: z.object({ request: z.string(), contentHash: Hash }).optional(),
});

/**
 * Its columns stand in it, or somewhere else, and never in both or in neither. A release that knows nothing of the latter
 * finds such an entry `record-corrupt`, and not a flow that read nothing.
 */
export const FlowIntended = Intended.refine(
	({ from, to, columns }) =>
		columns === undefined
			? from.every((table) => table.columns !== undefined) && to.columns !== undefined
			: from.every((table) => table.columns === undefined) && to.columns === undefined && to.rows === undefined,
	'must say where its columns are',
);

/** A part of columns that are too many for the entry of a flow. Its stream has all of them. */
export const ColumnsRecorded = z.object({
	type: z.literal('ColumnsRecorded'),
	/** SHA-256 of all of them, and how many bytes those are. */
	hash: Hash,
	bytes: z.int().min(1),
	/** At which of those this part begins. */
	from: z.int().min(0),
	/** The bytes of this part, deflated (RFC 1951), in base64. */
	data: z.base64(),
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
