/** What is told of the rows that a request would open: per table counted, or why not. */
import * as z from 'zod';
import { idOf } from '../id.ts';
import { Hash } from '../ledger.ts';

/** Why a table is not counted. What stands first is looked at first. */
export const reasons = [
	'not-told',
	'union-not-exact',
	'no-principal',
	'not-a-consumer',
	'no-grant',
	'not-a-beneficiary',
	'grant-not-in-force',
	'columns-not-granted',
	'rows-filtered',
	'not-asked',
	'changed',
	'unavailable',
] as const;
export type Reason = (typeof reasons)[number];

const table = z.string().meta({ description: 'Name in SQL: database.table' });
const query = idOf('query').meta({ description: 'The query of yours that counts, or counted' });
const rows = (of: string) => z.int().min(0).meta({ description: of });
const share = (of: string) =>
	z
		.number()
		.min(0)
		.max(1)
		.nullable()
		.meta({ description: `${of}; null of a table without rows` });

export const TableCount = z
	.discriminatedUnion('state', [
		z.object({
			table,
			state: z.literal('not-counted'),
			reason: z.enum(reasons),
			advice: z.string().meta({ description: 'What to do' }),
		}),
		z.object({ table, state: z.literal('running'), query }),
		z.object({
			table,
			state: z.literal('counted'),
			query,
			rows: rows('Rows of the table'),
			before: rows('Rows that the principal sees of it now'),
			after: rows('Rows that it would see then'),
			shareBefore: share('`before` of `rows`'),
			shareAfter: share('`after` of `rows`'),
			at: z.iso.datetime().meta({ description: 'When counting began: the table may have changed since' }),
		}),
		z.object({
			table,
			state: z.literal('failed'),
			query,
			code: z.enum(['not-started', 'engine', 'denied-by-lake-formation', 'lost', 'grant-ended', 'caller']),
		}),
	])
	.meta({ id: 'TableCount' });
export type TableCount = z.infer<typeof TableCount>;

export const CountsView = z
	.object({
		request: idOf('request'),
		contentHash: Hash.meta({ description: 'The content that it counts: the ETag of the request' }),
		tables: z.array(TableCount),
	})
	.meta({ id: 'RequestCounts' });
export type CountsView = z.infer<typeof CountsView>;
