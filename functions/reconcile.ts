/**
 * Lambda entry of the schedule: everything recorded against Lake Formation. What a pass could not do it says by failing,
 * which is what alarms see; while another pass is at work there is nothing to do, and it says so.
 */
import { randomBytes } from 'node:crypto';
import { scheduled, type Tally } from '#core/reconcile.ts';
import { buildPlatform } from './platform.ts';

const { platform } = buildPlatform(process.env);

/** What was done; `whole` is false where another pass took over. */
type Done = (Tally & { readonly whole: boolean }) | { readonly skipped: 'another pass is under way' };

export async function handler(): Promise<Done> {
	const found = await scheduled(platform, randomBytes(16).toString('hex'));
	if (found === null) return { skipped: 'another pass is under way' };
	const { tally, whole } = found;
	if (tally.failed > 0) throw new Error(`${tally.failed} things are left to the next pass`);
	return { ...tally, whole };
}
