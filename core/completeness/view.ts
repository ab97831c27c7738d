/**
 * What a caller sees of it: those who supervise, govern or run the mesh all of it; an owner that a day was checked, and what
 * was found on his own products. To anybody else there is no such thing.
 */
import * as z from 'zod';
import type { Context } from '../context.ts';
import { AccountId, idOf, ProductId, RoleArn, Slug } from '../id.ts';
import * as Ledger from '../ledger.ts';
import { Entity, may, notFound, permits } from '../policy.ts';
import { domainIn } from './catalog.ts';
import { type Checked, lastOf } from './days.ts';

const count = (description: string) => z.int().min(0).meta({ description });

const Counts = z.object({
	matched: count('Records and executions that a flow accounts for'),
	ownDomain: count("Reads of a domain's own tables by its own roles, past Fairlead"),
	bypassing: count('Records and executions of bypasses'),
	refused: count('Calls that AWS refused: nothing was read'),
	ungoverned: count('Reads of tables that were not published then'),
	elsewhere: count('Queries of others, of which nothing shows that they read a published table'),
	unreadable: count('Records that lack what it takes to judge them'),
	bypasses: count('Bypasses: queries, or records where there is no query'),
	orphaned: count('Flows of the day without an end an hour later'),
});

const Table = { account: AccountId, table: z.string().meta({ description: 'Name in SQL: database.table' }) };
const Products = z.array(ProductId).meta({ description: 'Products that the table is of' });

export const DayView = z
	.object({
		day: z.iso.date().meta({ description: 'In UTC' }),
		state: z.enum(['clean', 'findings', 'incomplete']).meta({
			description:
				'`incomplete`: not every account could be looked at, whatever was found. To an owner, `clean` and `findings` speak of his own products, and no day is `clean` with records that nobody could judge',
		}),
		checkedAt: z.iso.datetime(),
		leaf: Ledger.Hash.meta({ description: 'Ledger entry that says so' }),
		accounts: z.int().min(0).nullable().meta({ description: 'Looked at, or to be; null to owners, as all below' }),
		unreadAccounts: z.int().min(0).nullable(),
		counts: Counts.nullable(),
	})
	.meta({ id: 'CompletenessDay' });
export type DayView = z.infer<typeof DayView>;

export const BypassView = z
	.object({
		account: AccountId.meta({ description: 'That asked' }),
		domain: Slug.nullable().meta({ description: 'Whose account that is, if of a registered domain' }),
		at: z.iso.datetime().meta({ description: 'When it was first seen' }),
		principal: RoleArn.nullable().meta({ description: 'The role that read' }),
		principalId: z
			.string()
			.nullable()
			.meta({ description: "IAM's id of it: all that a copy of a foreign record says" }),
		who: z
			.string()
			.nullable()
			.meta({ description: 'The session, or who it was where it is no role, until that is erased; null to owners' }),
		service: z.string().nullable().meta({ description: 'That asked Lake Formation for the data' }),
		query: z.string().nullable().meta({ description: 'Athena query execution id' }),
		event: z.string().nullable().meta({ description: 'CloudTrail event id' }),
		flow: idOf('query').nullable().meta({ description: 'The flow that has this execution, and differs' }),
		reasons: z.array(z.enum(Ledger.bypassReasons)).min(1),
		tables: z
			.array(z.object({ ...Table, products: Products }))
			.meta({ description: 'Published tables that were read; none where it is only known to have run' }),
		moreTables: z.boolean().meta({ description: 'Whether it read more tables than are named' }),
		leaf: Ledger.Hash,
	})
	.meta({ id: 'Bypass' });
export type BypassView = z.infer<typeof BypassView>;

export const DayFindings = z
	.object({
		day: DayView,
		unread: z.array(z.object({ account: AccountId, why: z.enum(Ledger.unreadReasons) })).nullable(),
		unknownProducts: z.array(ProductId).nullable().meta({ description: 'Products whose entries cannot be read' }),
		ownDomain: z
			.array(z.object({ ...Table, products: Products, principal: RoleArn.nullable(), reads: z.int().min(1) }))
			.meta({ description: 'The most frequent of these reads' }),
		unreadable: z
			.array(z.object({ account: AccountId, event: z.string().nullable(), lacks: z.string() }))
			.nullable()
			.meta({ description: 'The first of them, and what they lack' }),
		orphaned: z.array(idOf('query')).nullable().meta({ description: 'The first of them' }),
	})
	.meta({ id: 'CompletenessFindings' });
export type DayFindings = z.infer<typeof DayFindings>;

/** Whose view it is: of all, or of the products of these domains. */
export type Sight = { readonly all: true } | { readonly all: false; readonly domains: readonly string[] };

