/** What a query would read and who would have to be asked, without running it: nothing is recorded, nothing started. */
import * as z from 'zod';
import type { Config } from '../context.ts';
import { type Code, codes } from '../error.ts';
import { idOf, ProductId, RoleArn, Slug } from '../id.ts';
import { printRowFilter } from '../rowfilter.ts';
import type { Query, Resolved } from '../sql.ts';
import { LineageView, viewLineage } from './lineage-view.ts';
import { type Binding, type Bound, closedBy, examine, isOpen, planOf } from './plan.ts';

export const QueryPlan = LineageView.extend({
	runs: z.boolean().meta({ description: 'Whether the same call without `dryRun` would start it now' }),
	principal: RoleArn,
	purpose: Slug,
	tables: z.array(
		z.object({
			product: ProductId,
			table: z.string(),
			columns: z.array(z.object({ name: z.string(), uses: z.array(z.string()), granted: z.boolean() })),
			rowFilter: z.string().nullable().meta({ description: 'Rows that your grants open; null if all, or none' }),
			grants: z.array(idOf('grant')).meta({ description: 'The grants in force that cover it' }),
			until: z.iso.datetime().nullable().meta({ description: 'When the first of them ends' }),
		}),
	),
	missing: z
		.array(
			z.object({
				product: ProductId,
				table: z.string(),
				columns: z.array(z.string()).meta({ description: 'Read by the query, and not granted' }),
				code: z.enum(Object.keys(codes) as Code[]),
				detail: z.string(),
				owner: z.string().meta({ description: 'Whom to ask' }),
				line: z.int().nullable().meta({ description: 'Where the query first names it, or the view that reads it' }),
				column: z.int().nullable(),
			}),
		)
		.meta({ description: 'What no grant covers; ask for it with POST /requests' }),
	sql: z.string().nullable().meta({ description: 'What Athena would run; null while something is missing' }),
}).meta({ id: 'QueryPlan' });
export type QueryPlan = z.infer<typeof QueryPlan>;

/** Throws only what is wrong with the text itself, or with the names in it, and that it is too large to be run. */
export function dryRun(
	config: Pick<Config, 'region' | 'producer'>,
	who: { readonly principal: string; readonly purpose: string },
	query: Query,
	binding: Binding,
): QueryPlan {
	const resolved = examine(query, binding);
	const read = binding.tables.filter((b) => resolved.tables.includes(b.id));
	const missing = binding.tables.flatMap((b) => missingOf(b, resolved));
	const planned = missing.length === 0 ? planOf(query, binding.tables.filter(isOpen), resolved) : null;
	return {
		runs: planned !== null,
		principal: who.principal,
		purpose: who.purpose,
		tables: read.map((b) => tableOf(b, resolved)),
		missing,
		sql: planned?.printed ?? null,
		...viewLineage(config, resolved, new Map(read.map((b) => [b.id, b.ref]))),
	};
}

const readsOf = (b: Bound, { reads }: Resolved) => reads.filter((r) => r.table === b.id);
const nameOf = ({ table }: Bound) => `${table.database}.${table.name}`;

const covers = (b: Bound, column: string) => isOpen(b) && b.gate.scope.columns.includes(column);

function tableOf(b: Bound, resolved: Resolved): QueryPlan['tables'][number] {
	const open = isOpen(b);
	const columns = readsOf(b, resolved).map((r) => ({
		name: r.column,
		uses: [...r.uses],
		granted: covers(b, r.column),
	}));
	const holdings = open ? b.gate.holdings : [];
	const filter = open ? b.gate.scope.rowFilter : null;
	return {
		product: b.product.id,
		table: nameOf(b),
		columns,
		rowFilter: filter === null ? null : printRowFilter(filter),
		grants: holdings.map((h) => h.grant),
		until: holdings.map((h) => h.until).toSorted()[0] ?? null,
	};
}

function missingOf(b: Bound, resolved: Resolved): QueryPlan['missing'] {
	const about = { product: b.product.id, table: nameOf(b), owner: b.product.contract.owner };
	const reads = readsOf(b, resolved);
	if (!isOpen(b)) {
		const { code, message: detail } = closedBy(b);
		return [{ ...about, columns: reads.map((r) => r.column), code, detail, ...b.at }];
	}
	const refused = reads.filter((r) => !covers(b, r.column));
	const [first] = refused;
	if (first === undefined) return [];
	const columns = refused.map((r) => r.column);
	const detail = `Your grants do not cover every column that the query reads. Ask ${about.owner} for the rest.`;
	return [{ ...about, columns, code: 'column-not-granted', detail, ...first.at }];
}
