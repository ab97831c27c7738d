/**
 * Faults on purpose, over the real wire: a test sets rules, and requests that they hit are refused, lost, answered late,
 * answered wrongly or not at all. A rule decides whether a request is served and whether its answer arrives, never what
 * is stored. Off until set; nothing is kept, so a restart is without faults. Dice are seeded, and the seed is told.
 */
import { AwsError } from '../wire.ts';
import { anySeed, type Dice, dice } from './chance.ts';
import { type Call, changesPermissions, type Refused, type Screen, tableOf } from './entries.ts';
import type { Service } from './protocol.ts';

export type FaultRule = {
	readonly service: Service | '*';
	/** An operation's name, or '*'. */
	readonly operation: string;
	/**
	 * `before`: refused, nothing done. `after`: done, then answered with an error. `throttle`: refused as the service
	 * refuses whoever asks too often. `delay`: done, answered late. `lose`: nothing done, the connection ends. `drop`:
	 * done, the connection ends. `hang`: nothing done, no answer until the rules are cleared, then the connection
	 * ends. `hang-after`: done, then as `hang`.
	 */
	readonly when: 'before' | 'after' | 'delay' | 'throttle' | 'hang' | 'hang-after' | 'lose' | 'drop';
	/** What `before`, `after` and `throttle` answer, where not the service's own. */
	readonly error?: { readonly name: string; readonly message: string; readonly status?: number };
	/** How late `delay` is. */
	readonly ms?: number;
	/** Lets so many pass first. */
	readonly skip?: number;
	/** Hits so many at most. */
	readonly times?: number;
	/** Of being hit, from 0 to 1. */
	readonly probability?: number;
	readonly match?: (input: unknown, call: Call) => boolean;
	/** Hits this principal's requests only. */
	readonly principal?: string;
	/** Hits these entries of a grant or revocation in Lake Formation, for `before`, `after` and `throttle`. */
	readonly entry?: (entry: unknown) => boolean;
	/** What is counted and diced for: each request, or each call of a client with all its retries. */
	readonly per?: 'request' | 'call';
};

export type Faults = {
	/** Replaces the rules; the first one that hits a request decides. Returns the seed of the dice. */
	readonly set: (rules: readonly FaultRule[], seed?: number) => number;
	/** Takes all rules away, and ends what hangs. */
	readonly clear: () => void;
	/**
	 * A change of a table's permissions is refused while another one is made and for so long after it, in milliseconds:
	 * ConcurrentModificationException. Null: never.
	 */
	readonly excludeChanges: (withinMs: number | null) => void;
	/** Tells of each authenticated request before it is served, until the returned function is called. */
	readonly watch: (listener: (call: Call) => void) => () => void;
};

export type FaultInjector = {
	readonly faults: Faults;
	readonly around: <T>(call: Call, serve: () => Promise<T>) => Promise<T>;
	readonly screen: Screen;
};

/** The connection is to end without an answer. */
export class Unanswered extends Error {}

type Told = { readonly name: string; readonly message: string; readonly status?: number };
const FAILURE: Told = { name: 'InternalFailure', message: 'The request processing has failed (injected)', status: 500 };

/** aws-facts section 2: seen as "Rate exceeded" wrapped in InvalidInputException; its TPS quotas are not published [unverified]. */
const LAKE_FORMATION_THROTTLE: Told = { name: 'InvalidInputException', message: 'Rate exceeded' };
const THROTTLE: Readonly<Record<Service, Told>> = {
	dynamodb: {
		name: 'ThrottlingException',
		message: 'Throughput exceeds the current capacity of your table or index.',
	},
	athena: { name: 'ThrottlingException', message: 'Rate exceeded' },
	glue: { name: 'ThrottlingException', message: 'Rate exceeded' },
	lakeformation: LAKE_FORMATION_THROTTLE,
	cloudtrail: { name: 'ThrottlingException', message: 'Rate exceeded' },
	sts: { name: 'Throttling', message: 'Rate exceeded' },
	iam: { name: 'Throttling', message: 'Rate exceeded' },
};

/** Texts seen in the field (data.all issue 1572, aws-cdk issue 36215; aws-facts section 2); together they are ours [unverified]. */
const CONCURRENT_CHANGE = 'Permission update/Delete failed for Resource. Please retry in a short while.';

type Armed = { readonly rule: FaultRule; passed: number; hits: number; readonly verdicts: Map<string, boolean> };

