/**
 * WITH: each common table sees those before it and what the query around sees, never itself or later ones; with RECURSIVE
 * its own name is itself (https://trino.io/docs/current/sql/select.html#with-clause).
 */
import { type Analysis, countFields, uniqueNames } from './analysis.ts';
import type { CommonTable, Position, Query, TableSource } from './ast.ts';
import { type Common, type Commons, type Place, placeOf, type Result } from './context.ts';
import { recursiveResult, type StepOf, stepOf } from './recursion.ts';
import { invalid, ticked, wrongList } from './refuse.ts';

/** The common table a name in FROM means, if any. */
export function commonOf(commons: Commons | null, { name, at }: TableSource): Common | null {
	if (name.catalog !== null || name.database !== null) return null;
	for (let entry = commons; entry !== null; entry = entry.outer) {
		if (entry.name !== name.table) continue;
		if (entry.common === null) throw invalid(at, recursionRule(name.table));
		entry.common.referred?.(at);
		return entry.common;
	}
	return null;
}

function recursionRule(name: string): string {
	const form = `${name} (columns) AS (query UNION [ALL] query)`;
	return `The table ${ticked(name)} may see itself only once, in the last part of: ${ticked(form)}.`;
}

export function resolveCommons(a: Analysis, query: Query, place: Place): Commons | null {
	let commons = place.commons;
	const names = new Set<string>();
	for (const table of query.commons) {
		const { text, at } = table.name;
		if (names.has(text)) throw invalid(at, `There are two common tables ${ticked(text)}.`);
		names.add(text);
		const result = query.recursive
			? resolveRecursive(a, table, place, commons)
			: a.query(table.query, placeOf(place.parent, commons, 'select'));
		commons = { name: text, common: common(a, table, result, null), outer: commons };
	}
	return commons;
}

function common(a: Analysis, table: CommonTable, { items, rows }: Result, referred: Common['referred']): Common {
	const { columns, name } = table;
	if (columns !== null && columns.length !== items.length) {
		throw wrongList(name.at, columns.length, items.length);
	}
	const twice = columns?.find(({ text }, index) => columns.findIndex((column) => column.text === text) < index);
	if (twice !== undefined) throw invalid(twice.at, `There are two columns ${ticked(twice.text)}.`);
	countFields(a, items.length, name.at);
	const names = items.map((item, index) => (columns === null ? item.name : (columns[index]?.text ?? null)));
	const printed = uniqueNames(names);
	a.commons.set(table, printed);
	return {
		table,
		columns: items.map(({ lineage, type }, index) => ({
			name: names[index] ?? null,
			printed: printed[index] ?? '',
			lineage,
			type,
		})),
		rows,
		referred,
	};
}

function resolveRecursive(a: Analysis, table: CommonTable, place: Place, outer: Commons | null): Result {
	const name = table.name.text;
	const hidden: Commons = { name, common: null, outer };
	if (table.columns === null)
		throw invalid(table.name.at, `Name the columns, as WITH RECURSIVE asks: ${ticked(`${name} (a, b)`)}.`);
	const shape: StepOf | null = stepOf(table.query);
	const around = a.unrecursive;
	if (shape === null) return a.query(table.query, placeOf(place.parent, hidden, 'select'));
	let references = 0;
	const referred = (at: Position) => {
		references += 1;
		if (references > 1) throw invalid(at, recursionRule(name));
		if (a.unrecursive > around)
			throw invalid(at, `The table ${ticked(name)} may not see itself in a sub-query or an outer join.`);
	};
	return recursiveResult(a, shape, {
		anchor: placeOf(place.parent, hidden, 'select'),
		step: (self) => {
			const itself = common(a, table, self, referred);
			return placeOf(place.parent, { name, common: itself, outer }, 'select');
		},
	});
}
