/**
 * The sealer at work for a while: passes one after another as long as there is more, then one every few seconds. What
 * cannot be sealed is told in the log by core; what stops the sealer, or keeps it waiting, is told here.
 */
import { type Platform, systemContext } from '#core/context.ts';
import { BrokerError } from '#core/error.ts';
import * as Ledger from '#core/ledger.ts';
import { quarantined, seal } from '#core/tlog.ts';

export type Sealed = {
	readonly passes: number;
	/** Passes that failed; the last one did not. */
	readonly failed: number;
	readonly sealed: number;
	/** Entries in the log, and in quarantine. */
	readonly size: number;
	readonly quarantined: number;
	/** For how long the oldest entry has waited that is not in quarantine; 0 where none waits. */
	readonly oldestSeconds: number;
};

export type Shift = {
	/** No pass begins later than that after the beginning. */
	readonly lastsMs: number;
	readonly everyMs: number;
	readonly sleep: (ms: number) => Promise<unknown>;
	/** W3C trace id of the entries that it writes. */
	readonly trace: () => string;
};

/** What the alarms of a deployment look for in the log (infra/alarms.ts). */
export const STOPPED = 'ledger: sealing stopped';
export const LATE = 'ledger: sealing is late';
const LATE_SECONDS = 300;

/**
 * A pass that fails is told, and made again within the shift; after an alarm none is, as nothing is mended by itself then.
 * That entries wait too long is told once: before the first pass, as a shift whose calls hang is cut off and comes to no end;
 * else at the end, however the passes ended. Throws what the last pass failed with.
 */
export async function sealFor(platform: Platform, shift: Shift): Promise<Sealed> {
	const before = await lookedAt(platform);
	const told = before.failure === null && tellLate(platform, before.seconds);
	const { failure, ...done } = await passes(platform, shift);
	const after = await lookedAt(platform);
	if (after.failure === null && !told) tellLate(platform, after.seconds);
	if (failure !== null) throw failure.cause;
	if (after.failure !== null) throw after.failure.cause;
	return { ...done, quarantined: await quarantined(platform), oldestSeconds: after.seconds };
}

async function passes(platform: Platform, { lastsMs, everyMs, sleep, trace }: Shift) {
	const begun = platform.clock().getTime();
	const done = { passes: 0, failed: 0, sealed: 0, size: 0 };
	for (;;) {
		const started = platform.clock().getTime();
		const { pass, failure } = await attempt(platform, trace());
		done.passes += 1;
		if (failure !== null) done.failed += 1;
		if (pass !== null) {
			done.sealed += pass.sealed + pass.recovered;
			done.size = pass.size;
		}
		if (failure !== null && alarmIn(failure.cause) !== null) return { ...done, failure };
		const atOnce = pass !== null && pass.more && !pass.overtaken;
		const now = platform.clock().getTime();
		const pause = atOnce ? 0 : Math.max(0, started + everyMs - now);
		if (now + pause >= begun + lastsMs) return { ...done, failure };
		await sleep(pause);
	}
}

/** A pass, or what it failed with, which may be anything. */
async function attempt(platform: Platform, trace: string) {
	try {
		return { pass: await sealOnce(platform, trace), failure: null };
	} catch (cause) {
		return { pass: null, failure: { cause } };
	}
}

/** One pass. An alarm of the sealer is told, by its kind alone. */
export async function sealOnce(platform: Platform, trace: string) {
	try {
		return await seal(systemContext(platform, trace));
	} catch (error) {
		const alarm = alarmIn(error);
		platform.warn(alarm === null ? 'ledger: a pass of the sealer failed' : `${STOPPED}: ${alarm}`, error);
		throw error;
	}
}

function alarmIn(error: unknown): string | null {
	const alarm = error instanceof BrokerError ? error.extensions['alarm'] : undefined;
	return typeof alarm === 'string' ? alarm : null;
}

/** For how many seconds the oldest entry has waited; or why that could not be looked at, which is told. */
async function lookedAt(platform: Platform) {
	try {
		return { seconds: await oldest(platform), failure: null };
	} catch (cause) {
		platform.warn('ledger: what waits to be sealed could not be looked at', cause);
		return { seconds: null, failure: { cause } };
	}
}

/** Whether that is too long; it is told then. */
function tellLate(platform: Platform, seconds: number): boolean {
	const late = seconds > LATE_SECONDS;
	if (late) platform.warn(LATE, new BrokerError('not-finished', 'An entry waits to be sealed.'));
	return late;
}

async function oldest(platform: Platform): Promise<number> {
	const shards = Ledger.shardNames(platform).map((shard) => Ledger.unsealed(platform, shard, '0', 1));
	const since = (await Promise.all(shards)).flat().map(({ key }) => Number(key.slice(0, 15)));
	const now = platform.clock().getTime();
	return since.length === 0 ? 0 : Math.max(0, Math.round((now - Math.min(...since)) / 1000));
}
