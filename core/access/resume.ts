/**
 * Taking a suspended grant up again: only if it could be given like this now. Whoever publishes a contract at the same
 * time stores it before he looks at the grants, and this looks once more after it has stored: one of them sees the other.
 */
import type { Context } from '../context.ts';
import * as Grants from '../grants.ts';
import { lookAgain, mustStillStand } from './affected-grants.ts';

/** Throws `conflict` with `effects` where the grant does not stand under the present contract, and what it throws itself. */
export async function resume(ctx: Context, id: string, reason: string): Promise<Grants.Grant> {
	const grant = await Grants.resume(ctx, id, reason, (found) => mustStillStand(ctx, found));
	return lookAgain(ctx, grant);
}
