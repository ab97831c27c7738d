/** Lambda entry of the schedule: the eraser. What a pass could not do it says by failing, which is what alarms see. */
import { randomBytes } from 'node:crypto';
import { type Erased, erase } from '#core/eraser.ts';
import { buildPlatform } from './platform.ts';

const { platform } = buildPlatform(process.env);

export async function handler(): Promise<Erased> {
	const done = await erase(platform, randomBytes(16).toString('hex'));
	if (done.failed > 0) throw new Error(`${done.failed} payloads are left to the next pass`);
	return done;
}
