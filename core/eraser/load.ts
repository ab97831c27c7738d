/** An erasure as its stream tells it, and the entry that it is of. Only reads. */
import type { Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { type Look, neededFor } from './needed.ts';

export type Erasure = {
	readonly asked: Ledger.Recorded<'ErasureRequested'>;
	readonly done: Ledger.Recorded<'PayloadErased'> | null;
};

type ReadCtx = Pick<Context, 'aws' | 'config'>;

/** What is recorded of the erasing of this entry's payload; null where nobody asked for it. */
export async function get(ctx: ReadCtx, entry: string): Promise<Erasure | null> {
	const [asked, done, ...more] = await Ledger.read(ctx, Ledger.stream.erasure(entry));
	if (asked === undefined) return null;
	if (more.length > 0) throw new BrokerError('record-corrupt', 'An erasure goes on after its end.');
	return {
		asked: Ledger.as(asked, 'ErasureRequested'),
		done: done === undefined ? null : Ledger.as(done, 'PayloadErased'),
	};
}

/** What lies at hand to say of one entry: itself, its payload's hash, and what still needs that. */
export type Found = {
	readonly recorded: Ledger.Recorded;
	readonly hash: string | undefined;
	readonly needed: () => Promise<string | null>;
};

/** An entry of a stream that verifies, by its id; null where it is not there. */
export async function entryIn(
	ctx: ReadCtx & { readonly now: Date },
	stream: string,
	id: string,
): Promise<Found | null> {
	const read = (name: string) => Ledger.read(ctx, name);
	const entries = await read(stream);
	const recorded = entries.find(({ entry }) => entry.id === id);
	if (recorded === undefined) return null;
	const look: Look = { now: ctx.now, read, stream: Ledger.stream };
	return { recorded, hash: recorded.entry.piiHash, needed: () => neededFor(look, recorded, entries) };
}
