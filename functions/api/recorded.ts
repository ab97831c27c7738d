/**
 * What somebody reads by virtue of an office is recorded before the answer leaves, whichever operation shows it. Stands
 * before each operation of the API. A refusal is an answer, too: that a thing is decided already, or may not be previewed,
 * tells that it is there. An answer that cannot be recorded is dropped, headers and all, for a 503.
 */
import type { MiddlewareHandler } from 'hono';
import { watch } from '#core/policy.ts';
import * as Reading from '#core/reading.ts';
import type { Env } from '../env.ts';
import { problem } from '../problem.ts';
import { everywhere, retryAfter, signedIn } from './headers.ts';

/** `declared` are the query's parameters whose every value stands in the API description. */
export function recorded(operation: string, declared: readonly string[]): MiddlewareHandler<Env> {
	return async (c, next) => {
		const { ctx, requestId } = c.var;
		const noted = watch(ctx.caller);
		await next();
		const { status } = c.res;
		if (noted.length === 0 || tellsNothing(status)) return;
		const { asked, shown, code } = c.var;
		const look: Reading.Look = {
			operation,
			asked: {
				parameters: { ...c.req.query(), ...c.req.param(), ...asked?.parameters },
				declared: [...declared, ...(asked?.declared ?? [])],
			},
			request: requestId,
			...(status >= 400 ? { refused: code } : shown === undefined ? {} : { shown }),
		};
		try {
			await Reading.record(ctx, noted, look);
		} catch (error) {
			const dropped = c.res;
			const refusal = problem(c, error);
			// Headers that were set for the answer are on whatever is made after it.
			const set = [...refusal.headers.keys()].filter((name) => !kept.has(name));
			for (const name of set) refusal.headers.delete(name);
			c.res = undefined;
			c.res = refusal;
			// Rows that were to be streamed are not read; whether that can be said does not matter any more.
			await dropped.body?.cancel().catch(() => {});
		}
	};
}

/** Not there or not for him, which is one answer; or we failed. Any other refusal tells that the thing is there, and its state. */
const tellsNothing = (status: number) => status === 401 || status === 404 || status >= 500;

/** What every refusal may have: whose limit it counts to, and what it is. */
const kept: ReadonlySet<string> = new Set(
	[...Object.keys({ ...everywhere, ...signedIn, ...retryAfter }), 'content-type', 'cache-control'].map((name) =>
		name.toLowerCase(),
	),
);
