/** What a request's stream says of access in an emergency: whether it was taken, and until when it still may be. Only reads. */
import type { Context } from '../context.ts';
import * as Grants from '../grants.ts';
import * as Ledger from '../ledger.ts';
import type { Request } from './load.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;
type Told = Pick<Request, 'filed' | 'entries'>;

/** Stands in the place of a role where nobody approved. */
export const BREAK_GLASS = 'break-glass';

/** The decision that it was taken by, and its grant; null where nothing was taken, so that there is nothing to review. */
export async function takenIn(
	ctx: ReadCtx,
	{ entries, granting }: Pick<Request, 'entries' | 'granting'>,
): Promise<{ readonly grant: string } | null> {
	if (granting?.body.as === BREAK_GLASS && granting.body.grant !== undefined) return { grant: granting.body.grant };
	// Of what was taken back, a process that stalled may have opened something even so.
	for (const { body } of entries) {
		if (body.type !== 'AccessDecided' || body.as !== BREAK_GLASS || body.grant === undefined) continue;
		if ((await Grants.get(ctx, body.grant)) !== null) return { grant: body.grant };
	}
	return null;
}

/** Whether it was found that it should not have been taken. */
export const isCondemned = ({ breakGlass }: Pick<Request, 'breakGlass'>) =>
	breakGlass?.review?.verdict === 'unjustified';

/** Whether its decision was taken back: then it is over, since nobody waits for approvers here. */
export const isTakenBack = ({ filed, entries }: Told) =>
	filed.body.breakGlass !== undefined && entries.some(({ body }) => body.type === 'AccessReopened');

/** ISO 8601: from when on it cannot be taken any more; null of an ordinary request. */
export function takableUntil({ filed, entries }: Told): string | null {
	const back = entries.find(({ body }) => body.type === 'AccessReopened');
	const asked = filed.body.breakGlass?.until;
	return asked === undefined ? null : (back?.entry.at ?? asked);
}

/** Who took it, as it is listed: the identity that he did it under, and the person behind it at that time. */
export function takersOf({ filed: { body } }: Pick<Request, 'filed'>): string[] {
	return [...new Set([body.requester, ...(body.breakGlass?.of === undefined ? [] : [body.breakGlass.of])])];
}

/** Takes it off the lists of what is to be reviewed: nothing was taken, and nothing will be. */
export async function unlist(ctx: ReadCtx, request: Pick<Request, 'id' | 'filed'>): Promise<void> {
	const { productDomain, breakGlass } = request.filed.body;
	if (breakGlass === undefined) return;
	const { remove, reviewLines } = Ledger.Listing;
	const of = { request: request.id, productDomain, reviewDue: breakGlass.reviewDue, takers: takersOf(request) };
	for (const [pk, sk] of reviewLines(of)) await remove(ctx, pk, sk);
}
