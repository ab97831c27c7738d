/**
 * SQL that runs elsewhere: what it reads and where its outputs come from, as far as the catalog knows its tables. Nothing
 * runs, nobody's access is asked. What could not be known is an answer, with the reason; nothing is ever guessed.
 */
import * as z from 'zod';
import * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import { type BrokerError, type Code, codes, isRefusal } from '../error.ts';
import { ProductId } from '../id.ts';
import { type Query, resolve } from '../sql.ts';
import { demandFewLinks } from './limits.ts';
import { LineageView, viewLineage } from './lineage-view.ts';
import { lookupOf, readThrough, wholeRelation } from './lookup.ts';

export const ForeignSql = z
	.strictObject({
		sql: z.string().min(1).max(262_144).meta({ example: 'SELECT status FROM lending.loans' }),
		database: z.string().min(1).max(255).optional().meta({ description: 'Of the tables that are named without one' }),
	})
	.meta({ id: 'ForeignSql' });
export type ForeignSql = z.infer<typeof ForeignSql>;

export const ForeignLineage = z
	.discriminatedUnion('known', [
		LineageView.extend({
			known: z.literal(true),
			tables: z.array(
				z.object({
					product: ProductId,
					table: z.string(),
					columns: z.array(z.object({ name: z.string(), uses: z.array(z.string()) })),
				}),
			),
		}),
		z.object({
			known: z.literal(false),
			reason: z.object({
				code: z.enum(Object.keys(codes) as Code[]),
				detail: z.string(),
				line: z.int().nullable(),
				column: z.int().nullable(),
			}),
		}),
	])
	.meta({ id: 'ForeignLineage' });
export type ForeignLineage = z.infer<typeof ForeignLineage>;

/** Throws only when something fails, never for what the text is. */
export async function readForeign(ctx: Context, { sql, database }: ForeignSql): Promise<ForeignLineage> {
	try {
		const query = await ctx.parser.query(sql);
		const fallback = database?.toLowerCase() ?? null;
		return known(ctx, query, await Catalog.expand(ctx, Catalog.mentions(query, fallback)), fallback);
	} catch (error) {
		if (!isRefusal(error)) throw error;
		return { known: false, reason: reasonOf(error) };
	}
}

function known(ctx: Context, query: Query, found: Catalog.Expansion, database: string | null): ForeignLineage {
	// A view that no longer fits its tables is not guessed at.
	readThrough(found);
	const resolved = resolve(query, lookupOf(found, wholeRelation, database));
	demandFewLinks(resolved);
	const read = found.tables.filter((t) => resolved.tables.includes(t.id));
	return {
		known: true,
		tables: read.map((t) => ({
			product: t.product.id,
			table: `${t.table.database}.${t.table.name}`,
			columns: resolved.reads.filter((r) => r.table === t.id).map((r) => ({ name: r.column, uses: [...r.uses] })),
		})),
		...viewLineage(ctx.config, resolved, new Map(read.map((t) => [t.id, t.ref]))),
	};
}

function reasonOf({ code, message, extensions }: BrokerError): Extract<ForeignLineage, { known: false }>['reason'] {
	const place = (value: unknown) => (typeof value === 'number' ? value : null);
	return { code, detail: message, line: place(extensions.line), column: place(extensions.column) };
}
