/** Entries of what people read in the records by virtue of an office, such as a regulator's. */
import * as z from 'zod';
import { Hash } from '../entry.ts';
import { Person, Rules } from './parts.ts';

/** Written before the answer leaves: who reads the ledger learns of a look that was perhaps never had, never of too few. */
export const RecordsRead = z.object({
	type: z.literal('RecordsRead'),
	reading: z.string(),
	/** The operation, as the API description names it. */
	operation: z.string(),
	/** What was asked, as far as none of it is a word of the reader's; the rest is in the payload (`pii.asked`). */
	asked: z.record(z.string(), z.string()),
	/** Ids of what was shown under these rules, or told of, at most a thousand; none where it was not a thing with an id. */
	things: z.array(z.string()),
	/** Entries that were shown: by stream and version, as many as fit, and a hash over the leaves of all in their order. */
	entries: z
		.object({
			spans: z.array(z.object({ stream: z.string(), from: z.int().min(1), to: z.int().min(1) })),
			leaves: Hash,
		})
		.optional(),
	/** The refusal's code, where that was all that was told. */
	refused: z.string().optional(),
	/** How many were shown, where they can be counted. */
	shown: z.int().min(0).optional(),
	reader: Person,
	/** The roles that he held, as `<domain>/<role>`. */
	roles: z.array(z.string()),
	/** The rules that let him, of those whose readings are recorded. */
	rules: Rules,
	/** Id of the HTTP request. */
	request: z.string(),
});
