/**
 * What a witness keeps, in a folder: for each log a folder by the hash of its origin, in it files by number, of which the
 * last counts. One is made by a link, which fails where a file is (temp file, fsync, link, fsync of the folder): so of two
 * processes on one folder only one keeps what it wants, without a lock that a crash would leave behind.
 *
 * A crash leaves temp files, which nobody reads, or a checkpoint that was kept and not cosigned, which harms nobody.
 * What cannot be read is an error, never "nothing was seen yet". That is said of a log only where the folder has the
 * verifier key of its witness in it, which is put there once, with the key: so not where it was lost, or is not mounted. Nor
 * where the log has a mark beside its folder that it has begun. The mark is made after the first checkpoint is on disk and
 * before that is cosigned: a crash between them leaves a log of which nothing was cosigned, and which goes on all the same.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { hexOf, safeInteger } from '../verifier/encoding.ts';
import { type Kept, seenIn } from './decide.ts';
import { hashOf, StateMissing, type Store } from './witness.ts';

/** A process that stood still while so many were written finds out that it is late by looking again. */
const KEPT_FILES = 64;
/** Holds the verifier key of the witness whose state this is. */
const MARKER = 'vkey';
/** What the name of a log's mark has after that of its folder. */
const BEGUN = '.begun';

/** Makes the state of a witness that never cosigned anything. Throws where the folder is the state of one already. */
export async function beginState(root: string, vkey: string): Promise<void> {
	await makeFolders(root);
	const begun = (await readdir(root)).some((name) => name === MARKER || /^[0-9a-f]{64}(\.begun)?$/.test(name));
	if (begun || !(await linked(root, MARKER, markOf(vkey))))
		throw new Error(`${root} is the state of a witness already`);
	await sync(root);
}

/**
 * The state of the witness of this key. Throws `StateMissing` where it was not begun, or is that of another key; so do both
 * of its functions, and where a log that has begun has no checkpoint any more.
 */
export async function folderStore(root: string, vkey: string): Promise<Store> {
	await assertBegun(root, vkey);
	const durable = new Map<string, number>();
	return {
		async read(origin) {
			const folder = folderOf(root, origin);
			const last = await heldOf(folder, origin);
			if (last === null) {
				await assertBegun(root, vkey);
				return null;
			}
			// Whoever made it may have died before this, or not be that far.
			if (durable.get(folder) !== last.number) {
				await sync(folder);
				await markBegun(folder, origin);
				durable.set(folder, last.number);
			}
			return last.kept;
		},
		async replace(origin, next, over) {
			const folder = folderOf(root, origin);
			if (over === null) await assertBegun(root, vkey);
			await makeFolder(folder);
			const last = await heldOf(folder, origin);
			if (!same(last?.kept ?? null, over)) return false;
			if (!(await put(folder, (last?.number ?? 0) + 1, contentOf(origin, next)))) return false;
			if (last === null) await markBegun(folder, origin);
			return true;
		},
	};
}

const markOf = (vkey: string) => `${vkey}\n`;

async function assertBegun(root: string, vkey: string): Promise<void> {
	const found = await readFile(path.join(root, MARKER), 'utf8').catch(absent);
	if (found === markOf(vkey)) return;
	const is = found === null ? `is not in ${root}` : `is not what is in ${root}, which is that of another key`;
	throw missing(`the state of ${vkey} ${is}`);
}

const missing = (what: string) =>
	new StateMissing(
		`${what}: without it nothing is cosigned. Put it back as it was last. If it is lost, begin another witness, with a key of its own (command key), and have this one taken out wherever it is named`,
	);

/** The last checkpoint of a log; null only where the log has not begun. */
async function heldOf(folder: string, origin: string): Promise<Held | null> {
	// Looked for first: it is made after the first checkpoint, by another process, too.
	const begun = await hasBegun(folder);
	const last = await lastOf(folder);
	if (last === null && begun) throw missing(`what was cosigned of ${origin} is not in ${folder}`);
	return last;
}

/** Says, for good, that a log has a checkpoint, which is on disk: one that was not would leave a log that never goes on. */
async function markBegun(folder: string, origin: string): Promise<void> {
	const root = path.dirname(folder);
	if (!(await hasBegun(folder))) await linked(root, path.basename(folder) + BEGUN, `${origin}\n`);
	// Whoever made it may have died before this.
	await sync(root);
}

