/** An entry as the rest of core sees it: bytes checked, body parsed, type known. */
import { BrokerError } from '../error.ts';
import { type Entry, open, type Sealable } from './entry.ts';
import { Body, type BodyOf } from './schema.ts';
import { type Upcasts, upcast } from './upcast.ts';
import type { Stored } from './verify.ts';

/** An entry with its parsed body. `stored` is what lies in the table: bytes and leaf. */
export type Recorded<T extends Body['type'] = Body['type']> = T extends Body['type'] ? With<BodyOf<T>> : never;

type With<B> = {
	readonly entry: Entry;
	readonly body: B;
	readonly leaf: string;
	readonly ver: number;
	readonly stored: Stored;
};

/** Reads a stored version. Throws `record-corrupt` unless bytes, hash, key and schema all agree. */
export function recordedOf(stored: Stored, known?: Upcasts): Recorded {
	return parse(open(stored.bytes, known), stored, known);
}

/** `entry` is what was written; `body` is that as the present version of its type has it. */
export function parse(sealed: Sealable, stored: Stored, known?: Upcasts): Recorded {
	const body = Body.safeParse(upcast(sealed.entry, known));
	if (
		!body.success ||
		sealed.leaf !== stored.leaf ||
		sealed.entry.ver !== stored.ver ||
		sealed.entry.stream !== stored.stream
	) {
		throw new BrokerError('record-corrupt', 'A ledger entry cannot be read.', {}, { cause: body.error });
	}
	return { entry: sealed.entry, body: body.data, leaf: sealed.leaf, ver: stored.ver, stored } as Recorded;
}

/** Narrows a recorded entry to one type; anything else there is corrupt. */
export function as<T extends Body['type']>(recorded: Recorded, type: T): Recorded<T> {
	if (recorded.body.type !== type) throw new BrokerError('record-corrupt', 'A ledger entry has an unexpected type.');
	return recorded as unknown as Recorded<T>;
}

/** The first entry of this type in a stream that was read, or undefined. */
export function find<T extends Body['type']>(entries: readonly Recorded[], type: T): Recorded<T> | undefined {
	const found = entries.find((e) => e.body.type === type);
	return found === undefined ? undefined : as(found, type);
}

/** What `work` gives, or null when a record it needs cannot be read: for those who tell that and go on. */
export async function readable<T>(work: () => Promise<T>): Promise<T | null> {
	try {
		return await work();
	} catch (error) {
		if (error instanceof BrokerError && error.code === 'record-corrupt') return null;
		throw error;
	}
}
