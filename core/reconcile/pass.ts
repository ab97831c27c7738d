/**
 * One pass over tables: each looked at, recorded, mended. Page by page and a few tables at a time, so memory does not
 * grow with the grants; a table that fails is counted and left to the next pass.
 *
 * A whole pass may be longer than a function lives: where it stopped is kept as a hint, and the next one begins there.
 */
import pMap from 'p-map';
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import { tidyLinks } from '../grants.ts';
import type { Lease } from '../lease.ts';
import * as Ledger from '../ledger.ts';
import { type Links, makeLinks } from './links.ts';
import type { Registered } from './observe.ts';
import { makePace, type Pace } from './pace.ts';
import type { Finding } from './record.ts';
import { reconcileTable } from './table.ts';
import { tablesOf } from './unapproved.ts';

type TableRef = Ledger.TableRef;

/** Tables looked at at once. */
const AT_ONCE = 4;
/** Tables of one page of the listing; where a page ended is where a pass that was cut off goes on. */
const PAGE = 50;
/** Findings that are given back one by one; all are counted and recorded. */
const MOST_SHOWN = 500;

export type Tally = {
	readonly tables: number;
	/** Entitlements compared with Lake Formation. */
	readonly checked: number;
	/** Findings mended or held back, entitlements finished, resource links taken away. */
	readonly repaired: number;
	readonly alerted: number;
	/** Tables that could not be looked at, entitlements that cannot be read, repairs that did not succeed. */
	readonly failed: number;
};

export type Found = Finding & { readonly table: TableRef };

export type Reconciled = {
	/** False where another pass took the lease: what is told is what was done until then. */
	readonly whole: boolean;
	readonly tally: Tally;
	readonly findings: readonly Found[];
};

type Pass = {
	readonly ctx: Context;
	readonly lease: Lease;
	readonly registered: Registered;
	readonly links: Links;
	readonly pace: Pace;
	readonly tally: { -readonly [K in keyof Tally]: Tally[K] };
	readonly findings: Found[];
	whole: boolean;
};

/** These tables, in this order. */
export async function passOver(ctx: Context, lease: Lease, tables: readonly TableRef[]): Promise<Reconciled> {
	const pass = await begin(ctx, lease);
	await each(pass, tables);
	return told(pass);
}

const HINT = 'reconcile-after';

/** Every published table, held or not, every one that was held, and the resource links of every consuming account. */
export async function passOverAll(ctx: Context, lease: Lease): Promise<Reconciled> {
	const pass = await begin(ctx, lease);
	const stopped = (await Ledger.Listing.readHint(ctx, HINT)) ?? '';
	for (const stretch of stretchesFrom(stopped)) if (pass.whole) await walk(pass, stretch);
	if (pass.whole) {
		await Ledger.Listing.writeHint(ctx, HINT, '');
		await pMap(pass.registered.accounts, (account) => tidy(pass, account), { concurrency: 1 });
	}
	return told(pass);
}

async function begin(ctx: Context, lease: Lease): Promise<Pass> {
	const domains = await Domains.list(ctx);
	const principals = domains.flatMap((d) => d.principals.map((p) => p.arn));
	const accounts = new Set(domains.filter((d) => d.principals.length > 0).map((d) => d.account));
	const tally = { tables: 0, checked: 0, repaired: 0, alerted: 0, failed: 0 };
	const registered = { principals, accounts };
	return { ctx, lease, registered, links: makeLinks(), pace: makePace(), tally, findings: [], whole: true };
}

const told = ({ whole, tally, findings }: Pass): Reconciled => ({ whole, tally, findings });

type Stretch = {
	/** Tables on which anybody ever held anything; then products, for the tables on which nobody did. */
	readonly of: 'held' | 'products';
	readonly from: string;
	readonly upTo: string | null;
};

/** What tells a place in the listing of products from one in that of tables. */
const IN_PRODUCTS = 'published/';
const placeIn = (of: Stretch['of'], name: string) => (of === 'held' ? name : `${IN_PRODUCTS}${name}`);

