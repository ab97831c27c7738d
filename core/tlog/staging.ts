/**
 * A batch as it waits to be applied: its entries, and nothing else that counts. What it goes on from, and the hash of its
 * bytes, stand in the head; tiles, bundles and the list of items follow from that. The same batch after the same tree is
 * the same bytes under the same key, whoever stages it, and another one has another key.
 */
import { createHash } from 'node:crypto';
import { sameBytes } from '#verifier/encoding.ts';
import { decodeBundle, encodeBundle, FULL } from '#verifier/tile.ts';
import { type Head, stagingKey, type Tree } from './head.ts';
import { alarm, type Log } from './ports.ts';

/** Stages the entries that lead from one tree to another. Returns the SHA-256 of what is staged. */
export async function stage(log: Log, from: Tree, to: Tree, entries: readonly Uint8Array[]): Promise<Uint8Array> {
	const bundles = Array.from({ length: Math.ceil(entries.length / FULL) }, (_, i) =>
		encodeBundle(entries.slice(i * FULL, (i + 1) * FULL)),
	);
	const bytes = new Uint8Array(Buffer.concat(bundles));
	await log.objects.create(stagingKey(from, to), bytes);
	return hashOf(bytes);
}

const hashOf = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());

/** The entries that the head committed; null where they are not there any more. Throws an alarm where others are. */
export async function readStaged(log: Log, head: Head): Promise<Uint8Array[] | null> {
	const bytes = await log.objects.get(stagingKey(head.from, head));
	if (bytes === null) return null;
	try {
		if (!sameBytes(hashOf(bytes), head.staged)) throw new Error('its hash is not the one in the head');
		return decodeBundle(bytes, head.size - head.from.size);
	} catch (cause) {
		throw alarm('staging-differs', 'What is staged is not what was committed.', { size: head.size }, { cause });
	}
}
