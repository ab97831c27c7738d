/**
 * Lambda entry of the schedule: the sealer, for most of each minute. What stops it, or still fails at the end, it says by
 * failing, which is what alarms see; entries that it put aside and entries that wait too long it tells in the log.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildPlatform } from './platform.ts';
import { sealingLog } from './sealer.ts';
import { type Sealed, sealFor } from './sealing.ts';

const { platform, site } = buildPlatform(process.env);
const sealing = Object.freeze({ ...platform, log: sealingLog(process.env) });

/** The next one is called after a minute; passes every ten seconds, as nobody waits for less. */
const shift = { lastsMs: 50_000, everyMs: 10_000, sleep, trace: () => randomBytes(16).toString('hex') };

export async function handler(): Promise<Sealed> {
	const sealed = await sealFor(sealing, shift);
	site.log.info(sealed, 'sealed');
	return sealed;
}
