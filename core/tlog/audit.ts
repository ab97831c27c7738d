/**
 * The store against the log, in both directions and with flat memory: what DynamoDB shows people is what was sealed.
 *
 * First along the log: each entry has its item, with the same bytes and its index; on the way the root is computed anew.
 * Then along the table: whatever claims an index is the entry there, and whatever claims none waits to be sealed.
 * Names the first fault in that order. `changed`: the item is not what was sealed, or waits again. `missing`: its item is
 * gone. `reordered`: it carries the index of another. `inserted`: the log, or the queue, knows nothing of it.
 */
import { type AttributeValue, ScanCommand } from '@aws-sdk/client-dynamodb';
import { sameBytes } from '#verifier/encoding.ts';
import { appendLeaves, emptyRange, leafHash, rootOf } from '#verifier/merkle.ts';
import { FULL, widthOf } from '#verifier/tile.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { readBundle, readTile } from './files.ts';
import { type Head, hex, readHead, sameTree } from './head.ts';
import { type Item, itemOf, keyOf, nameOf, readItems } from './items.ts';
import { type ItemKey, QUARANTINE } from './marker.ts';
import { alarm, type ReadCtx } from './ports.ts';
import { published } from './publish.ts';

export type AuditFault = ItemKey & {
	readonly kind: 'changed' | 'missing' | 'inserted' | 'reordered';
	/** Its index, as the log has it, or else as the item claims. */
	readonly index: number | null;
};
export type Audit = {
	/** Entries of the log that were compared, and items that wait to be sealed or looked at. */
	readonly entries: number;
	readonly waiting: number;
	readonly quarantined: number;
	readonly fault: AuditFault | null;
};

/**
 * Compares all of it. Throws `not-finished` while a batch is half marked, and an alarm where the log itself does not hold
 * together; an unsealed entry that cannot be read is not told here but by the sealer.
 */
export async function auditStore(ctx: ReadCtx): Promise<Audit> {
	const head = await readHead(ctx);
	if (head.state === 'committed') throw new BrokerError('not-finished', 'A batch is being sealed; ask again.');
	const fault = await alongLog(ctx, head);
	if (fault !== null) return { entries: head.size, waiting: 0, quarantined: 0, fault };
	return alongTable(ctx, head);
}

async function alongLog(ctx: ReadCtx, head: Head): Promise<AuditFault | null> {
	let range = emptyRange;
	let first: AuditFault | null = null;
	for (let index = 0; widthOf(head.size, 0, index) > 0; index++) {
		const bundle = await readBundle(ctx.log.objects, head.size, index);
		range = appendLeaves(range, bundle.map(leafHash));
		first ??= await compare(ctx, index * FULL, bundle);
	}
	if (!sameTree({ size: range.size, root: rootOf(range) }, head)) {
		throw alarm('files-differ', 'The entries of the log do not lead to the root of its head.', { size: head.size });
	}
	return first;
}

/** The first entry of a bundle that its item is not the same as. */
async function compare(ctx: ReadCtx, start: number, bundle: readonly Uint8Array[]): Promise<AuditFault | null> {
	const keys = bundle.map((bytes) => {
		const { stream, ver } = Ledger.readEntry(bytes).stored;
		return keyOf(stream, ver);
	});
	const items = await readItems(ctx, keys);
	for (const [i, key] of keys.entries()) {
		const item = items.get(nameOf(key));
		const at = { ...key, index: start + i };
		if (item === undefined) return { ...at, kind: 'missing' };
		const same = item.stored !== null && sameBytes(item.stored.bytes, bundle[i] ?? new Uint8Array());
		if (!same || item.stored?.leaf !== hex(leafHash(item.stored?.bytes ?? new Uint8Array()))) {
			return { ...at, kind: 'changed' };
		}
		if (isQueued(item)) return { ...at, kind: 'changed' };
		if (item.index !== start + i) return { ...at, kind: item.index === null ? 'changed' : 'reordered' };
	}
	return null;
}

