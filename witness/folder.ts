/**
 * What a witness keeps, in a folder: for each log a folder by the hash of its origin, in it files by number, of which the
 * last counts. One is made by a link, which fails where a file is (temp file, fsync, link, fsync of the folder): so of two
 * processes on one folder only one keeps what it wants, without a lock that a crash would leave behind.
 *
 * A crash leaves temp files, which nobody reads, or a checkpoint that was kept and not cosigned, which harms nobody.
 * What cannot be read is an error, never "nothing was seen yet".
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, unlink } from 'node:fs/promises';
import path from 'node:path';
import { hexOf, safeInteger } from '../verifier/encoding.ts';
import { type Kept, seenIn } from './decide.ts';
import { hashOf, type Store } from './witness.ts';

/** A process that stood still while so many were written finds out that it is late by looking again. */
const KEPT_FILES = 64;

export async function folderStore(root: string): Promise<Store> {
	await makeFolder(root);
	return {
		async read(origin) {
			const last = await lastOf(folderOf(root, origin));
			return last === null ? null : last.kept;
		},
		async replace(origin, next, over) {
			const folder = folderOf(root, origin);
			await makeFolder(folder);
			const last = await lastOf(folder);
			if (!same(last?.kept ?? null, over)) return false;
			return put(folder, (last?.number ?? 0) + 1, contentOf(origin, next));
		},
	};
}

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

async function lastOf(folder: string): Promise<{ number: number; kept: Kept } | null> {
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
	const temporary = path.join(folder, `.${randomBytes(12).toString('hex')}.tmp`);
	const file = fileOf(folder, number);
	try {
		const handle = await open(temporary, 'wx', 0o444);
		try {
			await handle.writeFile(content);
			await handle.sync();
		} finally {
			await handle.close();
		}
		await link(temporary, file);
	} catch (cause) {
		if (codeOf(cause) === 'EEXIST') return false;
		throw cause;
	} finally {
		await unlink(temporary).catch(absent);
	}
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

function absent(cause: unknown): null {
	if (codeOf(cause) === 'ENOENT') return null;
	throw cause;
}

const codeOf = (cause: unknown) => (cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined);
