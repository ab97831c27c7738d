/**
 * Data products: what a domain publishes, one stream per product, one version of it per contract version.
 * Metadata is open to every member of the mesh; nothing here gives access to data.
 */
import * as z from 'zod';
import { glueTable } from './catalog/glue.ts';
import { actorOf, type Context } from './context.ts';
import { type Column, type Contract, type ContractTable, ContractView, parseContract } from './contract.ts';
import { BrokerError, type Fault } from './error.ts';
import { ProductId } from './id.ts';
import * as Ledger from './ledger.ts';
import type { Entity, Permit } from './policy.ts';

export { glueTable } from './catalog/glue.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;

export const ProductSummary = z
	.object({
		id: ProductId,
		domain: z.string(),
		displayName: z.string(),
		description: z.string(),
		owner: z.string().meta({ description: 'The team that answers for the product' }),
		version: z.string(),
		status: z.string(),
		createDate: z.iso.datetime(),
		sourceCodeLocation: z.string().nullable(),
		classification: z.string().meta({ description: 'The highest classification among its columns' }),
		personal: z.boolean().meta({ description: 'Whether any column is personal data' }),
		purposes: z.array(z.string()),
	})
	.meta({ id: 'DataProductSummary' });
export type ProductSummary = z.infer<typeof ProductSummary>;

export const ProductView = ProductSummary.extend({ contract: ContractView }).meta({ id: 'DataProduct' });

