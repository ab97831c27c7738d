/**
 * Where a log lies: a folder, or an https address. Either is hostile: each object has a limit to its size, each request
 * one to its time, and no redirect leaves the origin that was asked.
 *
 * An object that is not there is `null`; one that could not be looked at is `CannotVerify`.
 */
import { constants } from 'node:fs';
import { type FileHandle, open, opendir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CannotVerify, Unverified } from './error.ts';

export type Source = {
	/** How many objects are worth asking for at once. */
	readonly ahead: number;
	/** An object of at most `most` bytes, or null. */
	read(name: string, most: number): Promise<Uint8Array | null>;
	/** Names right under a folder of the log, where they can be told: in no order, and one by one where they are many. */
	list?(folder: string): AsyncIterable<string> | Promise<readonly string[]>;
};

/** A folder, or an address that begins with https:// (http:// for this machine alone). */
export function sourceOf(place: string): Source {
	return /^https?:\/\//i.test(place) ? urlSource(place) : folderSource(place);
}

export function folderSource(folder: string): Source {
	return {
		ahead: 4,
		async read(name, most) {
			// Without O_NONBLOCK, a pipe in the place of a file would be waited for.
			const flags = constants.O_RDONLY | constants.O_NONBLOCK;
			const file = await absent(open(path.join(folder, name), flags), name);
			if (file === null) return null;
			try {
				return await readWhole(file, name, most);
			} finally {
				await file.close();
			}
		},
		async *list(name) {
			const found = await absent(opendir(path.join(folder, name)), name);
			if (found === null) return;
			try {
				for (let entry = await failing(found.read(), name); entry !== null; entry = await failing(found.read(), name)) {
					yield entry.name;
				}
			} finally {
				await found.close();
			}
		},
	};
}

/** Null for what is not there. */
async function absent<T>(reading: Promise<T>, name: string): Promise<T | null> {
	try {
		return await reading;
	} catch (cause) {
		const { code } = cause as NodeJS.ErrnoException;
		if (code === 'ENOENT' || code === 'ENOTDIR') return null;
		throw new CannotVerify(`${name} cannot be read (${code ?? 'error'})`, { cause });
	}
}

async function readWhole(file: FileHandle, name: string, most: number): Promise<Uint8Array | null> {
	const found = await file.stat();
	if (!found.isFile()) return null;
	if (found.size > most) throw tooLong(name, most);
	const bytes = new Uint8Array(found.size);
	let length = 0;
	while (length < bytes.length) {
		const { bytesRead } = await failing(file.read(bytes, length, bytes.length - length, length), name);
		if (bytesRead === 0) break;
		length += bytesRead;
	}
	return bytes.subarray(0, length);
}

async function failing<T>(reading: Promise<T>, name: string): Promise<T> {
	try {
		return await reading;
	} catch (cause) {
		throw new CannotVerify(`${name} cannot be read`, { cause });
	}
}

function tooLong(name: string, most: number): Unverified {
	return new Unverified(`${name} is longer than the ${most} bytes it can have`, { kind: 'changed', object: name });
}

const TRIES = 3;
const TIMEOUT_MS = 30_000;
const MAX_REDIRECTS = 3;

export type UrlOptions = { readonly timeoutMs?: number; readonly retryMs?: number };

export function urlSource(address: string, { timeoutMs = TIMEOUT_MS, retryMs = 500 }: UrlOptions = {}): Source {
	const base = baseOf(address);
	return {
		ahead: 8,
		async read(name, most) {
			for (let tried = 1; ; tried++) {
				const answer = await get(new URL(name, base), name, most, timeoutMs);
				if (answer !== 'again') return answer;
				if (tried === TRIES) throw new CannotVerify(`${name} could not be fetched from ${base.host}`);
				await sleep(retryMs * tried);
			}
		},
	};
}

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

function baseOf(address: string): URL {
	if (!URL.canParse(address)) throw new CannotVerify('the address of the log is not a URL');
	const base = new URL(address);
	if (base.protocol !== 'https:' && !(base.protocol === 'http:' && LOOPBACK.includes(base.hostname))) {
		throw new CannotVerify('the address of the log does not begin with https://');
	}
	if (base.username !== '' || base.password !== '' || base.search !== '' || base.hash !== '') {
		throw new CannotVerify('the address of the log has a user, a query or a fragment');
	}
	if (!base.pathname.endsWith('/')) base.pathname += '/';
	return base;
}

/** One request, redirects included. `again` for what may pass. */
async function get(url: URL, name: string, most: number, timeoutMs: number): Promise<Uint8Array | null | 'again'> {
	const signal = AbortSignal.timeout(timeoutMs);
	let at = url;
	for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
		let response: Response;
		try {
			response = await fetch(at, { redirect: 'manual', signal, headers: { 'accept-encoding': 'gzip, identity' } });
		} catch {
			return 'again';
		}
		if (response.status === 200) return readBody(response, name, most);
		await response.body?.cancel().catch(() => undefined);
		if (response.status === 404 || response.status === 410) return null;
		if (response.status === 429 || response.status >= 500) return 'again';
		at = redirectOf(response, at, name);
	}
	throw new CannotVerify(`${name} is redirected too often`);
}

function redirectOf(response: Response, from: URL, name: string): URL {
	const location = response.headers.get('location');
	if (response.status < 300 || response.status > 399 || location === null || !URL.canParse(location, from.href)) {
		throw new CannotVerify(`${name} was answered with status ${response.status}`);
	}
	const to = new URL(location, from);
	if (to.origin !== from.origin) throw new CannotVerify(`${name} is redirected to another origin`);
	return to;
}

async function readBody(response: Response, name: string, most: number): Promise<Uint8Array | 'again'> {
	const chunks: Uint8Array[] = [];
	let length = 0;
	try {
		for await (const chunk of response.body ?? []) {
			length += chunk.length;
			if (length > most) throw tooLong(name, most);
			chunks.push(chunk);
		}
	} catch (cause) {
		if (cause instanceof Unverified) throw cause;
		return 'again';
	}
	return new Uint8Array(Buffer.concat(chunks));
}
