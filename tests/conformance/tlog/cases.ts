/**
 * Sound logs and proofs, and the same tampered with; what each verifier must say of them. Where a foreign program is
 * expected to let something pass, that is written down, so that it is known what it is good for.
 */
import { generateKeyPairSync } from 'node:crypto';
import { signerWith } from '#tests/tlog/world.ts';
import { parseCheckpoint } from '#verifier/checkpoint.ts';
import { appendLeaves, emptyRange, leafHash, rootOf } from '#verifier/merkle.ts';
import { parseNote, verifierKey } from '#verifier/note.ts';
import { formatProof, parseProof } from '#verifier/proof.ts';
import { decodeTile, encodeBundle, encodeTile, FULL, tilePath, widthOf } from '#verifier/tile.ts';
import { type Case, type Expected, forged, refused, sound } from './case.ts';
import { bundleOf, checkpointOf, emptyLog, type Files, type Made, type MadeLog, signed } from './logs.ts';
import { consistencyCases, proofCases } from './proofs.ts';

const soundLog = (log: MadeLog): Case => ({ name: `sound, of ${log.size}`, expected: sound(), ...log });

export async function allCases({ logs, fork }: Made, large: MadeLog): Promise<Case[]> {
	const whole = logs.get(600);
	const small = logs.get(257);
	if (whole === undefined || small === undefined) throw new Error('no log to tamper with');
	return [
		{ name: 'sound, of 0', expected: sound('skip'), files: await emptyLog() },
		...[...logs.values()].map(soundLog),
		soundLog(large),
		{ ...soundLog(whole), name: 'sound, gone on from a known checkpoint', known: checkpointOf(small.files) },
		{ name: 'no checkpoint at all', expected: refused('cannot verify', 'skip'), files: without(whole, 'checkpoint') },
		...entryCases(whole),
		...fileCases(whole),
		...(await checkpointCases(whole, small, fork)),
		...proofCases(whole, fork),
		...consistencyCases(whole, fork),
	];
}

/** The files with some changed; null takes one away. */
function changed(files: Files, change: Readonly<Record<string, Uint8Array | null>>): Files {
	const copy = new Map(files);
	for (const [path, bytes] of Object.entries(change)) {
		if (!copy.has(path)) throw new Error(`${path} is not there to be changed`);
		if (bytes === null) copy.delete(path);
		else copy.set(path, bytes);
	}
	return copy;
}

const without = ({ files }: MadeLog, path: string): Files => changed(files, { [path]: null });

/** A tampered log, with the proofs of before and the entries and the checkpoint as they are now. */
function tampered(name: string, log: MadeLog, files: Files, expected: Expected): Case {
	const proofs = log.proofs.map(({ index, text, entry }) => {
		const bundle = files.get(bundleOf(log.files, log.size, index).path);
		const now = bundle === undefined ? entry : (framed(bundle)[index % FULL] ?? entry);
		const checkpoint = checkpointOf(files);
		return { index, entry: now, text: formatProof({ ...parseProof(text), checkpoint }) };
	});
	return { name, expected, files, proofs, consistency: [] };
}

/** Entries of a bundle of any width. */
function framed(bytes: Uint8Array): Uint8Array[] {
	const entries: Uint8Array[] = [];
	for (let at = 0; at < bytes.length; ) {
		const end = at + 2 + (bytes[at] ?? 0) * 256 + (bytes[at + 1] ?? 0);
		entries.push(bytes.subarray(at + 2, end));
		at = end;
	}
	return entries;
}

const AT = 100;

