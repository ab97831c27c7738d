/** Work over the whole ledger: verification, repair and rebuild of listings. Page by page, memory stays flat. */
import type { Context } from '../context.ts';
import { applyProjections, project, readHint, writeHint } from './projection.ts';
import { readable, recordedOf } from './record.ts';
import { readVersion, scanEntries, shardNames, unsealed } from './store.ts';
import { chainChecker, type Finding, type Stored } from './verify.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;
type RepairCtx = ReadCtx & Pick<Context, 'warn'>;
type Check = { stream: string; next: (s: Stored) => Finding | null; bad: boolean };

/** Verifies every stream, page by page with flat memory. Returns the faults found (at most one per stream). */
export async function verifyAll(ctx: ReadCtx): Promise<{ entries: number; streams: number; findings: Finding[] }> {
	const findings: Finding[] = [];
	let check: Check | null = null as Check | null;
	let entries = 0;
	let streams = 0;
	let start: string | null = null;
	do {
		const page = await scanEntries(ctx, start, 500);
		for (const stored of page.items) {
			if (check?.stream !== stored.stream) {
				check = { stream: stored.stream, next: chainChecker(stored.stream), bad: false };
				streams += 1;
			}
			entries += 1;
			const finding = check.bad ? null : check.next(stored);
			if (finding === null) continue;
			check.bad = true;
			findings.push(finding);
		}
		start = page.next;
	} while (start !== null);
	return { entries, streams, findings };
}

/** Before every key of the index: DynamoDB takes no empty text for a key. */
const BEGINNING = '0';

/**
 * Projects again what was appended since the last pass: covers a crash between an insert and its listings.
 * The overlap absorbs index lag and clock differences between writers; projecting twice changes nothing.
 */
export async function repairListings(ctx: RepairCtx, now: Date): Promise<number> {
	const overlapMs = 120_000;
	const from = (await readHint(ctx, 'listings-cursor')) ?? BEGINNING;
	const shards = shardNames(ctx).map((shard) => repairShard(ctx, shard, from));
	const repaired = (await Promise.all(shards)).reduce((sum, n) => sum + n, 0);
	await writeHint(ctx, 'listings-cursor', String(now.getTime() - overlapMs).padStart(15, '0'));
	return repaired;
}

async function repairShard(ctx: RepairCtx, shard: string, from: string): Promise<number> {
	let repaired = 0;
	let after = from;
	for (;;) {
		const page = await unsealed(ctx, shard, after, 200);
		for (const key of page) {
			const stored = await readVersion(ctx, key.stream, key.ver);
			if (stored !== null && (await list(ctx, stored))) repaired += 1;
		}
		const last = page.at(-1);
		if (last === undefined || page.length < 200) return repaired;
		after = last.key;
	}
}

/** Lists one entry. One that cannot be read is told and left out: verification names it, and the rest goes on. */
async function list(ctx: RepairCtx, stored: Stored): Promise<boolean> {
	const recorded = await readable(async () => recordedOf(stored));
	if (recorded === null) ctx.warn('ledger: an entry cannot be listed', new Error('record-corrupt'));
	else await applyProjections(ctx, project(recorded));
	return recorded !== null;
}

/** Builds every listing anew from the entries alone. */
export async function rebuildListings(ctx: RepairCtx): Promise<number> {
	let start: string | null = null;
	let count = 0;
	do {
		const page = await scanEntries(ctx, start, 200);
		for (const stored of page.items) {
			if (await list(ctx, stored)) count += 1;
		}
		start = page.next;
	} while (start !== null);
	return count;
}
