/**
 * How far the check of a day has come in one account. Kept as a hint after each page: a check that is cut off goes on from
 * there, one whose hint is lost begins again, and neither says anything twice. CloudTrail gives the newest first, so a place
 * in it is the second that was reached and the ids that were seen in it.
 */
import * as z from 'zod';
import type { Context } from '../context.ts';
import * as Ledger from '../ledger.ts';
import type { Verdict } from './judge.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;
type Body = Ledger.BodyOf<'CompletenessChecked'>;

const count = z.int().min(0);
export const Tally = z.object({
	matched: count,
	ownDomain: count,
	bypassing: count,
	refused: count,
	ungoverned: count,
	elsewhere: count,
	unreadable: count,
});
export type Tally = z.infer<typeof Tally>;

export const NONE: Tally = {
	matched: 0,
	ownDomain: 0,
	bypassing: 0,
	refused: 0,
	ungoverned: 0,
	elsewhere: 0,
	unreadable: 0,
};

const Stretch = z.object({ done: z.boolean(), until: z.string().nullable(), seen: z.array(z.string()) });
export type Stretch = z.infer<typeof Stretch>;

const Own = z.object({
	table: z.object({ account: z.string(), database: z.string(), table: z.string() }),
	products: z.array(z.string()),
	principal: z.string().nullable(),
	reads: z.int(),
});
export type Own = z.infer<typeof Own>;

const Progress = z.object({
	starts: Stretch,
	accesses: Stretch,
	athena: z.object({
		done: z.boolean(),
		/** The last work group that is done, in their order; then the one that is being gone through, and from where on. */
		through: z.string().nullable(),
		group: z.string().nullable(),
		token: z.string().nullable(),
		tally: Tally,
		inGroup: Tally,
	}),
	tally: Tally,
	own: z.array(Own),
	unreadable: z.array(z.object({ event: z.string().nullable(), lacks: z.string() })),
	/** Hours of products whose flows were listed again, whichever account it was for. */
	sought: z.record(z.string(), z.int()).default({}),
});
export type Progress = z.infer<typeof Progress>;

const begun: Stretch = { done: false, until: null, seen: [] };
export const BEGUN: Progress = {
	starts: begun,
	accesses: begun,
	athena: { done: false, through: null, group: null, token: null, tally: NONE, inGroup: NONE },
	tally: NONE,
	own: [],
	unreadable: [],
	sought: {},
};

/** Kept of one account; what is more is counted. */
export const MOST_OWN = 200;
export const MOST_UNREADABLE = 30;
/** Ids of one second that are told apart. */
const MOST_SEEN = 5000;

export type Of = { readonly day: string; readonly base: number; readonly account: string };

/** `base`: the version that is to be followed. Whoever asks for another look at a day begins anew. */
const nameOf = ({ day, base, account }: Of) => `completeness#${day}#${base}#${account}`;

export async function load(ctx: Ctx, of: Of): Promise<Progress> {
	const text = await Ledger.Listing.readHint(ctx, nameOf(of));
	const found = Progress.safeParse(text === null ? null : json(text));
	return found.success ? found.data : BEGUN;
}

export async function save(ctx: Ctx, of: Of, progress: Progress): Promise<void> {
	await Ledger.Listing.writeHint(ctx, nameOf(of), JSON.stringify(progress));
}

export async function forget(ctx: Ctx, of: Of): Promise<void> {
	await Ledger.Listing.remove(ctx, `hint#${nameOf(of)}`, '-');
}

function json(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}

export function plus(one: Tally, other: Tally): Tally {
	const names = Object.keys(NONE) as (keyof Tally)[];
	return Object.fromEntries(names.map((name) => [name, one[name] + other[name]])) as Tally;
}

export function counted(tally: Tally, { of }: Verdict): Tally {
	return of === 'unsure' ? tally : { ...tally, [of]: tally[of] + 1 };
}

/** One more read of a domain's own. */
export function withOwn(own: readonly Own[], read: Omit<Own, 'reads'>): Own[] {
	const key = keyOf(read);
	const known = own.find((o) => keyOf(o) === key);
	if (known !== undefined) return own.map((o) => (o === known ? { ...o, reads: o.reads + 1 } : o));
	return own.length >= MOST_OWN ? [...own] : [...own, { ...read, reads: 1 }];
}

const keyOf = ({ table, principal }: Omit<Own, 'reads'>) => JSON.stringify([table, principal]);

export function withUnreadable(
	list: Progress['unreadable'],
	one: Progress['unreadable'][number],
): Progress['unreadable'] {
	return list.length >= MOST_UNREADABLE ? list : [...list, one];
}

/** What is new of a page, and the place after it. */
export function beyond<T extends { readonly id: string | null; readonly at: string | null }>(
	{ until, seen }: Stretch,
	page: readonly T[],
): { readonly fresh: readonly T[]; readonly place: Pick<Stretch, 'until' | 'seen'> } {
	let second = until;
	let ids = new Set(seen);
	const fresh: T[] = [];
	for (const line of page) {
		if (line.at !== null && (second === null || line.at < second)) {
			second = line.at;
			ids = new Set();
		}
		if (line.id !== null && ids.has(line.id)) continue;
		if (line.id !== null && line.at === second && ids.size < MOST_SEEN) ids.add(line.id);
		fresh.push(line);
	}
	return { fresh, place: { until: second, seen: [...ids] } };
}

/** The first by number of reads. */
export function mostRead(all: readonly Own[], most: number): Body['ownDomain'] {
	return all.toSorted((a, b) => b.reads - a.reads || (keyOf(a) < keyOf(b) ? -1 : 1)).slice(0, most);
}
