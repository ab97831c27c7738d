/** What a request carries through the app. */
import type { Repeatable } from '#core/access.ts';
import type { Context, Platform } from '#core/context.ts';
import type { Code } from '#core/error.ts';
import type { Asked, Shown } from '#core/reading.ts';
import type { Site } from './platform.ts';
import type { Written } from './sealed.ts';
import type { Trace } from './trace.ts';

export type Env = {
	Variables: {
		platform: Platform;
		site: Site;
		/** UUID of this request, for support. */
		requestId: string;
		trace: Trace;
		/** Set once the caller is known; every route below the API's base has it. */
		ctx: Context;
		/** What this call wrote to the ledger. */
		written: readonly Written[];
		/** Set for a call with an idempotency key: what it has in common with the same call made before. */
		repeatable?: Repeatable;
		/** What the answer shows, where that is recorded and does not follow from what was asked of the rules. */
		shown?: Shown;
		/** What of a body is recorded as asked. */
		asked?: Asked;
		/** Why it was refused, for the log. */
		code: Code;
	};
};