/** All of both listings, once around from where the last pass stopped. */
function stretchesFrom(stopped: string): Stretch[] {
	const of = stopped.startsWith(IN_PRODUCTS) ? 'products' : 'held';
	const from = of === 'held' ? stopped : stopped.slice(IN_PRODUCTS.length);
	const last: Stretch[] = from === '' ? [] : [{ of, from: '', upTo: from }];
	return [{ of, from, upTo: null }, { of: otherThan(of), from: '', upTo: null }, ...last];
}

const otherThan = (of: Stretch['of']): Stretch['of'] => (of === 'held' ? 'products' : 'held');

/** A stretch page by page, each page's end kept before the next begins. */
async function walk(pass: Pass, { of, from, upTo }: Stretch): Promise<void> {
	const { ctx } = pass;
	let after: string | null = from === '' ? null : from;
	do {
		const range = { limit: PAGE, after, ...(upTo === null ? {} : { upTo }) };
		const page: Ledger.Listing.Page = await Ledger.Listing.list(ctx, Ledger.Listing.key[of], range);
		await each(pass, of === 'held' ? page.keys.map(tableOf) : await neverHeld(pass, page.keys));
		if (!pass.whole) return;
		after = page.next;
		const place = after === null ? placeIn(otherThan(of), '') : placeIn(of, after);
		await Ledger.Listing.writeHint(ctx, HINT, place);
	} while (after !== null);
}

/** Tables of these products on which nobody ever held anything: what stands on them, others gave. */
async function neverHeld(pass: Pass, products: readonly string[]): Promise<TableRef[]> {
	const { ctx, tally } = pass;
	const one = async (product: string): Promise<TableRef[]> => {
		try {
			const tables = await tablesOf(ctx, product);
			const held = await Promise.all(tables.map((table) => isHeld(ctx, table)));
			return tables.filter((_, i) => held[i] === false);
		} catch (error) {
			tally.failed += 1;
			ctx.warn('reconcile: a product is left to the next pass', error);
			return [];
		}
	};
	return (await pMap(products, one, { concurrency: AT_ONCE })).flat();
}

async function isHeld(ctx: Context, table: TableRef): Promise<boolean> {
	const { keys } = await Ledger.Listing.list(ctx, Ledger.Listing.key.holdersOf(table), { limit: 1 });
	return keys.length > 0;
}

/** Names in Glue hold no dots in account and database (an account is digits; Athena takes no dotted database). */
function tableOf(name: string): TableRef {
	const [account = '', database = '', ...table] = name.split('.');
	return { account, database, table: table.join('.') };
}

async function each(pass: Pass, tables: readonly TableRef[]): Promise<void> {
	const one = async (table: TableRef) => {
		await pass.pace(table.account);
		try {
			pass.whole = pass.whole && (await pass.lease.held());
			if (pass.whole) await lookAt(pass, table);
		} catch (error) {
			pass.tally.failed += 1;
			pass.ctx.warn('reconcile: a table is left to the next pass', error);
		}
	};
	await pMap(tables, one, { concurrency: AT_ONCE });
}

async function lookAt({ ctx, registered, links, tally, findings }: Pass, table: TableRef): Promise<void> {
	tally.tables += 1;
	const done = await reconcileTable(ctx, table, registered, links);
	tally.checked += done.checked;
	tally.repaired += done.finished;
	tally.failed += done.failed;
	for (const finding of done.findings) {
		if (finding.outcome === 'alerted') tally.alerted += 1;
		else tally.repaired += 1;
		if (findings.length < MOST_SHOWN) findings.push({ ...finding, table });
	}
}

async function tidy({ ctx, links, tally }: Pass, account: string): Promise<void> {
	try {
		if (await links.anyLeft(ctx, account)) tally.repaired += (await tidyLinks(ctx, account)).length;
	} catch (error) {
		tally.failed += 1;
		ctx.warn('reconcile: resource links are left to the next pass', error);
	}
}
