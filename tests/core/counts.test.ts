/** The query that counts rows is the predicates that are stored, and nothing else. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { columnsRead, countsIn, expressionOf, statementOf } from '#core/counts/statement.ts';
import { canonical, columnsOf, rowFilterOf } from '#core/rowfilter.ts';
import { printTrino, resolve } from '#core/sql.ts';
import { filter } from './rowfilter/rows.ts';

const types = { x: 'double', m: 'decimal(10,2)', s: 'string', v: 'varchar(20)' };
const columns = Object.entries(types).map(([name, type]) => ({ name, type, partition: false }));
const table = { account: '210000000002', database: 'd', table: 't' };

function printed(...[before, after]: [Parameters<typeof statementOf>[1], Parameters<typeof statementOf>[2]]) {
	const read = columns.map(({ name, type }) => ({ name, type, granted: true }));
	const relation = { id: 'p/t', printed: ['d', 't'], columns: read, rowFilter: null };
	return printTrino(resolve(statementOf(table, before, after), () => relation));
}

describe('a predicate as an expression', () => {
	it('is the same predicate: read back, it is the tree that it was made of', () => {
		fc.assert(
			fc.property(filter, (tree) => {
				expect(rowFilterOf(expressionOf(tree), columns)).toEqual(canonical(tree));
			}),
		);
	});

	it('names the columns of the filter, and the statement reads no other', () => {
		fc.assert(
			fc.property(filter, filter, (a, b) => {
				const [before, after] = [
					{ columns: ['x'], rowFilter: a },
					{ columns: ['x', 's'], rowFilter: b },
				];
				const read = columns.map(({ name, type }) => ({ name, type, granted: true }));
				const relation = { id: 'p/t', printed: ['d', 't'], columns: read, rowFilter: null };
				const { reads } = resolve(statementOf(table, before, after), () => relation);
				expect(columnsRead(before, after)).toEqual(reads.map((r) => r.column).toSorted());
				expect(columnsRead(before, null)).toEqual(columnsOf(a).toSorted());
			}),
		);
	});
});

describe('what it counted', () => {
	it.each([
		[[['5', null, '1']]],
		[[['5', '', '1']]],
		[[['5', ' ', '1']]],
		[[['5', '0x1', '1']]],
		[[['5', '-1', '1']]],
		[[['5', '9007199254740993', '1']]],
		[[['5', '1']]],
		[[['5', '1', '1', '1']]],
		[[]],
		[
			[
				['5', '1', '1'],
				['5', '1', '1'],
			],
		],
	])('is nothing that is no number, and above all not 0: %j', (rows) => {
		expect(countsIn(rows)).toBeNull();
	});

	it('is three numbers', () => {
		expect(countsIn([['5', '0', '12']])).toEqual([5, 0, 12]);
	});
});

describe('the statement', () => {
	it.each([
		[null, null, /count_if\(FALSE\).*count_if\(FALSE\)/i],
		[null, { columns: ['s'], rowFilter: null }, /count_if\(FALSE\).*count_if\(TRUE\)/i],
		[
			{ columns: ['s'], rowFilter: null },
			{ columns: ['s', 'x'], rowFilter: null },
			/count_if\(TRUE\).*count_if\(TRUE\)/i,
		],
	])('counts nothing of what is not held, and everything of what is held whole: %j, %j', (before, after, text) => {
		expect(printed(before, after)).toMatch(/^SELECT count\(\*\)/);
		expect(printed(before, after)).toMatch(text);
		expect(columnsRead(before, after)).toEqual([]);
	});

	it('compares with numbers as the text of a filter does: a fraction is a double', () => {
		const of = (value: string) =>
			printed(null, {
				columns: ['x'],
				rowFilter: { op: 'compare', column: 'm', operator: '>', value: { type: 'number', value } },
			});
		expect(of('1.5')).toMatch(/> 1\.5E0\)/);
		expect(of('-1.5')).toMatch(/> \(-1\.5E0\)\)/);
		expect(of('-3')).toMatch(/> \(-3\)\)/);
		expect(of('12345678901234567890')).toMatch(/> DECIMAL '12345678901234567890'\)/);
	});

	it('holds a word that looks like SQL as the word that it is', () => {
		const value = { type: 'string', value: "' OR 1 = 1 --" } as const;
		const text = printed(null, { columns: ['s'], rowFilter: { op: 'compare', column: 's', operator: '=', value } });
		expect(text).toContain("''' OR 1 = 1 --'");
	});
});
