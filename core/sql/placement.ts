/** Where aggregates, window functions and GROUPING may stand, by Trino's rules; sub-queries have rules of their own. */
import type { Analysis } from './analysis.ts';
import type { Expression, Select } from './ast.ts';
import { isAggregate } from './functions.ts';
import { invalid, ticked } from './refuse.ts';
import type { Field } from './resolved.ts';
import { descendants, groupingTerms } from './walk.ts';

/** `rows`: whatever looks at several rows; `windows`: window functions only. */
export function demandNoneOf(parts: readonly Expression[], clause: string, what: 'rows' | 'windows'): void {
	for (const part of parts) {
		for (const e of descendants(part)) {
			const isWindow = e.kind === 'call' && e.over !== null;
			if (isWindow)
				throw invalid(e.at, `A window function cannot stand in ${clause}. Compute it in a derived table first.`);
			if (what === 'windows') continue;
			if (e.kind === 'grouping' || (e.kind === 'call' && isAggregate(e))) {
				throw invalid(
					e.at,
					`An aggregate or GROUPING cannot stand in ${clause}. Write it in HAVING or a derived table.`,
				);
			}
		}
	}
}

export function demandPlacement(select: Select): void {
	if (select.where !== null) demandNoneOf([select.where], 'WHERE', 'rows');
	demandNoneOf(groupingTerms(select), 'GROUP BY', 'rows');
	if (select.having !== null) demandNoneOf([select.having], 'HAVING', 'windows');
}

/** GROUPING tells about columns of GROUP BY. Asked when all is resolved. */
export function demandGrouped(a: Analysis, select: Select): void {
	const items = a.items.get(select) ?? [];
	const fields = new Set<Field>();
	for (const term of groupingTerms(select)) {
		const field = fieldOf(a, term.kind === 'integer' ? items[Number(term.value) - 1]?.expression : term);
		if (field !== null) fields.add(field);
	}
	for (const part of [
		...items.map(({ expression }) => expression),
		...(select.having === null ? [] : [select.having]),
	]) {
		for (const e of descendants(part)) {
			if (e.kind !== 'grouping') continue;
			if (select.groupBy === null) throw invalid(e.at, 'GROUPING needs GROUP BY.');
			const other = e.columns.find((column) => {
				const field = fieldOf(a, column);
				return field === null || !fields.has(field);
			});
			if (other !== undefined) throw invalid(other.at, `The column ${ticked(...other.parts)} is not grouped by.`);
		}
	}
}

function fieldOf(a: Analysis, e: Expression | undefined): Field | null {
	const target = e?.kind === 'column' ? a.references.get(e) : undefined;
	return target?.kind === 'field' ? target.field : null;
}
