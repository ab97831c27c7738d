/**
 * What is recorded of a table and what AWS shows of it, such that a difference between the two is one.
 *
 * A listing is older than the moment it is read in, and grants go on meanwhile. So the entitlements are read before and
 * after it, and one that changed in between is left to the next pass; and what differs is looked at twice, for a read
 * may lag behind a write (aws-facts, "never trust a single read after write").
 */
import pMap from 'p-map';
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import { filterPrefix, type Standing, standing } from '../grants.ts';
import * as LF from '../lakeformation.ts';
import * as Ledger from '../ledger.ts';
import { type Actual, compare, type Discrepancy, isBusy, type Known, keyOf } from './compare.ts';
import type { Links } from './links.ts';

type TableRef = Ledger.TableRef;

/** Entitlements read at once. */
const AT_ONCE = 16;

/** Principals and consuming accounts that the registry names. */
export type Registered = { readonly principals: readonly string[]; readonly accounts: ReadonlySet<string> };

export type Observed = {
	readonly checked: number;
	/** Entitlements that cannot be read: nothing of theirs is judged. */
	readonly unreadable: number;
	readonly found: readonly Discrepancy[];
	/** Whose entitlement was begun to be brought to Lake Formation and left: nothing of it is open until it is finished. */
	readonly stalled: readonly string[];
	/** Entitlements, by the prefix of their filters, of which nothing can be told now: unreadable, or being changed. */
	readonly unsure: ReadonlySet<string>;
};

export async function observe(ctx: Context, table: TableRef, registered: Registered, links: Links): Promise<Observed> {
	const holders = await Ledger.Listing.all(ctx, Ledger.Listing.key.holdersOf(table));
	const before = await readAll(ctx, table, holders);
	const seen = await look(ctx, table, before, links.seenBy);
	const known = knownTo(registered, new Set(holders));
	const first = differing(before, seen, known, ctx.clock());
	const tally = { checked: holders.length, unreadable: before.unreadable.size };
	if (first.length === 0 && stalledIn(before, ctx.clock()).length === 0) {
		return { ...tally, found: [], stalled: [], unsure: unsureIn(before, ctx.clock()) };
	}
	const again = await look(ctx, table, before, links.seenNow);
	const after = await readAll(ctx, table, [...holders, ...newcomers(table, again, holders, registered)]);
	const moved = new Set(after.standings.filter((s) => s.ver !== verOf(before, s.principal)).map((s) => s.principal));
	const second = differing(after, again, known, ctx.clock());
	const both = new Set(first.map(keyOf));
	const found = second.filter((d) => both.has(keyOf(d)) && (d.owner === null || !moved.has(d.owner)));
	const stalled = again.exists ? stalledIn(after, ctx.clock()).filter((p) => !moved.has(p)) : [];
	const changed = [...moved].map((p) => filterPrefix(p, table));
	const unsure = new Set([...before.unreadable, ...unsureIn(after, ctx.clock()), ...changed]);
	return { ...tally, found, stalled, unsure };
}

function unsureIn({ standings, unreadable }: Read, now: Date): Set<string> {
	const busy = standings.filter((s) => isBusy(s, now));
	return new Set([...unreadable, ...busy.map((s) => filterPrefix(s.principal, s.table))]);
}

function stalledIn({ standings }: Read, now: Date): string[] {
	return standings.filter((s) => s.step !== 'settled' && !isBusy(s, now)).map((s) => s.principal);
}

type Read = { readonly standings: readonly Standing[]; readonly unreadable: ReadonlySet<string> };

async function readAll(ctx: Context, table: TableRef, principals: readonly string[]): Promise<Read> {
	const unreadable = new Set<string>();
	const one = async (principal: string) => {
		const read = await Ledger.readable(async () => ({ found: await standing(ctx, principal, table) }));
		if (read === null) {
			unreadable.add(filterPrefix(principal, table));
			ctx.warn('reconcile: an entitlement cannot be read', new Error('record-corrupt'));
		}
		return read?.found ?? null;
	};
	const found = await pMap(principals, one, { concurrency: AT_ONCE });
	return { standings: found.filter((s) => s !== null), unreadable };
}

const verOf = ({ standings }: Read, principal: string) => standings.find((s) => s.principal === principal)?.ver;

/** Lake Formation and Glue as they show the table now. */
async function look(ctx: Context, table: TableRef, { standings }: Read, seenBy: Links['seenBy']): Promise<Actual> {
	const [filters, rights, glue, linked] = await Promise.all([
		LF.filtersOn(ctx, table, ''),
		LF.rightsOn(ctx, table),
		Catalog.glueTable(ctx, table),
		seenBy(ctx, standings),
	]);
	return { filters, rights, made: glue?.made ?? null, exists: glue !== null, linked };
}

function differing({ standings, unreadable }: Read, actual: Actual, known: Known, now: Date): Discrepancy[] {
	const blind = (name: string) => unreadable.has(LF.prefixOf(name));
	const filters = actual.filters.filter((f) => !blind(f.name));
	const rights = actual.rights.filter((r) => r.on.kind !== 'filter' || !blind(r.on.name));
	return compare(standings, { ...actual, filters, rights }, known, now);
}

/**
 * Who may own a filter of ours that no holder owns: whoever is granted it, and whoever is registered. The listing of
 * holders may lag behind the ledger, and an entitlement is recorded before its filter is made.
 */
function newcomers(table: TableRef, actual: Actual, holders: readonly string[], { principals }: Registered): string[] {
	const mine = new Set(holders.map((p) => filterPrefix(p, table)));
	const ownerless = actual.filters.filter((f) => LF.isOurs(f.name) && !mine.has(LF.prefixOf(f.name)));
	if (ownerless.length === 0) return [];
	const prefixes = new Set(ownerless.map((f) => LF.prefixOf(f.name)));
	const grantees = actual.rights.filter((r) => r.on.kind === 'filter' && prefixes.has(LF.prefixOf(r.on.name)));
	const candidates = new Set([...grantees.map((r) => r.principal), ...principals]);
	return [...candidates].filter((p) => prefixes.has(filterPrefix(p, table)));
}

/** A grantee that stands for principals of ours: one of them, or all of an account that has one. */
function knownTo({ principals, accounts }: Registered, holders: ReadonlySet<string>): Known {
	const ours = new Set(principals);
	return (grantee) => ours.has(grantee) || holders.has(grantee) || accounts.has(grantee.replace(/:IAMPrincipals$/, ''));
}
