/** Logs in folders and at addresses, both hostile. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CannotVerify, Unverified } from '#verifier/error.ts';
import { verifyLog } from '#verifier/log.ts';
import { verifierKey } from '#verifier/note.ts';
import { folderSource, sourceOf, urlSource } from '#verifier/source.ts';
import { entriesOf, logKey, logOf, vkey, write } from './reference.ts';

const key = logKey();
const keys = [verifierKey(vkey(key))];
const log = logOf(entriesOf(600), key);

describe('a folder', () => {
	let folder = '';
	beforeAll(() => {
		folder = mkdtempSync(path.join(tmpdir(), 'fairlead-log-'));
		write(log, folder);
		mkdirSync(path.join(folder, 'strange/folder'), { recursive: true });
		execFileSync('mkfifo', [path.join(folder, 'strange/pipe')]);
		symlinkSync('/dev/zero', path.join(folder, 'strange/device'));
		symlinkSync('loop', path.join(folder, 'strange/loop'));
	});
	afterAll(() => rmSync(folder, { recursive: true }));

	it('that holds something else in the place of a file has no such file', async () => {
		const source = folderSource(folder);
		for (const name of ['strange/folder', 'strange/pipe', 'strange/device', 'absent', 'checkpoint/below']) {
			expect(await source.read(name, 1000), name).toBeNull();
		}
		await expect(source.read('strange/loop', 1000)).rejects.toThrow(CannotVerify);
	});

	it('that holds too long a file is refused', async () => {
		writeFileSync(path.join(folder, 'strange/long'), Buffer.alloc(1001));
		await expect(folderSource(folder).read('strange/long', 1000)).rejects.toThrow(Unverified);
		expect(await folderSource(folder).read('strange/long', 1001)).toHaveLength(1001);
	});

	it('that is not there holds no log', async () => {
		await expect(verifyLog(sourceOf(path.join(folder, 'absent')), { keys })).rejects.toThrow(CannotVerify);
	});

	it('is verified, with the checkpoints that were archived in it', async () => {
		mkdirSync(path.join(folder, 'checkpoints'));
		writeFileSync(path.join(folder, 'checkpoints/600'), log.get('checkpoint') ?? '');
		writeFileSync(path.join(folder, 'checkpoints/README'), 'is no checkpoint');
		expect(await verifyLog(sourceOf(folder), { keys })).toMatchObject({ archived: 1, checkpoint: { size: 600 } });
	});
});

describe('an address', () => {
	const servers: Server[] = [];
	const served = async (listener: RequestListener): Promise<string> => {
		const server = createServer(listener);
		servers.push(server);
		await new Promise<void>((resolve) => {
			server.listen(0, '127.0.0.1', resolve);
		});
		return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	};
	afterEach(() => {
		for (const server of servers.splice(0)) {
			server.closeAllConnections();
			server.close();
		}
	});
	const quick = { timeoutMs: 20_000, retryMs: 1 };

	it.each([
		'http://example.com/log',
		'https://user@example.com/log',
		'https://user:word@example.com/',
		'https://example.com/log?x=1',
		'https://example.com/log#x',
		'https://',
	])('is not %s', (address) => {
		expect(() => sourceOf(address)).toThrow(CannotVerify);
	});

	it('that redirects to another origin is not followed', async () => {
		const asked: string[] = [];
		const other = await served((request, response) => {
			asked.push(request.url ?? '');
			response.end('secret');
		});
		const base = await served((request, response) => {
			response.writeHead(302, { location: `${other}${request.url}` }).end();
		});
		await expect(urlSource(base, quick).read('checkpoint', 1000)).rejects.toThrow(/another origin/);
		expect(asked).toEqual([]);
	});

	it('that redirects within itself is followed, but not for ever', async () => {
		const base = await served((request, response) => {
			if (request.url === '/log/a') response.writeHead(301, { location: '/b' }).end();
			else if (request.url === '/b') response.end('found');
			else response.writeHead(302, { location: '/again' }).end();
		});
		expect(String(Buffer.from((await urlSource(`${base}/log`, quick).read('a', 100)) ?? []))).toBe('found');
		await expect(urlSource(base, quick).read('loop', 100)).rejects.toThrow(/too often/);
	});

	it('that sends more than an object can have is cut off, compressed or not', async () => {
		const bomb = gzipSync(Buffer.alloc(50_000_000));
		const base = await served((request, response) => {
			if (request.url === '/bomb') response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
			else response.end(Buffer.alloc(1001));
		});
		await expect(urlSource(base, quick).read('bomb', 1000)).rejects.toThrow(Unverified);
		await expect(urlSource(base, quick).read('long', 1000)).rejects.toThrow(Unverified);
		expect(await urlSource(base, quick).read('long', 1001)).toHaveLength(1001);
	});

	it('that never answers, or never ends, or breaks off, could not be looked at', async () => {
		const base = await served((request, response) => {
			if (request.url === '/slow') response.writeHead(200).write('a little');
			if (request.url === '/broken') {
				response.writeHead(200, { 'content-length': '100' }).write('a little', () => response.destroy());
			}
		});
		for (const name of ['never', 'slow', 'broken']) {
			await expect(urlSource(base, { timeoutMs: 300, retryMs: 1 }).read(name, 1000)).rejects.toThrow(CannotVerify);
		}
	});

	it('is asked again after a failure that may pass, and not after another', async () => {
		const answers = [503, 429, 200];
		const base = await served((request, response) => {
			const status = request.url === '/passes' ? (answers.shift() ?? 200) : Number(request.url?.slice(1));
			response.writeHead(status).end('body');
		});
		const source = urlSource(base, quick);
		expect(await source.read('passes', 100)).toHaveLength(4);
		for (const absent of ['404', '410']) expect(await source.read(absent, 100)).toBeNull();
		for (const other of ['401', '403', '204', '206', '304', '500']) {
			await expect(source.read(other, 100), other).rejects.toThrow(CannotVerify);
		}
	});

	it('is verified, and told apart from one with a file gone', async () => {
		const files = new Map(log);
		const base = await served((request, response) => {
			const bytes = files.get((request.url ?? '').replace('/some/log/', ''));
			if (bytes === undefined) response.writeHead(404).end();
			else response.end(bytes);
		});
		const source = sourceOf(`${base}/some/log`);
		expect(await verifyLog(source, { keys })).toMatchObject({ checkpoint: { size: 600 }, archived: 0 });
		files.delete('tile/0/001');
		await expect(verifyLog(source, { keys })).rejects.toMatchObject({
			finding: { kind: 'missing', object: 'tile/0/001' },
		});
	});
});
