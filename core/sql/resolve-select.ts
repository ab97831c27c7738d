/**
 * One SELECT. Names follow Trino: WHERE, GROUP BY and HAVING never see the names the select list gives; ordinals in GROUP BY
 * and ORDER BY stand for its items.
 */
import { type Analysis, type ResolvedBody, recordUse } from './analysis.ts';
import type { Expression, GroupingElement, Select } from './ast.ts';
import { type Context, contextOf, type Item, type Place } from './context.ts';
import { influence, type Lineage, merge } from './lineage.ts';
import { demandGrouped, demandPlacement } from './placement.ts';
import { invalid } from './refuse.ts';
import { groupedColumn, resolveExpression } from './resolve-expression.ts';
import { resolveItems } from './resolve-items.ts';
import { resolveSource } from './resolve-source.ts';
import { resolveWindows } from './resolve-window.ts';
import type { Scope, ScopeField } from './scope.ts';

export function resolveSelect(a: Analysis, select: Select, place: Place): ResolvedBody {
	const rows: Lineage[] = [];
	const fields: ScopeField[] = [];
	for (const source of select.from) {
		const offered = resolveSource(a, source, place, [...fields]);
		fields.push(...offered.fields);
		rows.push(offered.rows);
	}
	const scope: Scope = { kind: 'tables', fields, parent: place.parent };
	const plain = contextOf(scope, place, 'filter');
	demandPlacement(select);
	if (select.where !== null) rows.push(influence(resolveExpression(a, select.where, plain), 'filter'));
	const windows = resolveWindows(select, plain, (e, context) => resolveExpression(a, e, context));
	const context: Context = { ...plain, windows };
	const items = resolveItems(a, select, { ...context, use: place.use }, { ...place, stars: starsOf(select, place) });
	a.items.set(select, items);
	for (const element of select.groupBy?.elements ?? []) {
		rows.push(influence(grouping(a, element, items, { ...context, use: 'group' }), 'group'));
	}
	if (select.having !== null) {
		rows.push(influence(resolveExpression(a, select.having, { ...context, use: 'having' }), 'filter'));
	}
	demandGrouped(a, select);
	if (select.distinct) rows.push(influence(merge(items.map(({ lineage }) => lineage)), 'group'));
	return { items, rows: merge(rows), scope, windows };
}

/** EXISTS (SELECT * ..) looks at no value, unless they are compared or an ordinal stands for one of them. */
function starsOf(select: Select, place: Place): Place['stars'] {
	const keys = (select.groupBy?.elements ?? []).flatMap((element) => (element.kind === 'terms' ? element.terms : []));
	return select.distinct || keys.some((key) => key.kind === 'integer') ? 'columns' : place.stars;
}

/** What an ordinal, an integer alone in GROUP BY and ORDER BY, stands for. */
export function byOrdinal(e: Expression, items: readonly Item[]): Item | null {
	if (e.kind !== 'integer') return null;
	const item = e.value < 1n ? undefined : items[Number(e.value) - 1];
	if (item === undefined) throw invalid(e.at, 'The select list has no item with this ordinal.');
	return item;
}

/** ROLLUP, CUBE and GROUPING SETS take columns only. */
function grouping(a: Analysis, element: GroupingElement, items: readonly Item[], context: Context): Lineage {
	if (element.kind !== 'terms') {
		return merge(element.sets.flatMap((set) => set.map((term) => groupedColumn(a, term, context))));
	}
	const terms = element.terms.map((term) => {
		const item = byOrdinal(term, items);
		if (item === null) return resolveExpression(a, term, context);
		recordUse(a, item.lineage, 'group', term.at);
		return item.lineage;
	});
	return merge(terms);
}
