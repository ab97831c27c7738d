/**
 * Checks one stream from its bytes alone. Pure: the same function serves the API, the tests and an auditor.
 * Names the first bad version, so that a change, a swap, a gap or an insertion is located and not only noticed.
 */
import { type Entry, open } from './entry.ts';

/** What a store holds for one version. `leaf` is the hash that was stored beside the bytes. */
export type Stored = {
	readonly stream: string;
	readonly ver: number;
	readonly bytes: Uint8Array;
	readonly leaf: string;
};

export type Finding = {
	readonly stream: string;
	/** The first version that is missing or wrong. */
	readonly ver: number;
	readonly fault: 'unreadable' | 'missing' | 'misplaced' | 'hash-differs' | 'chain-broken';
};

/** Feed the versions in ascending order; null as long as everything holds. */
export function chainChecker(stream: string): (stored: Stored) => Finding | null {
	let expected = 1;
	let previous: string | undefined;
	return (stored) => {
		const ver = expected;
		if (stored.ver !== ver) return { stream, ver, fault: 'missing' };
		let entry: Entry;
		let leaf: string;
		try {
			({ entry, leaf } = open(stored.bytes));
		} catch {
			return { stream, ver, fault: 'unreadable' };
		}
		if (leaf !== stored.leaf) return { stream, ver, fault: 'hash-differs' };
		if (entry.stream !== stream || entry.ver !== ver) return { stream, ver, fault: 'misplaced' };
		if (entry.prev !== previous) return { stream, ver, fault: 'chain-broken' };
		expected += 1;
		previous = leaf;
		return null;
	};
}

/** The first fault of a whole stream, or null. An empty stream has none. */
export function verifyStream(stream: string, versions: readonly Stored[]): Finding | null {
	const check = chainChecker(stream);
	for (const stored of versions) {
		const finding = check(stored);
		if (finding !== null) return finding;
	}
	return null;
}