const hasBegun = async (folder: string) => (await stat(folder + BEGUN).catch(absent)) !== null;

const folderOf = (root: string, origin: string) => path.join(root, hexOf(hashOf(origin)));
const fileOf = (folder: string, number: number) => path.join(folder, String(number).padStart(12, '0'));
const same = (a: Kept | null, b: Kept | null) =>
	a === null || b === null ? a === b : a.note === b.note && a.time === b.time;

/** The first line says when, the rest is the note. */
const contentOf = (origin: string, { note, time }: Kept): string => {
	if (seenIn(note).origin !== origin) throw new Error('the checkpoint is of another log');
	return `time ${safeInteger(time, 'the time')}\n${note}`;
};

function keptIn(content: string): Kept {
	const [, time = '', note = ''] = /^time ([0-9]{1,16})\n([^]*)$/.exec(content) ?? [];
	seenIn(note);
	return { note, time: safeInteger(Number(time), 'the time') };
}

type Held = { readonly number: number; readonly kept: Kept };

async function lastOf(folder: string): Promise<Held | null> {
	for (;;) {
		const number = await lastNumber(folder);
		if (number === null) return null;
		const content = await readFile(fileOf(folder, number), 'utf8').catch(absent);
		// Taken away meanwhile: then there are many later ones.
		if (content !== null) return { number, kept: keptIn(content) };
	}
}

async function lastNumber(folder: string): Promise<number | null> {
	const all = await numbers(folder);
	return all.length === 0 ? null : Math.max(...all);
}

async function numbers(folder: string): Promise<number[]> {
	const names = (await readdir(folder).catch(absent)) ?? [];
	return names.filter((name) => /^[0-9]{12}$/.test(name)).map(Number);
}

/** Makes the file of this number, if it is the last then: not if others have gone on since the last one was looked for. */
export async function put(folder: string, number: number, content: string): Promise<boolean> {
	const file = fileOf(folder, number);
	if (!(await linked(folder, path.basename(file), content))) return false;
	// The number was free because it was taken away long ago.
	if ((await lastNumber(folder)) !== number) {
		await unlink(file).catch(absent);
		return false;
	}
	await sync(folder);
	for (const old of (await numbers(folder)).filter((n) => n + KEPT_FILES <= number)) {
		await unlink(fileOf(folder, old)).catch(absent);
	}
	return true;
}

/** Makes a file with its content on disk, unless there is one; that it is in its folder is not on disk yet. */
async function linked(folder: string, name: string, content: string): Promise<boolean> {
	const temporary = path.join(folder, `.${randomBytes(12).toString('hex')}.tmp`);
	try {
		const handle = await open(temporary, 'wx', 0o444);
		try {
			await handle.writeFile(content);
			await handle.sync();
		} finally {
			await handle.close();
		}
		await link(temporary, path.join(folder, name));
		return true;
	} catch (cause) {
		if (codeOf(cause) === 'EEXIST') return false;
		throw cause;
	} finally {
		await unlink(temporary).catch(absent);
	}
}

/** In a folder that is there: one that is not mounted any more is not made again. On disk, whoever made it. */
async function makeFolder(folder: string): Promise<void> {
	try {
		await mkdir(folder, { mode: 0o700 });
	} catch (cause) {
		if (codeOf(cause) !== 'EEXIST') throw cause;
	}
	await sync(path.dirname(folder));
}

/** With all folders above it that are missing, each of them on disk. */
async function makeFolders(folder: string): Promise<void> {
	const whole = path.resolve(folder);
	const first = (await mkdir(whole, { recursive: true, mode: 0o700 })) ?? whole;
	for (let made = whole; made.length >= first.length; made = path.dirname(made)) await sync(path.dirname(made));
}

/** What is in the folder is on disk then. */
export async function sync(folder: string): Promise<void> {
	const handle = await open(folder, 'r');
	try {
		await handle.sync();
	} finally {
		await handle.close();
	}
}

function absent(cause: unknown): null {
	if (codeOf(cause) === 'ENOENT') return null;
	throw cause;
}

const codeOf = (cause: unknown) => (cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined);
