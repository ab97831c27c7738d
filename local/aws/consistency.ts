/**
 * Eventual consistency on purpose: what Lake Formation and Glue read, what Athena enforces and which roles IAM knows may
 * be the state of a while ago. Off until a test sets it. Only reads are late: a change is made on the newest state and
 * kept before it is answered, so nothing acknowledged is lost.
 *
 * Sources: Terraform's provider polls for minutes after it made a filter, repeats a revocation because
 * ListPermissions goes on listing it, and retries "Invalid principal" (aws-facts sections 1 and 2). How late AWS is, is
 * not documented.
 */
import { AwsError } from '../wire.ts';
import { anySeed, dice } from './chance.ts';
import { changesPermissions, member, type Screen } from './entries.ts';
import type { State } from './state.ts';
import type { Store } from './store.ts';

const READERS = ['lakeformation', 'glue', 'athena', 'iam'] as const;
type Reader = (typeof READERS)[number];

export type Lag = {
	/** For all that is not named. */
	readonly lagMs?: number;
	readonly lakeformation?: number;
	readonly glue?: number;
	readonly athena?: number;
	/** How long a new role goes on being no principal to Lake Formation. */
	readonly iam?: number;
	/** Each read is late by anything up to its lag, so a later one may see less than an earlier one. */
	readonly spread?: boolean;
	readonly seed?: number;
};

export type Consistency = {
	/** Replaces what was set. `{}`: every read sees the newest state again. */
	readonly set: (lag: Lag) => void;
};

export type Lagging = {
	readonly consistency: Consistency;
	/** Told of each state once a crash would keep it. */
	readonly synced: (state: State) => void;
	/** The store as this reader sees it. */
	readonly view: (store: Store, reader: Reader) => Store;
	readonly screen: Screen;
};

export function makeConsistency(clock: () => Date): Lagging {
	let lag: Lag = {};
	let roll = dice(0);
	/** From the oldest that somebody may still see to the newest. */
	let history: { readonly from: number; readonly state: State }[] = [];
	const lagOf = (reader: Reader) => lag[reader] ?? lag.lagMs ?? 0;
	const now = () => clock().getTime();

	const seenBy = (reader: Reader): State | undefined => {
		const late = lagOf(reader) * (lag.spread === true ? roll() : 1);
		return late === 0 ? undefined : history.findLast(({ from }) => from <= now() - late)?.state;
	};
	const prune = () => {
		const most = Math.max(...READERS.map(lagOf));
		const first = history.findLastIndex(({ from }) => from <= now() - most);
		history = history.slice(Math.max(first, 0));
	};

	return {
		synced(state) {
			history.push({ from: history.length === 0 ? Number.NEGATIVE_INFINITY : now(), state });
			prune();
		},
		view: (store, reader) => ({ ...store, read: () => seenBy(reader) ?? store.read() }),
		screen(call, entry) {
			if (!changesPermissions(call) || !call.operation.includes('Grant')) return undefined;
			const principal = member(member(entry, 'Principal'), 'DataLakePrincipalIdentifier');
			const known = (state: State | undefined) => state?.landing.roles.some(({ arn }) => arn === principal) === true;
			const seen = seenBy('iam');
			if (seen === undefined || known(seen) || !known(history.at(-1)?.state)) return undefined;
			return { error: new AwsError('InvalidInputException', 'Invalid principal'), done: false };
		},
		consistency: {
			set(next) {
				lag = next;
				roll = dice(next.seed ?? anySeed());
				const newest = history.at(-1);
				history = newest === undefined ? [] : [{ from: Number.NEGATIVE_INFINITY, state: newest.state }];
			},
		},
	};
}
