/** Entries of what the sealer found wrong with an entry that it was to seal. */
import * as z from 'zod';

/** The entry at fault stays out of the log, and what follows it with it; said once, in a stream of its own. */
export const IntegrityFault = z.object({
	type: z.literal('IntegrityFault'),
	/** The stream and version that is missing or wrong. */
	of: z.string(),
	version: z.string(),
	fault: z.enum([
		'unreadable',
		'too-large',
		/** Two readers could understand its bytes differently, so no verifier takes them for an entry. */
		'not-canonical',
		'missing',
		'misplaced',
		'hash-differs',
		'chain-broken',
		/** It names the leaf of another entry that is not there, or is another. */
		'cause-missing',
		'cause-differs',
		/** It carries the index of a sealed one and is not what the log has there; waiting to be sealed, or not. */
		'not-in-log',
		'marked-and-queued',
		/** It neither waits nor was sealed. */
		'unqueued',
	]),
});
