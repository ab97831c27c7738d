/** Where aggregates, window functions and GROUPING may stand, by Trino's rules; sub-queries have rules of their own. */
import type { Analysis } from './analysis.ts';
import type { Expression, Select } from './ast.ts';
import { isAggregate } from './functions.ts';
import { invalid } from './refuse.ts';
import type { Field } from './resolved.ts';
import { children } from './walk.ts';

function* within(e: Expression): Generator<Expression> {
	yield e;
	for (const child of children(e)) yield* within(child);
}

/** `rows`: whatever looks at several rows; `windows`: window functions only. */
export function demandNoneOf(parts: readonly Expression[], clause: string, what: 'rows' | 'windows'): void {
	for (const part of parts) {
		for (const e of within(part)) {
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

function groupTerms(select: Select): readonly Expression[] {
	return (select.groupBy?.elements ?? []).flatMap((element) =>
		element.kind === 'terms' ? element.terms : element.sets.flat(),
	);
}

export function demandPlacement(select: Select): void {
	if (select.where !== null) demandNoneOf([select.where], 'WHERE', 'rows');
	demandNoneOf(groupTerms(select), 'GROUP BY', 'rows');
	if (select.having !== null) demandNoneOf([select.having], 'HAVING', 'windows');
}

/** GROUPING tells about columns of GROUP BY. Asked when all is resolved. */
export function demandGrouped(a: Analysis, select: Select): void {
	const items = a.items.get(select) ?? [];
	const fields = new Set<Field>();
	for (const term of groupTerms(select)) {
		const field = fieldOf(a, term.kind === 'integer' ? items[Number(term.value) - 1]?.expression : term);
		if (field !== null) fields.add(field);
	}
	for (const part of [
		...items.map(({ expression }) => expression),
		...(select.having === null ? [] : [select.having]),
	]) {
		for (const e of within(part)) {
			if (e.kind !== 'grouping') continue;
			if (select.groupBy === null) throw invalid(e.at, 'GROUPING needs GROUP BY.');
			const other = e.columns.find((column) => !fields.has(fieldOf(a, column) ?? unknown));
			if (other !== undefined) throw invalid(other.at, `${other.parts.join('.')} is not grouped by.`);
		}
	}
}

const unknown: Field = { printed: '', origin: { kind: 'ordinality' } };

function fieldOf(a: Analysis, e: Expression | undefined): Field | null {
	const target = e?.kind === 'column' ? a.references.get(e) : undefined;
	return target?.kind === 'field' ? target.field : null;
}
