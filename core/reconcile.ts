/**
 * Reconciliation: what is recorded against what Lake Formation shows, found by listing and comparing.
 *
 * Promise: whatever of Fairlead's is missing, changed or left over is brought back or taken away, through the same
 * functions and the same entitlement streams as grants; what others made is never touched, only told. Each difference is
 * recorded before it is mended. One pass at a time, by a lease; safe beside running grants, and killed at any await.
 */
import * as Catalog from './catalog.ts';
import { type Context, type Platform, systemContext } from './context.ts';
import { BrokerError } from './error.ts';
import { type Lease, take } from './lease.ts';
import * as Ledger from './ledger.ts';
import { authorize, Entity, notFound, reveal } from './policy.ts';
import { passOver, passOverAll, type Reconciled } from './reconcile/pass.ts';
import { type Published, published, tablesOf, type Unapproved, unapprovedOn } from './reconcile/unapproved.ts';

export type { Found, Reconciled, Tally } from './reconcile/pass.ts';
export { type Finding, type Health, health, type Last, lastOf } from './reconcile/record.ts';
export type { Published, Unapproved } from './reconcile/unapproved.ts';

/** Everything that may be found. */
export const DriftKind = Ledger.DriftKind;

/** The schedule has one lease, each product another: a table may be looked at twice at once, and nothing is the worse. */
const leaseOf = (product: string | undefined) => (product === undefined ? 'reconcile' : `reconcile#${product}`);

/** Everything, or what one product has; null while another pass has the same lease. */
export async function reconcile(ctx: Context, scope: { readonly product?: string } = {}): Promise<Reconciled | null> {
	const lease = await take(ctx, leaseOf(scope.product));
	if (lease === null) return null;
	try {
		return await within(ctx, lease, scope.product);
	} finally {
		await lease.release();
	}
}

async function within(ctx: Context, lease: Lease, product: string | undefined): Promise<Reconciled> {
	return product === undefined ? passOverAll(ctx, lease) : passOver(ctx, lease, await tablesOf(ctx, product));
}

/** The schedule's pass over everything; null, and told in the log, while another one is under way. */
export async function scheduled(platform: Platform, runId: string): Promise<Reconciled | null> {
	const ctx = systemContext(platform, runId);
	const found = await reconcile(ctx);
	if (found === null) ctx.warn('reconcile: another pass is under way', underWay());
	return found;
}

const underWay = () => new BrokerError('conflict', 'A reconciliation is under way; try again in a minute.');

/** One product for the caller, now. Throws `not-found`, `not-permitted`, and `conflict` while somebody else does the same. */
export async function ofProduct(ctx: Context, id: string): Promise<Reconciled> {
	const product = await Catalog.get(ctx, id);
	if (product === null) throw notFound();
	const resource = Entity.product(Catalog.factsOf(product), ctx.config.governance);
	reveal(ctx, 'viewProduct', resource);
	authorize(ctx, 'reconcile', resource);
	const found = await reconcile(ctx, { product: id });
	if (found === null) throw underWay();
	return found;
}

/**
 * Tables whose rights the caller may go through, a domain's or all, in the order of their names. Throws `not-found` for
 * a domain that is not there.
 */
export async function tablesToReview(ctx: Context, domain: string | undefined): Promise<Published[]> {
	authorize(ctx, 'viewUnapproved', Entity.mesh(ctx.config.governance));
	const { key, all } = Ledger.Listing;
	if (domain !== undefined && !(await all(ctx, key.domains)).includes(domain)) throw notFound();
	return published(ctx, domain);
}

/** Rights on these tables that exist and were never approved here; and the tables that could not be asked for theirs. */
export async function unapproved(
	ctx: Context,
	tables: readonly Published[],
): Promise<{ rights: Unapproved[]; unread: Published[] }> {
	authorize(ctx, 'viewUnapproved', Entity.mesh(ctx.config.governance));
	const rights: Unapproved[] = [];
	const unread: Published[] = [];
	for (const one of tables) {
		const found = await unapprovedOn(ctx, one);
		if (found === null) unread.push(one);
		else rights.push(...found);
	}
	return { rights, unread };
}

/** A table by its whole name. */
export const nameOf = ({ account, database, table }: Ledger.TableRef): string => `${account}.${database}.${table}`;
