/** What is ours, as recorded: accounts to look at, tables that are published and since when, principals, work groups. */
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import * as Ledger from '../ledger.ts';
import { tableKey } from '../scope.ts';
import type { Place } from './trail.ts';

type TableRef = Ledger.TableRef;

type Publication = { readonly product: string; readonly since: string };

export type Catalog = {
	/** Each account once; those with principals first. */
	readonly places: readonly Place[];
	/** Products that had the table at that instant; none where it was not published yet. */
	readonly productsOf: (table: TableRef, at: string) => readonly string[];
	readonly products: readonly string[];
	/** The domain that has an account as its own. */
	readonly domainOf: (account: string) => string | null;
	readonly isRegistered: (principal: string) => boolean;
	/** Whether a work group is there for Fairlead alone. */
	readonly isOurs: (account: string, group: string) => boolean;
	/** When the first product was published; null while none is. */
	readonly since: string | null;
	/** Products whose entries cannot be read. */
	readonly unknown: readonly string[];
};

/** Throws `record-corrupt` where a domain cannot be read: nobody knows then which accounts there are. */
export async function readCatalog(ctx: Pick<Context, 'aws' | 'config'>): Promise<Catalog> {
	const domains = await Domains.list(ctx);
	const { tables, unknown } = await publications(ctx);
	const registered = new Set(domains.flatMap((d) => d.principals.map((p) => p.arn)));
	const byAccount = new Map(domains.map((d) => [d.account, d.id]));
	const consuming = domains.filter((d) => d.principals.length > 0).map((d) => d.account);
	const owning = [...tables.values()].map(({ table }) => table.account);
	const only = [...new Set(owning)].filter((account) => !consuming.includes(account));
	const since = [...tables.values()].flatMap(({ by }) => by.map((p) => p.since)).toSorted()[0] ?? null;
	return {
		places: [
			...consuming.toSorted().map((account): Place => ({ account, as: 'consumer' })),
			...only.toSorted().map((account): Place => ({ account, as: 'grantor' })),
		],
		productsOf(table, at) {
			const by = tables.get(tableKey(table))?.by ?? [];
			// CloudTrail tells whole seconds.
			return by.filter((p) => secondOf(p.since) <= secondOf(at)).map((p) => p.product);
		},
		products: [...new Set([...tables.values()].flatMap(({ by }) => by.map((p) => p.product)))],
		domainOf: (account) => byAccount.get(account) ?? null,
		isRegistered: (principal) => registered.has(principal),
		isOurs: (account, group) => domains.some((d) => d.account === account && ctx.config.workGroup(d.id) === group),
		since,
		unknown,
	};
}

const secondOf = (at: string) => at.slice(0, '2000-01-01T00:00:00'.length);

type Published = { readonly table: TableRef; readonly by: readonly Publication[] };

/** Of every version, for grants on an older one go on; since the first that names the table. */
async function publications(ctx: Pick<Context, 'aws' | 'config'>) {
	const tables = new Map<string, Published>();
	const unknown: string[] = [];
	for (const product of await Ledger.Listing.all(ctx, Ledger.Listing.key.products)) {
		const versions = await Ledger.readable(() => Ledger.read(ctx, Ledger.stream.product(product)));
		if (versions === null) unknown.push(product);
		for (const { body, entry } of versions ?? []) {
			if (body.type !== 'ContractPublished') continue;
			for (const table of body.tables) add(tables, table, { product, since: entry.at });
		}
	}
	return { tables, unknown };
}

function add(tables: Map<string, Published>, table: TableRef, by: Publication): void {
	const key = tableKey(table);
	const known = tables.get(key)?.by ?? [];
	if (!known.some((p) => p.product === by.product)) tables.set(key, { table, by: [...known, by] });
}

/** The domain that a product is of. */
export const domainIn = (product: string) => product.slice(0, product.indexOf('.'));
