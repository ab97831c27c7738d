/** An object store in memory, with the rules of the real ones. */
import { BrokerError } from '#core/error.ts';
import type { Objects } from '#core/tlog.ts';

export type MemoryObjects = Objects & { readonly files: Map<string, Uint8Array> };

export function memoryObjects(files = new Map<string, Uint8Array>()): MemoryObjects {
	const same = (a: Uint8Array | undefined, b: Uint8Array | undefined | null) =>
		a === undefined || b == null ? a === (b ?? undefined) : Buffer.compare(a, b) === 0;
	return {
		files,
		get: async (key) => files.get(key)?.slice() ?? null,
		async create(key, bytes) {
			const there = files.get(key);
			if (there === undefined) files.set(key, bytes.slice());
			else if (!same(there, bytes))
				throw new BrokerError('record-corrupt', 'An object has other bytes.', { object: key });
		},
		async replace(key, bytes, over) {
			if (!same(files.get(key), over)) return false;
			files.set(key, bytes.slice());
			return true;
		},
		async remove(key) {
			const full = /^(tile\/.+)\.p$/.exec(key)?.[1];
			if (full === undefined && !key.startsWith('staging/')) throw new Error(`${key} is never removed`);
			if (full !== undefined && !files.has(full)) throw new Error(`${full} is not there`);
			for (const path of files.keys()) if (path === key || path.startsWith(`${key}/`)) files.delete(path);
		},
	};
}
