/** Data products: publish, find, read their contracts. */
import { z } from '@hono/zod-openapi';
import * as Catalog from '#core/catalog.ts';
import type { Context } from '#core/context.ts';
import * as Contract from '#core/contract.ts';
import { makeCursor, readCursor } from '#core/cursor.ts';
import * as Domains from '#core/domains.ts';
import { BrokerError } from '#core/error.ts';
import { ProductId, Slug } from '#core/id.ts';
import { authorize, Entity, notFound, reveal } from '#core/policy.ts';
import * as Example from './examples.ts';
import { json, newRouter, nextPageToken, operation, Paging } from './router.ts';

const Search = Paging.extend({
	text: z.string().max(200).optional().meta({ description: 'Words in id, title, description, tables or columns' }),
	domain: Slug.optional(),
	classification: z.enum(['public', 'internal', 'confidential', 'restricted']).optional(),
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
			200: json(z.object({ dataproducts: z.array(Catalog.ProductSummary), nextPageToken }), 'Products, by id', {
				dataproducts: [Example.productSummary],
				nextPageToken: null,
			}),
		},
	},
);

const product = { params: z.object({ id: ProductId }) };

const getProduct = operation(
	{ tag: 'Data products', action: 'viewProduct', refuses: ['not-found'] },
	{
		method: 'get',
		path: '/dataproducts/{id}',
		operationId: 'getDataProduct',
		summary: 'One data product with its contract',
		request: product,
		responses: { 200: json(Catalog.ProductView, 'The product', Example.product) },
	},
);

const listVersions = operation(
	{ tag: 'Data products', action: 'viewProduct', refuses: ['not-found'] },
	{
		method: 'get',
		path: '/dataproducts/{id}/versions',
		operationId: 'listDataProductVersions',
		summary: 'Every published contract version',
		request: product,
		responses: {
			200: json(
				z.object({
					versions: z.array(
						z.object({ version: z.string(), publishedAt: z.iso.datetime(), hash: z.string(), leaf: z.string() }),
					),
				}),
				'Versions, oldest first',
				Example.versions,
			),
		},
	},
);

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
		summary: 'Publish a contract version (ODCS v3.1, YAML or JSON)',
		request: {
			...product,
			body: {
				required: true,
				content: {
					'application/yaml': {
						schema: z.string().meta({ description: 'ODCS v3.1 data contract' }),
						example: Example.contractYaml,
					},
					'application/json': {
						schema: z.looseObject({}).meta({ description: 'ODCS v3.1 data contract' }),
						example: Example.contractJson,
					},
				},
			},
		},
		responses: {
			200: json(Catalog.ProductView, 'This version was published already, with the same content', Example.product),
			201: json(Catalog.ProductView, 'Published', Example.product),
		},
	},
);

export function catalogRoutes() {
	const app = newRouter();
	app.openapi(listProducts, async (c) => {
		const { ctx } = c.var;
		authorize(ctx, 'viewProducts', Entity.mesh(ctx.config.governance));
		const { pageSize, pageToken, ...search } = c.req.valid('query');
		const scope = ['dataproducts', search];
		const after = pageToken === undefined ? '' : z.string().parse(readCursor(ctx, scope, pageToken));
		const found = (await Catalog.search(ctx, search)).filter((p) => p.id > after);
		const page = found.slice(0, pageSize);
		const last = page.at(-1);
		const next = found.length > page.length && last !== undefined ? makeCursor(ctx, scope, last.id) : null;
		return c.json({ dataproducts: page.map(Catalog.summaryOf), nextPageToken: next }, 200);
	});
	app.openapi(getProduct, async (c) => c.json(view(await visible(c.var.ctx, c.req.valid('param').id)), 200));
	app.openapi(listVersions, async (c) => {
		const { id } = await visible(c.var.ctx, c.req.valid('param').id);
		const versions = await Catalog.versions(c.var.ctx, id);
		return c.json(
			{
				versions: versions.map((v) => ({
					version: v.contract.version,
					publishedAt: v.createdAt,
					hash: v.hash,
					leaf: v.leaf,
				})),
			},
			200,
		);
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
			text: await c.req.text(),
			format: formatOf(c.req.header('content-type')),
			account: domain.account,
		};
		const { product, created } = await Catalog.publish(ctx, permit, input);
		return created ? c.json(view(product), 201) : c.json(view(product), 200);
	});
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

function formatOf(contentType: string | undefined): 'yaml' | 'json' {
	const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase();
	if (type === 'application/json') return 'json';
	if (type === 'application/yaml' || type === 'text/yaml' || type === 'application/x-yaml') return 'yaml';
	throw new BrokerError('unsupported-media-type', 'Send the contract as application/yaml or application/json.');
}
