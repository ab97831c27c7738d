/**
 * What the check of the day before leaves open. A flow whose starter died is known by the token that it was started with, and
 * a query that goes on over midnight was started in the trail of the day before: as long as that is not gone through, what
 * was read in the first hours of a day may belong to such a flow.
 */
import pMap from 'p-map';
import type { Context } from '../context.ts';
import * as Ledger from '../ledger.ts';
import type { Catalog } from './catalog.ts';
import { baseOf, type Checked, isBeforeAll, lastOf } from './days.ts';
import { load } from './progress.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

/** Accounts looked at at once. */
const AT_ONCE = 8;

/** Accounts of which it is not known yet what was started there on this day. */
export async function startsUnread(ctx: Ctx, day: string, catalog: Catalog): Promise<ReadonlySet<string>> {
	if (isBeforeAll(day, catalog)) return new Set();
	const consuming = catalog.placesOn(day).flatMap(({ account, as }) => (as === 'consumer' ? [account] : []));
	const known = await Ledger.readable(async () => ({ last: await lastOf(ctx, day), base: await baseOf(ctx, day) }));
	if (known === null) return new Set(consuming);
	const { last, base } = known;
	const open = consuming.filter((account) => !wasRead(last, account));
	// An account that is not through may be so with what was started there.
	const each = async (account: string) => ((await load(ctx, { day, base, account })).starts.done ? [] : [account]);
	return new Set((await pMap(open, each, { concurrency: AT_ONCE })).flat());
}

/** Whether the record says so; it names only the first of many that were not. */
function wasRead(last: Checked | null, account: string): boolean {
	if (last === null) return false;
	const { unread, unreadAccounts } = last.body;
	return unread.length === unreadAccounts && unread.every((one) => one.account !== account);
}
