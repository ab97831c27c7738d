/** Proofs that are not what they claim to be. */
import { parseCheckpoint } from '#verifier/checkpoint.ts';
import { parseNote } from '#verifier/note.ts';
import { formatProof, type Proof, parseProof } from '#verifier/proof.ts';
import { type Case, forged, refused } from './case.ts';
import { checkpointOf, type MadeLog, type TreeProof } from './logs.ts';

export function proofCases(log: MadeLog, fork: MadeLog): Case[] {
	const proof = log.proofs.find(({ index }) => index === 300) ?? log.proofs[0];
	const other = log.proofs.at(-1);
	if (proof === undefined || other === undefined) throw new Error('no proofs');
	const parsed = parseProof(proof.text);
	const bad = (name: string, change: Partial<Proof>, entry = proof.entry): Case => ({
		name: `a proof ${name}`,
		expected: refused('refuses', 'refuses', 'skip'),
		proofs: [{ index: proof.index, text: formatProof({ ...parsed, ...change }), entry }],
	});
	const [first = new Uint8Array(32)] = parsed.hashes;
	return [
		bad('with a changed hash', { hashes: parsed.hashes.with(0, first.with(31, (first[31] ?? 0) ^ 1)) }),
		bad('with a hash too few', { hashes: parsed.hashes.slice(0, -1) }),
		bad('with a hash too many', { hashes: [...parsed.hashes, first] }),
		bad('with two hashes swapped', { hashes: [...parsed.hashes.slice(1, 2), first, ...parsed.hashes.slice(2)] }),
		bad('of the next index', { index: parsed.index + 1 }),
		bad('of an index beyond the log', { index: parsed.index + 1024 }),
		bad('of another entry', {}, other.entry),
		bad('of a forged entry', {}, forged(proof.entry)),
		bad('with the checkpoint of a fork', { checkpoint: checkpointOf(fork.files) }),
	];
}

export function consistencyCases(log: MadeLog, fork: MadeLog): Case[] {
	const proof = log.consistency.at(-1);
	if (proof === undefined) throw new Error('no proofs');
	const bad = (name: string, change: Partial<TreeProof>): Case => ({
		name: `consistency ${name}`,
		expected: refused('refuses', 'skip', 'skip'),
		consistency: [{ ...proof, ...change }],
	});
	const [first = new Uint8Array(32)] = proof.hashes;
	const { text } = parseNote(proof.from);
	if (parseCheckpoint(text).size !== 257) throw new Error('not from 257');
	return [
		bad('with a changed hash', { hashes: proof.hashes.with(0, first.with(0, (first[0] ?? 0) ^ 1)) }),
		bad('with a hash too few', { hashes: proof.hashes.slice(1) }),
		bad('with a hash too many', { hashes: [...proof.hashes, first] }),
		bad('to a fork', { to: checkpointOf(fork.files) }),
		bad('the wrong way round', { from: proof.to, to: proof.from }),
	];
}
