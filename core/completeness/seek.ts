/**
 * Lists flows by their executions again, before anybody is told of a bypass: no line that was lost makes one of a flow. Gone
 * through are the flows of a product that may have read at that time, hour by hour of their intent, each hour once in a
 * check: whoever needs it meanwhile waits for whoever is at it. What was gone through is told, for whoever goes on after
 * a cut-off.
 */
import pMap from 'p-map';
import type { Context } from '../context.ts';
import * as Ledger from '../ledger.ts';
import * as Lineage from '../lineage.ts';

type Ctx = Pick<Context, 'aws' | 'config' | 'warn'>;

/** By product, the hours that were gone through, as bits: the lowest is the fifth hour before the day. */
export type Sought = Readonly<Record<string, number>>;

/** What one or another went through. */
export function union(all: readonly Sought[]): Sought {
	const products = [...new Set(all.flatMap((one) => Object.keys(one)))];
	return Object.fromEntries(products.map((p) => [p, all.reduce((hours, one) => hours | (one[p] ?? 0), 0)]));
}

export type Seeker = {
	/** Whether every flow that may account for a read at that time was listed again. */
	readonly covers: (products: readonly string[], at: string) => boolean;
	/** Sees to it. False where `goesOn` said no first: what was done is kept. */
	readonly seek: (products: readonly string[], at: string, goesOn: () => Promise<boolean>) => Promise<boolean>;
	readonly sought: () => Sought;
};

const HOUR_MS = 3_600_000;
/** A flow starts within the hour, or is orphaned, and Athena runs no query for longer than four. */
const BEFORE = 5;
const DAY_BEFORE = (1 << BEFORE) - 1;
const LAST = 23;
/** Flows that are looked at between two questions whether there is time, and at once. */
const PAGE = 100;
const AT_ONCE = 8;
/** Products that are told; what is more is gone through again. */
const MOST = 500;

/** `known`: what the check had gone through before it was cut off. */
export function makeSeeker(ctx: Ctx, day: string, known: Sought): Seeker {
	const begin = Date.parse(day);
	const done = new Map(Object.entries(known));
	const turns = new Map<string, Promise<void>>();

	/** The hour of the read and those before it. */
	const hoursOf = (at: string) => {
		const hour = Math.floor((Date.parse(at) - begin) / HOUR_MS);
		return ((1 << (BEFORE + 1)) - 1) << Math.min(LAST, Math.max(0, hour));
	};
	const missing = (product: string, hours: number) => hours & ~(done.get(product) ?? 0);
	const instant = (bit: number) => new Date(begin + (bit - BEFORE) * HOUR_MS).toISOString();

	const goThrough = async (product: string, hours: number, goesOn: () => Promise<boolean>): Promise<boolean> => {
		// Flows are listed by their days.
		for (const part of [hours & DAY_BEFORE, hours & ~DAY_BEFORE]) {
			const left = missing(product, part);
			if (left === 0) continue;
			const range = { from: instant(lowest(left)), to: instant(highest(left) + 1) };
			if (!(await listAgain(ctx, product, range, goesOn))) return false;
			done.set(product, (done.get(product) ?? 0) | left);
		}
		return true;
	};
	const inTurn = (product: string, hours: number, goesOn: () => Promise<boolean>): Promise<boolean> => {
		const before = turns.get(product) ?? Promise.resolve();
		const mine = before.then(() => goThrough(product, hours, goesOn));
		// How it ends for one is nothing to those who wait.
		const over = () => {};
		turns.set(product, mine.then(over, over));
		return mine;
	};

	return {
		covers: (products, at) => products.every((product) => missing(product, hoursOf(at)) === 0),
		async seek(products, at, goesOn) {
			for (const product of products) if (!(await inTurn(product, hoursOf(at), goesOn))) return false;
			return true;
		},
		sought: () => Object.fromEntries([...done].slice(0, MOST)),
	};
}

const highest = (bits: number) => 31 - Math.clz32(bits);
const lowest = (bits: number) => highest(bits & -bits);

type Span = { readonly from: string; readonly to: string };

async function listAgain(ctx: Ctx, product: string, { from, to }: Span, goesOn: () => Promise<boolean>) {
	const { key, list, SHARDS } = Ledger.Listing;
	const day = from.slice(0, '2000-01-01'.length);
	for (let shard = 0; shard < SHARDS; shard += 1) {
		for (let after: string | null = from; after !== null; ) {
			if (!(await goesOn())) return false;
			const range = { limit: PAGE, after, upTo: to };
			const page: Ledger.Listing.Page = await list(ctx, key.flows(product, day, shard), range);
			await Ledger.relist(ctx, await endsOf(ctx, page.keys));
			after = page.next;
		}
	}
	return true;
}

/** The ends that name an execution, of flows that can be read. */
async function endsOf(ctx: Ctx, lines: readonly string[]): Promise<Ledger.Recorded[]> {
	const ended = async (line: string) => {
		const flow = await Ledger.readable(() => Lineage.get(ctx, line.slice(line.indexOf('#') + 1)));
		return flow === null || executionOf(flow) === null ? null : flow.ended;
	};
	return (await pMap(lines, ended, { concurrency: AT_ONCE })).filter((end) => end !== null);
}

/** As the end of the flow says, where it has one that does. */
export function executionOf({ ended }: Lineage.Flow): string | null {
	return ended !== null && 'execution' in ended.body ? ended.body.execution : null;
}
