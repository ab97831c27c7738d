/** Products as the API and the policies see them, and how far in its life a product is. */
import * as z from 'zod';
import { type Contract, type ContractTable, ContractView } from '../contract.ts';
import { ProductId } from '../id.ts';
import { Hash, type TableRef } from '../ledger.ts';
import type { Entity } from '../policy.ts';
import type { Product } from './read.ts';

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
		deprecatedFrom: z.string().optional().meta({ description: 'Date or date-time from which to look for another' }),
		retiresAt: z.string().optional().meta({
			description:
				'Date or date-time from which no request is taken; no grant outlives it, those in force end then, too',
		}),
	})
	.meta({ id: 'DataProductSummary' });
export type ProductSummary = z.infer<typeof ProductSummary>;

export const ProductView = ProductSummary.extend({ contract: ContractView }).meta({ id: 'DataProduct' });

/** One published version. */
export const VersionSummary = z.object({
	version: z.string(),
	publishedAt: z.iso.datetime(),
	format: z.enum(['yaml', 'json']).meta({ description: 'What the contract was sent as' }),
	hash: Hash.meta({ description: 'SHA-256 of the contract as it was sent' }),
	leaf: Hash.meta({ description: 'Leaf of the ledger entry that published it' }),
});
export type VersionSummary = z.infer<typeof VersionSummary>;

/** One published version, with the whole document. */
export const VersionView = VersionSummary.extend({
	product: ProductId,
	document: z
		.record(z.string(), z.unknown())
		.meta({ description: 'Every member of the contract, as an Open Data Contract Standard document' }),
}).meta({ id: 'DataProductVersion' });
export type VersionView = z.infer<typeof VersionView>;

export function versionSummary({ contract, createdAt, format, hash, leaf }: Product): VersionSummary {
	return { version: contract.version, publishedAt: createdAt, format, hash, leaf };
}

export function versionView(product: Product): VersionView {
	const { document } = product.contract;
	return { ...versionSummary(product), product: product.id, document: { ...document } };
}

export function summaryOf({ id, domain, contract, createdAt }: Product): ProductSummary {
	const { deprecatedFrom, retiresAt } = contract;
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
		...(deprecatedFrom === undefined ? {} : { deprecatedFrom }),
		...(retiresAt === undefined ? {} : { retiresAt }),
	};
}

/** What policies may know of a product. */
export function factsOf(product: Product): Entity.ProductFacts {
	const { personal, classification } = product.contract;
	return { product: product.id, domain: product.domain, personal, classification };
}

export function refOf(table: ContractTable): TableRef {
	return { account: table.account, database: table.database, table: table.name };
}

/** The instants of a product's end of life. A date stands for its first instant, UTC. */
export function lifeOf({ deprecatedFrom, retiresAt }: Contract): { deprecated: Date | null; retires: Date | null } {
	const instant = (text: string | undefined) => (text === undefined ? null : new Date(text));
	return { deprecated: instant(deprecatedFrom), retires: instant(retiresAt) };
}
