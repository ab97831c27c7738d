/**
 * A log as a folder that the verifier takes: the checkpoint, those archived before it, and each tile and bundle that it
 * asks for. Of what is copied nothing is judged but the checkpoint's signature, and that it goes on from the one that the
 * folder holds; the rest is the verifier's.
 *
 * Full tiles and bundles never change, so those that the folder's own checkpoint covers are kept; what else is there, of a copy
 * that broke off, may be of another history, and is written anew. The checkpoint is written last: a copy that broke off is
 * none, or is the one before. Until somebody has verified the later one, the earlier one is what he has: it is kept.
 */
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import pMap from 'p-map';
import { BrokerError } from '#core/error.ts';
import { sha256 } from '#core/ledger.ts';
import { consistencyBetween, type Log } from '#core/tlog.ts';
import { codeOf } from '#functions/objects/folder.ts';
import { replaceFile } from '#functions/objects/folder-writing.ts';
import { readObjects } from '#functions/objects.ts';
import { type Checkpoint, openCheckpoint } from '#verifier/checkpoint.ts';
import { sameBytes } from '#verifier/encoding.ts';
import { verifierKey } from '#verifier/note.ts';
import { entriesPath, FULL, tilePath, tilesOf } from '#verifier/tile.ts';
import { archivedSizes } from './archived.ts';
import type { LogPlace } from './place.ts';

export type Exported = {
	readonly size: number;
	readonly archived: number;
	/** Files written, and files that were there. */
	readonly written: number;
	readonly kept: number;
	readonly vkey: string;
};

const CONCURRENCY = 16;

/**
 * Copies the log to the folder. Throws where a file is missing, and where the folder holds another log, or a checkpoint that
 * this one does not go on from (`truncated`, `split`): then the folder stays as it is.
 */
export async function exportLog({ origin, vkey, place }: LogPlace, folder: string): Promise<Exported> {
	const objects = readObjects(place);
	const trust = { keys: [verifierKey(vkey)], origin };
	const note = await objects.get('checkpoint');
	if (note === null) throw new Error('Nothing is sealed yet: there is no checkpoint.');
	const checkpoint = openCheckpoint(note, trust);
	const { size } = checkpoint;
	const file = path.join(folder, 'checkpoint');
	const before = await readIf(file);
	const held = before === null ? null : openCheckpoint(before, trust);
	if (held !== null) {
		const sign = () => Promise.reject(new Error('An export signs nothing.'));
		await assertGoesOn({ origin, objects, signer: { vkey, sign } }, held, checkpoint);
	}
	const covered = held?.size ?? 0;
	const done = { written: 0, kept: 0 };
	const copy = async (key: string, stays: boolean) => {
		const at = path.join(folder, key);
		if (stays && (await isThere(at))) {
			done.kept += 1;
			return true;
		}
		const bytes = await objects.get(key);
		if (bytes === null) return false;
		await replaceFile(at, bytes);
		done.written += 1;
		return true;
	};
	await pMap(filesOf(size), ({ names, end }) => copyOne(names, end <= covered, copy), { concurrency: CONCURRENCY });
	const sizes = (await archivedSizes(place)).filter((archived) => archived <= size);
	const archive = (archived: number) => copyOne([`checkpoints/${archived}`], archived <= covered, copy);
	await pMap(sizes, archive, { concurrency: CONCURRENCY });
	await replaceCheckpoint(file, before, note);
	return { size, archived: sizes.length, ...done, vkey };
}

/** What is there; null only where nothing is. */
async function readIf(file: string): Promise<Uint8Array | null> {
	return readFile(file).catch((cause: unknown) => {
		if (codeOf(cause) === 'ENOENT') return null;
		throw cause;
	});
}

/** Proven from the log's own tiles and archived checkpoints, before anything is written. */
async function assertGoesOn(log: Log, earlier: Checkpoint, now: Checkpoint): Promise<void> {
	const { size } = earlier;
	if (size > now.size)
		throw refused(
			'truncated',
			`The folder holds ${size} entries of this log, which has ${now.size} now: it was cut back.`,
		);
	const { from, to } = await consistencyBetween({ log }, size, now.size).catch((cause: unknown) => {
		if (!(cause instanceof BrokerError) || cause.code !== 'not-found') throw cause;
		throw refused('split', `The log has no checkpoint of the ${size} entries that the folder holds.`);
	});
	if (sameBytes(from.root, earlier.root) && sameBytes(to.root, now.root)) return;
	throw refused(
		'split',
		`The log does not go on from the ${size} entries that the folder holds: two histories were signed.`,
	);
}

const refused = (alarm: 'truncated' | 'split', what: string) =>
	new BrokerError('record-corrupt', `${what} Keep the folder, and export to another one to compare.`, { alarm });

/** The note that was there is kept beside it, for `verify --known`. */
async function replaceCheckpoint(file: string, before: Uint8Array | null, note: Uint8Array): Promise<void> {
	const now = await readIf(file);
	if (before === null ? now !== null : now === null || !sameBytes(now, before))
		throw new Error('Something else wrote the checkpoint of the folder meanwhile; export again.');
	if (before !== null && sameBytes(before, note)) return;
	if (before !== null) await replaceFile(path.join(path.dirname(file), 'earlier', nameOf(before)), before);
	await replaceFile(file, note);
}

/** By its size, and by what else tells it from others of this size: their cosignatures. */
const nameOf = (note: Uint8Array) => `${new TextDecoder().decode(note).split('\n')[1]}-${sha256(note).slice(0, 16)}`;

/**
 * Names of each file, of which one is there: a partial one may have given way to the full one meanwhile (C2SP tlog-tiles,
 * "Partial Tiles"). `end`: the size of a tree that has it full.
 */
function* filesOf(size: number): Generator<{ readonly names: readonly string[]; readonly end: number }> {
	for (const { level, index, width } of tilesOf(size)) {
		const end = (index + 1) * FULL ** (level + 1);
		for (const pathOf of level === 0 ? [tileAt(0), entriesPath] : [tileAt(level)]) {
			yield { names: width === FULL ? [pathOf(index, FULL)] : [pathOf(index, width), pathOf(index, FULL)], end };
		}
	}
}

const tileAt = (level: number) => (index: number, width: number) => tilePath(level, index, width);

async function copyOne(
	names: readonly string[],
	stays: boolean,
	copy: (key: string, stays: boolean) => Promise<boolean>,
): Promise<void> {
	for (const name of names) if (await copy(name, stays)) return;
	throw new Error(`A file of the log is missing: ${names[0]}`);
}

const isThere = (file: string) =>
	stat(file).then(
		(found) => found.isFile(),
		() => false,
	);
