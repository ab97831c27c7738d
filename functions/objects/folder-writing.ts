/**
 * The files of the log in a folder, written: what was said to be there survives a crash and a power cut (temp file, fsync,
 * link, fsync of the folder), whole or not at all, and is read-only.
 *
 * A link fails where something is: of two writers one wins. So it does for the checkpoint, whose turns are files of their
 * own, by number; the last one counts. The file `checkpoint`, for whoever looks at the folder, is a copy of it. A crash
 * leaves temp files, which nobody reads, and a copy of the checkpoint before, which the next writer brings up to date.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, rename, rm, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import type { Objects } from '#core/context.ts';
import { BrokerError } from '#core/error.ts';
import { absent, CHECKPOINT, codeOf, fileOf, lastTurn, read, readFolder, TURNS, turnFile, turns } from './folder.ts';
import { notFull, removable } from './place.ts';

/** A writer that stood still for longer loses its turn to whoever took a later one. */
const KEPT_TURNS = 64;

export async function writeFolder(root: string): Promise<Objects> {
	await makeFolder(root);
	await makeFolder(path.join(root, TURNS));
	await show(root);
	return {
		...readFolder(root),
		create: (key, bytes) => guarded(() => create(fileOf(root, key), key, bytes)),
		replace: (key, bytes, over) => guarded(() => replace(root, key, bytes, over)),
		async remove(key) {
			const partial = removable(key);
			if (partial === null) await unlink(fileOf(root, key)).catch(absent);
			else await removePartials(fileOf(root, key), fileOf(root, partial.full));
		},
	};
}

async function removePartials(folder: string, full: string): Promise<void> {
	if ((await stat(full).catch(absent)) === null) throw notFull();
	await guarded(() => rm(folder, { recursive: true, force: true }));
}

async function create(file: string, key: string, bytes: Uint8Array): Promise<void> {
	await makeFolder(path.dirname(file));
	if (await put(file, bytes)) return;
	if (!same(await read(file), bytes)) {
		throw new BrokerError('record-corrupt', 'A file of the log holds other bytes.', { object: key });
	}
	// Whoever made it may have died before this.
	await sync(path.dirname(file));
}

async function replace(root: string, key: string, bytes: Uint8Array, over: Uint8Array | null): Promise<boolean> {
	if (key !== CHECKPOINT) throw new Error('only the checkpoint is replaced');
	const turn = await lastTurn(root);
	const now = turn === null ? await read(fileOf(root, CHECKPOINT)) : await read(turnFile(root, turn));
	if (!same(now, over) || !(await put(turnFile(root, (turn ?? 0) + 1), bytes))) return false;
	await show(root);
	for (const old of (await turns(root)).filter((t) => t + KEPT_TURNS <= (turn ?? 0))) {
		await unlink(turnFile(root, old)).catch(absent);
	}
	return true;
}

/** Copies the last checkpoint to where everybody looks; again, where a later one came meanwhile. */
async function show(root: string): Promise<void> {
	for (let turn = await lastTurn(root), shown: number | null = null; turn !== shown; turn = await lastTurn(root)) {
		const bytes = await read(turnFile(root, turn ?? 0));
		// Taken away meanwhile: then there are many later ones.
		if (bytes === null) continue;
		const temporary = await writeTemporary(root, bytes);
		await rename(temporary, fileOf(root, CHECKPOINT));
		shown = turn;
	}
	await sync(root);
}

/** Makes the file, in place of one that is there: whole, and on disk when this returns. */
export async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
	const folder = path.dirname(file);
	await makeFolder(folder);
	await rename(await writeTemporary(folder, bytes), file);
	await sync(folder);
}

/** Makes the file, unless there is one. */
async function put(file: string, bytes: Uint8Array): Promise<boolean> {
	const folder = path.dirname(file);
	const temporary = await writeTemporary(folder, bytes);
	try {
		await link(temporary, file);
	} catch (cause) {
		if (codeOf(cause) === 'EEXIST') return false;
		throw cause;
	} finally {
		await unlink(temporary).catch(absent);
	}
	await sync(folder);
	return true;
}

async function writeTemporary(folder: string, bytes: Uint8Array): Promise<string> {
	const file = path.join(folder, `.${randomBytes(12).toString('hex')}.tmp`);
	const handle = await open(file, 'wx', 0o444);
	try {
		await handle.writeFile(bytes);
		await handle.sync();
	} finally {
		await handle.close();
	}
	return file;
}

/** With all folders above it that are missing, each of them on disk. */
async function makeFolder(folder: string): Promise<void> {
	const first = await mkdir(folder, { recursive: true, mode: 0o700 });
	if (first === undefined) return;
	for (let made = folder; made.length >= first.length; made = path.dirname(made)) await sync(path.dirname(made));
}

async function sync(folder: string): Promise<void> {
	const handle = await open(folder, 'r');
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

const same = (a: Uint8Array | null, b: Uint8Array | null) =>
	a === null || b === null ? a === b : Buffer.compare(a, b) === 0;

/** Whatever the disk refuses, the sealer can only come back later. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
	try {
		return await work();
	} catch (cause) {
		if (codeOf(cause) === undefined || cause instanceof BrokerError) throw cause;
		return absentNever(cause);
	}
}

function absentNever(cause: unknown): never {
	throw new BrokerError('unavailable', 'The store of the log does not answer; try again.', {}, { cause });
}
