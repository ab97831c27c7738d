/**
 * What the two users of the calls table share: the counters of `limits.ts` and the kept answers of `idempotency.ts`.
 * One item per counter or key, found by a hash (`pk`, the table's only key). `expires`, in epoch seconds, is the
 * table's TTL attribute; DynamoDB deletes some time after it (Developer Guide, "Using time to live"), so whoever reads
 * an item compares it with the time of the call, too.
 */
import { hkdfSync } from 'node:crypto';
import type { Config } from '#core/context.ts';
import { BrokerError } from '#core/error.ts';

/** The table's attribute for DynamoDB's time to live. */
export const EXPIRES = 'expires';

/** A key for one use, from the deployment's secret (RFC 5869): keys of different uses tell nothing of each other. */
export function keyFor(config: Pick<Config, 'cursorKey'>, use: string): Buffer {
	return Buffer.from(hkdfSync('sha256', config.cursorKey, '', `fairlead ${use}`, 32));
}

/** The call is refused rather than let through uncounted or unremembered. */
export function unavailable(cause: unknown): BrokerError {
	return new BrokerError('unavailable', 'The store does not answer; try again.', {}, { cause });
}

export const epochSeconds = (now: Date) => Math.floor(now.getTime() / 1000);
