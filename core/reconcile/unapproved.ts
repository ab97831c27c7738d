/**
 * Rights that exist on published tables and were never approved here: what a bank has before it begins, and what bypasses
 * it since. Read-only: nothing is adopted, for an approval is a decision of people.
 */
import type { Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import { filterPrefix, standing } from '../grants.ts';
import * as LF from '../lakeformation.ts';
import * as Ledger from '../ledger.ts';

type TableRef = Ledger.TableRef;

export type Unapproved = {
	readonly product: string;
	readonly table: TableRef;
	readonly principal: string;
	readonly permissions: readonly string[];
	readonly grantable: readonly string[];
	/** What the right is on. */
	readonly on: 'table' | 'columns' | 'filter' | 'all-tables';
	/** Null are all columns but `excluded`. */
	readonly columns: readonly string[] | null;
	readonly excluded: readonly string[];
	/** The filter's text; null is all rows. */
	readonly rows: string | null;
	readonly since: string | null;
	readonly by: string | null;
};

/** A table of a product, as a listing names it. */
export type Published = { readonly product: string; readonly table: TableRef };

/** The tables of the products of a domain, or of all, in the order of their names. */
export async function published(
	ctx: Pick<Context, 'aws' | 'config' | 'warn'>,
	domain: string | undefined,
): Promise<Published[]> {
	const ids = await Ledger.Listing.all(ctx, Ledger.Listing.key.products);
	const wanted = ids.filter((id) => domain === undefined || id.startsWith(`${domain}.`));
	const each = await Promise.all(
		wanted.map(async (product) => {
			const tables = await Ledger.readable(() => tablesOf(ctx, product));
			if (tables === null) ctx.warn('reconcile: a product cannot be read', new Error('record-corrupt'));
			return (tables ?? []).map((table) => ({ product, table }));
		}),
	);
	return each.flat();
}

/** The tables of every version of a product: grants on an older one go on. Throws `record-corrupt`. */
export async function tablesOf(ctx: Pick<Context, 'aws' | 'config'>, product: string): Promise<TableRef[]> {
	const versions = await Ledger.read(ctx, Ledger.stream.product(product));
	const tables = versions.flatMap(({ body }) => (body.type === 'ContractPublished' ? body.tables : []));
	const byName = new Map(tables.map((t) => [`${t.account}.${t.database}.${t.table}`, t]));
	return [...byName].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, table]) => table);
}

/** What others than the grantor hold on one table beyond what was approved here; null where Lake Formation there does not tell. */
export async function unapprovedOn(ctx: Context, { product, table }: Published): Promise<Unapproved[] | null> {
	const shown = await shownOn(ctx, table);
	if (shown === null) return null;
	const { filters, rights } = shown;
	const found: Unapproved[] = [];
	for (const right of rights) {
		const isOwn = right.principal === ctx.aws.roleIn.grantor(table.account);
		if (isOwn || (await isApproved(ctx, table, right))) continue;
		const { on, principal, permissions, grantable, since, by } = right;
		if (on.kind === 'database') continue;
		const filter = on.kind === 'filter' ? filters.find((f) => f.name === on.name) : undefined;
		const columns = on.kind === 'columns' ? on.columns : (filter?.columns ?? null);
		const excluded = on.kind === 'columns' ? on.excluded : [];
		const cells = { on: on.kind, columns, excluded, rows: filter?.rows ?? null };
		found.push({ product, table, principal, permissions, grantable, ...cells, since, by });
	}
	return found.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

async function shownOn(ctx: Context, table: TableRef) {
	try {
		const [filters, rights] = await Promise.all([LF.filtersOn(ctx, table, ''), LF.rightsOn(ctx, table)]);
		return { filters, rights };
	} catch (error) {
		if (!(error instanceof BrokerError) || error.code !== 'unavailable') throw error;
		ctx.warn('reconcile: the rights on a table cannot be read', error);
		return null;
	}
}

const keyOf = ({ principal, on, columns, excluded }: Unapproved) => JSON.stringify([principal, on, columns, excluded]);

/** SELECT, not to be handed on, for the owner of a filter that its entitlement knows. */
async function isApproved(ctx: Context, table: TableRef, { on, principal, permissions, grantable }: LF.Right) {
	if (on.kind !== 'filter' || !LF.isOurs(on.name) || grantable.length > 0) return false;
	if (filterPrefix(principal, table) !== LF.prefixOf(on.name)) return false;
	const known = await Ledger.readable(() => standing(ctx, principal, table));
	const named = known?.desired?.name === on.name || known?.retiring.includes(on.name) === true;
	return named && permissions.every((p) => p === 'SELECT' || p === 'DESCRIBE');
}
