/** The tree of RFC 6962 section 2.1 by its recursive definition, and a log written by it: nothing here is the verifier's. */
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Unverified } from '#verifier/error.ts';
import type { Source } from '#verifier/source.ts';

const sha256 = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest();

export const leafOf = (entry: Uint8Array): Buffer => sha256(Uint8Array.of(0), entry);
export const nodeOf = (left: Uint8Array, right: Uint8Array): Buffer => sha256(Uint8Array.of(1), left, right);

/** The largest power of two below n. */
function splitOf(n: number): number {
	let k = 1;
	while (k * 2 < n) k *= 2;
	return k;
}

/** Trees over the same leaves, each subtree hashed once. */
export function reference(leaves: readonly Uint8Array[]) {
	const seen = new Map<string, Buffer>();
	const rootOf = (from: number, to: number): Buffer => {
		const key = `${from}-${to}`;
		const known = seen.get(key);
		if (known !== undefined) return known;
		const k = from + splitOf(to - from);
		const leaf = leaves[from] ?? new Uint8Array();
		const hash = to === from ? sha256() : to === from + 1 ? Buffer.from(leaf) : nodeOf(rootOf(from, k), rootOf(k, to));
		seen.set(key, hash);
		return hash;
	};
	const inclusion = (m: number, from: number, to: number): Buffer[] => {
		if (to === from + 1) return [];
		const k = from + splitOf(to - from);
		return m < k ? [...inclusion(m, from, k), rootOf(k, to)] : [...inclusion(m, k, to), rootOf(from, k)];
	};
	const consistency = (m: number, from: number, to: number, whole: boolean): Buffer[] => {
		if (m === to) return whole ? [] : [rootOf(from, to)];
		const k = from + splitOf(to - from);
		return m <= k
			? [...consistency(m, from, k, whole), rootOf(k, to)]
			: [...consistency(m, k, to, false), rootOf(from, k)];
	};
	return {
		root: (n: number) => rootOf(0, n),
		inclusion: (index: number, n: number) => inclusion(index, 0, n),
		consistency: (m: number, n: number) => (m === 0 ? [] : consistency(m, 0, n, true)),
	};
}

export type LogKey = { readonly name: string; readonly publicKey: Uint8Array; readonly privateKey: KeyObject };

export function logKey(name = 'example.com/ledger'): LogKey {
	const { publicKey, privateKey } = generateKeyPairSync('ed25519');
	return { name, privateKey, publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32) };
}

const idOf = (key: LogKey, type: number) =>
	sha256(Buffer.from(`${key.name}\n`), Uint8Array.of(type), key.publicKey).subarray(0, 4);

export function vkey(key: LogKey, type = 1): string {
	const encoded = Buffer.from([type, ...key.publicKey]).toString('base64');
	return `${key.name}+${idOf(key, type).toString('hex')}+${encoded}`;
}

const line = (key: LogKey, type: number, bytes: Uint8Array) =>
	`— ${key.name} ${Buffer.concat([idOf(key, type), bytes]).toString('base64')}\n`;

/** The signature line of a log over a text. */
export const signed = (key: LogKey, text: string): string =>
	line(key, 1, sign(null, Buffer.from(text), key.privateKey));

/** The line of a witness. */
export function cosigned(key: LogKey, text: string, time: number): string {
	const stamp = Buffer.alloc(8);
	stamp.writeBigUInt64BE(BigInt(time));
	const message = Buffer.from(`cosignature/v1\ntime ${time}\n${text}`);
	return line(key, 4, Buffer.concat([stamp, sign(null, message, key.privateKey)]));
}

export const checkpointText = (origin: string, size: number, root: Uint8Array): string =>
	`${origin}\n${size}\n${Buffer.from(root).toString('base64')}\n`;

export function signedCheckpoint(key: LogKey, size: number, root: Uint8Array, origin = key.name): string {
	const text = checkpointText(origin, size, root);
	return `${text}\n${signed(key, text)}`;
}

/** Entries of `streams` streams in turn. `note` tells two logs apart. */
export function entriesOf(count: number, { streams = 7, note = '' } = {}): Buffer[] {
	const last = new Map<number, string>();
	return Array.from({ length: count }, (_, i) => {
		const stream = i % streams;
		const ver = Math.floor(i / streams) + 1;
		const prev = last.get(stream);
		const bytes = Buffer.from(JSON.stringify({ note, prev, stream: `A#${stream}`, ver }));
		last.set(stream, leafOf(bytes).toString('hex'));
		return bytes;
	});
}

export type Files = Map<string, Uint8Array>;

const pathOf = (index: number, width: number) => {
	const digits = String(index);
	const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
	return groups.map((g, i) => (i === groups.length - 1 ? g : `x${g}`)).join('/') + (width < 256 ? `.p/${width}` : '');
};

function* tilesOf<T>(items: readonly T[]): Generator<readonly [string, readonly T[]]> {
	for (let at = 0; at < items.length; at += 256) {
		const some = items.slice(at, at + 256);
		yield [pathOf(at / 256, some.length), some];
	}
}

/** The files of a log: every bundle and tile that its size asks for, and its checkpoint. */
export function logOf(entries: readonly Uint8Array[], key: LogKey, origin = key.name): Files {
	const files: Files = new Map();
	for (const [at, some] of tilesOf(entries)) {
		const framed = some.map((e) => Buffer.concat([Uint8Array.of(e.length >> 8, e.length & 255), e]));
		files.set(`tile/entries/${at}`, Buffer.concat(framed));
	}
	let hashes: readonly Uint8Array[] = entries.map(leafOf);
	const edge: Uint8Array[][] = [];
	for (let level = 0; hashes.length > 0; level++) {
		const above: Uint8Array[] = [];
		edge.unshift([]);
		for (const [at, some] of tilesOf(hashes)) {
			files.set(`tile/${level}/${at}`, Buffer.concat(some));
			if (some.length === 256) above.push(reference(some).root(256));
			else edge[0] = [...some];
		}
		hashes = above;
	}
	files.set('checkpoint', Buffer.from(signedCheckpoint(key, entries.length, joined(edge), origin)));
	return files;
}

/** The root over unfinished tiles, highest level first: complete subtrees, joined from the right. */
function joined(edge: readonly Uint8Array[][]): Uint8Array {
	const subtrees = edge.flatMap((tile) => {
		const roots: Uint8Array[] = [];
		for (let rest = tile; rest.length > 0; ) {
			const some = rest.slice(0, splitOf(rest.length + 1));
			roots.push(reference(some).root(some.length));
			rest = rest.slice(some.length);
		}
		return roots;
	});
	return subtrees.length === 0 ? sha256() : subtrees.reduceRight((right, left) => nodeOf(left, right));
}

export const memory = (files: Files): Source => ({
	ahead: 3,
	read: async (name) => files.get(name) ?? null,
	async *list(folder) {
		yield* [...files.keys()].filter((f) => f.startsWith(`${folder}/`)).map((f) => f.slice(folder.length + 1));
	},
});

export function write(files: Files, folder: string): void {
	for (const [name, bytes] of files) {
		mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
		writeFileSync(path.join(folder, name), bytes);
	}
}

export function flipped(bytes: Uint8Array, at: number, bits = 1): Buffer {
	const copy = Buffer.from(bytes);
	copy[at] = (copy[at] ?? 0) ^ bits;
	return copy;
}

/** Whether it throws `Unverified`, and nothing else. */
export function isRefused(check: () => unknown): boolean {
	try {
		check();
		return false;
	} catch (error) {
		if (error instanceof Unverified) return true;
		throw error;
	}
}
