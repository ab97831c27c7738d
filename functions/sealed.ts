/**
 * `?wait=sealed`: the answer to what writes comes once its entries are in the log and a checkpoint that covers them is
 * published, or after a while without that. What was done stands either way: `Fairlead-Sealed` says which it is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { MiddlewareHandler } from 'hono';
import * as z from 'zod';
import * as Ledger from '#core/ledger.ts';
import type { Env } from './env.ts';

/** What `Context.appended` was told. */
export type Written = { readonly stream: string; readonly ver: number };

export const Wait = z
	.enum(['sealed'])
	.optional()
	.meta({ description: '`sealed`: answer when what this call recorded is in the log, or after 25 seconds' });

export const sealedHeaders = {
	'Fairlead-Sealed': {
		description: 'Whether what this call recorded is in the log; there if that was waited for and something was',
		schema: { type: 'string' as const, enum: ['true', 'false'] },
		example: 'true',
	},
};

const LOOK_EVERY_MS = 250;

export function waitForSeal(): MiddlewareHandler<Env> {
	return async (c, next) => {
		const until = performance.now() + c.var.site.sealedWaitMs;
		await next();
		const { written, ctx } = c.var;
		// Nothing that is only read takes the parameter, nor does anything that its gate refused.
		if (c.req.query('wait') !== 'sealed' || c.res.status >= 400 || written.length === 0) return;
		c.header('Fairlead-Sealed', String(await areSealed(ctx, written, until)));
	};
}

async function areSealed(ctx: Env['Variables']['ctx'], written: readonly Written[], until: number): Promise<boolean> {
	const left = [...written];
	try {
		for (;;) {
			for (let one = left[0]; one !== undefined && (await Ledger.isSealed(ctx, one)); one = left[0]) left.shift();
			if (left.length === 0) return true;
			if (performance.now() + LOOK_EVERY_MS > until) return false;
			await sleep(LOOK_EVERY_MS);
		}
	} catch (error) {
		// It is done and recorded: that the store does not answer now is no reason to say otherwise.
		ctx.warn('sealed: could not be looked at', error);
		return false;
	}
}
