/**
 * What still needs the payload of an entry: each type has a rule, made from who reads its payload. Null where nothing
 * does, and nothing can again: what a rule lets go is over for good, or was said anew long enough ago that nobody is
 * still acting on what it was. In every other case, and of a type that should have no payload, it stays. Only reads the
 * ledger, never a payload.
 */
import type * as Ledger from '../ledger.ts';

type Recorded = Ledger.Recorded;
type Type = Recorded['body']['type'];

export type Look = {
	readonly now: Date;
	/** A stream from its first version on; empty where there is none. */
	readonly read: (stream: string) => Promise<readonly Recorded[]>;
	readonly stream: typeof Ledger.stream;
};

/** Why it must stay, in words that follow "It stays: "; null where it need not. `entries` is the stream that it is in. */
type Rule<T extends Type> = (
	look: Look,
	at: Ledger.Recorded<T>,
	entries: readonly Recorded[],
) => string | null | Promise<string | null>;

/** Longer than any function lives (infra/schedules.ts): after that nobody acts on what he read before. */
export const OVERTAKEN_MS = 20 * 60_000;

const isLongAgo = ({ now }: Look, { entry }: Recorded) => Date.parse(entry.at) + OVERTAKEN_MS <= now.getTime();
const has = (entries: readonly Recorded[], ...types: Type[]) => entries.some(({ body }) => types.includes(body.type));

const nothing = () => null;
/** Of what is never written with a payload. */
const unknown = () => 'nobody knows what a payload of this type of entry is for';

/** Decided against, withdrawn or lapsed, as recorded: by the table of its states, nothing follows on that. */
const isClosed = (entries: readonly Recorded[]) =>
	has(entries, 'AccessCancelled', 'AccessLapsed') ||
	entries.some(({ body }) => body.type === 'AccessDecided' && body.outcome === 'rejected');

/** The grant of the decision that stands. */
function grantIn(entries: readonly Recorded[]): string | undefined {
	const back = entries.flatMap(({ body }) => (body.type === 'AccessReopened' ? [body.decision] : []));
	const last = entries.findLast(({ body }) => body.type === 'AccessDecided' && !back.includes(body.decision))?.body;
	return last?.type === 'AccessDecided' ? last.grant : undefined;
}

const isOver = (entries: readonly Recorded[]) =>
	entries.some(({ body }) => body.type === 'GrantEnded' && body.state !== 'revoke_failed');

const isUnreviewed = (entries: readonly Recorded[]) =>
	!has(entries, 'AccessReviewed') &&
	entries.some(({ body }) => body.type === 'AccessRequested' && body.breakGlass !== undefined);

/** Scopes and reasons, until a grant that was made of them stands by itself, which says them again. */
async function ofRequest(look: Look, _: unknown, entries: readonly Recorded[]): Promise<string | null> {
	if (isUnreviewed(entries)) return 'the request was for an emergency, and nobody has reviewed that yet';
	if (isClosed(entries)) return null;
	const id = grantIn(entries);
	if (id === undefined) return 'the request is pending';
	const grant = await look.read(look.stream.grant(id));
	const opened = grant[0];
	if (isOver(grant) || (opened !== undefined && isLongAgo(look, opened))) return null;
	return `what was decided is being carried out, or was until a moment ago; see grant ${id}`;
}

/** Scopes, until nothing has to be opened, shown, narrowed or taken away by them any more. */
async function ofGrant(
	look: Look,
	{ body: { grant } }: Ledger.Recorded<'GrantOpened' | 'GrantNarrowed'>,
	entries: readonly Recorded[],
): Promise<string | null> {
	if (!isOver(entries)) return `grant ${grant} is not over`;
	const opened = entries.find(({ body }) => body.type === 'GrantOpened')?.body;
	if (opened?.type !== 'GrantOpened') return 'the grant was not opened';
	if (opened.breakGlass === undefined) return null;
	const request = await look.read(look.stream.request(opened.request));
	return has(request, 'AccessReviewed') ? null : 'the grant was for an emergency, and nobody has reviewed that yet';
}

/** The last version is all that a principal holds on a table; an earlier one is what was read by those who overtook it. */
function ofEntitlement(look: Look, { ver }: Recorded, entries: readonly Recorded[]): string | null {
	const next = entries.find((e) => e.ver === ver + 1);
	if (next === undefined) return 'it is what the principal holds now; end the grants in it';
	return isLongAgo(look, next) ? null : 'it was what the principal holds until a moment ago';
}

/** The text, until the engine has run it; of a query that counts for a request, until that is decided. */
async function ofFlow(
	look: Look,
	{ body: { review } }: Ledger.Recorded<'FlowIntended'>,
	entries: readonly Recorded[],
): Promise<string | null> {
	if (!has(entries, 'FlowCompleted', 'FlowFailed', 'FlowCancelled')) return 'the query has not ended';
	if (review === undefined) return null;
	const request = await look.read(look.stream.request(review.request));
	return isClosed(request) || grantIn(request) !== undefined ? null : 'the query counts for a request that is pending';
}

const isLast = ({ ver }: Recorded, entries: readonly Recorded[]) => entries.at(-1)?.ver === ver;

const rules: { readonly [T in Type]: Rule<T> } = {
	AccessRequested: ofRequest,
	AccessEdited: ofRequest,
	AccessDecided: ofRequest,
	AccessReviewed: nothing,
	GrantOpened: ofGrant,
	GrantNarrowed: ofGrant,
	// Why somebody did it: nobody reads it to do anything.
	GrantSuspending: nothing,
	GrantHeld: nothing,
	GrantReleased: nothing,
	GrantResuming: nothing,
	GrantShortened: nothing,
	GrantLeft: nothing,
	GrantEnding: nothing,
	RecordsRead: nothing,
	// Who it was, beyond what the entry says.
	BypassDetected: nothing,
	EntitlementChanged: ofEntitlement,
	FlowIntended: ofFlow,
	DomainRegistered: (_, at, entries) =>
		isLast(at, entries) ? 'it is the charter of the domain; register the domain with another one first' : null,
	DelegationGiven: ({ now }, { body }, entries) =>
		has(entries, 'DelegationEnded') || body.until <= now.toISOString() ? null : 'the delegation is not over',
	DriftRecorded: (_, at, entries) =>
		isLast(at, entries) && at.body.findings.some((f) => f.outcome === 'alerted')
			? 'it is what was found last and not mended'
			: null,
	ErasureRequested: (_, __, entries) => (has(entries, 'PayloadErased') ? null : 'the erasure is under way'),
	PayloadErased: unknown,
	DomainRegistering: unknown,
	ContractPublished: unknown,
	AccessCancelled: unknown,
	AccessReopened: unknown,
	AccessLapsed: unknown,
	AccessReminded: unknown,
	AccessReviewOverdue: unknown,
	DelegationEnded: unknown,
	GrantSettled: unknown,
	GrantSuspended: unknown,
	GrantEnded: unknown,
	FlowCompleted: unknown,
	FlowFailed: unknown,
	FlowCancelled: unknown,
	FlowDelivered: unknown,
	ColumnsRecorded: unknown,
	ReportRequested: unknown,
	IntegrityFault: unknown,
	CompletenessChecked: unknown,
};

/** Why the payload of this entry must stay; null where nothing needs it. */
export async function neededFor(look: Look, at: Recorded, entries: readonly Recorded[]): Promise<string | null> {
	const rule = rules[at.body.type] as Rule<Type>;
	return rule(look, at, entries);
}
