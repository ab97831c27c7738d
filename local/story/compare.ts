/** Compares a query's result with what brute force finds in the raw files. Values as text; numbers by their value. */
import assert from 'node:assert/strict';
import type { Row } from '#local/lake.ts';
import type { Table } from './world.ts';

/** The same rows, in any order, NULL only equal to NULL. */
export function sameRows(found: Table, columns: readonly string[], expected: readonly (readonly unknown[])[]): void {
	assert.deepEqual(found.columns, columns);
	assert.equal(found.rows.length, expected.length, `expected ${expected.length} rows, got ${found.rows.length}`);
	const text = (rows: readonly (readonly unknown[])[]) => rows.map((r) => JSON.stringify(r.map(plain))).toSorted();
	assert.deepEqual(text(found.rows), text(expected));
}

/** A number by value, rounded to a millionth, so that 1.50, 1.5 and 1.4999999999 of a sum agree; other text as it is. */
function plain(value: unknown): unknown {
	if (typeof value === 'number') return Math.round(value * 1e6) / 1e6;
	if (typeof value === 'string' && /^-?\d+(\.\d+)?(E-?\d+)?$/.test(value)) return plain(Number(value));
	return value;
}

export const pick = (rows: readonly Row[], columns: readonly string[]) =>
	rows.map((r) => columns.map((c) => r[c] ?? null));

export const sum = (rows: readonly Row[], column: string) => rows.reduce((s, r) => s + Number(r[column] ?? 0), 0);
