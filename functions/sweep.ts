/** Lambda entry of the schedule: expiry, repair. What a pass could not do it says by failing, which is what alarms see. */
import { randomBytes } from 'node:crypto';
import { type Swept, sweep } from '#core/sweep.ts';
import { buildPlatform } from './platform.ts';

const { platform } = buildPlatform(process.env);

export async function handler(): Promise<Swept> {
	const swept = await sweep(platform, randomBytes(16).toString('hex'));
	if (swept.failed > 0) throw new Error(`${swept.failed} items are left to the next pass`);
	return swept;
}
