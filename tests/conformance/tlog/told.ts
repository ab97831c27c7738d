/** What `make.ts` wrote of the cases, as those read it that ask verifiers about them. */
import type { Expected } from './case.ts';

export type ToldCase = {
	readonly id: string;
	readonly name: string;
	/** Whether it is a whole log, not proofs alone. */
	readonly log: boolean;
	readonly expected: Expected;
};

/** `entry` in base64. */
export type ToldProof = { readonly index: number; readonly text: string; readonly entry: string };
/** Two signed checkpoints; hashes in base64. */
export type ToldTreeProof = { readonly from: string; readonly to: string; readonly hashes: readonly string[] };

/** A failure on one line. */
export const textOf = (cause: unknown): string =>
	(cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, ' ').trim();
