/**
 * What cannot be sealed is told, written down once, and put aside where it is counted and holds up nothing else.
 * Written down before it is put aside: a crash between leaves it in the queue, and it is found again. What fails of this
 * for one entry is told, and fails neither the pass nor another entry: it stays in the queue.
 */
import pMap from 'p-map';
import { SYSTEM } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import type { Gathered } from './gather.ts';
import { type Item, keyOf, readItems } from './items.ts';
import type { FaultFound } from './judge.ts';
import { type ItemKey, move, QUARANTINE, unqueue } from './marker.ts';
import type { SealCtx } from './ports.ts';

/** Faults, and entries that follow one, of one pass. */
const MOST = 1024;
const CONCURRENCY = 8;

type Found = Pick<Gathered, 'faults' | 'held' | 'requeued'>;
export type Aside = {
	/** Entries that were put aside. */
	readonly moved: number;
	readonly more: boolean;
};

/** Puts aside what is at fault and what follows it, and takes off the queue what is in the log. */
export async function quarantine(ctx: SealCtx, { faults, held, requeued }: Found): Promise<Aside> {
	const aside = (item: Item) => item.shard !== null && move(ctx, item, item.shard, QUARANTINE);
	const told = await each(ctx, faults, async (found) => {
		await tell(ctx, found);
		return found.item !== null && aside(found.item);
	});
	const followed = await each(ctx, held, aside);
	await each(ctx, requeued, async ({ item, index }) => {
		const { pk: stream, sk: version } = item;
		ctx.warn(
			'ledger: a sealed entry was queued again',
			new BrokerError('record-corrupt', 'It is taken off.', { stream, version }),
		);
		return unqueue(ctx, item, index);
	});
	const moved = told + followed;
	return { moved, more: Math.max(faults.length, held.length, requeued.length) > MOST };
}

/** For how many of the first it was done. */
async function each<T>(ctx: SealCtx, these: readonly T[], work: (one: T) => unknown): Promise<number> {
	const tried = async (one: T) => {
		try {
			return (await work(one)) === true;
		} catch (error) {
			ctx.warn('ledger: what cannot be sealed could not be put aside', error);
			return false;
		}
	};
	return (await pMap(these.slice(0, MOST), tried, { concurrency: CONCURRENCY })).filter(Boolean).length;
}

async function tell(ctx: SealCtx, { pk, sk, fault }: FaultFound): Promise<void> {
	const at = { stream: pk, version: sk, fault };
	ctx.warn('ledger: an entry cannot be sealed', new BrokerError('record-corrupt', 'An entry cannot be sealed.', at));
	const stream = Ledger.stream.integrity(Ledger.sha256(`${pk}\n${sk}`).slice(0, 32));
	// Whether anything is there is enough: what it says may itself be at fault.
	if (await exists(ctx, keyOf(stream, 1))) return;
	const body = { type: 'IntegrityFault' as const, of: pk, version: sk, fault };
	try {
		await Ledger.append(ctx, { stream, after: null, actor: SYSTEM, body });
	} catch (error) {
		// Another sealer told it first.
		if (!(error instanceof BrokerError && error.code === 'conflict')) throw error;
	}
}

const exists = async (ctx: SealCtx, key: ItemKey) => (await readItems(ctx, [key])).size > 0;
