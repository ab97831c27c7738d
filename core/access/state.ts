/** A request's life as one table. Pure: what is not in it cannot happen, and a stream that says otherwise is not believed. */
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';

/** What stands in the place of a role where a rule approved by itself. */
export const BY_POLICY = 'policy';

export const requestStates = ['pending', 'approved', 'rejected', 'cancelled', 'expired'] as const;
export type RequestState = (typeof requestStates)[number];

/** `confirm` is an approval that leaves others to be given, `approve` the last one; `reopen` takes the latter back. */
export const requestEvents = ['edit', 'confirm', 'approve', 'reject', 'cancel', 'remind', 'lapse', 'reopen'] as const;
export type RequestEvent = (typeof requestEvents)[number];

type Row = Readonly<Record<RequestEvent, RequestState | null>>;
const nothing: Row = {
	edit: null,
	confirm: null,
	approve: null,
	reject: null,
	cancel: null,
	remind: null,
	lapse: null,
	reopen: null,
};

export const transitions: Readonly<Record<RequestState, Row>> = {
	pending: {
		edit: 'pending',
		confirm: 'pending',
		approve: 'approved',
		reject: 'rejected',
		cancel: 'cancelled',
		remind: 'pending',
		lapse: 'expired',
		reopen: null,
	},
	approved: { ...nothing, reopen: 'pending' },
	rejected: nothing,
	cancelled: nothing,
	expired: nothing,
};

/** The state after an event, or null where the event is not possible. */
export function after(state: RequestState, event: RequestEvent): RequestState | null {
	return transitions[state][event];
}

export type Approval = {
	readonly person: string;
	readonly as: string;
	/** Where it was given in somebody's place: by which delegation, whose, and when (ISO 8601). */
	readonly delegated?: { readonly id: string; readonly giver: string; readonly leaf: string; readonly at: string };
};

/** Whether two approvals are, in part, one person's: who said it, or in whose place. Then they count as one. */
export function overlap(one: Approval, other: Approval): boolean {
	return voices(one).some((person) => voices(other).includes(person));
}

/**
 * Those of these approvals that count, in their order: each fills a role that is still open, and overlaps with none that
 * counts already. So no more of them count than people decided, and than people they speak for.
 */
export function counting(route: readonly string[], approvals: readonly Approval[]): Approval[] {
	const counted: Approval[] = [];
	for (const approval of approvals) {
		const another = !counted.some((c) => overlap(c, approval));
		if (another && openRoles(route, counted).includes(approval.as)) counted.push(approval);
	}
	return counted;
}

/** Whose word an approval is: who said it, and in whose place. */
export const voices = ({ person, delegated }: Approval) =>
	delegated === undefined ? [person] : [person, delegated.giver];

/** What a request's stream says, the clock aside. */
export type Folded = {
	readonly state: RequestState;
	/** Of the content as it was last asked for, in order. */
	readonly approvals: readonly Approval[];
	readonly editors: readonly string[];
	/** ISO 8601: when what is asked for was last said, from where the request's time runs. */
	readonly since: string;
	readonly remindedAt: string | null;
	/**
	 * The decision that completed the route and stands. It names the grant that it brings into being, which is its alone:
	 * one that was taken back and whoever still acts on it never meet what a later decision opens.
	 */
	readonly granting: Ledger.Recorded<'AccessDecided'> | null;
};

/** Folds a request's stream. Throws `record-corrupt` on a step that {@link transitions} does not know. */
export function fold(entries: readonly Ledger.Recorded[]): Folded {
	let folded: Folded = {
		state: 'pending',
		approvals: [],
		editors: [],
		since: entries[0]?.entry.at ?? '',
		remindedAt: null,
		granting: null,
	};
	for (const recorded of entries) {
		const event = eventOf(recorded.body);
		if (event === null) continue;
		const state = after(folded.state, event);
		if (state === null) {
			throw new BrokerError('record-corrupt', 'A request took a step that does not exist.', {
				from: folded.state,
				event,
			});
		}
		folded = { ...folded, ...changed(folded, event, recorded), state };
	}
	return folded;
}

const named: Partial<Record<Ledger.Recorded['body']['type'], RequestEvent>> = {
	AccessEdited: 'edit',
	AccessCancelled: 'cancel',
	AccessReopened: 'reopen',
	AccessLapsed: 'lapse',
	AccessReminded: 'remind',
};

function eventOf(body: Ledger.Recorded['body']): RequestEvent | null {
	if (body.type !== 'AccessDecided') return named[body.type] ?? null;
	if (body.outcome === 'pending') return 'confirm';
	return body.outcome === 'approved' ? 'approve' : 'reject';
}

function changed(before: Folded, event: RequestEvent, recorded: Ledger.Recorded): Partial<Folded> {
	const { at, actor } = recorded.entry;
	switch (event) {
		case 'edit':
			return { approvals: [], editors: [...before.editors, actor], since: at, remindedAt: null };
		case 'confirm':
		case 'approve': {
			const decided = Ledger.as(recorded, 'AccessDecided');
			const { as, delegation } = decided.body;
			const delegated = delegation === undefined ? {} : { delegated: { ...delegation, at } };
			const approvals = [...before.approvals, { person: actor, as, ...delegated }];
			if (event === 'confirm') return { approvals };
			return { approvals, granting: decided };
		}
		case 'remind':
			return { remindedAt: at };
		case 'reopen':
			return { granting: null };
		case 'reject':
		case 'cancel':
		case 'lapse':
			return {};
	}
}

/**
 * The role in which this person's approval counts next: the first of the route that is still open and that he holds.
 * One person counts once, also where another spoke in his place. Null when no approval of his is needed.
 */
export function nextRole(
	route: readonly string[],
	approvals: readonly Approval[],
	person: string,
	held: readonly string[],
): string | null {
	if (approvals.some((a) => overlap(a, { person, as: '' }))) return null;
	return openRoles(route, approvals).find((role) => held.includes(role)) ?? null;
}

/** Roles of the route that nobody filled yet; one that stands twice needs two approvals. */
export function openRoles(route: readonly string[], approvals: readonly Approval[]): string[] {
	const open = [...route];
	for (const { as } of approvals) {
		const at = open.indexOf(as);
		if (at !== -1) open.splice(at, 1);
	}
	return open;
}
