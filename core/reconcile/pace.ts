/**
 * How fast one account's Lake Formation is asked. Its quotas are not published (aws-facts section 7), and a pass over
 * everything must leave room for grants: so a bucket of tokens per account, each given back a while after it was taken.
 */
import { setTimeout as pause } from 'node:timers/promises';

/** [unverified] Tables of one account that are looked at in a second, about five calls each (aws-facts, question 5). */
export const TABLES_PER_SECOND = 40;

/** Waits until one more table of this account may be looked at. */
export type Pace = (account: string) => Promise<void>;

type Bucket = { free: number; readonly waiting: (() => void)[] };

export function makePace(perSecond: number = TABLES_PER_SECOND): Pace {
	const accounts = new Map<string, Bucket>();
	return async (account) => {
		const bucket = accounts.get(account) ?? { free: perSecond, waiting: [] };
		accounts.set(account, bucket);
		if (bucket.free > 0) bucket.free -= 1;
		else await new Promise<void>((resolve) => bucket.waiting.push(resolve));
		void giveBack(bucket);
	};
}

async function giveBack(bucket: Bucket): Promise<void> {
	await pause(1000);
	const next = bucket.waiting.shift();
	if (next === undefined) bucket.free += 1;
	else next();
}
