/** What a request carries through the app. */
import type { Context, Platform } from '#core/context.ts';

export type Env = {
	Variables: {
		platform: Platform;
		requestId: string;
		/** Set once the caller is known; every route below the API's base has it. */
		ctx: Context;
	};
};
