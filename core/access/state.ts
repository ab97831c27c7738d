/** A request's life as one table. Pure. Whatever is not listed here cannot happen. */
import type * as Ledger from '../ledger.ts';

export const requestStates = ['pending', 'approved', 'rejected', 'cancelled', 'expired'] as const;
export type RequestState = (typeof requestStates)[number];

export type RequestEvent = 'approve' | 'reject' | 'cancel' | 'lapse';

const transitions: Record<RequestState, Partial<Record<RequestEvent, RequestState>>> = {
	// `approve` stays pending until every role of the route has approved; then `approved`.
	pending: { approve: 'approved', reject: 'rejected', cancel: 'cancelled', lapse: 'expired' },
	approved: {},
	rejected: {},
	cancelled: {},
	expired: {},
};

/** The state after an event, or null where the event is not possible. */
export function after(state: RequestState, event: RequestEvent): RequestState | null {
	return transitions[state][event] ?? null;
}

/** Folds a request's stream. */
export function fold(entries: readonly Ledger.Recorded[]): { state: RequestState; approvals: Approval[] } {
	let state: RequestState = 'pending';
	const approvals: Approval[] = [];
	for (const { body, entry } of entries) {
		if (body.type === 'AccessCancelled') state = after(state, 'cancel') ?? state;
		if (body.type !== 'AccessDecided') continue;
		if (body.verdict === 'approve') approvals.push({ person: entry.actor, as: body.as });
		if (body.outcome !== 'pending') state = after(state, body.verdict) ?? state;
	}
	return { state, approvals };
}

export type Approval = { readonly person: string; readonly as: string };

/**
 * The role in which this person's approval counts next: the first of the route that is still open and that he holds.
 * One person counts once. Null when no approval of his is needed.
 */
export function nextRole(
	route: readonly string[],
	approvals: readonly Approval[],
	person: string,
	held: readonly string[],
): string | null {
	if (approvals.some((a) => a.person === person)) return null;
	return openRoles(route, approvals).find((role) => held.includes(role)) ?? null;
}

export function openRoles(route: readonly string[], approvals: readonly Approval[]): string[] {
	return route.filter((role) => !approvals.some((a) => a.as === role));
}
