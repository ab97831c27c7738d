/** Access to a view is access to the tables it reads: Lake Formation's cell filters do not reach through views. */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import { isRefusal } from '../error.ts';
import { type AccessRequest, invalid, tableOf } from './request.ts';

/** Throws `validation` where a view is asked for, and says which products to ask for instead. */
export async function refuseViews(
	ctx: Context,
	product: Catalog.Product,
	asked: AccessRequest['tables'],
): Promise<void> {
	for (const [i, { table: name }] of asked.entries()) {
		const table = tableOf(product, name);
		if (table?.view !== true) continue;
		const detail = `${table.name} is a view, which no grant opens: ${await advice(ctx, Catalog.refOf(table))}`;
		throw invalid(`/tables/${i}/table`, detail);
	}
}

async function advice(ctx: Context, view: { readonly database: string; readonly table: string }): Promise<string> {
	try {
		const { tables } = await Catalog.expand(ctx, [{ ...view, at: { line: 1, column: 1 } }]);
		const products = [...new Set(tables.map((t) => t.product.id))].toSorted();
		if (products.length > 0) return `ask for the tables it reads, of ${products.join(', ')}`;
	} catch (error) {
		if (!isRefusal(error)) throw error;
	}
	return 'and this one cannot be read through Fairlead';
}
