/** Days in UTC: which are over for good, and which are still to be checked. */
import type { Context } from '../context.ts';
import * as Ledger from '../ledger.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;
export type Checked = Ledger.Recorded<'CompletenessChecked'>;

const DAY_MS = 86_400_000;
/** CloudTrail delivers within about fifteen minutes, and promises nothing (CloudTrail user guide, "How CloudTrail works"). */
const MARGIN_MS = 2 * 3_600_000;
/** Athena forgets an execution after 45 days, CloudTrail a record after 90. */
export const DAYS_BACK = 40;

export const dayOf = (at: Date) => at.toISOString().slice(0, 10);
const endOf = (day: string) => Date.parse(day) + DAY_MS;

/** The last day of which everything should have been told by now. */
export const lastOver = (now: Date) => dayOf(new Date(now.getTime() - MARGIN_MS - DAY_MS));

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

/** Days without a whole check, the oldest first; from the day on which the first product was published. */
export async function due(ctx: ReadCtx, now: Date, since: string | null): Promise<string[]> {
	if (since === null) return [];
	const found: string[] = [];
	for (let back = DAYS_BACK; back >= 0; back -= 1) {
		const day = dayOf(new Date(now.getTime() - MARGIN_MS - (back + 1) * DAY_MS));
		if (day < since.slice(0, 10) || !isCheckable(day, now)) continue;
		if (!isWhole(await lastOf(ctx, day))) found.push(day);
	}
	return found;
}
