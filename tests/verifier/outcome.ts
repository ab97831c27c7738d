/** What comes of verifying a log in memory, whose key is given once. */
import { CannotVerify, type Finding, Unverified } from '#verifier/error.ts';
import { type LogOptions, verifyLog } from '#verifier/log.ts';
import { verifierKey } from '#verifier/note.ts';
import { type Files, logKey, memory, vkey } from './reference.ts';

export const key = logKey();
export const keys = [verifierKey(vkey(key))];

export async function outcome(
	files: Files,
	options: Partial<LogOptions> = {},
): Promise<Unverified | CannotVerify | null> {
	try {
		await verifyLog(memory(files), { keys, ...options });
		return null;
	} catch (error) {
		if (error instanceof Unverified || error instanceof CannotVerify) return error;
		throw error;
	}
}

export async function finding(files: Files, options: Partial<LogOptions> = {}): Promise<Finding | undefined> {
	const found = await outcome(files, options);
	if (!(found instanceof Unverified)) throw new Error(`not found: ${found?.message}`);
	return found.finding;
}

export const without = (files: Files, name: string): Files => new Map([...files].filter(([n]) => n !== name));
export const withFile = (files: Files, name: string, bytes: Uint8Array): Files => new Map([...files, [name, bytes]]);

/** The entry that a byte of a bundle belongs to; a bundle's second part is its own length. */
export function entryAt(bundle: Uint8Array, byte: number): number {
	for (let at = 0, i = 0; ; i++) {
		at += 2 + (bundle[at] ?? 0) * 256 + (bundle[at + 1] ?? 0);
		if (byte < at) return i;
	}
}
