/**
 * The two ways a check ends badly, which nobody may mix up.
 *
 * `Unverified`: what was looked at is not what it claims to be. `CannotVerify`: it could not be looked at, so nothing
 * is known. Readers of hostile bytes throw nothing else.
 */

/** What is wrong with an entry, as far as the files tell. */
export type Kind = 'changed' | 'missing' | 'inserted' | 'reordered' | 'forked' | 'truncated' | 'split';

/** Where the first fault is. */
export type Finding = {
	readonly kind: Kind;
	/** Index of the first bad entry. */
	readonly index?: number;
	/** Where no single entry can be told: the last that it may be. */
	readonly last?: number;
	/** The file it was found in, by its path in the log. */
	readonly object?: string;
	readonly stream?: string;
	readonly ver?: number;
};

export class Unverified extends Error {
	override readonly name = 'Unverified';
	readonly finding: Finding | undefined;

	constructor(message: string, finding?: Finding, options?: ErrorOptions) {
		super(message, options);
		this.finding = finding;
	}
}

export class CannotVerify extends Error {
	override readonly name = 'CannotVerify';
}

/** What `make` takes memory for; that there is none says nothing about the log. */
export function allocated<T>(what: string, make: () => T): T {
	try {
		return make();
	} catch (cause) {
		if (!(cause instanceof RangeError)) throw cause;
		throw new CannotVerify(`${what} take more memory than there is`, { cause });
	}
}
