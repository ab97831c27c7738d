/** What a changed contract means for a grant, against plain counting; and that an earlier end is only ever earlier. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Bound, type Effect, effectsOf, firstOf, leftOf } from '#core/access/affected.ts';
import type { Ruled } from '#core/access/rules.ts';
import type { Product } from '#core/catalog.ts';
import { contractView, parseContract } from '#core/contract.ts';
import { curtail, type Entitlement, shut } from '#core/grants/entitlement.ts';
import type { RowFilter } from '#core/rowfilter.ts';
import { changed } from './contract/cases.ts';

const published = parseContract(stringify(changed(() => {})), 'yaml');
const [loans] = contractView(published).tables;
if (loans === undefined) throw new Error('no table');
const names = loans.columns.map((c) => c.name);
type Column = (typeof loans.columns)[number];

/** The product with its one table's columns changed, those left out that give null. */
function productOf(change: (c: Column) => Column | null, more: object = {}, table: object = {}): Product {
	const columns = loans?.columns.flatMap((c) => change(c) ?? []) ?? [];
	const contract = { ...published, tables: [{ ...loans, columns, ...table }], ...more } as Product['contract'];
	return { id: 'lending.loans', domain: 'lending', contract, format: 'yaml', hash: '', leaf: '', createdAt: '' };
}

const as = (c: Column) => c;
const yes: Ruled = { allowed: true, refusing: [], unsure: false, route: ['owner'], auto: false };
const no = (...refusing: string[]): Ruled => ({ ...yes, allowed: false, refusing });
const ref = { account: loans.account, database: loans.database, table: loans.name };
const until = '2027-01-01T00:00:00.000Z';
const consumer = { id: 'risk', attributes: {} } as Bound['now']['consumer'];
const scopeOf = (columns: readonly string[], rowFilter: RowFilter | null = null) => {
	return { table: ref, columns: [...columns].toSorted(), rowFilter, readable: true };
};

function bound(more: { product?: Product; was?: Ruled; is?: Ruled; served?: boolean } & Partial<Bound> = {}): Bound {
	const { product = productOf(as), was = yes, is = yes, served = true, ...rest } = more;
	return {
		scopes: [scopeOf(['loan_id', 'amount'])],
		until,
		approved: { route: ['owner'], byRule: false },
		given: { product: productOf(as), ruled: was },
		now: { product, ruled: is, consumer, served },
		...rest,
	};
}

const codes = (effects: readonly Effect[]) => effects.map((e) => e.code);
const isNull = (column: string): RowFilter => ({ op: 'is-null', column, negated: false }) as unknown as RowFilter;

describe('a grant stands', () => {
	it('under the contract that it was given under', () => {
		expect(effectsOf(bound())).toEqual([]);
	});

	it.each([
		['a rule that refused it before refuses it still', { was: no('a'), is: no('a') }],
		['nothing refuses it any more', { was: no('a'), is: yes }],
		[
			'what was required before is required still',
			{ was: { ...yes, route: ['owner', 'steward'] }, is: { ...yes, route: ['owner', 'steward'] } },
		],
		[
			'more had approved than need to',
			{ approved: { route: ['owner', 'privacy-officer'], byRule: false }, is: { ...yes, route: ['privacy-officer'] } },
		],
		['no rule approved it before either', { approved: { route: ['owner'], byRule: true }, was: yes, is: yes }],
		['it was taken in an emergency', { approved: null, is: { ...yes, route: ['owner', 'privacy-officer'] } }],
		['it ends when the product does', { product: productOf(as, { retiresAt: until }) }],
		[
			'a column is new, and it does not name it',
			{ product: productOf(as, {}, { columns: [...loans.columns, { ...loans.columns[0], name: 'fresh' }] }) },
		],
	] as const)('where %s', (_, more) => {
		expect(effectsOf(bound(more as Parameters<typeof bound>[0]))).toEqual([]);
	});
});

describe('a grant does not stand', () => {
	it.each([
		['rules-forbid', { is: no('residency') }, { rules: ['residency'] }],
		['rules-forbid', { was: no('a'), is: no('b', 'a') }, { rules: ['b'] }],
		// No rule that permits it is left.
		['rules-forbid', { is: no() }, {}],
		// What could not be evaluated is told, on whichever side.
		['rules-forbid', { was: { ...no('a'), unsure: true } }, { rules: ['a'] }],
		['rules-forbid', { was: no('a'), is: { ...no('a'), unsure: true } }, { rules: ['a'] }],
		['route-grew', { is: { ...yes, route: ['owner', 'owner'] } }, { roles: ['owner'] }],
		// A rule that refuses it before and after hides nobody who would have to approve.
		['route-grew', { was: no('a'), is: { ...no('a'), route: ['owner', 'owner'] } }, { roles: ['owner'] }],
		['route-grew', { approved: { route: ['owner'], byRule: true }, was: { ...yes, auto: true } }, { roles: ['owner'] }],
		['principal', { served: false }, {}],
		['row-scope', { product: productOf(as, {}, { rowScope: [{ column: 'status', attribute: 'x' }] }) }, {}],
		['type-changed', { product: productOf(as, {}, { view: true }) }, { columns: ['loans.amount', 'loans.loan_id'] }],
		[
			'column-gone',
			{ product: productOf(as, {}, { account: '219999999999' }) },
			{ columns: ['loans.amount', 'loans.loan_id'] },
		],
		['retires', { product: productOf(as, { retiresAt: '2026-12-31' }) }, { until: '2026-12-31T00:00:00.000Z' }],
	] as const)('%s: %j', (code, more, told) => {
		const blank = { rules: [], roles: [], columns: [], until: null };
		expect(effectsOf(bound(more as Parameters<typeof bound>[0]))).toEqual([{ ...blank, code, ...told }]);
	});
});

