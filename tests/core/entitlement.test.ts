/** The pure half of grants: unions, replacement order, the clock. Brute force over small tables is the judge. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	admit,
	type Entitlement,
	end,
	filterPrefix,
	type Holding,
	plan,
	settled,
	shut,
} from '#core/grants/entitlement.ts';
import { type RowFilter } from '#core/rowfilter.ts';
import { type Scope, union } from '#core/scope.ts';

const table = { account: '210000000001', database: 'lending', table: 'loans' };
const principal = 'arn:aws:iam::210000000004:role/r';
const blank: Entitlement = {
	principal,
	product: 'lending.loans',
	table,
	holdings: [],
	scope: null,
	filter: { desired: null, retiring: [] },
	step: 'settled',
};

const status = (...values: string[]): RowFilter => ({
	op: 'in',
	column: 'status',
	values: values.toSorted().map((value) => ({ type: 'string' as const, value })),
});

function holding(grant: string, scope: Scope, until = '2026-12-31T00:00:00.000Z'): Holding {
	const from = '2026-01-01T00:00:00.000Z';
	return {
		...scope,
		grant,
		leaf: '0'.repeat(64),
		purpose: 'p',
		beneficiaries: ['per_a'],
		from,
		until,
		proven: false,
		ended: null,
	};
}

const rows = ['A', 'B', 'C', null];
const columns = ['amount', 'loan_id', 'status'];
const passes = (f: RowFilter | null, row: string | null) =>
	f === null || (f.op === 'in' && row !== null && f.values.some((v) => v.value === row));
const cells = (s: Scope) =>
	rows.flatMap((row, i) => (passes(s.rowFilter, row) ? s.columns.map((c) => `${i}.${c}`) : [])).toSorted();

const scope: fc.Arbitrary<Scope> = fc.record({
	columns: fc.subarray(columns, { minLength: 1 }).map((c) => c.toSorted()),
	rowFilter: fc.option(fc.subarray(['A', 'B', 'C'], { minLength: 1 }).map((v) => status(...v))),
});

describe('a union', () => {
	it('is exactly the cells of its parts, or is refused', () => {
		fc.assert(
			fc.property(fc.array(scope, { minLength: 1, maxLength: 4 }), (scopes) => {
				const sum = union(scopes);
				fc.pre(sum !== null);
				expect(cellsOf(sum)).toEqual([...new Set(scopes.flatMap(cells))].toSorted());
			}),
			{ numRuns: 500 },
		);
	});

	it('is refused where one filter would open cells that nobody approved', () => {
		const a = { columns: ['amount', 'loan_id'], rowFilter: status('A') };
		const b = { columns: ['status'], rowFilter: status('B') };
		expect(union([a, b])).toBeNull();
		expect(union([a, { ...a, rowFilter: status('B') }])).not.toBeNull();
		expect(union([a, { columns: ['status'], rowFilter: status('A') }])?.columns).toEqual([
			'amount',
			'loan_id',
			'status',
		]);
	});
});

/** The union's filter may be an OR of INs. */
function cellsOf(s: Scope): string[] {
	const any = (f: RowFilter | null, row: string | null): boolean =>
		f !== null && f.op === 'or' ? f.operands.some((o) => any(o, row)) : matches(f, row);
	return rows.flatMap((row, i) => (any(s.rowFilter, row) ? s.columns.map((c) => `${i}.${c}`) : [])).toSorted();
}

function matches(f: RowFilter | null, row: string | null): boolean {
	if (f !== null && f.op === 'compare') return f.operator === '=' && f.value.value === row;
	return passes(f, row);
}

/** Lake Formation as a set of standing filters; carries out a plan and says what was open after each step. */
function carryOut(state: Entitlement, standing: Map<string, Scope>): Scope[][] {
	const seen: Scope[][] = [];
	for (const step of plan(state, Number.MAX_SAFE_INTEGER, [...standing.keys()])) {
		if (step.do === 'retire') standing.delete(step.filter);
		else if (step.do === 'grant') standing.set(step.filter, step.scope);
		seen.push([...standing.values()]);
	}
	return seen;
}

