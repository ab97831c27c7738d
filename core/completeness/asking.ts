/**
 * How AWS is asked here: one call at a time for each account, no faster than `everyMs`, again with pauses while it says that
 * this was too often. What it then still refuses is told as a reason, never thrown: an account that cannot be read makes
 * the day incomplete, and holds up no other.
 */
import { setTimeout as pause } from 'node:timers/promises';
import pRetry from 'p-retry';
import type { Context } from '../context.ts';
import { errorName } from '../error.ts';
import type { BodyOf } from '../ledger.ts';

export type Why = BodyOf<'CompletenessChecked'>['unread'][number]['why'];

/** What AWS would not tell. */
export class Unread extends Error {
	readonly why: Why;

	constructor(why: Why, cause: unknown) {
		super(`AWS does not tell: ${why}`, { cause });
		this.why = why;
	}
}

const throttled = (name: string) => /^(Throttl|TooManyRequests|RequestLimitExceeded)/.test(name);
/** Beyond those that the SDK itself makes of each. */
const ATTEMPTS = 2;

/** How fast, and for how long. */
export type Asking = {
	readonly everyMs: number;
	/** Whether there is time for another call; false or `Unread` where there is none. */
	readonly goesOn: () => Promise<boolean>;
};

/**
 * Asked before each call, also before those that are made again: no more than one is ever under way once the time is over.
 * Throws `Unread` alone. `isAnswer`: refusals that mean something to who asks, which are thrown as they came. */
export async function ask<T>(
	{ config }: Pick<Context, 'config'>,
	{ everyMs, goesOn }: Asking,
	call: () => Promise<T>,
	isAnswer: (name: string) => boolean = () => false,
): Promise<T> {
	const paced = async () => {
		if (!(await goesOn())) throw new Unread('unfinished', new Error('somebody else took over'));
		const [answer] = await Promise.all([call(), pause(everyMs)]);
		return answer;
	};
	try {
		return await pRetry(paced, {
			retries: ATTEMPTS,
			minTimeout: 5 * config.retryMs,
			maxTimeout: 50 * config.retryMs,
			randomize: true,
			shouldRetry: ({ error }) => throttled(error.name),
		});
	} catch (error) {
		if (error instanceof Unread) throw error;
		const name = errorName(error);
		if (isAnswer(name)) throw error;
		if (throttled(name)) throw new Unread('throttled', error);
		throw new Unread(
			/AccessDenied|NotAuthorized|OperationNotPermitted|Credentials/.test(name) ? 'refused' : 'unavailable',
			error,
		);
	}
}
