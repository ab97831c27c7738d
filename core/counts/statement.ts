/**
 * The one query that counts: all rows of a table, and those in which each of two predicates is true. Made as a tree of
 * what is stored as a tree, never of text. Pure.
 *
 * A row is visible where the predicate is TRUE: where it is NULL, `count_if` counts it as little as a data cells filter
 * shows it.
 */
import * as z from 'zod';
import type { TableRef } from '../ledger.ts';
import { columnsOf, type RowFilter } from '../rowfilter.ts';
import type { Scope } from '../scope.ts';
import { type Constant, type Expression, newCall, newQuery, newSelect, type Query, type SelectItem } from '../sql.ts';

/** What a principal would see of a table: columns and rows, or nothing. */
export type Visible = Scope | null;

const at = { line: 1, column: 1 };
const LARGEST = 2n ** 63n - 1n;

/** `SELECT count(*), count_if(<before>), count_if(<after>) FROM <table>` */
export function statementOf({ database, table }: TableRef, before: Visible, after: Visible): Query {
	const items = [newCall('count', [], at, { star: true }), counting(before), counting(after)].map(
		(expression): SelectItem => ({ kind: 'expression', expression, alias: null, at }),
	);
	const name = { catalog: null, database, table };
	return newQuery(newSelect(items, [{ kind: 'table', name, alias: null, columns: null, sample: null, at }], at), at);
}

const Count = z
	.string()
	.regex(/^[0-9]+$/)
	.transform(Number)
	.pipe(z.int());
const Counts = z.tuple([z.tuple([Count, Count, Count])]);

/** What its one row says: rows, before, after; null where that is not three numbers. */
export function countsIn(rows: readonly (readonly (string | null)[])[]): readonly [number, number, number] | null {
	return Counts.safeParse(rows).data?.[0] ?? null;
}

/** The columns that it reads. */
export function columnsRead(...seen: readonly Visible[]): string[] {
	const filters = seen.flatMap((scope) => scope?.rowFilter ?? []);
	return [...new Set(filters.flatMap(columnsOf))].toSorted();
}

function counting(seen: Visible): Expression {
	const all = seen !== null && seen.rowFilter === null;
	const rows = seen?.rowFilter ?? null;
	return newCall('count_if', [rows === null ? { kind: 'boolean', value: all, at } : expressionOf(rows)], at);
}

/** A row filter as the expression that its text stands for. */
export function expressionOf(filter: RowFilter): Expression {
	switch (filter.op) {
		case 'and':
		case 'or':
			return combined(filter.op, filter.operands.map(expressionOf));
		case 'not':
			return { kind: 'not', operand: expressionOf(filter.operand), at };
		case 'is-null':
			return { kind: 'is-null', operand: column(filter.column), negated: false, at };
		case 'compare': {
			const { operator, value } = filter;
			return { kind: 'compare', operator, left: column(filter.column), right: constant(value), at };
		}
		case 'between': {
			const [low, high] = [constant(filter.low), constant(filter.high)];
			return { kind: 'between', operand: column(filter.column), low, high, negated: false, at };
		}
		case 'in':
			return {
				kind: 'in-list',
				operand: column(filter.column),
				items: filter.values.map(constant),
				negated: false,
				at,
			};
		case 'like': {
			const pattern: Expression = { kind: 'string', value: filter.pattern, at };
			return { kind: 'like', operand: column(filter.column), pattern, escape: null, negated: false, at };
		}
	}
}

function combined(kind: 'and' | 'or', operands: readonly Expression[]): Expression {
	const [only] = operands;
	return operands.length === 1 && only !== undefined ? only : { kind, operands, at };
}

const column = (name: string): Expression => ({ kind: 'column', parts: [name], at });

function constant({ type, value }: Constant): Expression {
	if (type === 'string') return { kind: 'string', value, at };
	if (type === 'boolean') return { kind: 'boolean', value, at };
	// Athena takes 1.5, as it stands in a filter's text, for a double.
	if (value.includes('.')) return { kind: 'double', text: `${value}E0`, at };
	const whole = BigInt(value);
	const fits = whole <= LARGEST && whole >= -LARGEST;
	return fits ? { kind: 'integer', value: whole, at } : { kind: 'decimal', text: value, at };
}