/** What is sealed leaves the queue in the same step that gives it its index. */
const isQueued = ({ shard, order }: Item) => shard !== null || order !== '';

/** Every entry has its item by now: so whatever else carries an index was inserted. */
async function alongTable(ctx: ReadCtx, head: Head): Promise<Audit> {
	const leaves = leafReader(ctx, head);
	const shards = new Set([QUARANTINE, ...Ledger.shardNames(ctx)]);
	let [waiting, quarantined, marked] = [0, 0, 0];
	let suspect: AuditFault | null = null;
	for await (const item of scan(ctx)) {
		const { pk, sk, index, shard } = item;
		if (index === null) {
			if (shard === null || !shards.has(shard) || item.order === '') suspect ??= { pk, sk, index, kind: 'inserted' };
			if (shard === QUARANTINE) quarantined += 1;
			else waiting += 1;
		} else if (index < head.size && Number.isSafeInteger(index) && index >= 0) {
			marked += 1;
			// Where more items carry an index than the log has entries, which of them is told by the log alone.
			if (marked > head.size) suspect ??= await findInserted(ctx, leaves);
		} else {
			const leaf = await leaves(index, true);
			if (leaf === null || leaf !== item.stored?.leaf) suspect ??= { pk, sk, index, kind: 'inserted' };
			else if (isQueued(item)) suspect ??= { pk, sk, index, kind: 'changed' };
		}
	}
	return { entries: head.size, waiting, quarantined, fault: suspect };
}

/** The first item of the table that is not what the log has at its index. */
async function findInserted(ctx: ReadCtx, leaves: LeafReader): Promise<AuditFault | null> {
	for await (const { pk, sk, index, stored } of scan(ctx)) {
		if (index === null || (await leaves(index, false)) === null) continue;
		const key = await leaves(index, false);
		if (stored === null || key !== Ledger.leafHash(stored.bytes) || !ownKey(stored)) {
			return { pk, sk, index, kind: 'inserted' };
		}
	}
	return null;
}

/** Whether the bytes name the key under which they lie: the same entry twice is one too many. */
function ownKey(stored: Ledger.Stored): boolean {
	const own = Ledger.readEntry(stored.bytes).stored;
	return own.stream === stored.stream && own.ver === stored.ver;
}

type LeafReader = (index: number, later: boolean) => Promise<string | null>;

/** Leaf hashes by index, of the tree of the head or, `later`, of what was published since. Keeps one tile. */
function leafReader({ log }: ReadCtx, head: Head): LeafReader {
	let kept: { name: string; hashes: readonly Uint8Array[] } | null = null;
	return async (index, later) => {
		const size = later ? ((await published(log))?.size ?? 0) : head.size;
		if (!Number.isSafeInteger(index) || index < 0 || index >= size) return null;
		const tile = Math.floor(index / FULL);
		const name = `${tile} ${widthOf(size, 0, tile)}`;
		if (kept?.name !== name) kept = { name, hashes: await readTile(log.objects, size, 0, tile) };
		return hex(kept.hashes[index % FULL] ?? new Uint8Array());
	};
}

async function* scan(ctx: ReadCtx): AsyncGenerator<Item> {
	let start: Record<string, AttributeValue> | undefined;
	do {
		const command: ScanCommand = new ScanCommand({
			TableName: ctx.config.tables.ledger,
			ConsistentRead: true,
			Limit: 500,
			...(start === undefined ? {} : { ExclusiveStartKey: start }),
		});
		const page = await ctx.aws.dynamodb.send(command).catch((cause: unknown) => {
			throw Ledger.unavailable(cause);
		});
		for (const item of page.Items ?? []) if (!Ledger.isHead(item)) yield itemOf(item);
		start = page.LastEvaluatedKey;
	} while (start !== undefined);
}
