/** A case: a log, or proofs of one, and what each verifier must say of it. */
import type { EntryProof, Files, TreeProof } from './logs.ts';

/** `blind`: lets it pass, for it does not look at that. `skip`: cannot be asked. */
export type Word = 'verifies' | 'refuses' | 'blind' | 'skip';
/** Ours: how the command ends, or the kind of fault that it names and where the first one is. */
export type Expected = { readonly ours: string; readonly go: Word; readonly sigstore: Word; readonly fsck: Word };

export type Case = {
	readonly name: string;
	readonly expected: Expected;
	/** Left out where only proofs are looked at. */
	readonly files?: Files;
	/** A checkpoint from before. */
	readonly known?: string;
	readonly proofs?: readonly EntryProof[];
	readonly consistency?: readonly TreeProof[];
};

export const sound = (sigstore: Word = 'verifies'): Expected => ({
	ours: 'verifies',
	go: 'verifies',
	sigstore,
	fsck: 'verifies',
});

export const refused = (ours: string, sigstore: Word, fsck: Word = 'refuses'): Expected => ({
	ours,
	go: 'refuses',
	sigstore,
	fsck,
});

/** Another name in an entry: still canonical, still of its stream. */
export function forged(entry: Uint8Array): Uint8Array {
	const text = new TextDecoder().decode(entry);
	const other = text.replace('"name":"x"', '"name":"y"');
	if (other === text) throw new Error('the entry has nothing to be changed');
	return new TextEncoder().encode(other);
}