const some = fc.subarray(names, { minLength: 1 });

it('is told of exactly the columns that it reads and that are gone, of another type, or cannot be hidden', () => {
	fc.assert(
		fc.property(
			some,
			fc.option(fc.constantFrom(...names)),
			fc.array(fc.constantFrom('as', 'gone', 'type', 'key'), { minLength: names.length, maxLength: names.length }),
			(columns, filter, fates) => {
				const fate = (name: string) => fates[names.indexOf(name)];
				const product = productOf((c) => {
					if (fate(c.name) === 'gone') return null;
					if (fate(c.name) === 'type') return { ...c, type: c.type === 'date' ? 'bigint' : 'date' };
					return fate(c.name) === 'key' ? { ...c, partition: true } : c;
				});
				const scopes = [scopeOf(columns, filter === null ? null : isNull(filter))];
				const read = new Set([...columns, ...(filter === null ? [] : [filter])]);
				const expected = [
					...([...read].some((c) => fate(c) === 'gone') ? ['column-gone'] : []),
					...([...read].some((c) => fate(c) === 'type') ? ['type-changed'] : []),
					...(names.some((c) => fate(c) === 'key' && !columns.includes(c)) ? ['partition-key'] : []),
				];
				const effects = effectsOf(bound({ product, scopes }));
				expect(codes(effects)).toEqual(expected);
				const gone = effects.find((e) => e.code === 'column-gone')?.columns ?? [];
				expect(new Set(gone)).toEqual(new Set([...read].filter((c) => fate(c) === 'gone').map((c) => `loans.${c}`)));
				const left = leftOf(product, scopes).flatMap((s) => s.columns);
				expect(left).toEqual([...columns].toSorted().filter((c) => fate(c) !== 'gone'));
			},
		),
	);
});

it('lacks a role exactly where more of it are needed than approved, and than were needed before', () => {
	const route = fc.array(fc.constantFrom('owner', 'privacy-officer', 'risk-officer'), { maxLength: 4 });
	const count = (roles: readonly string[], role: string) => roles.filter((r) => r === role).length;
	fc.assert(
		fc.property(route, route, route, (approved, before, now) => {
			const effects = effectsOf(
				bound({
					approved: { route: approved, byRule: false },
					was: { ...yes, route: before },
					is: { ...yes, route: now },
				}),
			);
			const roles = effects.flatMap((e) => e.roles);
			for (const role of ['owner', 'privacy-officer', 'risk-officer']) {
				const lacks = count(now, role) - Math.max(count(approved, role), count(before, role));
				expect(count(roles, role)).toBe(Math.max(0, lacks));
			}
		}),
	);
});

it('is one of the first to be shut in the call as long as those before it have not used up its time', () => {
	fc.assert(
		fc.property(fc.array(fc.integer({ min: 1, max: 50 })), fc.integer({ min: 1, max: 60 }), (sizes, most) => {
			const first = firstOf(sizes, (size) => size, most);
			expect(first).toEqual(sizes.filter((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0) < most));
		}),
	);
});

it('ends sooner and never later, alone among the others, and without anything of it being opened or shut before', () => {
	const instant = fc.integer({ min: 0, max: 20 }).map((day) => new Date(Date.UTC(2027, 0, 1 + day)).toISOString());
	const holding = fc.record({ grant: fc.constantFrom('a', 'b', 'c'), until: instant, proven: fc.boolean() });
	fc.assert(
		fc.property(fc.uniqueArray(holding, { selector: (h) => h.grant }), instant, instant, (held, end, at) => {
			const holdings = held.map((h) => ({
				...h,
				ended: null,
				from: '2026-01-01T00:00:00.000Z',
				beneficiaries: [],
				leaf: '',
				purpose: '',
				columns: ['x'],
				rowFilter: null,
			}));
			const state: Entitlement = {
				principal: '',
				product: '',
				table: ref,
				holdings,
				scope: null,
				filter: { desired: 'f_1', retiring: [] },
				step: 'settled',
				made: null,
			};
			const next = curtail(state, 'a', end);
			expect({ ...next, holdings: [] }).toEqual({ ...state, holdings: [] });
			expect(next).not.toBe(state);
			for (const [i, before] of holdings.entries()) {
				const after = next.holdings[i];
				if (after === undefined) throw new Error('a holding is gone');
				const sooner = before.grant === 'a' && end < before.until;
				expect(after).toEqual(sooner ? { ...before, until: end } : before);
				const now = new Date(at);
				const closed = sooner && at >= end && at < before.until ? 'grant-expired' : shut(state, before, now);
				expect(shut(next, after, now)).toBe(closed);
			}
		}),
	);
});
