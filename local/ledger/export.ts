/**
 * A log as a folder that the verifier takes: the checkpoint, those archived before it, and each tile and bundle that it
 * asks for. Nothing is judged but the checkpoint's signature; that is the verifier's.
 *
 * Full tiles and bundles never change, so those that are there are kept. The checkpoint is written last: a copy that broke
 * off is none, or is the one before.
 */
import { mkdirSync } from 'node:fs';
import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import pMap from 'p-map';
import { readObjects } from '#functions/objects.ts';
import { openCheckpoint } from '#verifier/checkpoint.ts';
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

type Reading = { readonly get: (key: string) => Promise<Uint8Array | null> };

/** Copies the log to the folder. Throws where a file is missing, or the folder holds another log or a later state of it. */
export async function exportLog({ origin, vkey, place }: LogPlace, folder: string): Promise<Exported> {
	const objects: Reading = readObjects(place);
	const trust = { keys: [verifierKey(vkey)], origin };
	const note = await objects.get('checkpoint');
	if (note === null) throw new Error('Nothing is sealed yet: there is no checkpoint.');
	const { size } = openCheckpoint(note, trust);
	mkdirSync(folder, { recursive: true });
	const before = await readFile(path.join(folder, 'checkpoint')).catch(() => null);
	if (before !== null) {
		const earlier = openCheckpoint(before, trust);
		if (earlier.size > size) {
			throw new Error(`The folder holds ${earlier.size} entries of this log, which has ${size} now: it was cut back.`);
		}
	}
	const done = { written: 0, kept: 0 };
	const copy = async (key: string, stays: boolean) => {
		const file = path.join(folder, key);
		if (stays && (await isThere(file))) {
			done.kept += 1;
			return true;
		}
		const bytes = await objects.get(key);
		if (bytes === null) return false;
		await put(file, bytes);
		done.written += 1;
		return true;
	};
	await pMap(filesOf(size), (names) => copyOne(names, copy), { concurrency: CONCURRENCY });
	const sizes = (await archivedSizes(place)).filter((archived) => archived <= size);
	await pMap(sizes, (archived) => copyOne([`checkpoints/${archived}`], copy), { concurrency: CONCURRENCY });
	await put(path.join(folder, 'checkpoint'), note);
	return { size, archived: sizes.length, ...done, vkey };
}

/** A partial one may have given way to the full one meanwhile (C2SP tlog-tiles, "Partial Tiles"). */
function* filesOf(size: number): Generator<readonly string[]> {
	for (const { level, index, width } of tilesOf(size)) {
		for (const pathOf of level === 0 ? [tileAt(0), entriesPath] : [tileAt(level)]) {
			yield width === FULL ? [pathOf(index, FULL)] : [pathOf(index, width), pathOf(index, FULL)];
		}
	}
}

const tileAt = (level: number) => (index: number, width: number) => tilePath(level, index, width);

async function copyOne(
	names: readonly string[],
	copy: (key: string, stays: boolean) => Promise<boolean>,
): Promise<void> {
	for (const name of names) if (await copy(name, !name.includes('.p/'))) return;
	throw new Error(`A file of the log is missing: ${names[0]}`);
}

const isThere = (file: string) =>
	stat(file).then(
		(found) => found.isFile(),
		() => false,
	);

/** Whole, or not there. */
async function put(file: string, bytes: Uint8Array): Promise<void> {
	mkdirSync(path.dirname(file), { recursive: true });
	await writeFile(`${file}.part`, bytes);
	await rename(`${file}.part`, file);
}
