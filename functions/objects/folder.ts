/** The files of the log in a folder, read. No key leads out of it. */
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { BrokerError } from '#core/error.ts';
import type { Reading } from './place.ts';

export const CHECKPOINT = 'checkpoint';

/** Published checkpoints in their order, by number: the last of them counts, and the file `checkpoint` is its copy. */
export const TURNS = '.checkpoint';

export function readFolder(root: string): Reading {
	return {
		async get(key) {
			const turn = key === CHECKPOINT ? await lastTurn(root) : null;
			return turn === null ? read(fileOf(root, key)) : read(turnFile(root, turn));
		},
	};
}

/** The file of a key. Throws on one that is not made of plain names. */
export function fileOf(root: string, key: string): string {
	const names = key.split('/');
	if (!names.every((name) => /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(name)))
		throw new Error('not the key of a file of the log');
	return path.join(root, ...names);
}

export const turnFile = (root: string, turn: number) => path.join(root, TURNS, String(turn).padStart(12, '0'));

export async function turns(root: string): Promise<number[]> {
	const names = await readdir(path.join(root, TURNS)).catch(absent);
	return (names ?? []).filter((name) => /^[0-9]{12}$/.test(name)).map(Number);
}

export async function lastTurn(root: string): Promise<number | null> {
	const all = await turns(root);
	return all.length === 0 ? null : Math.max(...all);
}

export async function read(file: string): Promise<Uint8Array | null> {
	const bytes = await readFile(file).catch(absent);
	return bytes === null ? null : new Uint8Array(bytes);
}

/** What is not there is no failure; whatever else the disk says is. */
export function absent(cause: unknown): null {
	if (codeOf(cause) === 'ENOENT') return null;
	throw new BrokerError('unavailable', 'The store of the log does not answer; try again.', {}, { cause });
}

export const codeOf = (cause: unknown) => (cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined);
