/**
 * Desired against actual, against a tiny model of a lake: whatever stands there, mending what is found brings exactly
 * what is recorded, and nothing that is on its way, or not Fairlead's, is touched.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { filterPrefix, type Standing } from '#core/grants.ts';
import type { Filter, Right } from '#core/lakeformation.ts';
import { type Actual, compare, type Discrepancy, GRACE_MS, keyOf } from '#core/reconcile/compare.ts';
import { printRowFilter, type RowFilter } from '#core/rowfilter.ts';
import type { Scope } from '#core/scope.ts';

const table = { account: '210000000001', database: 'lending', table: 'loans' };
const now = new Date('2026-11-21T12:00:00.000Z');
const role = (name: string) => `arn:aws:iam::210000000004:role/${name}`;
const principals = ['alice-reads', 'bob-reads', 'carl-reads'].map(role);
const stranger = role('not-ours');
const EVERYBODY = 'IAM_ALLOWED_PRINCIPALS';
const known = (grantee: string) => principals.includes(grantee);

const status: RowFilter = { op: 'compare', column: 'status', operator: '=', value: { type: 'string', value: 'D' } };
const scopes: readonly Scope[] = [
	{ columns: ['loan_id'], rowFilter: null },
	{ columns: ['amount', 'loan_id'], rowFilter: status },
];
const contents: readonly Omit<Filter, 'name'>[] = [
	{ columns: ['loan_id'], rows: null },
	{ columns: ['loan_id', 'amount'], rows: printRowFilter(status) },
	{ columns: null, rows: null },
	{ columns: ['amount', 'loan_id'], rows: null },
];
const nameOf = (principal: string, ver: number) => `${filterPrefix(principal, table)}${ver}`;

const standingOf = (principal: string, more: Partial<Standing> = {}): Standing => ({
	principal,
	product: 'lending.loans',
	table,
	ver: 3,
	step: 'settled',
	at: '2026-11-20T12:00:00.000Z',
	desired: { name: nameOf(principal, 2), scope: { columns: ['loan_id'], rowFilter: null } },
	retiring: [],
	link: 'fl_210000000001_lending',
	made: '2026-01-01T00:00:00.000Z',
	grants: ['grt_1'],
	...more,
});

const right = (principal: string, on: Right['on'], permissions: string[], grantable: string[] = []): Right => ({
	principal,
	on,
	permissions,
	grantable,
	since: null,
	by: null,
});
const onFilter = (name: string): Right['on'] => ({ kind: 'filter', table, name });

/** Lake Formation exactly as these entitlements have it. */
function lakeOf(desired: readonly Standing[]): Actual {
	const settled = desired.flatMap((s) => (s.desired === null ? [] : [{ ...s.desired, principal: s.principal }]));
	return {
		filters: settled.map(({ name, scope }) => ({
			name,
			columns: [...scope.columns].toReversed(),
			rows: scope.rowFilter === null ? null : printRowFilter(scope.rowFilter),
		})),
		rights: settled.map(({ name, principal }) => right(principal, onFilter(name), ['SELECT'])),
		made: '2026-01-01T00:00:00.000Z',
		exists: true,
		linked: new Set(settled.map((s) => s.principal)),
	};
}

const found = (desired: readonly Standing[], actual: Actual) => compare(desired, actual, known, now);
const kinds = (all: readonly Discrepancy[]) => all.map((d) => [d.kind, d.principal, d.remedy.do]);
const [alice = '', bob = ''] = principals;

describe('nothing is found', () => {
	it('where Lake Formation holds what is recorded, columns in whatever order', () => {
		expect(found([standingOf(alice), standingOf(bob, { desired: null })], lakeOf([standingOf(alice)]))).toEqual([]);
	});

	it.each(['widening', 'replacing'] as const)('of an entitlement that is being changed: %s', (step) => {
		const at = new Date(now.getTime() - GRACE_MS + 1).toISOString();
		const busy = standingOf(alice, { step, at });
		const filters = [{ name: nameOf(alice, 1), columns: null, rows: null }];
		const rights = [right(bob, onFilter(nameOf(alice, 1)), ['SELECT'], ['SELECT'])];
		expect(found([busy], { ...lakeOf([]), filters, rights })).toEqual([]);
	});

	it('of a filter that is on its way out', () => {
		const standing = standingOf(alice, { step: 'replacing', retiring: [nameOf(alice, 1)] });
		const lake = lakeOf([standing]);
		const old = { name: nameOf(alice, 1), columns: ['loan_id'], rows: null };
		expect(found([standing], { ...lake, filters: [...lake.filters, old] })).toEqual([]);
	});

	it('of roles that are not registered, on what is not ours, and of who may only see the metadata', () => {
		const rights = [
			right(stranger, { kind: 'table', table }, ['ALL']),
			right(stranger, onFilter('by_hand'), ['SELECT']),
			right(alice, { kind: 'table', table }, ['DESCRIBE']),
		];
		expect(found([], { ...lakeOf([]), rights })).toEqual([]);
	});
});