function entryCases(log: MadeLog): Case[] {
	const { files, size } = log;
	const { path, entries } = bundleOf(files, size, AT);
	const tile = tilePath(0, 0);
	const hashes = decodeTile(files.get(tile) ?? new Uint8Array(), FULL);
	const altered = entries.with(AT, forged(entries[AT] ?? new Uint8Array()));
	const bundle = encodeBundle(altered);
	const leaves = encodeTile(hashes.with(AT, leafHash(altered[AT] ?? new Uint8Array())));
	const top = tilePath(1, 0, widthOf(size, 1, 0));
	const over = decodeTile(files.get(top) ?? new Uint8Array(), widthOf(size, 1, 0));
	const above = encodeTile(over.with(0, rootOf(appendLeaves(emptyRange, decodeTile(leaves, FULL)))));
	const swap = <T>(list: readonly T[]) => list.with(AT, list[AT + 1] as T).with(AT + 1, list[AT] as T);
	const last = bundleOf(files, size, size - 1);
	return [
		tampered('an entry changed', log, changed(files, { [path]: bundle }), refused('changed 100', 'refuses')),
		tampered(CVE, log, changed(files, { [path]: bundle, [tile]: leaves }), refused('changed 0-255', 'refuses')),
		tampered(
			'an entry and all tiles over it changed',
			log,
			changed(files, { [path]: bundle, [tile]: leaves, [top]: above }),
			refused('forked', 'refuses'),
		),
		tampered(
			'two entries swapped',
			log,
			changed(files, { [path]: encodeBundle(swap(entries)) }),
			refused('reordered 100', 'refuses'),
		),
		tampered(
			'two entries and their hashes swapped',
			log,
			changed(files, { [path]: encodeBundle(swap(entries)), [tile]: encodeTile(swap(hashes)) }),
			refused('changed 0-255', 'refuses'),
		),
		tampered(
			'the last entry cut off',
			log,
			changed(files, { [last.path]: encodeBundle(last.entries.slice(0, -1)) }),
			refused('missing 599', 'blind'),
		),
		tampered(
			'an entry after the last',
			log,
			changed(files, { [last.path]: encodeBundle([...last.entries, ...entries.slice(0, 1)]) }),
			refused('inserted 600', 'blind', 'blind'),
		),
	];
}

/** The case by which CVE-2026-56865 is known: the tile reader of x/mod before 0.40 takes the tile for authentic. */
export const CVE = 'an entry and its tile changed (CVE-2026-56865)';

function fileCases(log: MadeLog): Case[] {
	const { files, size } = log;
	const flip = (path: string) => {
		const bytes = files.get(path) ?? new Uint8Array();
		return changed(files, { [path]: bytes.with(bytes.length - 1, (bytes.at(-1) ?? 0) ^ 1) });
	};
	const edge = tilePath(0, 2, widthOf(size, 0, 2));
	const top = tilePath(1, 0, widthOf(size, 1, 0));
	const gone = (path: string) => changed(files, { [path]: null });
	return [
		tampered('a full tile deleted', log, gone(tilePath(0, 1)), refused('missing 256', 'blind')),
		tampered('a bundle deleted', log, gone(bundleOf(files, size, 300).path), refused('missing 256', 'blind')),
		tampered('a wrong partial tile', log, flip(edge), refused('changed 599', 'blind')),
		tampered('a wrong partial tile above', log, flip(top), refused('changed 256', 'blind')),
		tampered(
			'a partial tile of another size',
			log,
			changed(files, { [edge]: (files.get(edge) ?? new Uint8Array()).slice(32) }),
			refused('changed 512', 'blind'),
		),
	];
}

async function checkpointCases(log: MadeLog, small: MadeLog, fork: MadeLog): Promise<Case[]> {
	const { files } = log;
	const head = parseCheckpoint(parseNote(checkpointOf(files)).text);
	const stranger = signerWith(generateKeyPairSync('ed25519').privateKey);
	const ours = verifierKey(signerWith().vkey).id;
	const checkpoint = (bytes: Uint8Array | undefined) => changed(files, { checkpoint: bytes ?? null });
	const known = checkpointOf(files);
	const of = (name: string, note: Uint8Array, expected: Expected) => tampered(name, log, checkpoint(note), expected);
	return [
		of('the checkpoint of a fork', fork.files.get('checkpoint') ?? new Uint8Array(), refused('forked', 'refuses')),
		of('signed with another key', await signed(head, stranger), refused('changed', 'refuses')),
		of(
			'signed with another key under the id of ours',
			await signed(head, stranger, ours),
			refused('changed', 'refuses'),
		),
		of(
			'of another origin, by our key',
			await signed({ ...head, origin: 'other.example' }),
			refused('changed', 'blind'),
		),
		{
			...small,
			name: 'cut back to an earlier checkpoint',
			known,
			expected: refused('truncated 257', 'blind', 'blind'),
		},
		{ ...fork, name: 'another history under the same key', known, expected: refused('split', 'blind', 'blind') },
	];
}
