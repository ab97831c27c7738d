/** The pure parts of delegation: when one is in force, and that words are never counted twice. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Approval, counting, fold as foldRequest, openRoles, overlap, voices } from '#core/access/state.ts';
import { covers, fold, stateOf } from '#core/delegation/load.ts';
import type * as Ledger from '#core/ledger.ts';

const seed = Number(process.env['FAIRLEAD_SEED'] ?? 1);

describe('approvals of a route', () => {
	const person = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
	const role = fc.constantFrom('owner', 'privacy-officer');
	const approval = fc.tuple(person, role, fc.option(person)).map(([who, as, giver]): Approval => {
		const delegated = giver === null ? {} : { delegated: { id: 'dlg', giver, leaf: 'leaf', at: '' } };
		return { person: who, as, ...delegated };
	});
	const approvals = fc.array(approval, { maxLength: 12 });
	const route = fc.array(role, { minLength: 1, maxLength: 5 });
	const distinct = (values: readonly string[]) => new Set(values).size;

	it('by k people never fill a route of more than k, nor do those in the place of k', () => {
		fc.assert(
			fc.property(route, approvals, (needed, given) => {
				const counted = counting(needed, given);
				expect(counted.length).toBeLessThanOrEqual(distinct(given.map((a) => a.person)));
				expect(counted.length).toBeLessThanOrEqual(distinct(given.map((a) => a.delegated?.giver ?? a.person)));
				const missing = openRoles(needed, counted).length;
				expect(missing).toBe(needed.length - counted.length);
			}),
			{ seed, numRuns: 2000 },
		);
	});

	it('that count have no word in common, and one that is left out has, or fills nothing', () => {
		fc.assert(
			fc.property(route, approvals, (needed, given) => {
				const counted = counting(needed, given);
				const spoken = counted.flatMap((a) => [...new Set(voices(a))]);
				expect(distinct(spoken)).toBe(spoken.length);
				for (const left of given.filter((a) => !counted.includes(a))) {
					expect(counted.some((c) => overlap(c, left)) || !openRoles(needed, counted).includes(left.as)).toBe(true);
				}
			}),
			{ seed, numRuns: 2000 },
		);
	});

	it('without delegations count by person and role, as they always did', () => {
		const own = approvals.map((all) => all.map(({ person: who, as }): Approval => ({ person: who, as })));
		fc.assert(
			fc.property(route, own, (needed, given) => {
				const plain: Approval[] = [];
				for (const one of given) {
					const another = !plain.some((c) => c.person === one.person);
					if (another && openRoles(needed, plain).includes(one.as)) plain.push(one);
				}
				expect(counting(needed, given)).toEqual(plain);
			}),
			{ seed, numRuns: 500 },
		);
	});

	it('keep by whose delegation they were given, and since when', () => {
		const at = '2026-01-01T00:00:00.000Z';
		const entry = (actor: string, body: object) => ({ entry: { at, actor }, body }) as unknown as Ledger.Recorded;
		const delegation = { id: 'dlg_1', giver: 'olga', leaf: 'leaf' };
		const decided = { type: 'AccessDecided', verdict: 'approve', outcome: 'pending', as: 'owner', delegation };
		expect(foldRequest([entry('alice', { type: 'AccessRequested' }), entry('ruth', decided)]).approvals).toEqual([
			{ person: 'ruth', as: 'owner', delegated: { ...delegation, at } },
		]);
	});
});

describe('a delegation', () => {
	const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();
	const entry = (body: object, when = 0) => ({ entry: { at: at(when) }, body }) as unknown as Ledger.Recorded;
	const given = entry({ type: 'DelegationGiven', from: at(10), until: at(20) });
	const ended = (when: number) => entry({ type: 'DelegationEnded' }, when);
	const made = (...entries: Ledger.Recorded[]) => {
		const delegation = fold('dlg', entries);
		if (delegation === null) throw new Error('there is none');
		return delegation;
	};
	const stateAt = (ms: number) => stateOf(made(given), new Date(at(ms)));

	it('is in force from its first instant to before its last, by the clock alone', () => {
		expect([9, 10, 19, 20, 21].map(stateAt)).toEqual(['ahead', 'in-force', 'in-force', 'over', 'over']);
		expect([9, 10, 19, 20].map((ms) => covers(made(given), at(ms)))).toEqual([false, true, true, false]);
	});

	it('is ended whatever the clock says, and covers what came before', () => {
		const over = made(given, ended(15));
		expect([9, 12, 30].map((ms) => stateOf(over, new Date(at(ms))))).toEqual(['ended', 'ended', 'ended']);
		expect([14, 15, 16].map((ms) => covers(over, at(ms)))).toEqual([true, false, false]);
	});

	it('is not believed in any other form', () => {
		expect(fold('dlg', [])).toBeNull();
		for (const entries of [[ended(1)], [given, given], [given, ended(15), ended(16)]])
			expect(() => fold('dlg', entries)).toThrow(/type|end/);
	});
});
