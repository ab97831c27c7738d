/**
 * Proofs from the hash tiles (RFC 6962 sections 2.1.1 and 2.1.2), as text by C2SP tlog-proof.
 *
 * A tile is not believed because it could be read (CVE-2026-56865 of a reader that did): each finished proof is checked
 * against the signed roots before anybody gets it, and that covers every hash it was made from.
 */
import pMap from 'p-map';
import { decodeTime } from 'ulid';
import { type Head, nodeHash, verifyConsistency, verifyInclusion } from '#verifier/merkle.ts';
import { formatProof } from '#verifier/proof.ts';
import { FULL } from '#verifier/tile.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { readTile } from './files.ts';
import { hex, NO_HEAD } from './head.ts';
import { keyOf, nameOf, readItems } from './items.ts';
import { lookUp, type Place } from './lookup.ts';
import { pagesIn, QUARANTINE } from './marker.ts';
import { alarm, type Log, type ReadCtx } from './ports.ts';
import { archived, type Published, published } from './publish.ts';
import { rootOver } from './tree.ts';

export type Inclusion = {
	readonly index: number;
	/** Hash of the entry as a leaf. */
	readonly leaf: Uint8Array;
	readonly proof: readonly Uint8Array[];
	readonly checkpoint: Published;
};

/** That an entry is in the tree of a checkpoint. Throws `not-found` where that has no entry of this index. */
export async function inclusionIn(log: Log, index: number, checkpoint: Published): Promise<Inclusion> {
	if (!Number.isSafeInteger(index) || index < 0 || index >= checkpoint.size) throw notThere();
	const tree = treeOf(log, checkpoint.size);
	const leaf = await tree.range(index, index + 1);
	const proof = await pathTo(tree, index, 0, checkpoint.size);
	checked(() => verifyInclusion({ index, size: checkpoint.size, root: checkpoint.root, leaf, proof }));
	return { index, leaf, proof, checkpoint };
}

export type Consistency = { readonly from: Head; readonly to: Head; readonly proof: readonly Uint8Array[] };

/** That the tree of one checkpoint begins with that of an earlier one. */
export async function consistencyBetween(
	{ log }: Pick<ReadCtx, 'log'>,
	from: number,
	to: number,
): Promise<Consistency> {
	const later = await archived(log, to);
	const earlier = from === 0 ? NO_HEAD : await archived(log, from);
	if (later === null || earlier === null || from > to) throw notThere();
	const proof = from === 0 || from === to ? [] : await subproof(treeOf(log, to), from, 0, to, true);
	checked(() => verifyConsistency({ from: earlier, to: later, proof }));
	return { from: earlier, to: later, proof };
}

const notThere = () => new BrokerError('not-found', 'There is no such entry or checkpoint.');

function checked(verify: () => void): void {
	try {
		verify();
	} catch (cause) {
		throw alarm('files-differ', 'The tiles of the log do not lead to its checkpoint.', {}, { cause });
	}
}

type TreeReader = { readonly range: (from: number, to: number) => Promise<Uint8Array> };

/** The roots of parts of a tree, from its tiles; each tile is read once. */
function treeOf(log: Log, size: number): TreeReader {
	const tiles = new Map<string, Promise<Uint8Array[]>>();
	const tile = (level: number, index: number) => {
		const name = `${level}/${index}`;
		const reading = tiles.get(name) ?? readTile(log.objects, size, level, index);
		tiles.set(name, reading);
		return reading;
	};
	const range = async (from: number, to: number): Promise<Uint8Array> => {
		const count = to - from;
		const split = splitOf(count);
		if (count > 1 && (split * 2 !== count || from % count !== 0)) {
			return nodeHash(await range(from, from + split), await range(from + split, to));
		}
		let level = 0;
		while (FULL ** (level + 1) <= count) level += 1;
		const [first, width] = [from / FULL ** level, count / FULL ** level];
		const hashes = await tile(level, Math.floor(first / FULL));
		return rootOver(hashes.slice(first % FULL, (first % FULL) + width));
	};
	return { range };
}

/** The largest power of two below a number of leaves. */
function splitOf(count: number): number {
	let split = 1;
	while (split * 2 < count) split *= 2;
	return split;
}

