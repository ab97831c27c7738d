/** What a request carries through the app. */
import type { Context, Platform } from '#core/context.ts';
import type { Code } from '#core/error.ts';
import type { Site } from './platform.ts';
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
		/** Why it was refused, for the log. */
		code: Code;
	};
};
