/** Less of what is asked for or granted: what is left is computed from what there is, so it can only be a part of it. */
import * as z from 'zod';
import type * as Catalog from '../catalog.ts';
import type { Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import type { TableRef } from '../ledger.ts';
import { both, readRowFilter } from '../rowfilter.ts';
import type { Scope } from '../scope.ts';
import type { ReadScope } from './content.ts';
import { invalid, tableOf } from './request.ts';

export const TableNarrowings = z
	.array(
		z.strictObject({
			table: z.string().min(1).max(255).meta({ description: 'Table of the request or grant', example: 'loans' }),
			columns: z
				.array(z.string().min(1).max(255))
				.min(1)
				.max(1000)
				.optional()
				.meta({ description: 'What stays of its columns; all of them if absent' }),
			rowFilter: z.string().min(1).max(10_000).optional().meta({
				description: 'What must hold besides, in Lake Formation grammar',
				example: "status = 'D'",
			}),
		}),
	)
	.min(1)
	.max(50);
export type TableNarrowings = z.infer<typeof TableNarrowings>;

export type Less = Scope & { readonly table: TableRef };

/** Where the narrowing stands in the body, and what of. */
type Place = { readonly pointer: string; readonly of: 'request' | 'grant' };

/** The scopes that become less. Throws `validation` for what is not in them, or what would change nothing. */
export async function lessOf(
	ctx: Pick<Context, 'parser'>,
	product: Catalog.Product,
	scopes: readonly ReadScope[],
	asked: TableNarrowings,
	{ pointer, of }: Place,
): Promise<Less[]> {
	const less = await Promise.all(
		asked.map((a, i) => lessOfTable(ctx, product, scopes, a, { pointer: `${pointer}/${i}`, of })),
	);
	const names = less.map(({ table }) => JSON.stringify(table));
	const twice = names.findIndex((n, i) => names.indexOf(n) !== i);
	if (twice !== -1) throw invalid(`${pointer}/${twice}/table`, 'the same table twice');
	return less;
}

async function lessOfTable(
	ctx: Pick<Context, 'parser'>,
	product: Catalog.Product,
	scopes: readonly ReadScope[],
	asked: TableNarrowings[number],
	{ pointer, of }: Place,
): Promise<Less> {
	const described = tableOf(product, asked.table);
	const whole = scopes.find(({ table }) => table.table === described?.name && table.database === described.database);
	if (described === undefined || whole === undefined) throw invalid(`${pointer}/table`, `is not in the ${of}`);
	if (!whole.readable) throw new BrokerError('record-corrupt', `The row filter of this ${of} was erased.`);
	const kept = asked.columns === undefined ? null : new Set(asked.columns.map((c) => c.toLowerCase()));
	const foreign = [...(kept ?? [])].find((c) => !whole.columns.includes(c));
	if (foreign !== undefined) {
		throw invalid(`${pointer}/columns`, `\`${foreign}\` is not ${of === 'grant' ? 'granted' : 'asked for'}`);
	}
	const columns = whole.columns.filter((c) => kept?.has(c) ?? true);
	const key = described.columns.find((c) => c.partition && !columns.includes(c.name));
	if (key !== undefined) {
		throw invalid(`${pointer}/columns`, `must keep partition key \`${key.name}\`: it is always visible`);
	}
	const more =
		asked.rowFilter === undefined ? null : await readRowFilter(ctx.parser, asked.rowFilter, described.columns);
	const rowFilter = both(whole.rowFilter, more);
	if (columns.length === whole.columns.length && JSON.stringify(rowFilter) === JSON.stringify(whole.rowFilter)) {
		throw invalid(pointer, 'takes nothing away');
	}
	return { table: whole.table, columns, rowFilter };
}