describe('is found', () => {
	const lake = lakeOf([standingOf(alice)]);
	const name = nameOf(alice, 2);
	const wide = { name, columns: ['amount', 'loan_id'], rows: null };
	it.each<[string, Partial<Actual>, unknown[]]>([
		['a filter that is gone, with what stood on it', { filters: [], rights: [] }, ['missing-filter', alice, 'restore']],
		['a right that is gone', { rights: [] }, ['missing-permission', alice, 'restore']],
		[
			'DESCRIBE alone',
			{ rights: [right(alice, onFilter(name), ['DESCRIBE'])] },
			['missing-permission', alice, 'restore'],
		],
		['a link that is gone', { linked: new Set() }, ['missing-link', alice, 'restore']],
		['a filter of other content', { filters: [wide] }, ['widened-filter', alice, 'restore']],
		['a filter of all columns', { filters: [{ ...wide, columns: null }] }, ['widened-filter', alice, 'restore']],
		['a table made anew', { made: '2026-02-01T00:00:00.000Z' }, ['table-recreated', alice, 'suspend']],
		['no table', { exists: false }, ['table-gone', null, 'none']],
		[
			'the right to hand it on',
			{ rights: [right(alice, onFilter(name), ['SELECT'], ['SELECT'])] },
			['extra-permission', alice, 'revoke'],
		],
		[
			'somebody else on a filter of ours, registered or not',
			{ rights: [...lake.rights, right(stranger, onFilter(name), ['SELECT'])] },
			['extra-permission', stranger, 'revoke'],
		],
		[
			'everybody on the table',
			{ rights: [...lake.rights, right(EVERYBODY, { kind: 'table', table }, ['ALL'])] },
			['extra-permission', EVERYBODY, 'none'],
		],
		[
			'a principal of ours on all tables',
			{ rights: [...lake.rights, right(bob, { kind: 'all-tables', ...table }, ['SELECT'])] },
			['extra-permission', bob, 'none'],
		],
		[
			'a filter of ours that no version wants',
			{ filters: [...lake.filters, { ...wide, name: nameOf(alice, 1) }] },
			['orphaned-filter', alice, 'drop'],
		],
		[
			'a filter of ours that nobody ever held',
			{ filters: [...lake.filters, { ...wide, name: nameOf(stranger, 1) }] },
			['orphaned-filter', null, 'drop'],
		],
	])('%s', (_, change, expected) => {
		expect(kinds(found([standingOf(alice)], { ...lake, ...change }))).toEqual([expected]);
	});

	it('what was begun long ago and never finished', () => {
		const at = new Date(now.getTime() - GRACE_MS).toISOString();
		const stuck = standingOf(alice, { step: 'widening', at });
		expect(kinds(found([stuck], { ...lake, filters: [], rights: [] }))).toEqual([['missing-filter', alice, 'restore']]);
	});
});

const entitlements = fc.tuple(
	...principals.map((principal) =>
		fc
			.record({
				scope: fc.option(fc.constantFrom(...scopes)),
				step: fc.constantFrom('settled' as const, 'widening' as const, 'replacing' as const),
				at: fc.constantFrom('2026-11-20T12:00:00.000Z', '2026-11-21T11:59:00.000Z'),
				link: fc.option(fc.constant('fl_210000000001_lending')),
				made: fc.constantFrom('2026-01-01T00:00:00.000Z', '2025-01-01T00:00:00.000Z', null),
				retiring: fc.subarray([nameOf(principal, 1)]),
			})
			.map(({ scope, ...rest }) =>
				standingOf(principal, {
					...rest,
					retiring: rest.step === 'settled' ? [] : rest.retiring,
					desired: scope === null ? null : { name: nameOf(principal, 2), scope },
				}),
			),
	),
);

const names = [...principals, stranger].flatMap((p) => [nameOf(p, 1), nameOf(p, 2)]);
const grantees = [...principals, stranger, EVERYBODY];
const resources = fc.oneof(
	fc.constantFrom(...names, 'by_hand').map(onFilter),
	fc.constantFrom<Right['on']>(
		{ kind: 'table', table },
		{ kind: 'all-tables', ...table },
		{ kind: 'columns', table, columns: ['amount'], excluded: [] },
		{ kind: 'columns', table, columns: null, excluded: [] },
	),
);
const lakes: fc.Arbitrary<Actual> = fc
	.record({
		filters: fc.uniqueArray(fc.tuple(fc.constantFrom(...names, 'by_hand'), fc.constantFrom(...contents)), {
			selector: ([name]) => name,
		}),
		rights: fc.array(
			fc
				.tuple(
					fc.constantFrom(...grantees),
					resources,
					fc.subarray(['SELECT', 'DESCRIBE'], { minLength: 1 }),
					fc.subarray(['SELECT']),
				)
				.map(([principal, on, permissions, grantable]) => right(principal, on, permissions, grantable)),
		),
		linked: fc.subarray([...principals]),
	})
	.map(({ filters, rights, linked }) => ({
		filters: filters.map(([name, content]) => ({ name, ...content })),
		rights: rights.filter(
			(r) => r.on.kind !== 'filter' || filters.some(([name]) => r.on.kind === 'filter' && name === r.on.name),
		),
		made: '2026-01-01T00:00:00.000Z',
		exists: true,
		linked: new Set(linked),
	}));

