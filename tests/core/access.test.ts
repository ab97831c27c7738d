/** The pure parts of access: states and routes. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { windowOf } from '#core/access/open.ts';
import { after, fold, nextRole, openRoles, requestEvents, requestStates, transitions } from '#core/access/state.ts';
import { GrantState, transitions as grantTransitions } from '#core/grants/grant.ts';
import type * as Ledger from '#core/ledger.ts';

describe("a request's life", () => {
	it('answers every event in every state, and what is over stays so', () => {
		const table = requestStates.flatMap((s) => requestEvents.map((e) => [s, e, after(s, e)]));
		expect(table.filter(([, , next]) => next !== null)).toEqual([
			['pending', 'edit', 'pending'],
			['pending', 'confirm', 'pending'],
			['pending', 'approve', 'approved'],
			['pending', 'reject', 'rejected'],
			['pending', 'cancel', 'cancelled'],
			['pending', 'remind', 'pending'],
			['pending', 'lapse', 'expired'],
			['approved', 'reopen', 'pending'],
		]);
		expect(table).toHaveLength(requestStates.length * requestEvents.length);
	});

	it('is drawn as it is in docs/requests.md', () => {
		const text = readFileSync(new URL('../../docs/requests.md', import.meta.url), 'utf8');
		const drawn = [...text.matchAll(/^ {4}(\S+) --> (\S+?)(?:: (.+))?$/gm)].map((m) => m.slice(1).filter(Boolean));
		const arrows = requestStates.flatMap((from) =>
			[...new Set(Object.values(transitions[from]))].flatMap((to) => {
				const events = requestEvents.filter((e) => to !== null && transitions[from][e] === to);
				return to === null ? [] : [[from, to, events.join(', ')]];
			}),
		);
		const ends = requestStates.filter((s) => s !== 'pending').map((s) => [s, '[*]']);
		const sorted = (list: readonly (readonly string[])[]) => list.map((a) => a.join(' ')).toSorted();
		expect(sorted(drawn)).toEqual(sorted([['[*]', 'pending'], ...arrows, ...ends]));
		const told = [...text.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, event]) => event);
		expect(told).toEqual([...requestEvents]);
	});
});

describe("a request's stream", () => {
	const at = (n: number) => `2026-01-0${n}T00:00:00.000Z`;
	const entry = (n: number, actor: string, body: object) =>
		({ entry: { at: at(n), actor }, body, leaf: `leaf${n}`, ver: n }) as unknown as Ledger.Recorded;
	const filed = entry(1, 'alice', { type: 'AccessRequested' });
	const decided = (n: number, actor: string, more: object) => entry(n, actor, { type: 'AccessDecided', ...more });
	const confirm = (n: number, who: string) => decided(n, who, { verdict: 'approve', outcome: 'pending', as: 'owner' });
	const approve = (n: number, who: string, grant = 'grt_1') =>
		decided(n, who, { verdict: 'approve', outcome: 'approved', as: 'owner', grant });
	const edit = (n: number, who: string) => entry(n, who, { type: 'AccessEdited' });
	const reopen = (n: number) => entry(n, 'system', { type: 'AccessReopened' });

	it.each([
		['a decision after the end', [filed, approve(2, 'olga'), confirm(3, 'peter')]],
		['an edit after the approval', [filed, approve(2, 'olga'), edit(3, 'alice')]],
		['a way back before there was one forward', [filed, reopen(2)]],
		[
			'a lapse after a rejection',
			[
				filed,
				decided(2, 'olga', { verdict: 'reject', outcome: 'rejected' }),
				entry(3, 'system', { type: 'AccessLapsed' }),
			],
		],
	])('is not believed with %s', (_, entries) => {
		expect(() => fold(entries)).toThrow('does not exist');
	});

	it('drops approvals, the reminder and the time that has run with an edit', () => {
		const reminded = entry(3, 'system', { type: 'AccessReminded' });
		expect(fold([filed, confirm(2, 'olga'), reminded])).toMatchObject({
			approvals: [{ person: 'olga', as: 'owner' }],
			since: at(1),
			remindedAt: at(3),
		});
		expect(fold([filed, confirm(2, 'olga'), reminded, edit(4, 'carl')])).toMatchObject({
			state: 'pending',
			approvals: [],
			editors: ['carl'],
			since: at(4),
			remindedAt: null,
		});
	});

	it('names a grant of its own for each time its route was completed, and none in between', () => {
		const named = (entries: Ledger.Recorded[]) => {
			const { state, granting } = fold(entries);
			return [state, granting?.leaf, granting?.body.grant];
		};
		const once = [filed, approve(2, 'olga', 'grt_1')];
		expect(named(once)).toEqual(['approved', 'leaf2', 'grt_1']);
		expect(named([...once, reopen(3)])).toEqual(['pending', undefined, undefined]);
		expect(named([...once, reopen(3), edit(4, 'alice')])).toEqual(['pending', undefined, undefined]);
		expect(named([...once, reopen(3), approve(4, 'nick', 'grt_2')])).toEqual(['approved', 'leaf4', 'grt_2']);
	});
});

describe("a grant's life", () => {
	it('never comes back from its end, and never skips the proof', () => {
		expect([grantTransitions.revoked, grantTransitions.expired]).toEqual([[], []]);
		for (const state of GrantState.options) {
			const leadsToRevoked = grantTransitions[state].includes('revoked');
			expect(leadsToRevoked).toBe(state === 'revoking' || state === 'revoke_failed');
			if (state.startsWith('revok') || state.startsWith('expir'))
				expect(grantTransitions[state]).not.toContain('granted');
		}
	});

	it('reaches an end from every state', () => {
		const ends = new Set<GrantState>(['revoked', 'expired']);
		for (let i = 0; i < GrantState.options.length; i += 1) {
			for (const state of GrantState.options) if (grantTransitions[state].some((t) => ends.has(t))) ends.add(state);
		}
		expect(ends.size).toBe(GrantState.options.length);
	});
});

describe('the window of a grant', () => {
	const inMonth = (month: string) => new Date(`2026-${month}-01T00:00:00.000Z`);

	it('ends with the first of what was asked for and what approvers left, wherever it begins', () => {
		// From July a month is the longer one, from February it is the shorter one.
		expect(windowOf(['P1M', 'P30D'], inMonth('07')).until).toBe('2026-07-31T00:00:00.000Z');
		expect(windowOf(['P1M', 'P30D'], inMonth('02')).until).toBe('2026-03-01T00:00:00.000Z');
		expect(windowOf(['P1Y', 'P1M', 'P30D'], inMonth('02')).until).toBe('2026-03-01T00:00:00.000Z');
		expect(windowOf(['P1D'], inMonth('02'))).toEqual({
			from: '2026-02-01T00:00:00.000Z',
			until: '2026-02-02T00:00:00.000Z',
		});
	});
});

describe('a route', () => {
	const route = ['owner', 'privacy-officer'];

	it('is done when each role was filled by another person', () => {
		expect(nextRole(route, [], 'a', ['owner'])).toBe('owner');
		expect(nextRole(route, [{ person: 'a', as: 'owner' }], 'a', ['owner', 'privacy-officer'])).toBeNull();
		expect(nextRole(route, [{ person: 'a', as: 'owner' }], 'b', ['owner'])).toBeNull();
		expect(nextRole(route, [{ person: 'a', as: 'owner' }], 'b', ['privacy-officer'])).toBe('privacy-officer');
		expect(
			openRoles(route, [
				{ person: 'a', as: 'owner' },
				{ person: 'b', as: 'privacy-officer' },
			]),
		).toEqual([]);
	});

	it('that names a role twice needs two people in it', () => {
		const two = ['owner', 'owner', 'privacy-officer'];
		const first = [{ person: 'a', as: 'owner' }];
		expect(openRoles(two, first)).toEqual(['owner', 'privacy-officer']);
		expect(nextRole(two, first, 'a', ['owner', 'privacy-officer'])).toBeNull();
		expect(nextRole(two, first, 'b', ['owner'])).toBe('owner');
		expect(openRoles(two, [...first, { person: 'b', as: 'owner' }, { person: 'c', as: 'owner' }])).toEqual([
			'privacy-officer',
		]);
	});

	it('is not moved by somebody without a role of it', () => {
		expect(nextRole(route, [], 'a', ['consumer', 'regulator'])).toBeNull();
	});
});
