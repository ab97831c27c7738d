/**
 * The schedule's work: ends what is due and carries forward whatever was begun and not finished. It runs the same
 * functions as the calls that began it, so repair is the normal path run again. One broken thing never holds up the rest.
 */
import * as Access from './access.ts';
import { type Context, type Platform, systemContext } from './context.ts';
import * as Grants from './grants.ts';
import * as Ledger from './ledger.ts';
import * as Lineage from './lineage.ts';
import * as Query from './query.ts';

export type Swept = {
	readonly relisted: number;
	readonly expired: number;
	readonly advanced: number;
	readonly failed: number;
};

const { key, SHARDS } = Ledger.Listing;

/** One pass. Safe to run at any time and beside another one. */
export async function sweep(platform: Platform, runId: string): Promise<Swept> {
	const ctx = systemContext(platform, runId);
	const tally = { relisted: 0, expired: 0, advanced: 0, failed: 0 };
	const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
	// Endings first: what is due waits neither for what is stuck nor for listings that cannot be repaired.
	for (const shard of shards) {
		for (const item of await dueItems(ctx, shard)) {
			if (await attempt(ctx, () => expire(ctx, shard, item))) tally.expired += 1;
			else tally.failed += 1;
		}
	}
	const repaired = await attempt(ctx, async () => {
		tally.relisted = await Ledger.repairListings(ctx, ctx.now);
	});
	if (!repaired) tally.failed += 1;
	for (const shard of shards) {
		for (const item of await Ledger.Listing.all(ctx, key.open(shard))) {
			if (await attempt(ctx, () => carryOn(ctx, shard, item))) tally.advanced += 1;
			else tally.failed += 1;
		}
	}
	return tally;
}

async function attempt(ctx: Context, work: () => Promise<void>): Promise<boolean> {
	try {
		await work();
		return true;
	} catch (error) {
		ctx.warn('sweep: an item is left to the next pass', error);
		return false;
	}
}

async function dueItems(ctx: Context, shard: number): Promise<string[]> {
	const items: string[] = [];
	let after: string | null = null;
	do {
		const page: Ledger.Listing.Page = await Ledger.Listing.list(ctx, key.due(shard), {
			limit: 200,
			after,
			upTo: `${ctx.now.toISOString()}~`,
		});
		items.push(...page.keys);
		after = page.next;
	} while (after !== null);
	return items;
}

async function expire(ctx: Context, shard: number, item: string): Promise<void> {
	const grant = await Grants.get(ctx, item.slice(item.indexOf('#') + 1));
	if (grant !== null && grant.opened.body.until <= ctx.now.toISOString()) {
		await Grants.end(ctx, null, grant, 'expired');
		await Grants.advance(ctx, grant.opened.body.grant);
		// Also for one that ended long before: nothing a stalled process left behind outlives the approved window.
		await Grants.tidy(ctx, grant);
	}
	// Taken off only now: killed before, the next pass finds it again. What could not be taken out is also in `open`.
	await Ledger.Listing.remove(ctx, key.due(shard), item);
}

const done: ReadonlySet<Grants.GrantState> = new Set(['granted', 'expired', 'revoked']);

async function carryOn(ctx: Context, shard: number, item: string): Promise<void> {
	const id = item.slice(item.indexOf('#') + 1);
	if (item.startsWith('request#')) {
		const request = await Access.get(ctx, id);
		if (request !== null) await Access.openGrant(ctx, request);
		await Ledger.Listing.remove(ctx, key.open(shard), item);
	} else if (item.startsWith('grant#')) {
		const grant = await Grants.get(ctx, id);
		const state = grant === null ? 'revoked' : (await Grants.advance(ctx, id)).state;
		if (done.has(state)) await Ledger.Listing.remove(ctx, key.open(shard), item);
	} else {
		const flow = await Lineage.get(ctx, id);
		const ended = flow === null || (await Query.follow(ctx, flow)).ended !== null;
		if (ended) await Ledger.Listing.remove(ctx, key.open(shard), item);
	}
}
