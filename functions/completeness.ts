/**
 * Lambda entry of the schedule: each day that is over against what AWS saw of it. Each bypass, and a day that could not be
 * looked at as a whole, is told in the log, which is what alarms see; what time did not allow is gone on with by the next
 * run.
 */
import { randomBytes } from 'node:crypto';
import { LAST_STEP_MS, type Run, scheduled } from '#core/completeness.ts';
import { buildPlatform } from './platform.ts';

const { platform, site } = buildPlatform(process.env);

/** Of the fifteen minutes that the function has (infra/schedules.ts): it ends by itself before it is ended. */
const FOR_MS = 15 * 60_000 - LAST_STEP_MS;

export async function handler(): Promise<Run> {
	const run = await scheduled(platform, randomBytes(16).toString('hex'), { forMs: FOR_MS });
	site.log.info(run, 'completeness');
	return run;
}
