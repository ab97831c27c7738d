/** A log by another's hand, whose checkpoints and proofs a witness is asked about; and witnesses that keep in memory. */

import { type LogKey, leafOf, logKey, reference, signedCheckpoint, vkey } from '#tests/verifier/reference.ts';
import { type Kept, logsOf } from '#witness/decide.ts';
import { signWith, witnessKey } from '#witness/key.ts';
import type { Store, Witness } from '#witness/witness.ts';

export const ORIGIN = 'example.com/log';

/** A log of `entries` entries, and requests about its trees. */
export function logOf(key: LogKey, entries = 40, note = 'entry') {
	const tree = reference(Array.from({ length: entries }, (_, i) => leafOf(Buffer.from(`${note} ${i}`))));
	const checkpoint = (size: number) => signedCheckpoint(key, size, tree.root(size));
	const proof = (old: number, size: number) => tree.consistency(old, size);
	return {
		tree,
		checkpoint,
		proof,
		request: (old: number, size: number) => requestOf(old, old < size ? proof(old, size) : [], checkpoint(size)),
	};
}

export const requestOf = (old: number | string, proof: readonly Uint8Array[], note: string): string =>
	`old ${old}\n${proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('')}\n${note}`;

/** What is kept, in memory; `before` comes between what was read and what is to be kept. */
export function memoryStore(before: () => Promise<void> = async () => {}) {
	const all = new Map<string, Kept>();
	const store: Store = {
		read: async (origin) => all.get(origin) ?? null,
		async replace(origin, next, over) {
			await before();
			const now = all.get(origin) ?? null;
			if (now?.note !== over?.note || now?.time !== over?.time) return false;
			all.set(origin, next);
			return true;
		},
	};
	return { all, store };
}

export type Told = { readonly message: string } & Readonly<Record<string, unknown>>;

/** A witness at a time that stands still until it is moved. */
export function makeWitness(logs: readonly LogKey[], given: Partial<Witness> = {}, key = logKey('witness.example/w1')) {
	const { name } = key;
	const told: Told[] = [];
	const clock = { now: Date.parse('2026-03-01T00:00:00Z') };
	const witness: Witness = {
		vkey: witnessKey(name, key.privateKey),
		logs: logsOf(logs.map((log) => vkey(log))),
		store: memoryStore().store,
		sign: signWith(Buffer.from(key.privateKey.export({ type: 'pkcs8', format: 'pem' }))),
		now: () => clock.now,
		tell: (message, more) => told.push({ message, ...more }),
		...given,
	};
	return { witness, key, told, clock };
}
