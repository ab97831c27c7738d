/**
 * The sealer at work for a while: passes one after another as long as there is more, then one every few seconds. What
 * cannot be sealed is told in the log by core; what stops the sealer is told here, once, and thrown.
 */
import { type Platform, systemContext } from '#core/context.ts';
import { BrokerError } from '#core/error.ts';
import * as Ledger from '#core/ledger.ts';
import { quarantined, seal } from '#core/tlog.ts';

export type Sealed = {
	readonly passes: number;
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

/** Throws where something is not as the sealer left it, or what it needs does not answer. */
export async function sealFor(platform: Platform, { lastsMs, everyMs, sleep, trace }: Shift): Promise<Sealed> {
	const begun = platform.clock().getTime();
	const done = { passes: 0, sealed: 0, size: 0 };
	for (;;) {
		const started = platform.clock().getTime();
		const pass = await sealOnce(platform, trace());
		done.passes += 1;
		done.sealed += pass.sealed + pass.recovered;
		done.size = pass.size;
		const now = platform.clock().getTime();
		const pause = pass.more && !pass.overtaken ? 0 : Math.max(0, started + everyMs - now);
		if (now + pause >= begun + lastsMs) break;
		await sleep(pause);
	}
	const oldestSeconds = await oldest(platform);
	if (oldestSeconds > LATE_SECONDS)
		platform.warn(LATE, new BrokerError('not-finished', 'An entry waits to be sealed.'));
	return { ...done, quarantined: await quarantined(platform), oldestSeconds };
}

/** One pass. An alarm of the sealer is told, by its kind alone. */
export async function sealOnce(platform: Platform, trace: string) {
	try {
		return await seal(systemContext(platform, trace));
	} catch (error) {
		const alarm = error instanceof BrokerError ? error.extensions['alarm'] : undefined;
		platform.warn(typeof alarm === 'string' ? `${STOPPED}: ${alarm}` : 'ledger: a pass of the sealer failed', error);
		throw error;
	}
}

async function oldest(platform: Platform): Promise<number> {
	const shards = Ledger.shardNames(platform).map((shard) => Ledger.unsealed(platform, shard, '0', 1));
	const since = (await Promise.all(shards)).flat().map(({ key }) => Number(key.slice(0, 15)));
	const now = platform.clock().getTime();
	return since.length === 0 ? 0 : Math.max(0, Math.round((now - Math.min(...since)) / 1000));
}
