/** The tables that a query reads, its views followed, each with the caller's gate on it. A view has none of its own. */
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import * as Grants from '../grants.ts';
import type { Query } from '../sql.ts';
import type { Binding } from './plan.ts';

export type Who = { readonly principal: string; readonly person: string; readonly purpose: string };

/** Names that no product stands for are left out: the resolver then says where they are written. */
export async function bind(ctx: Context, who: Who, query: Query): Promise<Binding> {
	const { tables, views } = await Catalog.expand(ctx, Catalog.mentions(query));
	const gated = tables.map(async (found) => ({
		...found,
		seenAs: Grants.linkOf(who.principal, found.ref) ?? found.ref.database,
		gate: await Grants.gate(ctx, who, found.ref, ctx.now),
	}));
	return { tables: await Promise.all(gated), views };
}
