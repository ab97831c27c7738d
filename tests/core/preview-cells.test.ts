/** The cells that one filter over several grants would open and none of them does: brute force over small tables. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elsewhere } from '#core/grants/beside.ts';
import { beside, clashAmong, gathering } from '#core/grants.ts';
import { printRowFilter, type RowFilter, without } from '#core/rowfilter.ts';
import { compatible, type Scope, surplus, union } from '#core/scope.ts';
import { parseRowFilter } from '#local/rowfilter.ts';
import { filter, holds, type Row, rows } from './rowfilter/rows.ts';

const columns = ['amount', 'district', 'loan_id', 'status'];
const types = [
	{ name: 'status', type: 'string', partition: false },
	{ name: 'amount', type: 'int', partition: false },
	{ name: 'district', type: 'int', partition: false },
];
const tree = (text: string) => parseRowFilter(text, types);
const print = (f: RowFilter | null | 'none') => (f === null || f === 'none' ? f : printRowFilter(f));

const passes = (f: RowFilter | null, row: Row) => f === null || holds(f, row) === true;

function cells(scopes: readonly { columns: readonly string[]; rowFilter: RowFilter | null }[]): string[] {
	const found = scopes.flatMap((s) =>
		rows.flatMap((row, i) => (passes(s.rowFilter, row) ? s.columns.map((c) => `${i}.${c}`) : [])),
	);
	return [...new Set(found)].toSorted();
}

/** What the one filter would be: all columns, all rows. */
function together(scopes: readonly Scope[]): string[] {
	const all = [...new Set(scopes.flatMap((s) => s.columns))];
	return cells(scopes.map(({ rowFilter }) => ({ columns: all, rowFilter })));
}

const scope: fc.Arbitrary<Scope> = fc.record({
	columns: fc.subarray(columns, { minLength: 1 }).map((c) => c.toSorted()),
	rowFilter: fc.option(fc.oneof(filter, fc.constantFrom<RowFilter>(...sample())), { freq: 6 }),
});

/** A few filters that often meet again, so that scopes are told to be the same. */
function sample(): RowFilter[] {
	const is = (value: string): RowFilter => ({
		op: 'compare',
		column: 's',
		operator: '=',
		value: { type: 'string', value },
	});
	return [is('a'), is('B'), { op: 'is-null', column: 'x' }];
}

describe('rows without others', () => {
	it('are just those that the one filter lets through and the other does not, NULLs and all', () => {
		fc.assert(
			fc.property(fc.option(filter), fc.option(filter), (one, other) => {
				const left = without(one, other);
				const expected = rows.filter((row) => passes(one, row) && !passes(other, row));
				const found = left === 'none' ? [] : rows.filter((row) => passes(left, row));
				expect(found).toEqual(expected);
			}),
			{ numRuns: 500 },
		);
	});

	it.each([
		["status = 'B'", "status = 'A'", `"status" = 'B'`],
		["status IN ('A','B')", "status = 'A'", `"status" = 'B'`],
		["status IN ('A','B') OR amount > 5", "status IN ('A','B','C')", null],
		["status = 'A'", "status IN ('A','B')", 'none'],
		['amount > 5', 'amount > 7', `("amount" > 5) AND (NOT ("amount" > 7))`],
		["status = 'A'", 'amount > 5', `("status" = 'A') AND (("amount" IS NULL) OR (NOT ("amount" > 5)))`],
	])('%s without %s', (one, other, text) => {
		const found = print(without(tree(one), tree(other)));
		if (text === null) expect(found).toContain('"amount" > 5');
		else expect(found).toBe(text);
	});
});

describe('what one filter would open beyond the grants', () => {
	it('is every cell of that filter that no grant has, and no other', () => {
		let inexact = 0;
		fc.assert(
			fc.property(fc.array(scope, { minLength: 1, maxLength: 4 }), (scopes) => {
				const beyond = cells(surplus(scopes).map(({ columns: c, rows: rowFilter }) => ({ columns: c, rowFilter })));
				const approved = new Set(cells(scopes));
				expect(beyond).toEqual(together(scopes).filter((cell) => !approved.has(cell)));
				if (beyond.length > 0) inexact += 1;
			}),
			{ numRuns: 300 },
		);
		expect(inexact).toBeGreaterThan(50);
	});

	it('is nothing where the union is exact, which then is the cells of its parts', () => {
		let exact = 0;
		fc.assert(
			fc.property(fc.array(scope, { minLength: 1, maxLength: 3 }), (scopes) => {
				const sum = compatible(scopes) ? union(scopes) : null;
				if (sum === null) return;
				exact += scopes.length > 1 ? 1 : 0;
				expect(cells([sum])).toEqual(cells(scopes));
				expect(cells([sum])).toEqual(together(scopes));
				const beyond = surplus(scopes).map(({ columns: c, rows: rowFilter }) => ({ columns: c, rowFilter }));
				expect(cells(beyond)).toEqual([]);
			}),
			{ numRuns: 1000 },
		);
		expect(exact).toBeGreaterThan(20);
	});

	it('is told by columns and rows', () => {
		const held = { columns: ['loan_id', 'status'], rowFilter: tree("status IN ('B','D')") };
		const asked = { columns: ['amount', 'loan_id'], rowFilter: tree("status = 'A'") };
		expect(surplus([held, asked]).map((c) => [c.columns, print(c.rows)])).toEqual([
			[['amount'], `"status" IN ('B', 'D')`],
			[['status'], `"status" = 'A'`],
		]);
		expect(surplus([held, { ...asked, rowFilter: null }]).map((c) => [c.columns, print(c.rows)])).toEqual([
			[['status'], `("status" IS NULL) OR ("status" NOT IN ('B', 'D'))`],
		]);
	});
});

