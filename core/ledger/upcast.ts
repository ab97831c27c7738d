/**
 * Schema versions of an entry type, and how an earlier one is read today: by steps, each from one version to the next,
 * taken before the present schema looks. What is stored stays as it is: the bytes, their hash and the envelope are those
 * that were written. A version that is not known, such as one of a later release, is `record-corrupt`: told, never
 * passed over and never half understood. Pure.
 */
import { BrokerError } from '../error.ts';

/** The members of one version as the next one would have written them. May throw: then the entry is `record-corrupt`. */
export type Step = (members: Readonly<Record<string, unknown>>) => Record<string, unknown>;

/** Steps by type, the one from version 1 to 2 first. */
export type Upcasts = Readonly<Record<string, readonly Step[]>>;

/** No type has had a second version yet. How one gets it: schema.ts. */
export const upcasts: Upcasts = {};

type Versioned = { readonly v: number; readonly type: string };

/** The version that a type is written in. */
export function versionOf(type: string, known: Upcasts = upcasts): number {
	return 1 + stepsOf(type, known).length;
}

/** Whether an entry is of a version that can be read. Of a type that nobody knows, the schema tells. */
export function isKnown({ type, v }: Versioned, known: Upcasts = upcasts): boolean {
	return Number.isInteger(v) && v >= 1 && v <= versionOf(type, known);
}

/** An entry as the present version of its type would have it; the type itself stays. Throws `record-corrupt`. */
export function upcast(entry: Versioned, known: Upcasts = upcasts): Record<string, unknown> {
	if (!isKnown(entry, known)) throw unreadable();
	const later = stepsOf(entry.type, known).slice(entry.v - 1);
	if (later.length === 0) return { ...entry };
	try {
		const members = later.reduce<Record<string, unknown>>((m, step) => step(Object.freeze(m)), { ...entry });
		return { ...members, type: entry.type };
	} catch (cause) {
		throw unreadable(cause);
	}
}

const stepsOf = (type: string, known: Upcasts) => (Object.hasOwn(known, type) ? (known[type] ?? []) : []);

const unreadable = (cause?: unknown) =>
	new BrokerError('record-corrupt', 'A ledger entry cannot be read.', {}, { cause });