/** A product at one published version, with its contract. */
export type Product = {
	readonly id: string;
	readonly domain: string;
	readonly contract: Contract;
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

/** Contracts by hash: content-addressed, so a kept one is never out of date. */
const parsed = new Map<string, Contract>();
const KEPT = 1000;

async function load(ctx: ReadCtx, entry: Ledger.Recorded<'ContractPublished'>): Promise<Product> {
	const { product, domain, contractHash, format } = entry.body;
	const contract = parsed.get(contractHash) ?? parseContract(await Ledger.getText(ctx, contractHash), format);
	if (parsed.size >= KEPT) parsed.clear();
	parsed.set(contractHash, contract);
	return { id: product, domain, contract, hash: contractHash, leaf: entry.leaf, createdAt: entry.entry.at };
}

export type Search = {
	readonly text?: string | undefined;
	readonly domain?: string | undefined;
	readonly classification?: string | undefined;
};

/** Products whose id, title, description, tables or columns contain every word of `text`; sorted by id. */
export async function search(ctx: ReadCtx, query: Search): Promise<Product[]> {
	const ids = await Ledger.Listing.all(ctx, Ledger.Listing.key.products);
	const wanted = ids.filter((id) => query.domain === undefined || id.startsWith(`${query.domain}.`));
	const found = (await Promise.all(wanted.map((id) => get(ctx, id)))).filter((p) => p !== null);
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

/** The product that a database and table name stand for in the mesh, or null. */
export async function byTable(
	ctx: ReadCtx,
	database: string,
	table: string,
): Promise<{ product: Product; table: ContractTable } | null> {
	const keys = await Ledger.Listing.all(ctx, Ledger.Listing.key.table(database, table));
	for (const product of await Promise.all(keys.map((k) => get(ctx, k.split('#')[0] ?? '')))) {
		const bound = product?.contract.tables.find((t) => t.database === database && t.name === table);
		if (product != null && bound !== undefined) return { product, table: bound };
	}
	return null;
}

/**
 * Publishes a contract version. The same version with the same content changes nothing; other content needs a new,
 * higher version. Throws `contract-invalid` unless the contract fits the product id, the domain's account and Glue.
 */
export async function publish(
	ctx: Context,
	permit: Permit<'publishContract'>,
	input: { id: string; text: string; format: 'yaml' | 'json'; account: string },
): Promise<{ product: Product; created: boolean }> {
	const contract = parseContract(input.text, input.format);
	const [last, ...tables] = await Promise.all([
		Ledger.last(ctx, Ledger.stream.product(input.id), 'ContractPublished'),
		...contract.tables.map((t, i) => tableFaults(ctx, input, t, `/schema/${i}`)),
	]);
	const errors = [...identityFaults(input, contract), ...tables.flat()];
	if (errors.length > 0) throw new BrokerError('contract-invalid', 'The contract does not fit.', { errors });
	const hash = Ledger.sha256(input.text);
	if (last?.body.version === contract.version) {
		if (last.body.contractHash === hash) return { product: await load(ctx, last), created: false };
		throw new BrokerError('version-exists', `Version ${contract.version} has other content; publish a higher version.`);
	}
	if (last !== null && !isHigher(contract.version, last.body.version)) {
		throw new BrokerError('version-exists', `Version ${last.body.version} is published; publish a higher one.`);
	}
	await Ledger.putText(ctx, input.text);
	const recorded = await Ledger.append(ctx, {
		stream: Ledger.stream.product(input.id),
		after: last,
		actor: actorOf(ctx),
		body: {
			type: 'ContractPublished',
			product: input.id,
			domain: contract.domain,
			version: contract.version,
			contractHash: hash,
			format: input.format,
			classification: contract.classification,
			personal: contract.personal,
			tables: contract.tables.map(refOf),
			rules: permit.rules,
		},
	});
	return { product: await load(ctx, Ledger.as(recorded, 'ContractPublished')), created: true };
}

function identityFaults(input: { id: string; account: string }, contract: Contract): Fault[] {
	const found: Fault[] = [];
	if (contract.product !== input.id) {
		found.push({
			pointer: '/dataProduct',
			detail: `domain and dataProduct give \`${contract.product}\`, the path says \`${input.id}\``,
		});
	}
	for (const t of contract.tables) {
		if (t.account !== input.account)
			found.push({ pointer: '/servers/0/account', detail: `must be the domain's account ${input.account}` });
	}
	return found;
}

/** What the contract says of a table must be what Glue has, and no other product may stand for the table. */
async function tableFaults(
	ctx: ReadCtx,
	input: { id: string; account: string },
	table: ContractTable,
	pointer: string,
): Promise<Fault[]> {
	if (table.account !== input.account) return [];
	const [glue, owner] = await Promise.all([glueTable(ctx, refOf(table)), byTable(ctx, table.database, table.name)]);
	if (glue === null)
		return [{ pointer, detail: `Glue has no table ${table.database}.${table.name} in account ${table.account}` }];
	const found: Fault[] = table.columns.flatMap((c, i) => columnFaults(c, glue.columns, `${pointer}/properties/${i}`));
	for (const key of glue.partitionKeys) {
		if (!table.columns.some((c) => c.name === key && c.partition)) {
			found.push({
				pointer,
				detail: `partition key \`${key}\` must be in the contract and marked partitioned: it cannot be hidden`,
			});
		}
	}
	if (owner !== null && owner.product.id !== input.id) {
		found.push({ pointer, detail: `${table.database}.${table.name} belongs to product ${owner.product.id}` });
	}
	return found;
}

function columnFaults(column: Column, glue: ReadonlyMap<string, string>, pointer: string): Fault[] {
	const type = glue.get(column.name);
	if (type === undefined) return [{ pointer, detail: 'Glue has no such column' }];
	return sameType(type, column.type) ? [] : [{ pointer, detail: `Glue has type ${type}, the contract ${column.type}` }];
}

/** Glue's Hive names and Athena's SQL names for one type. */
function sameType(glue: string, contract: string): boolean {
	const alias: Record<string, string> = { string: 'varchar', integer: 'int', real: 'float' };
	const plain = (t: string) => alias[t] ?? t.replaceAll(' ', '');
	return plain(glue) === plain(contract);
}

/**
 * Columns that are, or in any published version were, personal, by table: once personal, a constant compared with them
 * stays out of the ledger, whatever a later contract says.
 */
export async function personalColumns(
	ctx: ReadCtx,
	id: string,
): Promise<(table: Ledger.TableRef) => ReadonlySet<string>> {
	const tables = (await versions(ctx, id)).flatMap((v) => v.contract.tables);
	return ({ database, table }) => {
		const same = tables.filter((t) => t.name === table && t.database === database);
		return new Set(same.flatMap((t) => t.columns.filter((c) => c.personal).map((c) => c.name)));
	};
}

/** `a` comes after `b` in the order of Semantic Versioning's major, minor, patch. */
function isHigher(a: string, b: string): boolean {
	const [x, y] = [a, b].map((v) => v.split('.').map((n) => Number.parseInt(n, 10)));
	const differs = [0, 1, 2].find((i) => x?.[i] !== y?.[i]);
	return differs !== undefined && (x?.[differs] ?? 0) > (y?.[differs] ?? 0);
}

export function refOf(table: ContractTable): Ledger.TableRef {
	return { account: table.account, database: table.database, table: table.name };
}

/** What policies may know of a product. */
export function factsOf(product: Product): Entity.ProductFacts {
	const { personal, classification } = product.contract;
	return { product: product.id, domain: product.domain, personal, classification };
}

export function summaryOf({ id, domain, contract, createdAt }: Product): ProductSummary {
	return {
		id,
		domain,
		displayName: contract.title,
		description: contract.description,
		owner: contract.owner,
		version: contract.version,
		status: contract.status,
		createDate: createdAt,
		sourceCodeLocation: contract.sourceCodeLocation ?? null,
		classification: contract.classification,
		personal: contract.personal,
		purposes: contract.purposes,
	};
}
