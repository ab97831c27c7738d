/**
 * Row filters, and parts of them, that restrict less than they seem to: `x = 1 OR x <> 1`, `LIKE '%'`, an IN over every
 * value that the contract knows. What is found here lets through every row in which its columns have a value; where that
 * is not certain nothing is said. Pure.
 */
import type { RowFilter } from '../sql.ts';
import { canonical } from './canonical.ts';
import { holdsAt, NULL } from './holds.ts';
import { anyValue, type ColumnFacts, contractValue, NAN } from './points.ts';

export type Vacuous = {
	/** The whole filter, or an operand of its AND. */
	readonly part: RowFilter;
	readonly whole: boolean;
	/** Rows that it may hide all the same: those where this column is NULL, or not a number. */
	readonly hides: readonly Hidden[];
	/** Columns of which the contract must be right for this: on the values they have, or that each row has one. */
	readonly trusting: readonly string[];
};

export type Hidden = { readonly column: string; readonly what: 'null' | 'nan' };

/** Facts of a column that the contract does not name. */
const unknown = (name: string): ColumnFacts => {
	return { name, type: 'double', required: false, values: null, limits: [] };
};

/** Null, all rows, says itself what it is. */
export function vacuous(filter: RowFilter | null, columns: readonly ColumnFacts[]): Vacuous[] {
	if (filter === null) return [];
	const tree = canonical(filter);
	const found = passesAll(tree, columns);
	if (found !== null) return saysSo(tree, found) ? [] : [{ part: tree, whole: true, ...found }];
	if (tree.op !== 'and') return [];
	return tree.operands.flatMap((part) => {
		const inside = passesAll(part, columns);
		return inside === null || saysSo(part, inside) ? [] : [{ part, whole: false, ...inside }];
	});
}

type Found = Pick<Vacuous, 'hides' | 'trusting'>;

/** `x IS NOT NULL` lets every row through but those where x is NULL, and hides nothing from whoever reads it. */
function saysSo(f: RowFilter, { hides }: Found): boolean {
	if (f.op === 'and') return f.operands.every((operand) => saysSo(operand, { hides, trusting: [] }));
	return f.op === 'not' && f.operand.op === 'is-null' && hides.length > 0;
}

function passesAll(f: RowFilter, columns: readonly ColumnFacts[]): Found | null {
	const [only, second] = namesIn(f);
	if (only !== undefined && second === undefined) {
		return ofOneColumn(f, columns.find((c) => c.name === only) ?? unknown(only));
	}
	if (!('operands' in f)) return null;
	if (f.op === 'and') {
		const all = f.operands.map((operand) => passesAll(operand, columns));
		return all.every((found) => found !== null) ? together(all) : null;
	}
	const found = alternatives(f.operands).flatMap((operand) => passesAll(operand, columns) ?? []);
	return found.toSorted((a, b) => a.hides.length - b.hides.length || a.trusting.length - b.trusting.length)[0] ?? null;
}

/** The operands of an OR, those that name the same one column taken together. */
function alternatives(operands: readonly RowFilter[]): RowFilter[] {
	const byColumn = new Map<string, RowFilter[]>();
	const mixed: RowFilter[] = [];
	for (const operand of operands) {
		const [only, second] = namesIn(operand);
		if (only === undefined || second !== undefined) mixed.push(operand);
		else byColumn.set(only, [...(byColumn.get(only) ?? []), operand]);
	}
	return [...mixed, ...[...byColumn.values()].map((same) => canonical({ op: 'or', operands: same }))];
}

function together(all: readonly Found[]): Found {
	const hides = new Map(all.flatMap((found) => found.hides).map((h) => [`${h.what} ${h.column}`, h]));
	return { hides: [...hides.values()], trusting: [...new Set(all.flatMap((found) => found.trusting))] };
}

function ofOneColumn(f: RowFilter, facts: ColumnFacts): Found | null {
	const column = facts.name;
	const holds = (points: readonly Parameters<typeof holdsAt>[1][] | null) =>
		points !== null && points.length > 0 && points.every((point) => holdsAt(f, point) === true);
	const always = holds(anyValue(f, facts));
	if (!always && !holds(contractValue(f, facts))) return null;
	const nulls = holdsAt(f, NULL) !== true;
	const floating = /^(?:double|real|float)$/i.test(facts.type);
	const nan = always && floating && holdsAt(f, NAN) !== true;
	const hides: Hidden[] = [
		...(nulls && !facts.required ? [{ column, what: 'null' as const }] : []),
		...(nan ? [{ column, what: 'nan' as const }] : []),
	];
	return { hides, trusting: !always || (nulls && facts.required) ? [column] : [] };
}

function namesIn(f: RowFilter): string[] {
	if ('operands' in f) return [...new Set(f.operands.flatMap(namesIn))];
	return 'operand' in f ? namesIn(f.operand) : [f.column];
}

/** What an approver should know, in plain words; `print` writes a part of the filter, `name` is what it is called. */
export function inWords(
	{ part, whole, hides, trusting }: Vacuous,
	print: (f: RowFilter) => string,
	name = 'this filter',
): string {
	const what = whole ? name : `the part \`${print(part)}\` of ${name}`;
	const going = trusting.length === 0 ? what : `going by the contract on ${listed(trusting)}, ${what}`;
	const but = hides.map((h) => `${h.column} is ${h.what === 'null' ? 'NULL' : 'not a number'}`).join(' or ');
	const lets =
		but === '' ? 'lets every row through: it restricts nothing' : `lets every row through but those where ${but}`;
	return `${going.slice(0, 1).toUpperCase()}${going.slice(1)} ${lets}.`;
}

const listed = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ');
