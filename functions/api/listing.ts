/**
 * Lists by pages, one way for all: a page shows what its reader may see one by one, and nothing tells that something was
 * left out. There is a next page only where he sees something on it, so that a token is no sign of what he may not see.
 *
 * Lines that he may not see are passed over, so many of them in one call. Beyond that a page is short, or empty, and the
 * next one goes on from there: that the listing is longer than this is all that is told of it. Only reads.
 */
import type { Context as HonoContext } from 'hono';
import * as z from 'zod';
import type { Context } from '#core/context.ts';
import { makeCursor, readCursor } from '#core/cursor.ts';
import { Listing, readable } from '#core/ledger.ts';
import { Entity, may } from '#core/policy.ts';
import { LISTING } from '#core/reading.ts';
import type { Env } from '../env.ts';
import { linkNext, type Paging } from './router.ts';

/** Lines that are passed over in one call, about. */
export const PASSED_OVER = 400;
/** Lines beyond a page that are looked at together: one at first, for mostly that one is seen, and then more each time. */
const MOST_AT_ONCE = 40;

type Listed<T> = { readonly found: T[]; readonly nextPageToken: string | null };

/**
 * What a listing is read by; `of` is null where it is not open to the caller at all. Of several, whose lines are of one kind,
 * each line is shown once.
 */
type Query = z.infer<typeof Paging> & {
	readonly of: string | readonly string[] | null;
	readonly newestFirst: boolean;
};

/** Before which line to go on, null at the end; `sees` is whether the caller is known to see that line. */
type Place = { readonly after: string | null; readonly sees: boolean };
const END: Place = { after: null, sees: false };

/**
 * One page. `show` makes of a line what its reader sees, null where he may not; a line whose record is damaged is not
 * shown. What is looked at beyond the page is shown to nobody, so it is not noted that he read it.
 */
export async function listed<T>(
	c: HonoContext<Env>,
	{ of, newestFirst, pageSize, pageToken }: Query,
	show: (ctx: Context, line: string) => Promise<T | null>,
): Promise<Listed<T>> {
	const { ctx } = c.var;
	if (of === null) return { found: [], nextPageToken: null };
	const listings = [of].flat();
	const budget = { left: PASSED_OVER };
	const look = async (as: Context, after: string | null, limit: number) => {
		const { keys, next } = await linesOf(ctx, listings, { limit, after, newestFirst });
		const lines = await Promise.all(
			keys.map(async (key, i) => ({ before: keys[i - 1] ?? after, one: await readable(() => show(as, key)) })),
		);
		const seen = lines.flatMap(({ before, one }) => (one === null ? [] : [{ before, one }]));
		budget.left -= keys.length - seen.length;
		return { seen, next };
	};
	const unnoted = { ...ctx, caller: { ...ctx.caller } };
	const beyond = async (place: string): Promise<Place> => {
		let after = place;
		for (let limit = 1; budget.left > 0; limit = Math.min(4 * limit, MOST_AT_ONCE)) {
			const { seen, next } = await look(unnoted, after, limit);
			if (seen[0] !== undefined) return { after: seen[0].before, sees: true };
			if (next === null) return END;
			after = next;
		}
		return { after, sees: false };
	};
	const found: T[] = [];
	const start = pageToken === undefined ? null : z.string().parse(readCursor(ctx, listings, pageToken));
	let place: Place = { after: start, sees: true };
	while (place.sees && found.length < pageSize) {
		const { seen, next } = await look(ctx, place.after, pageSize - found.length);
		found.push(...seen.map(({ one }) => one));
		place = next === null ? END : await beyond(next);
	}
	const nextPageToken = place.after === null ? null : makeCursor(ctx, listings, place.after);
	linkNext(c, nextPageToken);
	return { found, nextPageToken };
}

/** A page of several listings as if they were one. */
async function linesOf(ctx: Context, of: readonly string[], range: Listing.Range): Promise<Listing.Page> {
	const pages = await Promise.all(of.map((one) => Listing.list(ctx, one, range)));
	const [only, ...others] = pages;
	if (only !== undefined && others.length === 0) return only;
	const order = range.newestFirst === true ? -1 : 1;
	const inOrder = (a: string, b: string) => (a < b ? -order : order);
	const all = [...new Set(pages.flatMap(({ keys }) => keys))].toSorted(inOrder);
	// What comes after the end of a page that goes on may not be the next of its listing.
	const reach = pages.flatMap(({ next }) => (next === null ? [] : [next])).toSorted(inOrder)[0];
	const known = reach === undefined ? all : all.slice(0, all.indexOf(reach) + 1);
	const keys = known.slice(0, range.limit);
	return { keys, next: keys.length === all.length && reach === undefined ? null : (keys.at(-1) ?? null) };
}

const Position = z.union([z.string(), z.int()]);

/** One page of what is at hand as a whole, and all for the caller to see: in the order of its places, no two of them one. */
export function pageAmong<T>(
	c: HonoContext<Env>,
	all: readonly T[],
	placeOf: (one: T) => z.infer<typeof Position>,
	{ of, pageSize, pageToken }: z.infer<typeof Paging> & { readonly of: readonly unknown[] },
): Listed<T> {
	const { ctx } = c.var;
	const after = pageToken === undefined ? null : Position.parse(readCursor(ctx, of, pageToken));
	const left = after === null ? all : all.filter((one) => placeOf(one) > after);
	const found = left.slice(0, pageSize);
	const last = found.at(-1);
	const next = last !== undefined && left.length > found.length ? makeCursor(ctx, of, placeOf(last)) : null;
	linkNext(c, next);
	return { found, nextPageToken: next };
}

/** Whether the rules let the caller see of a domain what concerns him in no way. */
export function seesAny(ctx: Context, action: 'viewRequest' | 'viewBreakGlass', domain: string): boolean {
	const product = { product: `${domain}.${LISTING}`, domain, personal: true, classification: 'restricted' };
	const nobody = { submitter: LISTING, beneficiaries: [], parties: [] };
	const anything = { id: LISTING, product, consumerDomain: domain, ...nobody };
	return may(ctx, action, Entity.request(anything, ctx.config.governance));
}

/**
 * Whether a domain's listing is open to the caller at all; what it shows is decided line by line. It is for who has a role
 * there, and for whom the rules let see what concerns him in no way: that he looked is then known, whatever he found.
 */
export function mayList(ctx: Context, domain: string): boolean {
	return seesAny(ctx, 'viewRequest', domain) || ctx.caller.roles.some((m) => m.domain === domain);
}
