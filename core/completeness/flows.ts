/**
 * Which flow an execution of Athena belongs to. The end of a flow names its execution; one that is under way is known by
 * what was noted when it was started; and where nobody lived to note that, by the token that it was started with, which
 * is made from the flow alone. Listings only lead to a flow: what its own stream says decides.
 */
import pMap from 'p-map';
import { decodeTime } from 'ulid';
import type { Context } from '../context.ts';
import * as Ledger from '../ledger.ts';
import * as Lineage from '../lineage.ts';
import { executionOf, makeSeeker, type Sought } from './seek.ts';
import { isOf, type Noted, note, readNoted, type Sighting, wasUnderWay } from './started.ts';

type Ctx = Pick<Context, 'aws' | 'config' | 'warn'>;

/** `unreadable`: there is one, and its entries cannot be read. `unsought`: there was no time to look for it. */
export type Found = Lineage.Flow | 'unreadable' | 'unsought' | null;

/** Where to look for a flow whose listing was lost: of which products it would be, and when it was seen. */
export type Among = {
	readonly products: readonly string[];
	readonly at: string;
	/** Whether there is time left. */
	readonly goesOn: () => Promise<boolean>;
};

export type Flows = {
	readonly ofExecution: (execution: string, among: Among) => Promise<Found>;
	/**
	 * The flow that this token was made for, if it can have started what was seen: as its principal, in its work group, while
	 * it was under way. From here on it is known by the execution.
	 */
	readonly ofToken: (token: string, execution: string, seen: Sighting) => Promise<Lineage.Flow | null>;
	/** Whether a flow of this account, and of this principal if there is one, was under way then and nobody knows as what. */
	readonly isUnsure: (asker: Asker, at: string) => boolean;
	/** Flows intended on this day that had no end by `before`. */
	readonly withoutEnd: (day: string, before: Date) => readonly string[];
	/** Flows of this day under way, or ended without anybody knowing as what they were started, whose entries cannot be read. */
	readonly unreadable: (day: string) => readonly string[];
	/** What was gone through to find flows whose listing was lost. */
	readonly sought: () => Sought;
};

type Asker = { readonly account: string; readonly principal: string | null };

/** Looked up a second time within so many, an execution costs no call. */
const KEPT = 2000;

/** `day`: that is looked at; of flows that ended before it nothing is of interest. `sought`: before it was cut off. */
export async function readFlows(ctx: Ctx, day: string, sought: Sought = {}): Promise<Flows> {
	const { open, lost } = await underWay(ctx, day);
	const running = new Map<string, Lineage.Flow | 'unreadable'>();
	for (const { execution } of lost) if (execution !== null) running.set(execution, 'unreadable');
	for (const { flow, execution, noted } of open) {
		for (const known of [execution, ...noted.map((n) => n.execution)]) if (known !== null) running.set(known, flow);
	}
	const unnoted = new Map(
		open.flatMap((one) => (one.execution === null && one.token !== null ? [[one.token, one] as const] : [])),
	);
	const unsure = open.filter(({ execution, noted }) => execution === null && noted.length === 0);
	const seeker = makeSeeker(ctx, day, sought);
	const kept = new Map<string, Lineage.Flow | 'unreadable'>();
	const ended = async (execution: string) => {
		const known = kept.get(execution) ?? (await endedAs(ctx, execution));
		if (kept.size >= KEPT) kept.clear();
		if (known !== null) kept.set(execution, known);
		return known;
	};
	return {
		async ofExecution(execution, { products, at, goesOn }) {
			// Asked before it is looked up: what others list again meanwhile would be missed.
			const covered = seeker.covers(products, at);
			const known = running.get(execution) ?? (await ended(execution));
			if (known !== null || covered) return known;
			return (await seeker.seek(products, at, goesOn)) ? ended(execution) : 'unsought';
		},
		async ofToken(token, execution, seen) {
			const one = unnoted.get(token);
			if (one === undefined || !isOf(one.flow, seen)) return null;
			running.set(execution, one.flow);
			if (!one.noted.some((n) => n.execution === execution)) {
				one.noted.push({ execution, ...seen });
				await note(ctx, one.flow, one.noted);
			}
			return one.flow;
		},
		isUnsure: ({ account, principal }, at) =>
			unsure.some(({ flow }) => {
				const own = flow.intended.body.principal;
				const same = principal === null ? accountOf(own) === account : own === principal;
				return same && wasUnderWay(flow, at);
			}),
		withoutEnd: (intended, before) =>
			open
				.map(({ flow }) => flow)
				.filter(({ ended: end }) => end === null)
				.filter(({ intended: { entry } }) => entry.at.startsWith(intended) && entry.at <= before.toISOString())
				.map(({ id }) => id)
				.toSorted(),
		unreadable: (intended) =>
			lost
				.map(({ id }) => id)
				.filter((id) => (dayIn(id) ?? intended) === intended)
				.toSorted(),
		sought: () => seeker.sought(),
	};
}

