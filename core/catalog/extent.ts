/**
 * How much a query stands for with its views written out, told without writing anything out: what is read twice counts
 * twice. Views that double what they read would otherwise be many times as long as any text.
 */
import { bounds } from '../sql.ts';
import type { FoundTable, FoundView } from './expand.ts';
import { keyOf, type Mention } from './mentions.ts';
import { misfit, tooDeep, tooLong, tooMany, tooWide, type Via } from './via.ts';

/** `bytes` of definitions; `reads`: tables and views that they read, and `columns` of those. */
type Extent = { readonly depth: number; readonly bytes: number; readonly reads: number; readonly columns: number };

export type Found = {
	readonly tables: ReadonlyMap<string, FoundTable>;
	readonly views: ReadonlyMap<string, FoundView>;
};

/** Refuses views that read themselves, lie too deep, or make more of the query than one may be. */
export function demandExtent(named: readonly Mention[], { tables, views }: Found): void {
	const known = new Map<string, Extent>();
	const open = new Set<string>();
	const extentOf = (key: string, view: FoundView): Extent => {
		const before = known.get(key);
		if (before !== undefined) return before;
		if (open.has(key)) throw misfit(view.via, 'it reads itself');
		open.add(key);
		const inside = view.reads.flatMap((mention) => {
			const inner = views.get(keyOf(mention));
			return inner === undefined ? [] : [extentOf(keyOf(mention), inner)];
		});
		open.delete(key);
		const columns = view.reads.map((mention) => {
			const read = views.get(keyOf(mention)) ?? tables.get(keyOf(mention));
			return read?.table.columns.length ?? 0;
		});
		const extent = {
			depth: 1 + Math.max(0, ...inside.map(({ depth }) => depth)),
			bytes: view.definition.bytes + sum(inside.map(({ bytes }) => bytes)),
			reads: columns.length + sum(inside.map(({ reads }) => reads)),
			columns: sum(columns) + sum(inside.map((i) => i.columns)),
		};
		demand(extent, view.via);
		known.set(key, extent);
		return extent;
	};
	let whole: Extent = { depth: 0, bytes: 0, reads: 0, columns: 0 };
	for (const key of named.map(keyOf)) {
		const view = views.get(key);
		if (view === undefined) continue;
		const { depth, bytes, reads, columns } = extentOf(key, view);
		whole = {
			depth,
			bytes: whole.bytes + bytes,
			reads: whole.reads + reads,
			columns: whole.columns + columns,
		};
		demand(whole, view.via);
	}
}

function demand({ depth, bytes, reads, columns }: Extent, via: Via): void {
	if (depth > bounds.viewDepth) throw tooDeep(via);
	if (bytes > bounds.viewBytes) throw tooLong(via);
	if (reads > bounds.tables) throw tooMany(via);
	if (columns > bounds.fields) throw tooWide(via);
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
