/** Data products: publish, find, read their contracts. */
import { z } from '@hono/zod-openapi';
import * as Access from '#core/access.ts';
import * as Catalog from '#core/catalog.ts';
import type { Context } from '#core/context.ts';
import * as Contract from '#core/contract.ts';
import * as Domains from '#core/domains.ts';
import { BrokerError } from '#core/error.ts';
import { ProductId, Slug } from '#core/id.ts';
import { authorize, Entity, notFound, reveal } from '#core/policy.ts';
import { addVersionRoutes } from './catalog/versions.ts';
import { published } from './examples/publishing.ts';
import * as Example from './examples.ts';
import { pageAmong } from './listing.ts';
import { json, link, newRouter, nextPageToken, operation, Paging } from './router.ts';

const Search = Paging.extend({
	text: z.string().max(200).optional().meta({ description: 'Words in id, title, description, tables or columns' }),
	domain: Slug.optional().meta({ description: 'Those of this domain' }),
	classification: z
		.enum(['public', 'internal', 'confidential', 'restricted'])
		.optional()
		.meta({ description: 'Those whose highest classification is this' }),
});

const listProducts = operation(
	{ tag: 'Data products', action: 'viewProducts', refuses: ['not-permitted'] },
	{
		method: 'get',
		path: '/dataproducts',
		operationId: 'listDataProducts',
		summary: 'Find data products; metadata is visible without access to the data',
		request: { query: Search },
		responses: {
			200: {
				...json(z.object({ dataproducts: z.array(Catalog.ProductSummary), nextPageToken }), 'Products, by id', {
					dataproducts: [Example.productSummary],
					nextPageToken: null,
				}),
				headers: link,
			},
		},
	},
);

const product = { params: z.object({ id: ProductId.meta({ description: 'Id of the data product' }) }) };

/** RFC 9745 and RFC 8594, about the product. */
const endOfLife = {
	Deprecation: {
		description: 'From when to look for another product, if the contract says so; it may lie ahead',
		schema: { type: 'string' as const, pattern: '^@[0-9]+$' },
		example: '@1798761600',
	},
	Sunset: {
		description:
			'From when no request is taken, if the contract says so; no grant outlives it, those in force end then, too',
		schema: { type: 'string' as const },
		example: 'Fri, 01 Jan 2027 00:00:00 GMT',
	},
};

const getProduct = operation(
	{ tag: 'Data products', action: 'viewProduct', refuses: ['not-found'] },
	{
		method: 'get',
		path: '/dataproducts/{id}',
		operationId: 'getDataProduct',
		summary: 'One data product with its contract',
		request: product,
		responses: { 200: { ...json(Catalog.ProductView, 'The product', Example.product), headers: endOfLife } },
	},
);

const Published = Catalog.ProductView.extend({
	affected: z.array(Access.Affected).meta({
		description: 'Grants that could not be given like this any more, or outlive the product, and what becomes of them',
	}),
	affectedWhole: z.boolean().meta({
		description:
			'Whether these are all, and all was done; where not, the rest follows within minutes, and their notices tell',
	}),
}).meta({ id: 'PublishedProduct' });

const putProduct = operation(
	{
		tag: 'Data products',
		action: 'publishContract',
		refuses: ['not-permitted', 'not-found', 'conflict', 'version-exists', 'contract-invalid', 'contract-refused'],
	},
	{
		method: 'put',
		path: '/dataproducts/{id}',
		operationId: 'putDataProduct',
		summary: 'Publish a contract version (ODCS v3.1, YAML or JSON); grants that no longer fit it are held back',
		request: {
			...product,
			query: z.object({
				dryRun: z
					.enum(['true', 'false'])
					.default('false')
					.meta({ description: 'Say what would be published and which grants that would affect; store nothing' }),
			}),
			body: {
				required: true,
				content: {
					'application/yaml': {
						schema: z.string().meta({ description: 'ODCS v3.1 data contract' }),
						example: Example.contractYaml,
					},
					'application/json': {
						// Not a schema of ours: the contract is read after its sender is known to be an owner, from its bytes.
						schema: { type: 'object', description: 'ODCS v3.1 data contract' },
						example: Example.contractJson,
					},
				},
			},
		},
		responses: {
			200: json(Published, 'Published already, with the same content; or what would be published', published),
			201: json(Published, 'Published', published),
		},
	},
);

export function catalogRoutes() {
	const app = newRouter();
	app.openapi(listProducts, async (c) => {
		const { ctx } = c.var;
		authorize(ctx, 'viewProducts', Entity.mesh(ctx.config.governance));
		const { pageSize, pageToken, ...search } = c.req.valid('query');
		const paging = { of: ['dataproducts', search], pageSize, pageToken };
		const { found, nextPageToken: next } = pageAmong(c, await Catalog.search(ctx, search), (p) => p.id, paging);
		return c.json({ dataproducts: found.map(Catalog.summaryOf), nextPageToken: next }, 200);
	});
	app.openapi(getProduct, async (c) => {
		const found = await visible(c.var.ctx, c.req.valid('param').id);
		const { deprecated, retires } = Catalog.lifeOf(found.contract);
		if (deprecated !== null) c.header('deprecation', `@${Math.floor(deprecated.getTime() / 1000)}`);
		if (retires !== null) c.header('sunset', retires.toUTCString());
		return c.json(view(found), 200);
	});
	app.openapi(putProduct, async (c) => {
		const { ctx } = c.var;
		const { id } = c.req.valid('param');
		reveal(ctx, 'viewDomains', Entity.mesh(ctx.config.governance));
		const domain = await Domains.get(ctx, id.slice(0, id.indexOf('.')));
		if (domain === null) throw notFound();
		// What a new product will be is not known before its contract is read; ownership of the domain is what counts.
		const facts = { product: id, domain: domain.id, personal: true, classification: 'restricted' };
		const permit = authorize(ctx, 'publishContract', Entity.product(facts, ctx.config.governance));
		const input = {
			id,
			text: utf8(await c.req.arrayBuffer()),
			format: formatOf(c.req.header('content-type')),
			domain,
			dryRun: c.req.valid('query').dryRun === 'true',
		};
		const { product, created } = await Catalog.publish(ctx, permit, input);
		const { affected, whole } = await Access.affectedBy(ctx, product, !input.dryRun);
		const answer = { ...view(product), affected: [...affected], affectedWhole: whole };
		return created ? c.json(answer, 201) : c.json(answer, 200);
	});
	addVersionRoutes(app, visible);
	return app;
}

async function visible(ctx: Context, id: string): Promise<Catalog.Product> {
	const found = await Catalog.get(ctx, id);
	if (found === null) throw notFound();
	reveal(ctx, 'viewProduct', Entity.product(Catalog.factsOf(found), ctx.config.governance));
	return found;
}

function view(found: Catalog.Product) {
	return { ...Catalog.summaryOf(found), contract: Contract.contractView(found.contract) };
}

/** The media types are those that the operation takes; no other comes this far. */
function formatOf(contentType: string | undefined): 'yaml' | 'json' {
	const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
	if (type === 'application/json') return 'json';
	if (type === 'application/yaml') return 'yaml';
	throw new BrokerError('unsupported-media-type', 'Send the contract as application/yaml or application/json.');
}

/** Exactly what the bytes say, so that they can be given back: nothing replaced, no mark dropped. */
function utf8(bytes: ArrayBuffer): string {
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch (cause) {
		throw new BrokerError('bad-request', 'The contract is not UTF-8.', {}, { cause });
	}
}
