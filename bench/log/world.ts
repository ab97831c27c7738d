/**
 * A ledger and its log for measuring: tables in memory (the same that tests/contract holds to what DynamoDB answers), the
 * files of the log in a folder with fsync, a key of its own; and entries of a kilobyte.
 */
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { Config } from '#core/context.ts';
import { newId } from '#core/id.ts';
import * as Ledger from '#core/ledger.ts';
import type { SealCtx } from '#core/tlog.ts';
import { writeFolder } from '#functions/objects/folder-writing.ts';
import { createTables } from '#local/tables.ts';
import { type MemoryStore, memoryStore } from '#tests/tlog/memory.ts';
import { vkeyOf } from '#verifier/note.ts';

export const ORIGIN = 'bank.example/ledger/bench';
const tables = { ledger: 'ledger', payloads: 'payloads', projections: 'projections', calls: 'calls' };

export type LogWorld = { readonly ctx: SealCtx; readonly store: MemoryStore; readonly vkey: string };

const pool = Buffer.alloc(16 * 1024);
let drawn = pool.length;

/** Drawn many at once: one by one it would be what is measured. */
export function randomBytesOf(bytes: number): Uint8Array {
	if (drawn + bytes > pool.length) {
		crypto.getRandomValues(pool);
		drawn = 0;
	}
	drawn += bytes;
	return new Uint8Array(pool.subarray(drawn - bytes, drawn));
}

export async function openLog(folder: string): Promise<LogWorld> {
	const store = memoryStore();
	await createTables(store.client, tables);
	const { privateKey, publicKey } = generateKeyPairSync('ed25519');
	const der = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' })).export({
		type: 'spki',
		format: 'der',
	});
	const vkey = vkeyOf(ORIGIN, new Uint8Array(der.subarray(-32)));
	const signer = { vkey, sign: async (message: Uint8Array) => new Uint8Array(sign(null, message, privateKey)) };
	const ctx: SealCtx = {
		aws: { dynamodb: store.client } as SealCtx['aws'],
		config: { tables, unsealedShards: 64, retryMs: 10 } as Config,
		clock: () => new Date(),
		random: randomBytesOf,
		trace: '0'.repeat(32),
		warn(message, error) {
			throw new Error(message, { cause: error });
		},
		log: { origin: ORIGIN, objects: await writeFolder(folder), signer },
	};
	return { ctx, store, vkey };
}

/** About what the largest entries of a flow take. */
const BYTES = 1000;
const pad = Array.from({ length: 27 }, (_, i) => `domain-${String(i).padStart(3, '0')}`);

/** The first entry of a stream of its own that stands on no listing, as the entries of a flow. */
export function draft(): Ledger.Draft & { readonly body: Ledger.BodyOf<'ReportRequested'> } {
	const report = newId('report', { now: new Date(), random: randomBytesOf });
	return {
		stream: Ledger.stream.report(report),
		after: null,
		actor: 'per_01J00000000000000000000000',
		body: {
			type: 'ReportRequested',
			report,
			kind: 'flows',
			product: 'lending.loans',
			from: '2026-01-01T00:00:00.000Z',
			until: '2026-02-01T00:00:00.000Z',
			requester: 'per_01J00000000000000000000000',
			view: { all: false, consumerDomains: pad },
			rules: { policies: ['flows-report', 'own-reports-only'], setHash: '0'.repeat(64) },
		},
	};
}

export async function append(ctx: SealCtx): Promise<Ledger.Recorded> {
	const recorded = await Ledger.append(ctx, draft());
	const { length } = recorded.stored.bytes;
	if (Math.abs(length - BYTES) > 50) throw new Error(`an entry of ${length} bytes is not one of a kilobyte`);
	return recorded;
}

/** Many, a few under way at once. */
export async function appendMany(ctx: SealCtx, count: number): Promise<Ledger.Recorded[]> {
	const made: Ledger.Recorded[] = [];
	const writer = async () => {
		while (made.length + 16 <= count) made.push(await append(ctx));
	};
	await Promise.all(Array.from({ length: 16 }, writer));
	while (made.length < count) made.push(await append(ctx));
	return made;
}