describe('why scopes cannot be held together', () => {
	const reading = { mayName: () => true, whole: true };
	const on = (c: string[], text: string): Scope => ({ columns: c, rowFilter: tree(text) });

	it('because the one filter would open more', () => {
		expect(clashAmong(reading, [on(['amount'], "status = 'A'"), on(['status'], "status = 'B'")])).toEqual({
			reason: 'unapproved-cells',
			unapproved: [
				{ columns: ['amount'], rowFilter: `"status" = 'B'` },
				{ columns: ['status'], rowFilter: `"status" = 'A'` },
			],
			waysOut: [],
		});
	});

	it('because it would once the grant that holds the others has ended', () => {
		const all = on(['amount', 'status'], "status IN ('A','B')");
		expect(clashAmong(reading, [all, on(['amount'], "status = 'A'"), on(['status'], "status = 'B'")])).toMatchObject({
			reason: 'unapproved-cells-later',
			unapproved: [{ columns: ['amount'] }, { columns: ['status'] }],
		});
	});

	it('because it would be too long, though it would open nothing more', () => {
		const long = (letter: string) =>
			on(['amount'], `status IN (${Array.from({ length: 150 }, (_, i) => `'${letter}${i + 1000}'`).join()})`);
		const scopes = [long('a'), long('b')];
		expect(compatible(scopes)).toBe(false);
		expect(clashAmong(reading, scopes)).toEqual({ reason: 'filter-too-long', unapproved: [], waysOut: [] });
	});
});

describe('one more scope beside others', () => {
	it('can be held just where all of them can, and comes to their union', () => {
		const outcomes = { yes: 0, no: 0 };
		// Often the same columns or the same rows, or there would be few that can be held together.
		const alike = fc.oneof(
			scope.map((s): Scope => ({ ...s, columns: ['amount', 'status'] })),
			scope.map((s): Scope => ({ ...s, rowFilter: null })),
			scope,
		);
		fc.assert(
			fc.property(fc.array(alike, { maxLength: 3 }), alike, (others, one) => {
				if (others.length > 0 && !compatible(others)) return;
				const expected = compatible([...others, one]) ? union([...others, one]) : null;
				expect(beside(others)(one)).toEqual(expected);
				outcomes[expected === null ? 'no' : 'yes'] += 1;
			}),
			{ numRuns: 1000 },
		);
		expect(Math.min(outcomes.yes, outcomes.no)).toBeGreaterThan(50);
	});
});

describe('scopes that are taken one after the other', () => {
	it('can be held just where all of them together can, at each of them', () => {
		const outcomes = { yes: 0, no: 0, after: 0 };
		const alike = fc.oneof(
			scope.map((s): Scope => ({ ...s, columns: ['amount', 'status'] })),
			scope.map((s): Scope => ({ ...s, rowFilter: null })),
			scope,
		);
		fc.assert(
			fc.property(fc.array(alike, { maxLength: 3 }), fc.array(alike, { minLength: 1, maxLength: 3 }), (held, asked) => {
				if (held.length > 0 && !compatible(held)) return;
				const fits = gathering(held);
				const found = asked.map((one) => fits(one));
				expect(found).toEqual(asked.map((_, i) => compatible([...held, ...asked.slice(0, i + 1)])));
				outcomes[found.every(Boolean) ? 'yes' : 'no'] += 1;
				if (found.length > 1 && found[0] === false) outcomes.after += 1;
			}),
			{ numRuns: 1000 },
		);
		expect(Math.min(outcomes.yes, outcomes.no, outcomes.after)).toBeGreaterThan(50);
	});
});

describe('what is kept from a reader', () => {
	const on = (c: string[], text: string): Scope => ({ columns: c, rowFilter: tree(text) });
	const long = Array.from({ length: 150 }, (_, i) => `'${i + 1000}'`);

	it.each([
		['cells', [on(['amount'], "status = 'A'"), on(['status'], "status = 'B'")]],
		['cells, later', [on(['amount', 'status'], "status IN ('A','B')"), on(['amount'], "status = 'A'")]],
		['length', [on(['amount'], `status IN (${long.join()})`), on(['amount'], `status NOT IN (${long.join()})`)]],
	])('is why his scope cannot be held: %s', (_, scopes) => {
		expect(clashAmong({ mayName: () => true, whole: false }, scopes)).toEqual({
			reason: 'not-told',
			unapproved: [],
			waysOut: [],
		});
	});
});

describe('another principal as a way out', () => {
	const of = { domain: 'risk', purpose: 'credit-risk' };

	it.each([
		[{ principals: ['arn:1', 'arn:2'], open: 3 }, /^Ask for another principal of domain risk .*: arn:1, arn:2\.$/],
		[{ principals: [], open: 0 }, /^Have a steward register another role of domain risk/],
		[{ principals: [], open: 1 }, /^One more principal serves .* not told whether .*: try, or have a steward/],
		[{ principals: [], open: 2 }, /^2 more principals serve .* not told whether .*: try, or have a steward/],
	])('is one to be registered only where no other is left: %j', (looked, detail) => {
		expect(elsewhere({ ...of, ...looked })).toMatch(detail);
	});
});