const accountOf = (arn: string) => arn.split(':')[4] ?? '';

/** The day that an id was made on; null where it is none. */
function dayIn(id: string): string | null {
	try {
		return new Date(decodeTime(id.slice(id.indexOf('_') + 1))).toISOString().slice(0, 10);
	} catch {
		return null;
	}
}

type Open = {
	readonly flow: Lineage.Flow;
	readonly execution: string | null;
	readonly token: string | null;
	/** What was seen of it and compared. */
	readonly noted: Noted;
};
type Lost = { readonly id: string; readonly execution: string | null };

/**
 * Every flow under way, and those that ended since with nobody knowing as what they had been started. One that cannot be
 * read is told: what it may have started is not known.
 */
async function underWay(ctx: Ctx, since: string): Promise<{ readonly open: Open[]; readonly lost: Lost[] }> {
	const { key, all, SHARDS } = Ledger.Listing;
	const ids: string[] = [];
	for (let shard = 0; shard < SHARDS; shard += 1) {
		const lines = await all(ctx, key.open(shard));
		ids.push(...lines.filter((line) => line.startsWith('query#')).map(idIn));
	}
	for (let after: string | null = since; after !== null; ) {
		const page: Ledger.Listing.Page = await Ledger.Listing.list(ctx, key.unnoted, { limit: 200, after });
		ids.push(...page.keys.map(idIn));
		after = page.next;
	}
	const open: Open[] = [];
	const lost: Lost[] = [];
	const one = async (id: string): Promise<void> => {
		const flow = await Ledger.readable(() => Lineage.get(ctx, id));
		if (flow !== null && executionOf(flow) !== null) return;
		const started = flow === null ? null : await Ledger.readable(() => Lineage.startedAs(ctx, flow));
		if (flow !== null && started !== null) {
			open.push({ flow, ...started, noted: await readNoted(ctx, flow) });
			return;
		}
		ctx.warn('completeness: a flow cannot be read', new Error(`record-corrupt: ${id}`));
		lost.push({ id, execution: await Lineage.startedNoted(ctx, { id }) });
	};
	await pMap([...new Set(ids)], one, { concurrency: AT_ONCE });
	return { open, lost };
}

const idIn = (line: string) => line.slice(line.indexOf('#') + 1);
const AT_ONCE = 8;

async function endedAs(ctx: Ctx, execution: string): Promise<Lineage.Flow | 'unreadable' | null> {
	const { keys } = await Ledger.Listing.list(ctx, Ledger.Listing.key.execution(execution), { limit: 10 });
	let unreadable = false;
	for (const id of keys) {
		const read = await Ledger.readable(async () => ({ flow: await Lineage.get(ctx, id) }));
		if (read === null) unreadable = true;
		else if (read.flow !== null && executionOf(read.flow) === execution) return read.flow;
	}
	return unreadable ? 'unreadable' : null;
}
