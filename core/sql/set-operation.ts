/** UNION, INTERSECT and EXCEPT: column by column, and what is compared decides on the rows. */
import type { SetStep } from './ast.ts';
import type { Item, Result } from './context.ts';
import { influence, merge } from './lineage.ts';
import { wrongWidth } from './refuse.ts';

/** EXCEPT passes on no value of its right side. */
export function combine(left: Result, right: Result, { operator, all, at }: SetStep): Result {
	if (left.items.length !== right.items.length) {
		throw wrongWidth(at, left.items.length, right.items.length);
	}
	const items = left.items.map((item, index): Item => {
		const other = right.items[index];
		if (operator === 'except' || other === undefined) return item;
		return { ...item, lineage: merge([item.lineage, other.lineage]), type: item.type ?? other.type };
	});
	const compared = all && operator === 'union' ? [] : [...left.items, ...right.items];
	return {
		items,
		rows: merge([left.rows, right.rows, influence(merge(compared.map((item) => item.lineage)), 'group')]),
	};
}
