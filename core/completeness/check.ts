/** One day: gone through, added up and recorded. Its own entry comes last, after every bypass of it. */
import { actorOf, type Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import { type Lease, take } from '../lease.ts';
import * as Ledger from '../ledger.ts';
import { ORPHANED_AFTER_MS } from '../lineage.ts';
import * as Bypass from './bypass.ts';
import type { Catalog } from './catalog.ts';
import { baseOf, type Checked, isLate, lastOf } from './days.ts';
import type { Flows } from './flows.ts';
import { asLeft, type Passed, passOver } from './pass.ts';
import { forget, MOST_UNREADABLE, mostRead, NONE, plus } from './progress.ts';
import type { Pace } from './turn.ts';

type Body = Ledger.BodyOf<'CompletenessChecked'>;

export type Checkable = {
	readonly day: string;
	readonly catalog: Catalog;
	readonly deadline: Date | null;
	readonly pace: Pace;
};

/** Of one entry, whatever the names are. */
const MOST_OWN = 20;
const MOST_NAMED = 50;

/**
 * What is recorded of the day then; null where it could not be gone through as a whole. While somebody else is at it, that is
 * null, too, or for who asked for it `conflict`. A day that the schedule should have been through long ago is recorded as
 * incomplete, with the accounts that are left; whoever asked asks again.
 */
export async function checkOne(ctx: Context, what: Checkable, asked = false): Promise<Checked | null> {
	const { day } = what;
	return alone(ctx, day, asked, async (lease) => {
		const base = await baseOf(ctx, day);
		const passed = await passOver(ctx, { ...what, base, lease });
		if (!passed.whole && (asked || !isLate(day, ctx.clock()) || !(await lease.held()))) return null;
		return conclude(ctx, { ...what, base }, passed);
	});
}

/**
 * A late day for which there is no time at all, told: as it was recorded, or else recorded as far as it was gone through.
 * Null while somebody else is at it. `flows`: those under way since that day or an earlier one; asked for only where needed.
 */
export async function tellLate(
	ctx: Context,
	what: Pick<Checkable, 'day' | 'catalog'>,
	flows: () => Promise<Flows>,
): Promise<Checked | null> {
	return alone(ctx, what.day, false, async () => {
		const last = await lastOf(ctx, what.day);
		if (last === null) {
			const first = { ...what, base: 0 };
			return conclude(ctx, first, await asLeft(ctx, first, await flows()));
		}
		tell(ctx, last.body);
		return last;
	});
}

/** Does it unless somebody else is at the same day: that is null, or `conflict` for who asked. */
async function alone<T>(
	ctx: Context,
	day: string,
	asked: boolean,
	work: (lease: Lease) => Promise<T>,
): Promise<T | null> {
	const lease = await take(ctx, `completeness#${day}`);
	if (lease === null) {
		const busy = new BrokerError('conflict', 'This day is being checked; try again in a minute.');
		if (asked) throw busy;
		ctx.warn('completeness: another check of a day is under way', busy);
		return null;
	}
	try {
		return await work(lease);
	} finally {
		await lease.release();
	}
}

type Added = Pick<Checkable, 'day' | 'catalog'> & { readonly base: number };

async function conclude(ctx: Context, { day, catalog, base }: Added, passed: Passed): Promise<Checked> {
	const body = await sum(ctx, { day, catalog }, passed);
	tell(ctx, body);
	const recorded = await record(ctx, body);
	if (body.state !== 'incomplete') {
		for (const { account } of catalog.placesOn(day)) await forget(ctx, { day, base, account });
	}
	return recorded;
}

async function sum(
	ctx: Context,
	{ day, catalog }: Pick<Checkable, 'day' | 'catalog'>,
	{ unread, progress, flows }: Passed,
): Promise<Body> {
	const each = [...progress].toSorted(([a], [b]) => (a < b ? -1 : 1));
	const tally = each.reduce((all, [, p]) => plus(plus(all, p.tally), p.athena.tally), NONE);
	const orphaned = flows.withoutEnd(day, new Date(ctx.clock().getTime() - ORPHANED_AFTER_MS));
	const bypasses = await countOf(ctx, Ledger.Listing.key.bypasses(day));
	const { unknown } = catalog;
	// Entries of flows that cannot be read: what those account for, nobody knows.
	const unreadable = tally.unreadable + flows.unreadable(day).length;
	const left = bypasses + tally.bypassing + unreadable + orphaned.length;
	const found = left === 0 ? 'clean' : 'findings';
	return {
		type: 'CompletenessChecked',
		day,
		state: unread.length + unknown.length > 0 ? 'incomplete' : found,
		accounts: catalog.placesOn(day).length,
		unread: unread.slice(0, MOST_NAMED),
		unreadAccounts: unread.length,
		unknownProducts: unknown.slice(0, MOST_NAMED),
		counts: { ...tally, unreadable, bypasses, orphaned: orphaned.length },
		ownDomain: mostRead(
			each.flatMap(([, p]) => p.own),
			MOST_OWN,
		),
		unreadable: each.flatMap(([account, p]) => p.unreadable.map((u) => ({ account, ...u }))).slice(0, MOST_UNREADABLE),
		orphaned: orphaned.slice(0, MOST_NAMED),
	};
}

async function countOf(ctx: Context, pk: string): Promise<number> {
	let count = 0;
	let after: string | null = null;
	do {
		const page: Ledger.Listing.Page = await Ledger.Listing.list(ctx, pk, { limit: 500, after });
		count += page.keys.length;
		after = page.next;
	} while (after !== null);
	return count;
}

/** Before it is recorded: killed in between, it is told twice and never not at all. */
function tell(ctx: Context, { state, counts }: Body): void {
	const what = new BrokerError('conflict', 'GET /completeness tells more.');
	if (counts.bypasses + counts.bypassing > 0) Bypass.tell(ctx);
	if (counts.orphaned > 0) ctx.warn('completeness: orphaned flows', what);
	if (state === 'incomplete') ctx.warn('completeness: incomplete day', what);
}

/** Says it unless it was said last. Who was overtaken looks at what the other one said. */
async function record(ctx: Context, body: Body, again = true): Promise<Checked> {
	const last = await lastOf(ctx, body.day);
	if (last !== null && same(last.body, body)) {
		await Ledger.Listing.applyProjections(ctx, Ledger.Listing.project(last));
		return last;
	}
	try {
		const stream = Ledger.stream.completeness(body.day);
		const recorded = await Ledger.append(ctx, { stream, after: last, actor: actorOf(ctx), body });
		return Ledger.as(recorded, 'CompletenessChecked');
	} catch (error) {
		if (!again || !(error instanceof BrokerError) || error.code !== 'conflict') throw error;
		return record(ctx, body, false);
	}
}

const same = (one: Body, other: Body) => Buffer.compare(Ledger.canonicalBytes(one), Ledger.canonicalBytes(other)) === 0;
