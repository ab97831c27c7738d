/**
 * One process per data folder. The lock file names the owner by process id and start time, so that a
 * lock left by a killed process is taken over even when its id was given to another process since.
 */
import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isCode, readIfThere } from '../files.ts';

const held = new Set<string>();

/** Takes the folder or throws an error that names it and its owner; returns how to give it back. */
export function lockFolder(folder: string): () => void {
	const file = path.join(path.resolve(folder), 'lock');
	if (held.has(file)) throw inUse(folder, process.pid);
	const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid) });
	for (let attempt = 0; ; attempt++) {
		try {
			writeFileSync(file, mine, { flag: 'wx', mode: 0o600 });
			break;
		} catch (error) {
			if (!isCode(error, 'EEXIST')) throw error;
			const text = readIfThere(file);
			const owner = text === undefined ? undefined : ownerOf(text);
			if (attempt > 4 || (owner !== undefined && isAlive(owner))) throw inUse(folder, owner?.pid);
			if (text !== undefined) dropStale(file, text);
		}
	}
	held.add(file);
	return () => {
		if (!held.delete(file)) return;
		if (readIfThere(file) === mine) unlinkSync(file);
	};
}

type Owner = { readonly pid: number; readonly started: string | null };

function inUse(folder: string, pid: number | undefined): Error {
	const who = pid === undefined ? 'another process' : `process ${pid}`;
	return new Error(
		`The data folder ${path.resolve(folder)} is in use by ${who}: stop that one or name another folder.`,
	);
}

/** An unreadable lock was cut short by a crash: nobody owns it. */
function ownerOf(text: string): Owner | undefined {
	try {
		const value: unknown = JSON.parse(text);
		if (typeof value !== 'object' || value === null || !('pid' in value) || typeof value.pid !== 'number')
			return undefined;
		const started = 'started' in value && typeof value.started === 'string' ? value.started : null;
		return { pid: value.pid, started };
	} catch {
		return undefined;
	}
}

function isAlive(owner: Owner): boolean {
	// Our own id in a file that this process does not hold is a reused id.
	if (owner.pid === process.pid) return false;
	try {
		process.kill(owner.pid, 0);
	} catch (error) {
		if (!isCode(error, 'EPERM')) return false;
	}
	const started = startOf(owner.pid);
	return owner.started === null || started === null || owner.started === started;
}

/** When the process began, in the kernel's ticks; null where the system does not tell. */
function startOf(pid: number): string | null {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
		return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
	} catch {
		return null;
	}
}

/** Moves the stale lock aside; if somebody replaced it meanwhile, puts that one back. */
function dropStale(file: string, stale: string): void {
	const aside = `${file}.stale.${process.pid}`;
	try {
		renameSync(file, aside);
	} catch (error) {
		if (isCode(error, 'ENOENT')) return;
		throw error;
	}
	if (readIfThere(aside) !== stale) {
		renameSync(aside, file);
		return;
	}
	unlinkSync(aside);
}