type World = { readonly desired: readonly Standing[]; readonly actual: Actual };

/** What the remedies do, by the book: a restored entitlement stands as `lakeOf` has it. */
function mended({ desired, actual }: World, all: readonly Discrepancy[]): World {
	const restored = new Set<string>();
	let standings = desired;
	let { filters, rights } = actual;
	const without = (gone: (name: string) => boolean) => {
		filters = filters.filter((f) => !gone(f.name));
		rights = rights.filter((r) => r.on.kind !== 'filter' || !gone(r.on.name));
	};
	for (const { remedy, owner, principal } of all) {
		if (remedy.do === 'drop') without((name) => name === remedy.filter);
		if (remedy.do === 'revoke') {
			const less = (r: Right) => ({
				...r,
				permissions: r.permissions.filter((p) => !remedy.right.permissions.includes(p)),
				grantable: r.grantable.filter((p) => !remedy.right.grantable.includes(p)),
			});
			const named = JSON.stringify([remedy.right.principal, remedy.right.on]);
			rights = rights
				.map((r) => (JSON.stringify([r.principal, r.on]) === named ? less(r) : r))
				.filter((r) => r.permissions.length > 0);
			if (principal === owner) restored.add(owner ?? '');
		}
		if (remedy.do === 'restore') restored.add(owner ?? '');
		if (remedy.do === 'suspend') {
			standings = standings.map((s) =>
				s.principal === owner ? { ...s, desired: null, step: 'settled', retiring: [] } : s,
			);
			without((name) => name.startsWith(filterPrefix(owner ?? '', table)));
		}
	}
	for (const s of standings.filter(({ principal }) => restored.has(principal))) {
		const stale = lakeOf([s]);
		without((name) => name === s.desired?.name || s.retiring.includes(name));
		filters = [...filters, ...stale.filters];
		rights = [...rights, ...stale.rights];
	}
	const linked = new Set([...actual.linked, ...restored]);
	const after = standings.map(
		(s): Standing => (restored.has(s.principal) ? { ...s, step: 'settled', retiring: [] } : s),
	);
	return { desired: after, actual: { ...actual, filters, rights, linked } };
}

describe('whatever stands there', () => {
	it('is as recorded once what was found is mended: what is left is not ours to change', () => {
		fc.assert(
			fc.property(entitlements, lakes, (desired, actual) => {
				const world = mended({ desired, actual }, found(desired, actual));
				expect(found(world.desired, world.actual).filter((d) => d.remedy.do !== 'none')).toEqual([]);
				const idle = world.desired.filter((s) => s.step === 'settled');
				for (const s of idle) {
					const mine = (name: string) => name.startsWith(filterPrefix(s.principal, table));
					const want = lakeOf([s]);
					expect(world.actual.filters.filter((f) => mine(f.name)).map((f) => f.name)).toEqual(
						want.filters.map((f) => f.name),
					);
					const held = world.actual.rights.filter((r) => r.on.kind === 'filter' && mine(r.on.name));
					expect(held.every((r) => r.principal === s.principal && r.grantable.length === 0)).toBe(true);
					expect(held.some((r) => r.permissions.includes('SELECT'))).toBe(s.desired !== null);
				}
			}),
		);
	});

	it('is told alike, however its rows are split and ordered', () => {
		const split = (r: Right): Right[] =>
			r.permissions.map((p) => {
				const whole: Right['on'] = { kind: 'columns', table, columns: null, excluded: [] };
				const on = r.on.kind === 'table' && p === 'SELECT' ? whole : r.on;
				return { ...r, on, permissions: [p], grantable: r.grantable.filter((g) => g === p) };
			});
		fc.assert(
			fc.property(entitlements, lakes, (desired, actual) => {
				const rights = actual.rights.filter((r) => r.grantable.every((g) => r.permissions.includes(g)));
				const one = found(desired, { ...actual, rights });
				const other = found(desired.toReversed(), {
					...actual,
					filters: actual.filters.toReversed(),
					rights: rights.flatMap(split).toReversed(),
				});
				expect(other.map(keyOf)).toEqual(one.map(keyOf));
			}),
		);
	});

	it('nothing that is being changed is judged', () => {
		fc.assert(
			fc.property(entitlements, lakes, (desired, actual) => {
				const busy = desired.filter((s) => s.step !== 'settled' && s.at === '2026-11-21T11:59:00.000Z');
				const owners = new Set(found(desired, actual).map((d) => d.owner));
				expect(busy.filter((s) => owners.has(s.principal))).toEqual([]);
			}),
		);
	});
});
