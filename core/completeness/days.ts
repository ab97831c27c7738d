/** Days in UTC: which are over for good, and which are still to be checked. */
import type { Context } from '../context.ts';
import * as Ledger from '../ledger.ts';
import type { Catalog } from './catalog.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;
export type Checked = Ledger.Recorded<'CompletenessChecked'>;

const DAY_MS = 86_400_000;
/**
 * So long after its end everything that began on a day is over and told. A query runs for 240 minutes at most (Athena
 * service quotas); CloudTrail delivers within about fifteen minutes, and promises nothing (CloudTrail user guide, "How
 * CloudTrail works").
 */
const MARGIN_MS = 5 * 3_600_000;
/** A day that is not gone through so long after its end is told as one that nobody could look at as a whole. */
const LATE_MS = 2 * DAY_MS;
/** Athena forgets an execution after 45 days, CloudTrail a record after 90. */
export const DAYS_BACK = 40;

export const dayOf = (at: Date) => at.toISOString().slice(0, 10);
export const dayBefore = (day: string) => dayOf(new Date(Date.parse(day) - DAY_MS));
const endOf = (day: string) => Date.parse(day) + DAY_MS;

/** The last day of which everything should have been told by now. */
export const lastOver = (now: Date) => dayOf(new Date(now.getTime() - MARGIN_MS - DAY_MS));

/** Whether what was seen then may belong to a query that was started on the day before. */
export const mayBeOfDayBefore = (day: string, at: string) => Date.parse(at) < Date.parse(day) + MARGIN_MS;

/** Whether a day that is not gone through yet should have been. */
export const isLate = (day: string, now: Date) => endOf(day) + LATE_MS <= now.getTime();

/** Whether a day can be checked: over, and not forgotten. */
export function isCheckable(day: string, now: Date): boolean {
	return endOf(day) + MARGIN_MS <= now.getTime() && Date.parse(day) >= now.getTime() - (DAYS_BACK + 1) * DAY_MS;
}

export const isWhole = (checked: Checked | null) => checked !== null && checked.body.state !== 'incomplete';

export async function lastOf(ctx: ReadCtx, day: string): Promise<Checked | null> {
	return Ledger.last(ctx, Ledger.stream.completeness(day), 'CompletenessChecked');
}

/** The last version that was whole; 0 where none was. */
export async function baseOf(ctx: ReadCtx, day: string): Promise<number> {
	const all = await Ledger.read(ctx, Ledger.stream.completeness(day));
	return all.findLast((one) => isWhole(Ledger.as(one, 'CompletenessChecked')))?.ver ?? 0;
}

type Published = Pick<Catalog, 'since' | 'unknown'>;

/**
 * Whether nothing was published yet on that day. Nobody knows that while the entries of a product cannot be read: it may
 * have been the first.
 */
export function isBeforeAll(day: string, { since, unknown }: Published): boolean {
	return unknown.length === 0 && (since === null || day < since.slice(0, 10));
}

/**
 * Days without a whole check, from the day on which the first product was published, and whatever was recorded as
 * incomplete: the oldest and the newest by turns, so that neither waits for the other. One whose own entry cannot be read is
 * among them.
 */
export async function due(ctx: ReadCtx, now: Date, published: Published): Promise<string[]> {
	const found: string[] = [];
	for (let back = DAYS_BACK; back >= 0; back -= 1) {
		const day = dayOf(new Date(now.getTime() - MARGIN_MS - (back + 1) * DAY_MS));
		if (!isCheckable(day, now)) continue;
		const read = await Ledger.readable(async () => ({ last: await lastOf(ctx, day) }));
		const isNew = read !== null && read.last === null;
		if (isNew ? !isBeforeAll(day, published) : !isWhole(read?.last ?? null)) found.push(day);
	}
	return byTurns(found);
}

/** The first, the last, the second, the last but one, and so on. */
export function byTurns<T>(list: readonly T[]): T[] {
	const half = Math.ceil(list.length / 2);
	const back = list.slice(half).toReversed();
	return list.slice(0, half).flatMap((one, i) => [one, ...back.slice(i, i + 1)]);
}
