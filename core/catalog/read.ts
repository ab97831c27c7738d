/** Products as their streams tell them: the last version, every version, and the text of each as it was sent. */
import type { Context } from '../context.ts';
import { type Contract, type ContractTable, restoreContract } from '../contract.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import type { Personal } from '../scope.ts';

export type ReadCtx = Pick<Context, 'aws' | 'config'>;

export type Format = 'yaml' | 'json';

/** A product at one published version, with its contract. */
export type Product = {
	readonly id: string;
	readonly domain: string;
	readonly contract: Contract;
	readonly format: Format;
	/** SHA-256 of the contract as sent, and the leaf of the entry that published it. */
	readonly hash: string;
	readonly leaf: string;
	readonly createdAt: string;
};

/** A product as last published, or null. */
export async function get(ctx: ReadCtx, id: string): Promise<Product | null> {
	const last = await Ledger.last(ctx, Ledger.stream.product(id), 'ContractPublished');
	return last === null ? null : load(ctx, last);
}

/** Every published version, oldest first. */
export async function versions(ctx: ReadCtx, id: string): Promise<Product[]> {
	const entries = await Ledger.read(ctx, Ledger.stream.product(id));
	return Promise.all(entries.map((e) => load(ctx, Ledger.as(e, 'ContractPublished'))));
}

/** Every published version, oldest first, each for itself: null stands for one that cannot be read. */
export async function readableVersions(ctx: ReadCtx, id: string): Promise<(Product | null)[]> {
	const stored = await Ledger.rawStream(ctx, Ledger.stream.product(id));
	const one = async (s: Ledger.Stored) => load(ctx, Ledger.as(Ledger.recordedOf(s), 'ContractPublished'));
	return Promise.all(stored.map((s) => Ledger.readable(() => one(s))));
}

/** One published version and the one before it; null where there is none. */
export async function version(
	ctx: ReadCtx,
	id: string,
	wanted: string,
): Promise<{ product: Product; before: Product | null } | null> {
	const entries = (await Ledger.read(ctx, Ledger.stream.product(id))).map((e) => Ledger.as(e, 'ContractPublished'));
	const at = entries.findIndex((e) => e.body.version === wanted);
	const [found, before] = [entries[at], entries[at - 1]];
	if (found === undefined) return null;
	return { product: await load(ctx, found), before: before === undefined ? null : await load(ctx, before) };
}

/** The contract of a version exactly as it was sent. Throws `record-corrupt` if it was altered since. */
export async function contractText(ctx: ReadCtx, product: Product): Promise<string> {
	return Ledger.getText(ctx, product.hash);
}

/** Contracts by hash and format: content-addressed, so a kept one is never out of date. */
const parsed = new Map<string, Contract>();
const KEPT = 1000;

export async function load(ctx: ReadCtx, entry: Ledger.Recorded<'ContractPublished'>): Promise<Product> {
	const { product, domain, contractHash, format } = entry.body;
	const key = `${format} ${contractHash}`;
	const contract = parsed.get(key) ?? restored(await Ledger.getText(ctx, contractHash), format);
	if (parsed.size >= KEPT) parsed.clear();
	parsed.set(key, contract);
	const { leaf } = entry;
	return { id: product, domain, contract, format, hash: contractHash, leaf, createdAt: entry.entry.at };
}

/** Nobody who reads a product can mend its contract: to him the record is at fault, not what he sent. */
function restored(text: string, format: Format): Contract {
	try {
		return restoreContract(text, format);
	} catch (cause) {
		if (!(cause instanceof BrokerError)) throw cause;
		throw new BrokerError('record-corrupt', 'The contract that was stored cannot be read.', {}, { cause });
	}
}

export type Search = {
	readonly text?: string | undefined;
	readonly domain?: string | undefined;
	readonly classification?: string | undefined;
};

/**
 * Products whose id, title, description, tables or columns contain every word of `text`; sorted by id. One that cannot
 * be read is not among them: the others are found all the same.
 */
export async function search(ctx: ReadCtx, query: Search): Promise<Product[]> {
	const ids = await Ledger.Listing.all(ctx, Ledger.Listing.key.products);
	const wanted = ids.filter((id) => query.domain === undefined || id.startsWith(`${query.domain}.`));
	const found = (await Promise.all(wanted.map((id) => Ledger.readable(() => get(ctx, id))))).filter((p) => p !== null);
	const words = (query.text ?? '').toLowerCase().split(/\s+/).filter(Boolean);
	return found.filter(
		(p) =>
			(query.classification === undefined || p.contract.classification === query.classification) &&
			words.every((w) => searchable(p).includes(w)),
	);
}

function searchable({ id, contract }: Product): string {
	const columns = contract.tables.flatMap((t) => [t.name, ...t.columns.flatMap((c) => [c.name, c.description ?? ''])]);
	return [id, contract.title, contract.description, ...columns].join('\n').toLowerCase();
}

/** Glue's own bound (GetTable), and what a key of DynamoDB has room for: at most 2,048 bytes. */
const MAX_NAME = 255;

/** The product that a database and table name stand for in the mesh, or null. */
export async function byTable(
	ctx: ReadCtx,
	database: string,
	table: string,
): Promise<{ product: Product; table: ContractTable } | null> {
	if (database.length > MAX_NAME || table.length > MAX_NAME) return null;
	const keys = await Ledger.Listing.all(ctx, Ledger.Listing.key.table(database, table));
	for (const product of await Promise.all(keys.map((k) => get(ctx, k.split('#')[0] ?? '')))) {
		const bound = product?.contract.tables.find((t) => t.database === database && t.name === table);
		if (product != null && bound !== undefined) return { product, table: bound };
	}
	return null;
}

/**
 * Columns that are, or in any published version were, personal, by table: once personal, a constant compared with them
 * stays out of the ledger, whatever a later contract says. Where a version cannot be read, every column counts: grants
 * end without it.
 */
export async function personalColumns(ctx: ReadCtx, id: string): Promise<(table: Ledger.TableRef) => Personal> {
	const known = await Ledger.readable(() => versions(ctx, id));
	if (known === null) return () => ({ has: () => true });
	const tables = known.flatMap((v) => v.contract.tables);
	return ({ database, table }) => {
		const same = tables.filter((t) => t.name === table && t.database === database);
		return new Set(same.flatMap((t) => t.columns.filter((c) => c.personal).map((c) => c.name)));
	};
}
