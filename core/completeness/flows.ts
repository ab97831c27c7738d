/**
 * Which flow an execution of Athena belongs to. The end of a flow names its execution; one that is under way is known by
 * what was noted when it was started; and where nobody lived to note that, by the token that it was started with, which
 * is made from the flow alone. Listings only lead to a flow: what its own stream says decides.
 */
import pMap from 'p-map';
import type { Context } from '../context.ts';
import * as Ledger from '../ledger.ts';
import * as Lineage from '../lineage.ts';

type Ctx = Pick<Context, 'aws' | 'config' | 'warn'>;

/** `unreadable`: there is one, and its entries cannot be read. */
export type Found = Lineage.Flow | 'unreadable' | null;

export type Flows = {
	/** `products`: of which it would be, for a flow whose listing was lost. */
	readonly ofExecution: (execution: string, products: readonly string[], day: string) => Promise<Found>;
	/** The flow under way that this token was made for, from here on known by the execution. */
	readonly ofToken: (token: string, execution: string) => Promise<Lineage.Flow | null>;
	/** Whether a flow under way of a principal of this account was started and nobody knows as what. */
	readonly isUnsure: (account: string) => boolean;
	/** Flows intended on this day that had no end by `before`. */
	readonly withoutEnd: (day: string, before: Date) => readonly string[];
};

/** Looked up a second time within so many, an execution costs no call. */
const KEPT = 2000;

/** `since`: the day that is looked at; of flows that ended before it nothing is of interest. */
export async function readFlows(ctx: Ctx, since: string): Promise<Flows> {
	const open = await underWay(ctx, since);
	const running = new Map(
		open.flatMap(({ flow, execution }) => (execution === null ? [] : [[execution, flow] as const])),
	);
	const unnoted = new Map(
		open.flatMap(({ flow, execution, token }) =>
			execution === null && token !== null ? [[token, flow] as const] : [],
		),
	);
	const unsure = new Set(
		open.flatMap(({ flow, execution }) =>
			execution === null ? [flow.intended.body.principal.split(':')[4] ?? ''] : [],
		),
	);
	const kept = new Map<string, Found>();
	const sought = new Set<string>();
	const ended = async (execution: string) => {
		const known = kept.get(execution) ?? (await endedAs(ctx, execution));
		if (kept.size >= KEPT) kept.clear();
		if (known !== null) kept.set(execution, known);
		return known;
	};
	return {
		async ofExecution(execution, products, day) {
			const known = running.get(execution) ?? (await ended(execution));
			if (known !== null) return known;
			const missing = products.filter((product) => !sought.has(`${product} ${day}`));
			for (const product of missing) {
				await relist(ctx, product, day);
				sought.add(`${product} ${day}`);
			}
			return missing.length === 0 ? null : ended(execution);
		},
		async ofToken(token, execution) {
			const flow = unnoted.get(token) ?? null;
			if (flow === null) return null;
			running.set(execution, flow);
			await Lineage.noteStarted(ctx, flow, execution);
			return flow;
		},
		isUnsure: (account) => unsure.has(account),
		withoutEnd: (day, before) =>
			open
				.map(({ flow }) => flow)
				.filter(({ ended: end }) => end === null)
				.filter(({ intended: { entry } }) => entry.at.startsWith(day) && entry.at <= before.toISOString())
				.map(({ id }) => id)
				.toSorted(),
	};
}

type Open = { readonly flow: Lineage.Flow; readonly execution: string | null; readonly token: string | null };

/**
 * Every flow under way, and those that ended since with nobody knowing as what they had been started. One that cannot be
 * read is told: what it may have started is not known.
 */
async function underWay(ctx: Ctx, since: string): Promise<Open[]> {
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
	const one = async (id: string): Promise<Open[]> => {
		const flow = await Ledger.readable(() => Lineage.get(ctx, id));
		if (flow === null) ctx.warn('completeness: a flow cannot be read', new Error('record-corrupt'));
		return flow === null || executionOf(flow) !== null ? [] : [{ flow, ...(await Lineage.startedAs(ctx, flow)) }];
	};
	return (await pMap([...new Set(ids)], one, { concurrency: AT_ONCE })).flat();
}

const idIn = (line: string) => line.slice(line.indexOf('#') + 1);
const AT_ONCE = 8;

async function endedAs(ctx: Ctx, execution: string): Promise<Found> {
	const { keys } = await Ledger.Listing.list(ctx, Ledger.Listing.key.execution(execution), { limit: 10 });
	let unreadable = false;
	for (const id of keys) {
		const read = await Ledger.readable(async () => ({ flow: await Lineage.get(ctx, id) }));
		if (read === null) unreadable = true;
		else if (read.flow !== null && executionOf(read.flow) === execution) return read.flow;
	}
	return unreadable ? 'unreadable' : null;
}

function executionOf({ ended }: Lineage.Flow): string | null {
	return ended !== null && 'execution' in ended.body ? ended.body.execution : null;
}

const DAY_MS = 86_400_000;

/**
 * Lists the flows of a product by their executions again. Nobody is told of a bypass because a line was lost; a flow may
 * have been intended the day before.
 */
async function relist(ctx: Ctx, product: string, day: string): Promise<void> {
	const { key, all, applyProjections, SHARDS } = Ledger.Listing;
	for (const of of [new Date(Date.parse(day) - DAY_MS).toISOString().slice(0, 10), day]) {
		for (let shard = 0; shard < SHARDS; shard += 1) {
			for (const line of await all(ctx, key.flows(product, of, shard))) {
				const flow = await Ledger.readable(() => Lineage.get(ctx, idIn(line)));
				const execution = flow === null ? null : executionOf(flow);
				if (flow === null || execution === null) continue;
				await applyProjections(ctx, [{ op: 'put', pk: key.execution(execution), sk: flow.id }]);
			}
		}
	}
}
