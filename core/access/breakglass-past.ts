/**
 * What somebody, in any guise, took in emergencies before: how much of it nobody has looked at, and how much of it was
 * found to be without need. Lists lead to it, the streams of the requests say it. Where there is more on a list than is
 * read, or a request cannot be read, that counts as the worse. An identity in a domain that cannot be read is known by what
 * was recorded when it took something. Only reads, and a bounded number of them.
 */
import pMap from 'p-map';
import type { Caller, Context } from '../context.ts';
import * as Domains from '../domains.ts';
import * as Ledger from '../ledger.ts';
import { takenIn } from './breakglass-taken.ts';
import { get, type Request } from './load.ts';

type ReadCtx = Pick<Context, 'aws' | 'config' | 'now'>;

export type Past = {
	/** Taken, or on the way, and not reviewed. */
	readonly unreviewed: number;
	/** Found to be without need in the last 90 days. */
	readonly condemned: number;
};

export const NO_PAST: Past = { unreviewed: 0, condemned: 0 };

const REMEMBERED_MS = 90 * 86_400_000;
/** Lines of a list that are read; the rules let it grow to a few. */
const LINES = 10;
const AT_ONCE = 4;

/** `but` is a request that is not counted. */
export async function pastOf(
	ctx: ReadCtx,
	{ person, of }: Pick<Caller, 'person' | 'of'>,
	but: string | null = null,
): Promise<Past> {
	if (person === null) return NO_PAST;
	const { key } = Ledger.Listing;
	const since = new Date(ctx.now.getTime() - REMEMBERED_MS).toISOString();
	const guises = [...new Set([person, ...(await Domains.guisesOf(ctx, of ?? person))])];
	const waiting = await listed(ctx, guises.map(key.emergenciesOf), '');
	const found = await listed(ctx, guises.map(key.condemnedOf), since);
	return {
		unreviewed: await count(ctx, waiting, but, (request) => isUnreviewed(ctx, request)),
		condemned: await count(ctx, found, but, ({ breakGlass }) => {
			const review = breakGlass?.review ?? null;
			return review?.verdict === 'unjustified' && review.at > since;
		}),
	};
}

type Listed = { readonly ids: readonly string[]; readonly more: number };

async function listed(ctx: ReadCtx, places: readonly string[], after: string): Promise<Listed> {
	const read = async (pk: string) => Ledger.Listing.list(ctx, pk, { limit: LINES, after: after === '' ? null : after });
	const pages = await pMap(places, read, { concurrency: AT_ONCE });
	const ids = new Set(pages.flatMap(({ keys }) => keys.map((line) => line.slice(line.indexOf('#') + 1))));
	return { ids: [...ids], more: pages.filter(({ next }) => next !== null).length };
}

async function count(
	ctx: ReadCtx,
	{ ids, more }: Listed,
	but: string | null,
	counts: (request: Request) => boolean | Promise<boolean>,
): Promise<number> {
	const one = async (id: string) => {
		const request = await Ledger.readable(async () => ({ found: await get(ctx, id) }));
		if (request === null) return true;
		return request.found !== null && counts(request.found);
	};
	const others = ids.filter((id) => id !== but);
	// A list that goes on is longer than anybody may let it become.
	return (await pMap(others, one, { concurrency: AT_ONCE })).filter(Boolean).length + more * LINES;
}

async function isUnreviewed(ctx: ReadCtx, request: Request): Promise<boolean> {
	if (request.breakGlass?.review !== null) return false;
	return request.state === 'pending' || (await takenIn(ctx, request)) !== null;
}
