/** Cells as columns times rows: what one filter over several scopes would open beyond them. Pure. */
import * as Row from '../rowfilter.ts';
import type { Scope } from '../scope.ts';

/** Columns on the rows that a filter lets through; null is all rows. */
export type Cells = { readonly columns: readonly string[]; readonly rows: Row.RowFilter | null };

/**
 * The cells that one filter with all the columns and all the rows of these scopes would open, and none of them does.
 * Where nobody can be certain that there is no such row, the rows are told all the same.
 */
export function surplus(scopes: readonly Scope[]): Cells[] {
	const filters = [...new Map(scopes.map(({ rowFilter }) => [JSON.stringify(rowFilter), rowFilter])).entries()];
	const place = new Map(filters.map(([text], at) => [text, at]));
	const widest = widestOf(filters.map(([, rows]) => rows));
	const found = new Map<string, Row.Rows>();
	const byRows = new Map<string, { columns: string[]; rows: Row.RowFilter | null }>();
	const held = scopes.map((s) => ({ columns: new Set(s.columns), at: place.get(JSON.stringify(s.rowFilter)) ?? 0 }));
	for (const column of [...new Set(scopes.flatMap((scope) => scope.columns))].toSorted()) {
		const opening = widest(held.filter((s) => s.columns.has(column)).map((s) => s.at));
		const others = widest(held.filter((s) => !s.columns.has(column)).map((s) => s.at));
		// Columns that the same filters open, and the same do not, share their rows.
		const group = `${opening.join()}/${others.join()}`;
		const rowsOf = (places: readonly number[]) => places.map((at) => filters[at]?.[1] ?? null);
		const rows = found.get(group) ?? rowsBeyond(rowsOf(opening), rowsOf(others));
		found.set(group, rows);
		if (rows === 'none') continue;
		const key = JSON.stringify(rows);
		byRows.set(key, { columns: [...(byRows.get(key)?.columns ?? []), column], rows });
	}
	return [...byRows.values()];
}

/** Rows of `others` that none of `opening` lets through. */
function rowsBeyond(opening: readonly (Row.RowFilter | null)[], others: readonly (Row.RowFilter | null)[]): Row.Rows {
	const opened = Row.either(opening);
	const beyond = others.map((rows) => Row.without(rows, opened)).filter((rows) => rows !== 'none');
	return beyond.length === 0 ? 'none' : Row.either(beyond);
}

/** Of filters at these places, those that no other one covers; any two filters are compared once. */
function widestOf(filters: readonly (Row.RowFilter | null)[]): (places: readonly number[]) => number[] {
	const answers = new Map<number, boolean>();
	const covers = (a: number, b: number) => {
		const key = a * filters.length + b;
		const answer = answers.get(key) ?? Row.covers(filters[a] ?? null, filters[b] ?? null);
		answers.set(key, answer);
		return answer;
	};
	return (places) => {
		const distinct = [...new Set(places)].toSorted((a, b) => a - b);
		const goes = (at: number) => distinct.some((by) => by !== at && covers(by, at) && (by < at || !covers(at, by)));
		return distinct.filter((at) => !goes(at));
	};
}
