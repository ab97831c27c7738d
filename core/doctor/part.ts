/** Which part of the mesh is examined: published tables, and the principals that matter to them. Reads only. */
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import * as Ledger from '../ledger.ts';
import { notFound } from '../policy.ts';
import { tableKey } from '../scope.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

export type Selection = { readonly domain?: string | undefined; readonly product?: string | undefined };

export type Part = {
	readonly products: readonly string[];
	readonly tables: readonly Ledger.TableRef[];
	readonly principals: readonly string[];
	/** Every principal that any domain has registered. */
	readonly registered: readonly string[];
	/** What stands in the ledger and cannot be read, in words, with the domain that it is of. */
	readonly unreadable: readonly { readonly what: string; readonly account: string }[];
};

/** A product's id begins with its domain's. */
export const domainOf = ({ domain, product }: Selection) => domain ?? product?.split('.')[0];

/** Throws `not-found` for a domain or product that is not there. */
export async function partOf(ctx: Ctx, selection: Selection): Promise<Part> {
	const { key, all } = Ledger.Listing;
	const [domainIds, productIds] = await Promise.all([all(ctx, key.domains), all(ctx, key.products)]);
	const domain = domainOf(selection);
	if (domain !== undefined && !domainIds.includes(domain)) throw notFound();
	const products = productIds.filter((id) => isIn(id, selection));
	if (selection.product !== undefined && products.length === 0) throw notFound();
	const [domains, published] = await Promise.all([
		Promise.all(domainIds.map(async (id) => ({ id, found: await Ledger.readable(() => Domains.get(ctx, id)) }))),
		Promise.all(products.map(async (id) => ({ id, found: await Ledger.readable(() => lastOf(ctx, id)) }))),
	]);
	const registered = domains.flatMap((d) => (d.found?.principals ?? []).map((p) => p.arn));
	const tables = unique(published.flatMap((p) => p.found ?? []));
	const own = domains.find((d) => d.id === domain)?.found?.principals.map((p) => p.arn) ?? [];
	const principals =
		domain === undefined
			? registered
			: [...(selection.product === undefined ? own : []), ...(await holdersOf(ctx, tables, registered))];
	const accountOf = (id: string) => domains.find((d) => d.id === id.split('.')[0])?.found?.account ?? '';
	const unreadable = [...domains, ...published].filter((d) => d.found === null).map((d) => d.id);
	return {
		products,
		tables,
		principals: [...new Set(principals)].toSorted(),
		registered,
		unreadable: unreadable.map((id) => ({ what: id, account: accountOf(id) })),
	};
}

function isIn(id: string, { domain, product }: Selection): boolean {
	return (domain === undefined || id.startsWith(`${domain}.`)) && (product === undefined || id === product);
}

/** The tables of a product as the entry that published it names them: the contract itself is not needed. */
async function lastOf(ctx: Ctx, product: string): Promise<readonly Ledger.TableRef[] | null> {
	const last = await Ledger.last(ctx, Ledger.stream.product(product), 'ContractPublished');
	return last?.body.tables ?? null;
}

async function holdersOf(
	ctx: Ctx,
	tables: readonly Ledger.TableRef[],
	registered: readonly string[],
): Promise<string[]> {
	const lists = await Promise.all(tables.map((t) => Ledger.Listing.all(ctx, Ledger.Listing.key.holdersOf(t))));
	return lists.flat().filter((arn) => registered.includes(arn));
}

function unique(tables: readonly Ledger.TableRef[]): Ledger.TableRef[] {
	return [...new Map(tables.map((t) => [tableKey(t), t])).values()];
}