async function pathTo(tree: TreeReader, index: number, from: number, to: number): Promise<Uint8Array[]> {
	if (to - from === 1) return [];
	const middle = from + splitOf(to - from);
	return index < middle
		? [...(await pathTo(tree, index, from, middle)), await tree.range(middle, to)]
		: [...(await pathTo(tree, index, middle, to)), await tree.range(from, middle)];
}

/** `whole`: the part is the earlier tree itself, whose root is known. */
async function subproof(
	tree: TreeReader,
	size: number,
	from: number,
	to: number,
	whole: boolean,
): Promise<Uint8Array[]> {
	if (size === to - from) return whole ? [] : [await tree.range(from, to)];
	const split = splitOf(to - from);
	const middle = from + split;
	return size <= split
		? [...(await subproof(tree, size, from, middle, whole)), await tree.range(middle, to)]
		: [...(await subproof(tree, size - split, middle, to, false)), await tree.range(from, middle)];
}

/** Where an entry is: in the log, or in the queue or put aside, of which only its stream is told. */
export type Found =
	| { readonly state: 'sealed'; readonly stream: string; readonly place: Place }
	| { readonly state: 'not-sealed' | 'quarantined'; readonly stream: string }
	| { readonly state: 'unknown' };

/**
 * Finds an entry by its id. One that was written a moment ago may be unknown for as long as the index lags.
 *
 * It is looked for in the queue whether or not it is sealed: so what is sealed and what is not there take the same calls,
 * and who may not know of an entry learns nothing by how long that takes. The queue comes first, as a place is told
 * before the entry leaves the queue.
 */
export async function find(ctx: ReadCtx, id: string): Promise<Found> {
	const waits = await waitsIn(ctx, id);
	const place = await lookUp(ctx, id);
	if (place !== null) return { state: 'sealed', stream: place.stream, place };
	if (waits === null) return { state: 'unknown' };
	return { state: waits.shard === QUARANTINE ? 'quarantined' : 'not-sealed', stream: waits.stream };
}

/** The proof of the entry that was sealed at this place. What is wrong there is told without naming it. */
export async function proofAt(ctx: ReadCtx, id: string, place: Place): Promise<string> {
	const checkpoint = await published(ctx.log);
	const key = keyOf(place.stream, place.ver);
	const stored = (await readItems(ctx, [key])).get(nameOf(key))?.stored ?? null;
	const entry = stored === null ? null : Ledger.recordedOf(stored);
	if (entry?.entry.id !== id || checkpoint === null || checkpoint.size <= place.index) {
		throw differs('A sealed entry is not where it was sealed.', place);
	}
	const { leaf, proof } = await inclusionIn(ctx.log, place.index, checkpoint);
	if (hex(leaf) !== entry.leaf) throw differs('An entry changed after it was sealed.', place);
	return formatProof({
		index: place.index,
		hashes: proof,
		checkpoint: new TextDecoder().decode(checkpoint.bytes),
	});
}

/** Extensions are shown to whoever asked; a cause is only ever logged. */
function differs(detail: string, { stream, ver, index }: Place): BrokerError {
	const cause = new Error(`${stream} version ${ver}, sealed as ${index}`);
	return alarm('entry-differs', detail, {}, { cause });
}

type Waits = { readonly shard: string; readonly stream: string };

/** Where an entry waits, and whose it is: the queue is in order of the time that its id holds. */
async function waitsIn(ctx: ReadCtx, id: string): Promise<Waits | null> {
	const time = timeOf(id);
	if (time === null) return null;
	const start = `${String(time).padStart(15, '0')}#`;
	const shards = [...Ledger.shardNames(ctx), QUARANTINE];
	const found = await pMap(shards, async (shard) => holds(ctx, shard, start, id), { concurrency: 16 });
	return found.find((waits) => waits !== null) ?? null;
}

async function holds(ctx: ReadCtx, shard: string, start: string, id: string): Promise<Waits | null> {
	let found: Waits | null = null;
	for await (const page of pagesIn(ctx, shard, start)) {
		const item = page.find(({ order }) => order.endsWith(`#${id}`));
		if (item !== undefined) found ??= { shard, stream: item.pk };
	}
	return found;
}

/** The milliseconds in an id of an entry (a ULID); null where it is none. */
function timeOf(id: string): number | null {
	const [, encoded] = /^led_([0-7][0-9A-HJKMNP-TV-Z]{25})$/.exec(id) ?? [];
	return encoded === undefined ? null : decodeTime(encoded);
}
