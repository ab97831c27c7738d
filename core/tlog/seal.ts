/**
 * One pass of the sealer: takes what waits into the log. Any number may run at once, anywhere, and each may die anywhere.
 *
 * recover > gather > confirm > stage > swap > apply > sign > witness > publish > list > mark > settle > put aside (the order
 * is Sunlight's, except that only what the swap committed is signed, and that witnesses confirm what it goes on from). Before
 * the swap nothing counts; after it whoever comes next does all the rest again, and each step of it does nothing the second
 * time. So an entry that was acknowledged is sealed once. No entry stops a pass: what cannot be sealed is found before the
 * swap, and what fails for one entry after it is told.
 *
 * Throws an alarm (`alarm` in its extensions) where something is not as the sealer left it: nothing is signed then until
 * somebody has looked. Whatever else is thrown left the log as it was, or the next pass goes on from there.
 */
import pMap from 'p-map';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { DEFAULT_BATCH, type Gathered, gather } from './gather.ts';
import { commit, type Head, NO_HEAD, readHead, sameHead, sameTree, settle, stagingKey, type Tree } from './head.ts';
import { tellPlace } from './lookup.ts';
import { markSealed } from './marker.ts';
import { alarm, type Log, type SealCtx } from './ports.ts';
import { dropPartials, type Published, publish, published } from './publish.ts';
import { quarantine } from './quarantine.ts';
import { readStaged, stage } from './staging.ts';
import { type Grown, grow, loadEdge } from './tree.ts';
import { confirmHead, witnessed } from './witnessed.ts';

/** Of files that are made at once. */
const FILES = 16;
/** Of streams whose entries are marked at once: each has one call under way, and a client of the SDK holds 50 sockets. */
const STREAMS = 48;

export type Pass = {
	/** How many entries this pass sealed, and how many it found committed and saw to the end. */
	readonly sealed: number;
	readonly recovered: number;
	/** Entries in the log when it ended. */
	readonly size: number;
	/** Entries that wait for another one, which did not fit into this batch. */
	readonly waiting: number;
	/** Entries put into quarantine by this pass. */
	readonly quarantined: number;
	/** Whether the batch was full: there is more to seal at once. */
	readonly more: boolean;
	/** Another sealer was faster: it does the work. */
	readonly overtaken: boolean;
};

export async function seal(ctx: SealCtx, { batch = DEFAULT_BATCH }: { batch?: number } = {}): Promise<Pass> {
	const found = await agreed(ctx);
	const idle = { sealed: 0, recovered: 0, size: found.size, waiting: 0, quarantined: 0, more: false };
	let head = found;
	let recovered = 0;
	if (head.state === 'committed') {
		const done = await recover(ctx, head);
		if (done === null) return { ...idle, overtaken: true };
		recovered = done;
		head = { ...head, state: 'clean' };
	}
	const gathered = await gather(ctx, head, batch);
	const { ready, waiting } = gathered;
	const size = ready.length === 0 ? await unmoved(ctx, head, gathered) : await advance(ctx, head, ready);
	if (size === null) return { ...idle, recovered, waiting, overtaken: true };
	const aside = await quarantine(ctx, gathered);
	const more = (gathered.more || aside.more) && ready.length + aside.moved > 0;
	return { sealed: ready.length, recovered, size, waiting, quarantined: aside.moved, more, overtaken: false };
}

/**
 * The head, once it fits what is published. The checkpoint is read first: it is never ahead of a head that is read later.
 * It may be behind one while another sealer goes on; if both stand still like that, something was taken back.
 */
async function agreed(ctx: SealCtx): Promise<Head> {
	let last: { seen: Published | null; head: Head } | null = null;
	for (;;) {
		const seen = await published(ctx.log);
		const head = await readHead(ctx);
		const tree: Tree = seen ?? NO_HEAD;
		const ahead = tree.size > head.size || (tree.size === head.size && !sameTree(tree, head));
		const behind = head.state === 'clean' && tree.size < head.size;
		if (!ahead && !behind) return head;
		const still = last !== null && sameHead(last.head, head) && sameTree(last.seen ?? NO_HEAD, tree);
		if (ahead || still) throw differ(head, tree);
		last = { seen, head };
	}
}

function differ(head: Tree, checkpoint: Tree) {
	const sizes = { head: head.size, checkpoint: checkpoint.size };
	return alarm('head-and-checkpoint-differ', 'The head of the log does not fit what is published.', sizes);
}

/** Sees a committed batch to its end. Null where somebody else has, or the log has moved on. */
async function recover(ctx: SealCtx, head: Head): Promise<number | null> {
	const entries = await readStaged(ctx.log, head);
	if (entries === null) {
		if (!sameHead(await readHead(ctx), head)) return null;
		throw alarm('staging-differs', 'What the head of the log committed is not staged.', { size: head.size });
	}
	const { from } = head;
	const fits = (tree: Tree) => sameTree(tree, from) || sameTree(tree, head);
	const seen = (await published(ctx.log)) ?? NO_HEAD;
	if (!fits(seen)) {
		if (!sameHead(await readHead(ctx), head)) return null;
		throw differ(head, seen);
	}
	const grown = grow(await loadEdge(ctx.log.objects, from), entries);
	if (!sameTree(grown, head)) {
		throw alarm('staging-differs', 'What is staged does not lead to the head of the log.', { size: head.size });
	}
	await apply(ctx, head, grown, entries.map(Ledger.readEntry));
	return entries.length;
}

