/** The pure parts of access: states and routes. */
import { describe, expect, it } from 'vitest';
import { after, nextRole, openRoles, type RequestEvent, requestStates } from '#core/access/state.ts';
import { GrantState, transitions } from '#core/grants/grant.ts';

describe("a request's life", () => {
	const events: readonly RequestEvent[] = ['approve', 'reject', 'cancel', 'lapse'];

	it('answers every event in every state, and ends once', () => {
		const table = requestStates.flatMap((s) => events.map((e) => [s, e, after(s, e)]));
		expect(table.filter(([, , next]) => next !== null)).toEqual([
			['pending', 'approve', 'approved'],
			['pending', 'reject', 'rejected'],
			['pending', 'cancel', 'cancelled'],
			['pending', 'lapse', 'expired'],
		]);
	});
});

describe("a grant's life", () => {
	it('never comes back from its end, and never skips the proof', () => {
		expect([transitions.revoked, transitions.expired]).toEqual([[], []]);
		for (const state of GrantState.options) {
			const leadsToRevoked = transitions[state].includes('revoked');
			expect(leadsToRevoked).toBe(state === 'revoking' || state === 'revoke_failed');
			if (state.startsWith('revok') || state.startsWith('expir')) expect(transitions[state]).not.toContain('granted');
		}
	});

	it('reaches an end from every state', () => {
		const ends = new Set<GrantState>(['revoked', 'expired']);
		for (let i = 0; i < GrantState.options.length; i += 1) {
			for (const state of GrantState.options) if (transitions[state].some((t) => ends.has(t))) ends.add(state);
		}
		expect(ends.size).toBe(GrantState.options.length);
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

	it('is not moved by somebody without a role of it', () => {
		expect(nextRole(route, [], 'a', ['consumer', 'regulator'])).toBeNull();
	});
});
