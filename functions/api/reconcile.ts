/** Lake Formation compared with what is recorded, on demand; and what it holds that was never approved here. */
import { z } from '@hono/zod-openapi';
import { AccountId, ProductId } from '#core/id.ts';
import * as Reconcile from '#core/reconcile.ts';
import * as Example from './examples.ts';
import { pageAmong } from './listing.ts';
import { json, jsonBody, link, newRouter, nextPageToken, OfDomain, operation, pageSize, pageToken } from './router.ts';

const Asked = z.strictObject({ product: ProductId }).meta({ id: 'ReconciliationRequest' });

const Table = {
	account: AccountId.meta({ description: 'Account whose Glue catalog has the table' }),
	table: z.string().meta({ description: 'Name in SQL: database.table', example: 'lending.loans' }),
};

const Finding = z
	.object({
		...Table,
		kind: Reconcile.DriftKind,
		principal: z.string().nullable().meta({ description: 'Who holds it, or should; null where it is about the table' }),
		filter: z.string().nullable().meta({ description: 'The data cells filter that it is about' }),
		permissions: z.array(z.string()),
		outcome: z.enum(['repaired', 'alerted', 'suspended']).meta({
			description: "`alerted`: not Fairlead's to change, or not repaired yet. `suspended`: the grants are held back.",
		}),
	})
	.meta({ id: 'DriftFinding' });

const count = (description: string) => z.int().min(0).meta({ description });

const Reconciliation = z
	.object({
		whole: z.boolean().meta({ description: 'false: another pass took over, and this is what was done until then' }),
		tally: z.object({
			tables: count('Tables looked at'),
			checked: count('Entitlements compared with Lake Formation'),
			repaired: count('Findings mended, or held back'),
			alerted: count('Findings told only'),
			failed: count('Tables, entitlements and repairs left to the next pass'),
		}),
		findings: z.array(Finding).meta({ description: 'At most 500; the tally counts all' }),
	})
	.meta({ id: 'Reconciliation' });

const reconcileProduct = operation(
	{ tag: 'Grants', action: 'reconcile', refuses: ['not-permitted', 'not-found', 'conflict'] },
	{
		method: 'post',
		path: '/reconciliations',
		operationId: 'reconcile',
		summary: "Compare a product's tables with Lake Formation now: what is Fairlead's is brought back, the rest is told",
		request: { body: jsonBody(Asked, { product: 'lending.loans' }) },
		responses: { 200: json(Reconciliation, 'What was found, and what became of it', Example.reconciliation) },
	},
);

const Unapproved = z
	.object({
		product: ProductId,
		...Table,
		principal: z.string().meta({ description: 'As Lake Formation names the grantee' }),
		permissions: z.array(z.string()),
		grantable: z.array(z.string()).meta({ description: 'Those that the grantee may hand on' }),
		on: z.enum(['table', 'columns', 'filter', 'all-tables']).meta({ description: 'What the right is on' }),
		columns: z.array(z.string()).nullable().meta({ description: 'null: all columns but those in `excluded`' }),
		excluded: z.array(z.string()),
		rows: z.string().nullable().meta({ description: 'Text of the row filter; null is all rows' }),
		since: z.iso.datetime().nullable(),
		by: z.string().nullable().meta({ description: 'Who granted it, where Lake Formation tells' }),
	})
	.meta({ id: 'UnapprovedRight' });

const Unread = z
	.object({ product: ProductId, ...Table })
	.meta({ id: 'UnreadTable', description: 'A table whose rights Lake Formation in its account does not tell now' });

const listUnapproved = operation(
	{ tag: 'Grants', action: 'viewUnapproved', refuses: ['not-permitted', 'not-found'] },
	{
		method: 'get',
		path: '/unapproved',
		operationId: 'listUnapproved',
		summary: 'Rights on published tables that Lake Formation holds and that were never approved here; read-only',
		request: {
			query: z.object({
				// The schema is shared, its words are not.
				domain: OfDomain.meta({ description: 'Those on products of this domain' }),
				pageSize: pageSize(50, 10).openapi({ description: 'Most tables on a page' }),
				pageToken: pageToken(2000),
			}),
		},
		responses: {
			200: {
				...json(z.object({ rights: z.array(Unapproved), unread: z.array(Unread), nextPageToken }), 'Rights, by table', {
					rights: [Example.unapproved],
					unread: [],
					nextPageToken: null,
				}),
				headers: link,
			},
		},
	},
);

export function reconcileRoutes() {
	const app = newRouter();
	app.openapi(reconcileProduct, async (c) => {
		const { findings, ...rest } = await Reconcile.ofProduct(c.var.ctx, c.req.valid('json').product);
		return c.json({ ...rest, findings: findings.map(ofTable) }, 200);
	});
	app.openapi(listUnapproved, async (c) => {
		const { ctx } = c.var;
		const { domain, ...paging } = c.req.valid('query');
		const tables = (await Reconcile.tablesToReview(ctx, domain)).toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
		const of = ['unapproved', domain ?? ''];
		const { found, nextPageToken: next } = pageAmong(c, tables, placeOf, { ...paging, of });
		const { rights, unread } = await Reconcile.unapproved(ctx, found);
		return c.json({ rights: rights.map(written), unread: unread.map(ofTable), nextPageToken: next }, 200);
	});
	return app;
}

const placeOf = ({ product, table }: Reconcile.Published) => `${product} ${Reconcile.nameOf(table)}`;

/** A table's whole name in two members, as everywhere in the API. */
function ofTable<T extends { readonly table: Reconcile.Published['table'] }>({ table, ...rest }: T) {
	return { ...rest, account: table.account, table: `${table.database}.${table.table}` };
}

function written(right: Reconcile.Unapproved): z.infer<typeof Unapproved> {
	const { permissions, grantable, columns, excluded } = right;
	const lists = { permissions: [...permissions], grantable: [...grantable], excluded: [...excluded] };
	return { ...ofTable(right), ...lists, columns: columns === null ? null : [...columns] };
}