/**
 * The size of the log, where nothing is added to it. Null where it has moved on: what the batch was judged by may have been
 * marked since for a later tree, and is at fault by the earlier one alone. Of a batch that is added, the swap tells.
 */
async function unmoved(ctx: SealCtx, head: Head, { faults, held, requeued }: Gathered): Promise<number | null> {
	if (faults.length + held.length + requeued.length === 0) return head.size;
	return sameTree(await readHead(ctx), head) ? head.size : null;
}

/** Commits the entries after the head and applies them. Null where the log has moved on, and nothing was done. */
async function advance(ctx: SealCtx, head: Head, ready: readonly Ledger.Recorded[]): Promise<number | null> {
	if (!(await confirmHead(ctx, head))) return null;
	const entries = ready.map((entry) => entry.stored.bytes);
	const grown = grow(await loadEdge(ctx.log.objects, head), entries);
	// Left there where the last one to apply it died before its last step.
	if (head.size > 0) await ctx.log.objects.remove(stagingKey(head.from, head));
	const staged = await made('staging-differs', () => stage(ctx.log, head, grown, entries));
	const committed = await commit(ctx, head, { ...pick(grown), staged, at: timeAfter(ctx, head) });
	if (committed === null) {
		await discard(ctx, head, grown);
		return null;
	}
	await apply(ctx, committed, grown, ready);
	return grown.size;
}

/** How far the clock may be behind the last batch before that is told: of several hosts no two agree to the millisecond. */
const BEHIND_MS = 60_000;

/** The time of a batch: never that of another one, and a clock that was ahead once stops nothing. */
function timeAfter(ctx: SealCtx, { at }: Head): number {
	const now = ctx.clock().getTime();
	if (now < at - BEHIND_MS) {
		const told = new BrokerError('internal', 'The clock is behind that of the last batch.', { at, now });
		ctx.warn('ledger: the clock of the sealer went back, or was ahead', told);
	}
	return Math.max(now, at + 1);
}

const pick = ({ size, root }: Tree): Tree => ({ size, root });

/** Takes away what was staged in vain: only once the head has moved on to another tree can it never be committed. */
async function discard(ctx: SealCtx, from: Head, staged: Tree): Promise<void> {
	const now = await readHead(ctx);
	if (!sameTree(now, from) && !sameTree(now, staged)) await ctx.log.objects.remove(stagingKey(from, staged));
}

/** Everything after the swap. Done again from any point it comes to the same. */
async function apply(ctx: SealCtx, head: Head, grown: Grown, entries: readonly Ledger.Recorded[]): Promise<void> {
	await writeFiles(ctx.log, grown);
	await publish(ctx.log, head, (signed, now) => witnessed(ctx, signed, now));
	await Ledger.relist(ctx, entries);
	await mark(ctx, entries, head.from.size);
	await settle(ctx, head);
	await ctx.log.objects.remove(stagingKey(head.from, head));
	await dropPartials(ctx, head.from.size, head.size);
}

async function writeFiles({ objects }: Log, { files }: Grown): Promise<void> {
	const make = ({ key, bytes }: Grown['files'][number]) => made('files-differ', () => objects.create(key, bytes));
	await pMap(files, make, { concurrency: FILES });
}

/** Throws an alarm where other bytes lie under the key of what is made here: nobody else makes any, and they stay. */
async function made<T>(kind: 'files-differ' | 'staging-differs', make: () => Promise<T>): Promise<T> {
	try {
		return await make();
	} catch (cause) {
		if (!(cause instanceof BrokerError) || cause.code !== 'record-corrupt') throw cause;
		throw alarm(kind, 'A file that is to be made is there with other bytes.', cause.extensions, { cause });
	}
}

/** Marks the entries, those of one stream in their order. The mark comes last: it takes the entry off the queue. */
async function mark(ctx: SealCtx, entries: readonly Ledger.Recorded[], first: number): Promise<void> {
	const streams = new Map<string, { entry: Ledger.Recorded; index: number }[]>();
	for (const [i, entry] of entries.entries()) {
		const line = { entry, index: first + i };
		const stream = streams.get(entry.stored.stream);
		if (stream === undefined) streams.set(entry.stored.stream, [line]);
		else stream.push(line);
	}
	const one = async ({ entry, index }: { entry: Ledger.Recorded; index: number }) => {
		await tellPlace(ctx, entry, index);
		await markSealed(ctx, entry, index);
	};
	const inOrder = async (lines: readonly { entry: Ledger.Recorded; index: number }[]) => {
		for (const line of lines) await one(line);
	};
	await pMap(streams.values(), inOrder, { concurrency: STREAMS });
}