/** Throws `not-found` for whoever sees nothing of it. */
export function mustSee(ctx: Context): Sight {
	if (permits(ctx, 'viewCompleteness', Entity.mesh(ctx.config.governance)) !== null) return { all: true };
	const domains = [...new Set(ctx.caller.roles.map((m) => m.domain))];
	const owned = domains.filter((domain) => may(ctx, 'viewCompleteness', Entity.domain(domain)));
	if (owned.length === 0) throw notFound();
	return { all: false, domains: owned };
}

/** A day as the caller sees it, or null where it was not checked. */
export async function seenDay(ctx: Context, sight: Sight, day: string): Promise<DayView | null> {
	const checked = await lastOf(ctx, day);
	return checked === null ? null : viewOf(ctx, sight, checked);
}

async function viewOf(ctx: Context, sight: Sight, { body, entry, leaf }: Checked): Promise<DayView> {
	const { day, state, accounts, unreadAccounts, counts } = body;
	const common = { day, checkedAt: entry.at, leaf };
	if (sight.all) return { ...common, state, accounts, unreadAccounts, counts };
	const own = { ...common, accounts: null, unreadAccounts: null, counts: null };
	if (state === 'incomplete') return { ...own, state };
	if (await findsAny(ctx, sight.domains, day)) return { ...own, state: 'findings' };
	// A record that nobody could judge may have been of his products.
	return { ...own, state: counts.unreadable > 0 ? 'incomplete' : 'clean' };
}

async function findsAny(ctx: Context, domains: readonly string[], day: string): Promise<boolean> {
	const listings = bypassListings({ all: false, domains }, day);
	const pages = await Promise.all(listings.map((of) => Ledger.Listing.list(ctx, of, { limit: 1 })));
	return pages.some(({ keys }) => keys.length > 0);
}

/** A day with what was found on it, but for the bypasses. Throws `not-found` where it was not checked. */
export async function findDay(ctx: Context, sight: Sight, day: string): Promise<DayFindings> {
	const checked = await lastOf(ctx, day);
	if (checked === null) throw notFound();
	const { body } = checked;
	const own = body.ownDomain.flatMap((read) => {
		const products = visible(sight, read.products);
		return products.length === 0 ? [] : [{ ...read, ...tableIn(read.table), products }];
	});
	return {
		day: await viewOf(ctx, sight, checked),
		unread: sight.all ? body.unread : null,
		unknownProducts: sight.all ? body.unknownProducts : null,
		ownDomain: own.map(({ account, table, products, principal, reads }) => ({
			account,
			table,
			products,
			principal,
			reads,
		})),
		unreadable: sight.all ? body.unreadable : null,
		orphaned: sight.all ? body.orphaned : null,
	};
}

const visible = (sight: Sight, products: readonly string[]) =>
	products.filter((product) => sight.all || sight.domains.includes(domainIn(product)));

const tableIn = ({ account, database, table }: Ledger.TableRef) => ({ account, table: `${database}.${table}` });

/** Where the bypasses of a day are listed that the caller may see: in one listing or more, by lines of one kind. */
export function bypassListings(sight: Sight, day: string): string[] {
	const { key } = Ledger.Listing;
	return sight.all ? [key.bypasses(day)] : sight.domains.map((domain) => key.bypassesOfDomain(domain, day));
}

/** A line of the listing of a day's bypasses, as the caller sees it; null where none of it is about products of his. */
export async function seenBypass(ctx: Context, sight: Sight, line: string): Promise<BypassView | null> {
	const [account = '', id = ''] = line.split('#');
	const found = await Ledger.last(ctx, Ledger.stream.bypass(account, id), 'BypassDetected');
	if (found === null) return null;
	const { body, leaf, entry } = found;
	const tables = body.tables
		.map(({ products, ...table }) => ({ ...tableIn(table), products: visible(sight, products) }))
		.filter(({ products }) => products.length > 0);
	const { domain, seenAt: at, principal, principalId, service, query, event, flow, reasons, moreTables } = body;
	const concerned = tables.length > 0 || body.domains?.some((id) => !sight.all && sight.domains.includes(id)) === true;
	if (!sight.all && !concerned) return null;
	const who = sight.all ? nameIn(await Ledger.payload(ctx, entry)) : null;
	const asked = { account, domain, at, principal, principalId, who, service, query, event, flow, reasons };
	return { ...asked, tables, moreTables, leaf };
}

function nameIn(pii: Record<string, unknown> | null): string | null {
	const { name, session } = pii ?? {};
	const told = [name, session].filter((text) => typeof text === 'string');
	return told.length === 0 ? null : told.join(' ');
}
