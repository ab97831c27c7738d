/**
 * How many calls a caller may make in a minute, counted in the shared store and so the same in every process.
 *
 * Fixed windows of one clock minute: a call is one atomic add to the counter of its caller and minute (one round trip),
 * so no call is missed; whoever spends the end of one window and the start of the next gets at most twice the limit in
 * a row. Where the SDK repeats an add whose answer was lost, that call counts twice: never too few. A call that cannot
 * be counted is refused. Counters name nobody: they are found by a keyed hash, and expire. A crash leaves a counter
 * that is one too high until its minute ends.
 *
 * Headers: draft-ietf-httpapi-ratelimit-headers (RateLimit-Policy and RateLimit as structured fields); RFC 6585 for 429.
 */
import { createHmac } from 'node:crypto';
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import type { Context as HonoContext } from 'hono';
import type { Identity, Platform } from '#core/context.ts';
import { BrokerError } from '#core/error.ts';
import { EXPIRES, epochSeconds, keyFor, unavailable } from './calls.ts';
import type { Env } from './env.ts';

const WINDOW_SECONDS = 60;
/** Counters outlive their window, so that a process whose clock is behind still finds its own. */
const GRACE_SECONDS = 60;
const POLICY = 'default';

/** One call, counted. `used` includes it; `resetSeconds` is what is left of the window. */
export type Counted = { readonly limit: number; readonly used: number; readonly resetSeconds: number };

export type Count = (identity: Identity, now: Date) => Promise<Counted>;

/** Counts calls of one identity against `callsPerMinute`. Throws `unavailable` when the store does not count. */
export function makeCount({ aws, config }: Pick<Platform, 'aws' | 'config'>, callsPerMinute: number): Count {
	const key = keyFor(config, 'call counters');
	return async ({ issuer, subject }, now) => {
		const seconds = epochSeconds(now);
		const window = Math.floor(seconds / WINDOW_SECONDS);
		const end = (window + 1) * WINDOW_SECONDS;
		const hash = createHmac('sha256', key).update(JSON.stringify([issuer, subject, window]));
		const command = new UpdateItemCommand({
			TableName: config.tables.calls,
			Key: { pk: { S: `limit#${hash.digest('base64url')}` } },
			UpdateExpression: 'ADD #used :one SET #expires = :expires',
			ExpressionAttributeNames: { '#used': 'used', '#expires': EXPIRES },
			ExpressionAttributeValues: { ':one': { N: '1' }, ':expires': { N: String(end + GRACE_SECONDS) } },
			ReturnValues: 'UPDATED_NEW',
		});
		const used = await aws.dynamodb.send(command).then(
			({ Attributes }) => Number(Attributes?.['used']?.N),
			(cause: unknown) => {
				throw unavailable(cause);
			},
		);
		if (!(used >= 1)) throw unavailable(new Error('no count'));
		return { limit: callsPerMinute, used, resetSeconds: end - seconds };
	};
}

/** Tells the caller where he stands, whatever the answer will be. Throws `rate-limited` for a call too many. */
export function applyLimit(c: HonoContext<Env>, { limit, used, resetSeconds }: Counted): void {
	c.header('ratelimit-policy', `"${POLICY}";q=${limit};w=${WINDOW_SECONDS}`);
	c.header('ratelimit', `"${POLICY}";r=${Math.max(limit - used, 0)};t=${resetSeconds}`);
	if (used <= limit) return;
	const detail = `You may make ${limit} calls a minute; the next minute begins in ${resetSeconds} s.`;
	throw new BrokerError('rate-limited', detail, { retryAfter: resetSeconds });
}

/** OpenAPI header objects of every answer of a signed-in call. */
export const limitHeaders = {
	'RateLimit-Policy': {
		description: 'Calls that you may make (`q`) in a window of `w` seconds',
		schema: { type: 'string' as const },
		example: `"${POLICY}";q=600;w=${WINDOW_SECONDS}`,
	},
	RateLimit: {
		description: 'Calls left (`r`) and seconds until the window ends (`t`)',
		schema: { type: 'string' as const },
		example: `"${POLICY}";r=599;t=42`,
	},
};
