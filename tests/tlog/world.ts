/** A ledger and its log in memory, processes that work on them, faults at any call, and a check of the log's files alone. */
import {
	createHash,
	createPrivateKey,
	createPublicKey,
	generateKeyPairSync,
	sign as signBytes,
	verify,
} from 'node:crypto';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Config } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import { inclusionIn } from '#core/tlog/proofs.ts';
import { archived, type Found, find, type Log, proofAt, QUARANTINE, type SealCtx, type Signer } from '#core/tlog.ts';
import { createTables } from '#local/tables.ts';
import { domain } from '#tests/core/ledger-context.ts';
import { verifyLog } from '#verifier/log.ts';
import { verifierKey, vkeyOf } from '#verifier/note.ts';
import { type MemoryObjects, type MemoryStore, memoryObjects, memoryStore } from './memory.ts';

export const ORIGIN = 'bank.example/ledger/test';
export const tables = { ledger: 'ledger', payloads: 'payloads', projections: 'projections', calls: 'calls' };

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const rawKey = (key = publicKey) => new Uint8Array(key.export({ type: 'spki', format: 'der' }).subarray(-32));

export function signerWith(key = privateKey, name = ORIGIN): Signer {
	const der = createPublicKey(createPrivateKey(key.export({ type: 'pkcs8', format: 'pem' })));
	return {
		vkey: vkeyOf(name, rawKey(der)),
		sign: async (message) => new Uint8Array(signBytes(null, message, key)),
	};
}

/** What may come between a process and the world at each of its calls. */
export type Gate = (name: string, call: () => Promise<unknown>) => Promise<unknown>;

export type World = {
	readonly store: MemoryStore;
	readonly objects: MemoryObjects;
	/** Time, in milliseconds; each look at it is later than the one before unless it stands still. */
	now: number;
	standing: boolean;
	readonly warned: unknown[];
	/** Sizes of the checkpoints that were published, in their order. */
	readonly published: readonly number[];
	/** A process: its calls go through the gate. */
	readonly process: (gate?: Gate) => SealCtx;
};

class Watched extends Map<string, Uint8Array> {
	readonly #sizes: number[];
	constructor(sizes: number[]) {
		super();
		this.#sizes = sizes;
	}
	override set(key: string, bytes: Uint8Array): this {
		if (key === 'checkpoint') this.#sizes.push(Number(Buffer.from(bytes).toString().split('\n')[1]));
		return super.set(key, bytes);
	}
}

/** With `from`, it begins as that one stands; they go on apart. */
export async function makeWorld(seed = 1, from?: World): Promise<World> {
	const store = memoryStore(from?.store.tables);
	if (from === undefined) await createTables(store.client, tables);
	const published: number[] = [];
	const objects = memoryObjects(new Watched(published));
	for (const [key, bytes] of from?.objects.files ?? []) objects.files.set(key, bytes);
	const signer = signerWith();
	let state = seed;
	const random = (bytes: number) => {
		state += 1;
		return new Uint8Array(createHash('sha512').update(`${seed} ${state}`).digest().subarray(0, bytes));
	};
	const world: World = {
		store,
		objects,
		now: from?.now ?? Date.parse('2026-01-01T00:00:00Z'),
		standing: false,
		warned: [],
		published,
		process(gate = (_, call) => call()) {
			const through = <T>(name: string, call: () => Promise<T>) => gate(name, call) as Promise<T>;
			const send = (command: { constructor: { name: string } }) =>
				through(command.constructor.name, () => store.client.send(command as never));
			const log: Log = {
				origin: ORIGIN,
				signer: { vkey: signer.vkey, sign: (message) => through('sign', () => signer.sign(message)) },
				objects: {
					get: (key) => through(`get ${key}`, () => objects.get(key)),
					create: (key, bytes) => through(`create ${key}`, () => objects.create(key, bytes)),
					replace: (key, bytes, over) => through(`replace ${key}`, () => objects.replace(key, bytes, over)),
					remove: (key) => through(`remove ${key}`, () => objects.remove(key)),
				},
			};
			return {
				aws: { dynamodb: { send } as unknown as DynamoDBClient } as SealCtx['aws'],
				config: { tables, unsealedShards: 4, retryMs: 1 } as Config,
				clock: () => new Date(world.standing ? world.now : ++world.now),
				random,
				trace: '0'.repeat(32),
				warn: (...told) => world.warned.push(told),
				log,
			};
		},
	};
	return world;
}

