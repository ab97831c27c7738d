/** Calls of completeness: of a day that was checked, which is the last one that is over. */
import { systemContext } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import type { TestBank } from '#tests/fixtures.ts';
import type { Arrange } from './arrange.ts';

const DAY_MS = 86_400_000;
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

/** Another one than whoever asks for a check means. */
const CHECKED_DAYS_AGO = 5;

const none = { matched: 0, ownDomain: 0, bypassing: 0, refused: 0, ungoverned: 0, elsewhere: 0, unreadable: 0 };

/** A day of which a clean check is recorded. */
export async function checkedDay({ bank }: Pick<TestBank['world'], 'bank'>): Promise<string> {
	const ctx = systemContext(bank.platform, '0'.repeat(32));
	const day = daysAgo(CHECKED_DAYS_AGO);
	const stream = Ledger.stream.completeness(day);
	if ((await Ledger.last(ctx, stream, 'CompletenessChecked')) !== null) return day;
	const counts = { ...none, bypasses: 0, orphaned: 0 };
	const lists = { unread: [], unknownProducts: [], ownDomain: [], unreadable: [], orphaned: [] };
	const body = { type: 'CompletenessChecked' as const, day, state: 'clean' as const, accounts: 6, unreadAccounts: 0 };
	await Ledger.append(ctx, { stream, after: null, actor: 'system', body: { ...body, ...lists, counts } });
	return day;
}

/** A day that may be checked: nothing was published then, so that there is nothing to ask AWS for but its silence. */
export const checkable = () => daysAgo(2);

export const ofCompleteness: Readonly<Record<string, Arrange>> = {
	listCompleteness: () => Promise.resolve({ who: 'stella' }),
	getCompleteness: async (test) => ({ who: 'stella', params: { day: await checkedDay(test.world) } }),
	checkCompleteness: () => Promise.resolve({ who: 'oscar', body: { day: checkable() } }),
};
