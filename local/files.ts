/**
 * Small durable files. A write goes to a temporary file, is synced, and then takes the name: after a
 * crash the file holds the old text or the new one, never a part.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import path from 'node:path';

export async function writeDurably(file: string, text: string): Promise<void> {
	const temporary = `${file}.${process.pid}.tmp`;
	const handle = await open(temporary, 'w', 0o600);
	try {
		await handle.writeFile(text);
		await handle.sync();
	} finally {
		await handle.close();
	}
	await rename(temporary, file);
	const folder = await open(path.dirname(file), 'r');
	try {
		await folder.sync();
	} finally {
		await folder.close();
	}
}

export function writeDurablySync(file: string, text: string): void {
	const temporary = `${file}.${process.pid}.tmp`;
	const handle = openSync(temporary, 'w', 0o600);
	try {
		writeSync(handle, text);
		fsyncSync(handle);
	} finally {
		closeSync(handle);
	}
	renameSync(temporary, file);
}

/** The file's text, or undefined if there is no such file. */
export function readIfThere(file: string): string | undefined {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		if (isCode(error, 'ENOENT')) return undefined;
		throw error;
	}
}

export function isCode(error: unknown, code: string): boolean {
	return error instanceof Error && 'code' in error && error.code === code;
}
