/**
 * The eraser: carries out what was asked for. It looks again whether anything needs the payload, erases it, and records
 * that; nothing that was not asked for on record is ever erased. A crash before erasing leaves it to be done, one after it
 * leaves it to be told; the next pass does either. Safe to run at any time and beside another one.
 *
 * What asks for it stands apart (erasure.ts): the function that may delete holds no code but this.
 */
import pMap from 'p-map';
import { type Context, type Platform, SYSTEM, systemContext } from './context.ts';
import { entryIn, get } from './eraser/load.ts';
import { BrokerError } from './error.ts';
import * as Ledger from './ledger.ts';

export { type Erasure, entryIn, get } from './eraser/load.ts';
export { type Look, neededFor, OVERTAKEN_MS } from './eraser/needed.ts';

export type Erased = {
	readonly erased: number;
	/** Something came to need them since it was asked. */
	readonly kept: number;
	readonly failed: number;
};

const AT_ONCE = 4;

/** One pass over what is open. */
export async function erase(platform: Platform, runId: string): Promise<Erased> {
	const ctx = systemContext(platform, runId);
	const tally = { erased: 0, kept: 0, failed: 0 };
	const one = async (id: string) => {
		try {
			const outcome = await carryOut(ctx, id);
			if (outcome !== null) tally[outcome] += 1;
		} catch (error) {
			ctx.warn('erasure: a payload is left to the next pass', error);
			tally.failed += 1;
		}
	};
	await pMap(await Ledger.Listing.all(ctx, Ledger.Listing.key.erasing), one, { concurrency: AT_ONCE });
	return tally;
}

async function carryOut(ctx: Context, id: string): Promise<'erased' | 'kept' | null> {
	const erasure = await get(ctx, id);
	if (erasure === null || erasure.done !== null) {
		await Ledger.Listing.remove(ctx, Ledger.Listing.key.erasing, id);
		return null;
	}
	const { asked } = erasure;
	const found = await entryIn(ctx, asked.body.of.stream, id);
	if (found?.hash === undefined || found.recorded.ver !== asked.body.of.ver) {
		throw new BrokerError('record-corrupt', 'An erasure names an entry that is not there, or has no payload.');
	}
	if ((await found.needed()) !== null) return 'kept';
	const { hash } = found;
	const body = { type: 'PayloadErased', entry: id, hash, found: await Ledger.erasePayload(ctx, { id, hash }) } as const;
	try {
		await Ledger.append(ctx, { stream: Ledger.stream.erasure(id), after: asked, actor: SYSTEM, body });
	} catch (error) {
		// Another pass has told it.
		if (!(error instanceof BrokerError) || error.code !== 'conflict') throw error;
		return null;
	}
	return 'erased';
}
