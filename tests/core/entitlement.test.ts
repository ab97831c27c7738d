/** The pure half of grants: unions, replacement order, the clock. Brute force over small tables is the judge. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	admit,
	carries,
	confine,
	type Entitlement,
	end,
	filterPrefix,
	type Holding,
	plan,
	reopen,
	settled,
	shut,
} from '#core/grants/entitlement.ts';
import { type RowFilter } from '#core/rowfilter.ts';
import { covers, type Scope, union } from '#core/scope.ts';

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
	made: null,
};

const MADE = '2026-01-01T00:00:00.000Z';

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
	for (const step of plan(state, Number.MAX_SAFE_INTEGER, [...standing.keys()], true)) {
		if (step.do === 'retire') for (const filter of step.filters) standing.delete(filter);
		else if (step.do === 'permission') standing.set(step.filter, step.scope);
		seen.push([...standing.values()]);
	}
	return seen;
}

type Verb = 'admit' | 'end' | 'suspend' | 'resume' | 'narrow' | 'confine' | 'reopen';
type Command = { readonly do: Verb; readonly grant: number; readonly scope: Scope };
const command: fc.Arbitrary<Command> = fc.record({
	do: fc.constantFrom<Verb>('admit', 'admit', 'end', 'suspend', 'resume', 'narrow', 'confine', 'reopen'),
	grant: fc.integer({ min: 0, max: 4 }),
	scope,
});

function carriedOut(state: Entitlement, c: Command, ver: number): Entitlement | null {
	const named = state.holdings.filter((h) => h.grant.startsWith(`g${c.grant}.`));
	const live = named.find((h) => h.ended === null);
	const held = named.find((h) => h.ended === 'suspended');
	if (c.do === 'admit') return admit(state, holding(`g${c.grant}.${ver}`, c.scope), ver);
	if (c.do === 'reopen') return reopen(state, c.grant % 2 === 0 ? 'again' : 'anew', ver);
	if (c.do === 'resume') return held === undefined ? state : admit(state, holding(held.grant, held), ver);
	if (c.do === 'end') return end(state, (live ?? held)?.grant ?? '', 'revoked', ver);
	if (live === undefined) return state;
	if (c.do === 'confine') return covers(live, c.scope) ? confine(state, live.grant, c.scope, ver) : state;
	if (c.do === 'suspend') return end(state, live.grant, 'suspended', ver);
	return admit(state, holding(live.grant, c.scope), ver);
}

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
						const next = carriedOut(state, c, ver);
						if (next === null) continue;
						if (c.do === 'narrow' || c.do === 'confine') {
							expect(approved(next).filter((cell) => !before.includes(cell))).toEqual([]);
						}
						state = next;
						if (settles[i] === false) continue;
						const allowed = new Set([...before, ...approved(state)]);
						for (const open of carryOut(state, standing)) {
							if (state.step === 'widening')
								expect(open.flatMap(cellsOf).every((cell) => allowed.has(cell))).toBe(true);
						}
						state = settled(state, MADE);
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

describe('replacing the filter', () => {
	const narrow = { columns: ['loan_id'], rowFilter: status('A') };
	const wide = { columns: ['amount', 'loan_id'], rowFilter: status('A') };
	const one = settled(admit(blank, holding('g1', narrow), 1) as Entitlement, MADE);

	it('grants a wider one before the old one goes, and keeps earlier grants open', () => {
		const two = admit(one, holding('g2', wide), 2) as Entitlement;
		expect(two.step).toBe('widening');
		expect(plan(two, 2, [], false).map((s) => s.do)).toEqual(['filter', 'permission', 'read-back', 'retire']);
		const linked = plan(two, 2, [], true).map((s) => s.do);
		expect(linked).toEqual(['filter', 'permission', 'link', 'describe', 'read-back', 'retire']);
		const now = new Date('2026-06-01T00:00:00Z');
		expect(two.holdings.map((h) => shut(two, h, now))).toEqual([null, 'grant-not-proven']);
	});

	it('takes the old one out first when it would narrow, and shuts everything meanwhile', () => {
		const two = settled(admit(one, holding('g2', wide), 2) as Entitlement, MADE);
		const three = end(two, 'g2', 'revoked', 3);
		expect(three.step).toBe('replacing');
		expect(plan(three, 3, [], false).map((s) => s.do)).toEqual(['retire', 'filter', 'permission', 'read-back']);
		const now = new Date('2026-06-01T00:00:00Z');
		expect(three.holdings.map((h) => shut(three, h, now))).toEqual(['grant-not-proven', 'grant-revoked']);
	});

	it('retires stray filters of its own, but none made for a newer version', () => {
		const prefix = filterPrefix(principal, table);
		const steps = plan(one, 5, [`${prefix}4`, `${prefix}1`, `${prefix}9`], false);
		expect(steps.flatMap((s) => (s.do === 'retire' ? s.filters : []))).toEqual([`${prefix}4`]);
	});
});

describe('a grant that is held back', () => {
	const now = new Date('2026-06-01T00:00:00Z');
	const scopeA = { columns: ['loan_id'], rowFilter: status('A') };
	const open = settled(admit(blank, holding('g1', scopeA), 1) as Entitlement, MADE);

	it('stays listed and shut, out of Lake Formation, until it is taken up again and proven', () => {
		const suspended = end(open, 'g1', 'suspended', 2);
		expect(suspended.holdings.map((h) => shut(suspended, h, now))).toEqual(['grant-suspended']);
		const out = settled(suspended, MADE);
		expect([out.filter.desired, out.scope]).toEqual([null, null]);
		expect(out.holdings.map((h) => shut(out, h, now))).toEqual(['grant-suspended']);
		const resumed = admit(out, holding('g1', scopeA), 3) as Entitlement;
		expect(resumed.holdings.map((h) => shut(resumed, h, now))).toEqual(['grant-not-proven']);
		const again = settled(resumed, MADE);
		expect(again.holdings.map((h) => shut(again, h, now))).toEqual([null]);
	});

	it('can be ended while it is held back, and is then gone', () => {
		const out = settled(end(open, 'g1', 'suspended', 2), MADE);
		expect(settled(end(out, 'g1', 'expired', 3), MADE).holdings).toEqual([]);
	});
});

describe('the same grant once more', () => {
	const wide = { columns: ['amount', 'loan_id'], rowFilter: null };
	const open = settled(admit(blank, holding('g1', wide), 1) as Entitlement, MADE);

	it('changes nothing as it is, or wider', () => {
		expect(admit(open, holding('g1', wide), 2)).toBe(open);
		const wider = { columns: ['amount', 'loan_id', 'status'], rowFilter: null };
		expect(admit(open, holding('g1', wider), 2)).toBe(open);
	});

	it('narrower takes the place of what was, after that is out', () => {
		const less = admit(open, holding('g1', { columns: ['loan_id'], rowFilter: status('A') }), 2) as Entitlement;
		expect(less.step).toBe('replacing');
		expect(less.scope).toEqual({ columns: ['loan_id'], rowFilter: status('A') });
		expect(less.filter.retiring).toEqual([open.filter.desired]);
	});

	it('made less is shut at once, and open again with just that once it is proven', () => {
		const less = { columns: ['loan_id'], rowFilter: status('A') };
		const now = new Date('2026-06-01T00:00:00Z');
		const confined = confine(open, 'g1', less, 2);
		expect(confined.holdings.map((h) => shut(confined, h, now))).toEqual(['grant-not-proven']);
		const again = settled(confined, MADE);
		expect([carries(again, 'g1', less), carries(again, 'g1', wide)]).toEqual([true, false]);
	});

	it('made less than would be one filter beside another grant is held back', () => {
		const other = { columns: ['amount', 'loan_id'], rowFilter: status('A') };
		const two = settled(admit(open, holding('g2', other), 2) as Entitlement, MADE);
		const confined = confine(two, 'g1', { columns: ['loan_id'], rowFilter: status('B') }, 3);
		expect(confined.holdings.map((h) => [h.grant, h.ended])).toEqual([
			['g1', 'suspended'],
			['g2', null],
		]);
	});

	it('does not come back once it was revoked', () => {
		const gone = end(open, 'g1', 'revoked', 2);
		expect(admit(gone, holding('g1', wide), 3)).toBe(gone);
	});
});

describe('the table that was approved', () => {
	const scopeA = { columns: ['loan_id'], rowFilter: status('A') };
	const one = settled(admit(blank, holding('g1', scopeA), 1) as Entitlement, MADE);

	it('is the one of the first proof, whatever is settled on a later one of its name', () => {
		const two = settled(admit(one, holding('g2', scopeA), 2) as Entitlement, '2026-05-05T00:00:00.000Z');
		expect(two.made).toBe(MADE);
	});

	it('is forgotten once nothing is held on it', () => {
		const none = settled(end(one, 'g1', 'suspended', 2), MADE);
		expect(none.made).toBeNull();
		const later = '2026-05-05T00:00:00.000Z';
		expect(settled(admit(none, holding('g1', scopeA), 3) as Entitlement, later).made).toBe(later);
	});
});

describe('the clock', () => {
	const state = settled(
		admit(
			blank,
			holding('g1', { columns: ['loan_id'], rowFilter: null }, '2026-06-01T12:00:00.000Z'),
			1,
		) as Entitlement,
		MADE,
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