export function makeFaults(log: (line: string) => void): FaultInjector {
	let armed: Armed[] = [];
	let roll: Dice = dice(0);
	let release = () => {};
	let released = Promise.resolve();
	const listeners = new Set<(call: Call) => void>();
	const changes = makeExclusion();

	const arm = (rules: readonly FaultRule[]) => {
		release();
		armed = rules.map((rule) => ({ rule, passed: 0, hits: 0, verdicts: new Map() }));
		released = new Promise((resolve) => {
			release = resolve;
		});
	};
	arm([]);

	const around = async <T>(call: Call, serve: () => Promise<T>): Promise<T> => {
		for (const listener of listeners) listener(call);
		const found = armed.find(
			(one) => one.rule.entry === undefined && concerns(one.rule, call) && hits(one, call, roll),
		);
		const until = released;
		const run = async () => {
			try {
				return await serve();
			} finally {
				changes.end(call);
			}
		};
		return found === undefined ? await run() : await faulty(found.rule, call, run, until);
	};

	const screen: Screen = (call, entry) => {
		const one = armed.find(
			(each) => each.rule.entry?.(entry) === true && concerns(each.rule, call) && hits(each, call, roll),
		);
		if (one === undefined) return changes.begin(call, entry);
		return { error: errorOf(one.rule, call.service), done: one.rule.when === 'after' };
	};

	return {
		around,
		screen,
		faults: {
			set(rules, seed = anySeed()) {
				arm(rules);
				roll = dice(seed);
				if (rules.some(({ probability }) => probability !== undefined)) log(`faults: seed ${seed}`);
				return seed;
			},
			clear: () => arm([]),
			excludeChanges: changes.within,
			watch(listener) {
				listeners.add(listener);
				return () => listeners.delete(listener);
			},
		},
	};
}

function concerns(rule: FaultRule, call: Call): boolean {
	return (
		(rule.service === '*' || rule.service === call.service) &&
		(rule.operation === '*' || rule.operation === call.operation) &&
		(rule.principal === undefined || rule.principal === call.caller.principal) &&
		(rule.match === undefined || rule.match(call.input, call))
	);
}

/** Whether the rule hits this time, counted and diced for. */
function hits(one: Armed, call: Call, roll: Dice): boolean {
	const known = one.rule.per === 'call' ? one.verdicts.get(call.id) : undefined;
	if (known !== undefined) return known;
	const hit = decide(one, roll);
	if (hit) one.hits += 1;
	if (one.rule.per === 'call') one.verdicts.set(call.id, hit);
	return hit;
}

function decide(one: Armed, roll: Dice): boolean {
	const { rule } = one;
	if (one.hits >= (rule.times ?? Number.POSITIVE_INFINITY)) return false;
	if (rule.probability !== undefined && roll() >= rule.probability) return false;
	one.passed += 1;
	return one.passed > (rule.skip ?? 0);
}

async function faulty<T>(rule: FaultRule, call: Call, run: () => Promise<T>, released: Promise<void>): Promise<T> {
	switch (rule.when) {
		case 'before':
		case 'throttle':
			throw errorOf(rule, call.service);
		case 'lose':
			throw new Unanswered();
		case 'hang':
			await released;
			throw new Unanswered();
		// A refusal of the operation is an answer like any other: it is lost, replaced or late too.
		case 'after':
			await Promise.allSettled([run()]);
			throw errorOf(rule, call.service);
		case 'drop':
			await Promise.allSettled([run()]);
			throw new Unanswered();
		case 'hang-after':
			await Promise.allSettled([run()]);
			await released;
			throw new Unanswered();
		case 'delay': {
			const [outcome] = await Promise.allSettled([run()]);
			await Promise.race([released, new Promise((resolve) => setTimeout(resolve, rule.ms ?? 0))]);
			if (outcome.status === 'rejected') throw outcome.reason;
			return outcome.value;
		}
		default:
			return rule.when satisfies never;
	}
}

function errorOf({ when, error }: FaultRule, service: Service): AwsError {
	const { name, message, status } = error ?? (when === 'throttle' ? THROTTLE[service] : FAILURE);
	return new AwsError(name, message, { status: status ?? (/Internal|Unavailable/.test(name) ? 500 : 400) });
}

type Exclusion = {
	readonly within: (ms: number | null) => void;
	readonly begin: (call: Call, entry: unknown) => Refused | undefined;
	readonly end: (call: Call) => void;
};

/** Who changes the permissions of which table, and until when nobody else may. */
function makeExclusion(): Exclusion {
	let window: number | null = null;
	/** `ended` is null while the change is under way. */
	const last = new Map<string, { readonly by: string; ended: number | null }>();
	return {
		within(ms) {
			window = ms;
			last.clear();
		},
		begin(call, entry) {
			const table = tableOf(entry, call.caller);
			if (window === null || table === undefined) return undefined;
			const other = last.get(table);
			const taken = other !== undefined && other.by !== call.id;
			if (taken && (other.ended === null || performance.now() - other.ended < window)) {
				return { error: new AwsError('ConcurrentModificationException', CONCURRENT_CHANGE), done: false };
			}
			last.set(table, { by: call.id, ended: null });
			return undefined;
		},
		end(call) {
			if (!changesPermissions(call)) return;
			for (const change of last.values()) if (change.by === call.id) change.ended = performance.now();
		},
	};
}
