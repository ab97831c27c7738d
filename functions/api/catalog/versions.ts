/** Published versions of a product: what there are, each as it was sent, and what changed between two of them. */
import { type OpenAPIHono, z } from '@hono/zod-openapi';
import * as Catalog from '#core/catalog.ts';
import type { Context } from '#core/context.ts';
import * as Contract from '#core/contract.ts';
import { BrokerError } from '#core/error.ts';
import { ProductId } from '#core/id.ts';
import { notFound } from '#core/policy.ts';
import type { Env } from '../../env.ts';
import * as Example from '../examples.ts';
import { json, operation } from '../router.ts';

const ofProduct = { tag: 'Data products', action: 'viewProduct', refuses: ['not-found'] } as const;
const id = ProductId.meta({ description: 'Id of the data product' });
const product = { params: z.object({ id }) };

/** As long as a contract may write it. */
const Version = z.string().min(1).max(64);
const one = {
	params: z.object({ id, version: Version.meta({ description: 'A published version', example: '1.0.0' }) }),
};

const summary = {
	version: '1.0.0',
	publishedAt: '2026-11-21T06:37:19.363Z',
	format: 'yaml' as const,
	hash: 'd70c845ccc7327a45bf9ceb5c0d890b63534818286269ae4457bf920b1b116c3',
	leaf: '0710cb04c756fe375a3e29236eefef84d3bf6d6c7ffe7c2e02d5d66bf5996961',
};

const listVersions = operation(ofProduct, {
	method: 'get',
	path: '/dataproducts/{id}/versions',
	operationId: 'listDataProductVersions',
	summary: 'Every published contract version',
	request: product,
	responses: {
		200: json(z.object({ versions: z.array(Catalog.VersionSummary) }), 'Versions, oldest first', {
			versions: [summary],
		}),
	},
});

const getVersion = operation(ofProduct, {
	method: 'get',
	path: '/dataproducts/{id}/versions/{version}',
	operationId: 'getDataProductVersion',
	summary: 'One published version with its whole contract document',
	request: one,
	responses: {
		200: json(Catalog.VersionView, 'The version', {
			...summary,
			product: 'lending.loans',
			document: Example.contractJson,
		}),
	},
});

const getContract = operation(ofProduct, {
	method: 'get',
	path: '/dataproducts/{id}/versions/{version}/contract',
	operationId: 'getDataProductContract',
	summary: 'The contract of one version, byte for byte as it was published',
	request: one,
	responses: {
		200: {
			description: 'The contract, in the format that it was sent in; its SHA-256 is the `hash` of the version',
			content: {
				'application/yaml': {
					schema: z.looseObject({}).meta({ description: 'Open Data Contract Standard document' }),
					example: Example.contractJson,
				},
				'application/json': {
					schema: z.looseObject({}).meta({ description: 'Open Data Contract Standard document' }),
					example: Example.contractJson,
				},
			},
		},
	},
});

const compareVersions = operation(ofProduct, {
	method: 'get',
	path: '/dataproducts/{id}/versions/{version}/changes',
	operationId: 'compareDataProductVersions',
	summary: 'What changed for consumers since another version',
	request: {
		...one,
		query: z.object({
			since: Version.optional().meta({ description: 'Published version to compare with; the one before, if absent' }),
		}),
	},
	responses: {
		200: json(Contract.Changes, 'The changes', {
			since: '1.0.0',
			version: '2.0.0',
			bump: 'major',
			breaking: true,
			raised: false,
			lowered: false,
			changes: [
				{ kind: 'column-retyped', table: 'loans', column: 'amount', from: 'int', to: 'decimal(12,2)', breaking: true },
				{ kind: 'purpose-added', from: null, to: 'model-validation', breaking: false },
			],
		}),
	},
});

/** Adds the routes; `visible` finds a product that the caller may see, or throws `not-found`. */
export function addVersionRoutes(
	app: OpenAPIHono<Env>,
	visible: (ctx: Context, id: string) => Promise<Catalog.Product>,
): void {
	const find = async (ctx: Context, of: { id: string; version: string }) => {
		await visible(ctx, of.id);
		const found = await Catalog.version(ctx, of.id, of.version);
		if (found === null) throw notFound();
		return found;
	};
	app.openapi(listVersions, async (c) => {
		const { ctx } = c.var;
		const { id } = await visible(ctx, c.req.valid('param').id);
		return c.json({ versions: (await Catalog.versions(ctx, id)).map(Catalog.versionSummary) }, 200);
	});
	app.openapi(getVersion, async (c) => {
		const { product } = await find(c.var.ctx, c.req.valid('param'));
		return c.json(Catalog.versionView(product), 200);
	});
	app.openapi(getContract, async (c) => {
		const { ctx } = c.var;
		const { product } = await find(ctx, c.req.valid('param'));
		const text = await Catalog.contractText(ctx, product);
		// A body of the other media type would not type-check, for JSON is typed as its value.
		return c.body(text, 200, { 'content-type': `application/${product.format}` }) as never;
	});
	app.openapi(compareVersions, async (c) => {
		const { ctx } = c.var;
		const { since } = c.req.valid('query');
		const { id, version } = c.req.valid('param');
		const { product, before } = await find(ctx, { id, version });
		const other = since === undefined ? before : (await Catalog.version(ctx, id, since))?.product;
		if (other === null) {
			const detail = 'is required: this is the first version';
			throw new BrokerError('validation', 'There is no version before this one.', {
				errors: [{ pointer: '/since', detail }],
			});
		}
		if (other === undefined) {
			const errors = [{ pointer: '/since', detail: 'no such version of this product' }];
			throw new BrokerError('validation', 'There is no version to compare with.', { errors });
		}
		return c.json(Contract.compare(other.contract, product.contract), 200);
	});
}
