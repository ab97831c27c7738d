/** CloudTrail's event history of one account: a page of the records of one operation, newest first. */
import { LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import type { Context } from '../context.ts';
import { type Asking, ask } from './asking.ts';
import type { EventName, Raw } from './record.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

/** Two calls a second, for each account and Region (CloudTrail API reference, LookupEvents). */
export const LOOKUP_EVERY_MS = 500;
/** Events of one page at most. */
const PAGE = 50;

/** As whom an account's trail is read: as our role for consuming ones where it has that, which may do less than the grantor. */
export type Place = { readonly account: string; readonly as: 'consumer' | 'grantor' };

export type Window = { readonly from: Date; readonly until: Date };

/** `at`: the second of its event, as CloudTrail gives it. */
export type Line = Raw & { readonly at: string | null };
export type Page = { readonly lines: readonly Line[]; readonly next: string | null };

/** Throws `Unread`. */
export async function lookUp(
	ctx: Ctx,
	{ account, as }: Place,
	{ name, from, until, token }: Window & { readonly name: EventName; readonly token: string | null },
	asking: Asking,
): Promise<Page> {
	const client = as === 'consumer' ? ctx.aws.consumer.cloudtrail(account) : ctx.aws.cloudtrail(account);
	const command = new LookupEventsCommand({
		LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: name }],
		StartTime: from,
		EndTime: until,
		MaxResults: PAGE,
		...(token === null ? {} : { NextToken: token }),
	});
	const { Events: events = [], NextToken: next = null } = await ask(ctx, asking, () => client.send(command));
	const lines = events.map((e) => ({
		id: e.EventId ?? null,
		text: e.CloudTrailEvent ?? null,
		at: e.EventTime?.toISOString() ?? null,
	}));
	return { lines, next };
}