/** Writes the next versions of streams of domains. */
export async function write(ctx: SealCtx, names: readonly string[], size = 1): Promise<Ledger.Recorded[]> {
	const made: Ledger.Recorded[] = [];
	for (const name of names) {
		const stream = Ledger.stream.domain(name);
		const after = await Ledger.last(ctx, stream, 'DomainRegistered');
		const body = domain(name, 'x'.repeat(size));
		made.push(await Ledger.append(ctx, { stream, after, actor: 'system', body }));
	}
	return made;
}

/** The proof of an entry by its id, as whoever may have it gets it; else what became of it. */
export async function proofOf(ctx: SealCtx, id: string) {
	const found: Found = await find(ctx, id);
	if (found.state !== 'sealed') return { state: found.state };
	return { state: found.state, place: found.place, text: await proofAt(ctx, id, found.place) };
}

/** That an entry is in the tree that was published of this size. */
export async function inclusionOf(ctx: SealCtx, index: number, size: number) {
	const checkpoint = await archived(ctx.log, size);
	if (checkpoint === null) throw new Error(`no checkpoint of ${size}`);
	return inclusionIn(ctx.log, index, checkpoint);
}

/** The naive tree of RFC 6962 section 2.1. */
export function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
	const hash = (...parts: readonly Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
	if (leaves.length === 0) return hash();
	const [only] = leaves;
	if (leaves.length === 1 && only !== undefined) return only;
	let k = 1;
	while (k * 2 < leaves.length) k *= 2;
	return hash(Uint8Array.of(1), naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}

export type Line = {
	readonly stream: string;
	readonly ver: number;
	readonly id: string;
	readonly prev?: string;
	readonly leaf: string;
};

/** Reads a log from its files alone, by nobody's code but this. Throws where a rule of the log does not hold. */
export function readLog(files: ReadonlyMap<string, Uint8Array>, key = 'checkpoint'): { size: number; lines: Line[] } {
	const note = files.get(key);
	if (note === undefined) return { size: 0, lines: [] };
	const text = Buffer.from(note).toString();
	const [origin, count = '', root] = text.split('\n');
	const signed = text.slice(0, text.indexOf('\n\n') + 1);
	const line = /— \S+ (\S+)\n$/.exec(text)?.[1] ?? '';
	const signature = Buffer.from(line, 'base64').subarray(4);
	if (!verify(null, Buffer.from(signed), publicKey, signature)) throw new Error('a wrong signature');
	if (origin !== ORIGIN) throw new Error('another origin');
	const size = Number(count);
	const entries: Buffer[] = [];
	for (let n = 0; n * 256 < size; n++) {
		const width = Math.min(256, size - n * 256);
		const { file, full } = fileOf(files, `tile/entries/${String(n).padStart(3, '0')}`, width);
		const bytes = Buffer.from(file ?? []);
		for (let at = 0, left = full ? width : 256; at < bytes.length && left > 0; left--) {
			const length = bytes.readUInt16BE(at);
			entries.push(bytes.subarray(at + 2, at + 2 + length));
			at += 2 + length;
		}
	}
	if (entries.length !== size) throw new Error(`${entries.length} entries of ${size}`);
	const leaves = entries.map((entry) => createHash('sha256').update(Uint8Array.of(0)).update(entry).digest());
	if (Buffer.from(naiveRoot(leaves)).toString('base64') !== root) throw new Error('another root');
	checkTiles(files, leaves);
	const lines = entries.map((entry, i) => {
		return { ...(JSON.parse(entry.toString()) as Line), leaf: leaves[i]?.toString('hex') ?? '' };
	});
	checkOrder(lines);
	return { size, lines };
}

/** A full tile or bundle stands for a partial one that is gone, of an older tree (C2SP tlog-tiles, "Partial Tiles"). */
function fileOf(files: ReadonlyMap<string, Uint8Array>, path: string, width: number) {
	const own = files.get(width === 256 ? path : `${path}.p/${width}`);
	return own === undefined ? { file: files.get(path), full: true } : { file: own, full: false };
}

function checkTiles(files: ReadonlyMap<string, Uint8Array>, leaves: readonly Uint8Array[]): void {
	let hashes = leaves;
	for (let level = 0; hashes.length > 0; level++) {
		const above: Uint8Array[] = [];
		for (let n = 0; n * 256 < hashes.length; n++) {
			const tile = hashes.slice(n * 256, (n + 1) * 256);
			const path = `tile/${level}/${String(n).padStart(3, '0')}`;
			const { file, full } = fileOf(files, path, tile.length);
			const hashed = full ? file?.subarray(0, 32 * tile.length) : file;
			if (hashed === undefined || Buffer.compare(hashed, Buffer.concat(tile)) !== 0)
				throw new Error(`${path} is wrong`);
			if (tile.length === 256) above.push(naiveRoot(tile));
		}
		hashes = above;
	}
}

function checkOrder(lines: readonly Line[]): void {
	const streams = new Map<string, Line>();
	for (const line of lines) {
		const before = streams.get(line.stream);
		if (line.ver !== (before?.ver ?? 0) + 1) throw new Error(`${line.stream} version ${line.ver} after ${before?.ver}`);
		if (line.prev !== before?.leaf) throw new Error(`${line.stream} version ${line.ver} does not chain`);
		streams.set(line.stream, line);
	}
}

/** The size that the verifier finds, which shares nothing with this. */
export async function verifies(world: World): Promise<number> {
	const source = {
		ahead: 4,
		read: async (name: string) => world.objects.files.get(name) ?? null,
	};
	const { signer } = world.process().log;
	const found = await verifyLog(source, { keys: [verifierKey(signer.vkey)], origin: ORIGIN });
	return found.checkpoint.size;
}

/** The entries that were told to be at fault, and their faults. */
export const faultsIn = (world: World) =>
	world.store
		.items('ledger')
		.filter((item) => item['pk']?.S?.startsWith('A#integrity#') && item['b']?.B !== undefined)
		.map((item) => JSON.parse(Buffer.from(item['b']?.B ?? []).toString()) as { of?: string; fault?: string })
		.flatMap(({ of, fault }) => (of === undefined ? [] : [`${of} ${fault}`]));

/** What the whole comes to: every acknowledged entry is in the log once, and marked with its index; nothing waits. */
export function checkSealed(world: World, wanted: readonly Ledger.Recorded[]): Line[] {
	const { lines } = readLog(world.objects.files);
	const ids = lines.map((line) => line.id);
	if (new Set(ids).size !== ids.length) throw new Error('an entry was sealed twice');
	for (const { entry } of wanted) if (!ids.includes(entry.id)) throw new Error(`${entry.id} was not sealed`);
	if (world.published.some((size, i) => size <= (world.published[i - 1] ?? 0))) {
		throw new Error(`published in this order: ${world.published.join(', ')}`);
	}
	const entries = world.store.items('ledger').filter((item) => item['sk']?.S !== 'HEAD');
	const items = entries.filter((item) => item['u']?.S !== QUARANTINE);
	if (items.length !== lines.length) throw new Error(`${items.length} items, ${lines.length} entries`);
	for (const item of items) {
		const line = lines[Number(item['li']?.N)];
		if (line === undefined || line.stream !== item['pk']?.S) throw new Error('an item has another index');
		if (Buffer.from(item['h']?.B ?? []).toString('hex') !== line.leaf) throw new Error('an item has another hash');
		if (item['u'] !== undefined || item['ut'] !== undefined) throw new Error('a sealed item still waits');
	}
	for (const [path, bytes] of world.objects.files) {
		if (path.startsWith('checkpoints/')) {
			const { size } = readLog(new Map([...world.objects.files, ['checkpoint', bytes]]));
			if (path !== `checkpoints/${size}`) throw new Error(`${path} is of size ${size}`);
		}
	}
	const staged = [...world.objects.files.keys()].filter((path) => path.startsWith('staging/'));
	if (staged.length > 1) throw new Error(`left in staging: ${staged.join(', ')}`);
	return lines;
}

/** Numbers from 0 to 1 that a seed gives. */
export function chance(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 1) % 2 ** 31;
		return createHash('sha256').update(`${seed} ${state}`).digest().readUInt32BE(0) / 2 ** 32;
	};
}

export const FAULTS = ['fails', 'fails after', 'hangs', 'hangs after', 'stalls'] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * A process whose nth call (from 1) goes wrong. `fails after`: it took effect. `hangs`: it never answers. `stalls`: it
 * is held up until `release`, and then the process goes on.
 */
export function faulty(n: number, fault: Fault) {
	const calls: string[] = [];
	let reached = () => {};
	const met = new Promise<void>((resolve) => {
		reached = resolve;
	});
	let release = () => {};
	const released = new Promise<void>((resolve) => {
		release = resolve;
	});
	const never = new Promise<never>(() => {});
	const gate: Gate = async (name, call) => {
		if (calls.push(name) !== n) return call();
		if (fault === 'fails after' || fault === 'hangs after') await call();
		reached();
		if (fault === 'stalls') {
			await released;
			return call();
		}
		if (fault === 'hangs' || fault === 'hangs after') return never;
		throw Object.assign(new Error('the fault'), { name: 'TimeoutError' });
	};
	return { gate, calls, met, release };
}
