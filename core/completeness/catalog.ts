/**
 * What is ours, as recorded, and when: accounts to look at, tables that are published and since when, principals, work
 * groups. A read is judged by what was registered at its time: who has left since was there, and who came since was not.
 */
import pMap from 'p-map';
import type { Context } from '../context.ts';
import * as Domains from '../domains.ts';
import * as Ledger from '../ledger.ts';
import { tableKey } from '../scope.ts';
import type { Place } from './trail.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;
type TableRef = Ledger.TableRef;

type Publication = { readonly product: string; readonly since: string };

/** Times are those of records: CloudTrail tells whole seconds, and all that was so within a second counts as so in it. */
export type Catalog = {
	/** Accounts to look at for a day, each once; those that had principals then first. */
	readonly placesOn: (day: string) => readonly Place[];
	/** Products that had the table at that instant; none where it was not published yet. */
	readonly productsOf: (table: TableRef, at: string) => readonly string[];
	/** All that there ever were. */
	readonly products: readonly string[];
	/** The domain that had an account as its own then. */
	readonly domainOf: (account: string, at: string) => string | null;
	/** Whether a domain had registered the principal then. */
	readonly isRegistered: (principal: string, at: string) => boolean;
	/** Whether a work group was there for Fairlead alone then. */
	readonly isOurs: (account: string, group: string, at: string) => boolean;
	/** When the first product that can be read was published; null while none is. */
	readonly since: string | null;
	/** Products whose entries cannot be read. */
	readonly unknown: readonly string[];
};

/** Throws `record-corrupt` where a domain cannot be read: nobody knows then which accounts there are. */
export async function readCatalog(ctx: Ctx): Promise<Catalog> {
	const states = await statesOf(ctx);
	const { tables, unknown } = await publications(ctx);
	const all = [...tables.values()];
	const inSecond = (at: string) => states.filter((state) => isWithin(state, secondOf(at)));
	return {
		placesOn: (day) => placesOn(states, all, day),
		productsOf(table, at) {
			const by = tables.get(tableKey(table))?.by ?? [];
			return by.filter((p) => secondOf(p.since) <= secondOf(at)).map((p) => p.product);
		},
		products: [...new Set(all.flatMap(({ by }) => by.map((p) => p.product)))],
		domainOf: (account, at) => inSecond(at).findLast((state) => state.account === account)?.domain ?? null,
		isRegistered: (principal, at) => inSecond(at).some(({ principals }) => principals.includes(principal)),
		isOurs: (account, group, at) =>
			inSecond(at).some((state) => state.account === account && ctx.config.workGroup(state.domain) === group),
		since: all.flatMap(({ by }) => by.map((p) => p.since)).toSorted()[0] ?? null,
		unknown,
	};
}

/** What a domain was from one of its versions to the next. */
type State = {
	readonly domain: string;
	readonly account: string;
	readonly principals: readonly string[];
	readonly from: string;
	/** Null for what it still is. */
	readonly until: string | null;
};

/** Domains read at once. */
const AT_ONCE = 8;

/** Every state of every domain, in the order of their beginnings. */
async function statesOf(ctx: Ctx): Promise<State[]> {
	const domains = await Domains.list(ctx);
	const read = async ({ id }: Domains.Domain): Promise<State[]> => {
		const versions = await Ledger.read(ctx, Ledger.stream.domain(id));
		const registered = versions.map((version) => Ledger.as(version, 'DomainRegistered'));
		return registered.map(({ body, entry }, i) => ({
			domain: id,
			account: body.account,
			principals: body.principals.map(({ arn }) => arn),
			from: entry.at,
			until: registered[i + 1]?.entry.at ?? null,
		}));
	};
	const states = await pMap(domains, read, { concurrency: AT_ONCE });
	return states.flat().toSorted((a, b) => (a.from < b.from ? -1 : 1));
}

/** Whether it was so at any moment of a day or a second, which is a prefix of its instants. */
const isWithin = ({ from, until }: State, span: string) =>
	from.slice(0, span.length) <= span && (until === null || until.slice(0, span.length) >= span);

const secondOf = (at: string) => at.slice(0, '2000-01-01T00:00:00'.length);

type Published = { readonly table: TableRef; readonly by: readonly Publication[] };

function placesOn(states: readonly State[], tables: readonly Published[], day: string): Place[] {
	const then = states.filter((state) => state.principals.length > 0 && isWithin(state, day));
	const consuming = new Set(then.map(({ account }) => account));
	const published = tables.filter(({ by }) => by.some(({ since }) => since.slice(0, day.length) <= day));
	const owning = new Set(published.map(({ table }) => table.account).filter((account) => !consuming.has(account)));
	return [
		...[...consuming].toSorted().map((account): Place => ({ account, as: 'consumer' })),
		...[...owning].toSorted().map((account): Place => ({ account, as: 'grantor' })),
	];
}

/** Of every version, for grants on an older one go on; since the first that names the table. */
async function publications(ctx: Ctx) {
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
