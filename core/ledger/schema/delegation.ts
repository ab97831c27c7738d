/** Entries of delegations: that somebody lets another decide in his place, and that this was taken back. */
import * as z from 'zod';
import { Instant, Person, Rules } from './parts.ts';

/** The first entry of its stream; why it was given is in the payload. */
export const DelegationGiven = z.object({
	type: z.literal('DelegationGiven'),
	delegation: z.string(),
	domain: z.string(),
	role: z.enum(['owner', 'privacy-officer']),
	giver: Person,
	to: Person,
	from: Instant,
	until: Instant,
	rules: Rules,
});

/** From its instant on nobody decides by it; what was decided before stands. */
export const DelegationEnded = z.object({
	type: z.literal('DelegationEnded'),
	delegation: z.string(),
	/** As it was given, so that listings can be made from each entry by itself. */
	domain: z.string().optional(),
	to: Person,
	until: Instant,
	rules: Rules,
});
