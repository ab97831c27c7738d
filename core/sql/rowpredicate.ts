/**
 * The tree of a row filter, and its one printed form.
 *
 * The printed form is read alike by Lake Formation, Trino and DuckDB: quoted columns, single-quoted strings, plain
 * decimal numbers, every compound in parentheses.
 */
import { unreachable } from './refuse.ts';

export type Constant =
	| { readonly type: 'string'; readonly value: string }
	/** Canonical decimal text: no exponent, no leading or trailing zeros. */
	| { readonly type: 'number'; readonly value: string }
	| { readonly type: 'boolean'; readonly value: boolean };

export type RowFilter =
	| {
			readonly op: 'compare';
			readonly column: string;
			readonly operator: '=' | '<>' | '<' | '<=' | '>' | '>=';
			readonly value: Constant;
	  }
	| { readonly op: 'between'; readonly column: string; readonly low: Constant; readonly high: Constant }
	| { readonly op: 'in'; readonly column: string; readonly values: readonly Constant[] }
	| { readonly op: 'like'; readonly column: string; readonly pattern: string }
	| { readonly op: 'is-null'; readonly column: string }
	| { readonly op: 'not'; readonly operand: RowFilter }
	| { readonly op: 'and' | 'or'; readonly operands: readonly RowFilter[] };

function name(column: string): string {
	return `"${column.replaceAll('"', '""')}"`;
}

function text(value: string): string {
	return `'${value.replaceAll("'", "''")}'`;
}

function constant({ type, value }: Constant): string {
	return type === 'string' ? text(value) : String(value);
}

/** A form of its own exists for the negation of these, and Lake Formation documents no other. */
function negation(f: RowFilter): string {
	if (f.op === 'is-null') return `${name(f.column)} IS NOT NULL`;
	if (f.op === 'in') return `${name(f.column)} NOT IN (${f.values.map(constant).join(', ')})`;
	if (f.op === 'like') return `${name(f.column)} NOT LIKE ${text(f.pattern)}`;
	return `NOT (${printRowFilter(f)})`;
}

export function printRowFilter(f: RowFilter): string {
	switch (f.op) {
		case 'compare':
			return `${name(f.column)} ${f.operator} ${constant(f.value)}`;
		case 'between':
			return `${name(f.column)} BETWEEN ${constant(f.low)} AND ${constant(f.high)}`;
		case 'in':
			return `${name(f.column)} IN (${f.values.map(constant).join(', ')})`;
		case 'like':
			return `${name(f.column)} LIKE ${text(f.pattern)}`;
		case 'is-null':
			return `${name(f.column)} IS NULL`;
		case 'not':
			return negation(f.operand);
		case 'and':
		case 'or':
			return f.operands.map((operand) => `(${printRowFilter(operand)})`).join(f.op === 'and' ? ' AND ' : ' OR ');
	}
	return unreachable(f);
}

/** The columns a filter reads, in the order it first names them. */
export function columnsOf(f: RowFilter): string[] {
	if ('operands' in f) return [...new Set(f.operands.flatMap(columnsOf))];
	return 'operand' in f ? columnsOf(f.operand) : [f.column];
}