type Command = { readonly do: 'admit' | 'end'; readonly grant: number; readonly scope: Scope };
const command: fc.Arbitrary<Command> = fc.record({
	do: fc.constantFrom('admit' as const, 'end' as const),
	grant: fc.integer({ min: 0, max: 4 }),
	scope,
});

describe('a history of grants and endings', () => {
	it('never opens a cell outside what is approved at that moment, and ends with exactly that', () => {
		fc.assert(
			fc.property(
				fc.array(command, { maxLength: 12 }),
				fc.array(fc.boolean(), { maxLength: 12 }),
				(commands, settles) => {
					const standing = new Map<string, Scope>();
					let state = blank;
					for (const [i, c] of commands.entries()) {
						const before = approved(state);
						const ver = i + 1;
						const next =
							c.do === 'admit' ? admit(state, holding(`g${c.grant}.${i}`, c.scope), ver) : endOne(state, c.grant, ver);
						if (next === null) continue;
						state = next;
						if (settles[i] === false) continue;
						const allowed = new Set([...before, ...approved(state)]);
						for (const open of carryOut(state, standing)) {
							if (state.step === 'widening')
								expect(open.flatMap(cellsOf).every((cell) => allowed.has(cell))).toBe(true);
						}
						state = settled(state);
						expect([...new Set([...standing.values()].flatMap(cellsOf))].toSorted()).toEqual(
							state.scope === null ? [] : cellsOf(state.scope),
						);
						expect(standing.size).toBeLessThanOrEqual(1);
					}
				},
			),
			{ numRuns: 300 },
		);
	});
});

const approved = (s: Entitlement) => s.holdings.filter((h) => h.ended === null).flatMap(cellsOf);

function endOne(state: Entitlement, which: number, ver: number): Entitlement {
	const found = state.holdings.find((h) => h.ended === null && h.grant.startsWith(`g${which}.`));
	return found === undefined ? state : end(state, found.grant, 'revoked', ver);
}

describe('replacing the filter', () => {
	const narrow = { columns: ['loan_id'], rowFilter: status('A') };
	const wide = { columns: ['amount', 'loan_id'], rowFilter: status('A') };
	const one = settled(admit(blank, holding('g1', narrow), 1) as Entitlement);

	it('grants a wider one before the old one goes, and keeps earlier grants open', () => {
		const two = admit(one, holding('g2', wide), 2) as Entitlement;
		expect(two.step).toBe('widening');
		expect(plan(two, 2, []).map((s) => s.do)).toEqual(['create', 'grant', 'prove', 'retire']);
		const now = new Date('2026-06-01T00:00:00Z');
		expect(two.holdings.map((h) => shut(two, h, now))).toEqual([null, 'grant-not-proven']);
	});

	it('takes the old one out first when it would narrow, and shuts everything meanwhile', () => {
		const two = settled(admit(one, holding('g2', wide), 2) as Entitlement);
		const three = end(two, 'g2', 'revoked', 3);
		expect(three.step).toBe('replacing');
		expect(plan(three, 3, []).map((s) => s.do)).toEqual(['retire', 'create', 'grant', 'prove']);
		const now = new Date('2026-06-01T00:00:00Z');
		expect(three.holdings.map((h) => shut(three, h, now))).toEqual(['grant-not-proven', 'grant-revoked']);
	});

	it('retires stray filters of its own, but none made for a newer version', () => {
		const prefix = filterPrefix(principal, table);
		const steps = plan(one, 5, [`${prefix}4`, `${prefix}1`, `${prefix}9`]).filter((s) => s.do === 'retire');
		expect(steps.map((s) => s.filter)).toEqual([`${prefix}4`]);
	});
});

describe('the clock', () => {
	const state = settled(
		admit(
			blank,
			holding('g1', { columns: ['loan_id'], rowFilter: null }, '2026-06-01T12:00:00.000Z'),
			1,
		) as Entitlement,
	);
	const [held] = state.holdings as [Holding];

	it.each([
		['2026-06-01T11:59:59.999Z', null],
		['2026-06-01T12:00:00.000Z', 'grant-expired'],
		['2026-06-01T12:00:00.001Z', 'grant-expired'],
		['2025-12-31T23:59:59.999Z', 'grant-not-proven'],
	])('at %s says %s, with no help from a sweep', (at, code) => {
		expect(shut(state, held, new Date(at))).toBe(code);
	});
});
