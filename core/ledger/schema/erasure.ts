/** Entries of erasing: that the payload of an entry is to go, and that it went. What is left of it is its salted hash. */
import * as z from 'zod';
import { Hash } from '../entry.ts';
import { Person, Rules } from './parts.ts';

export const erasureReasons = ['erasure-request', 'retention-over', 'court-order'] as const;

/**
 * The first entry of its stream, which is named after the entry: so a payload is erased once at most. Words on why, if
 * any, are in the payload of this entry (`pii.note`).
 */
export const ErasureRequested = z.object({
	type: z.literal('ErasureRequested'),
	entry: z.string(),
	/** Where the entry is, and its type; what an entry says of itself has those names already. */
	of: z.object({ stream: z.string(), ver: z.int().min(1), type: z.string() }),
	reason: z.enum(erasureReasons),
	requester: Person,
	rules: Rules,
});

export const findings = ['whole', 'altered', 'gone'] as const;

export const PayloadErased = z.object({
	type: z.literal('PayloadErased'),
	entry: z.string(),
	/** The salted hash that the entry holds of what was erased. */
	hash: Hash,
	/**
	 * What was there: what the hash is of; something else; or nothing any more, as when a pass was cut off after it had
	 * erased and before it could tell.
	 */
	found: z.enum(findings),
});
