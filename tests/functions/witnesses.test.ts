/** The sealer's way to its witnesses: which settings it takes, and what an answer may do. */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from 'vitest';
import { sealingLog } from '#functions/sealer.ts';
import { witnessesOf } from '#functions/witnesses.ts';
import { logKey, vkey } from '#tests/verifier/reference.ts';
import { MAX_ANSWER_BYTES } from '#verifier/witness.ts';

const log = logKey('example.com/log');
const [w1, w2] = [logKey('witness.example/w1'), logKey('witness.example/w2')] as const;
const LOG = vkey(log);
const one = `https://w1.example/ ${vkey(w1, 4)}`;
const two = `${one} https://w2.example/prefix ${vkey(w2, 4)}`;

describe('the setting', () => {
	const again = { ...w1, name: 'witness.example/again' };
	const own = { ...log, name: 'witness.example/own' };
	it.each([
		['an address without a key', 'https://w1.example/', undefined],
		['a key without an address', vkey(w1, 4), undefined],
		['the key of a log', `https://w1.example/ ${vkey(w1)}`, undefined],
		['a key that is none', 'https://w1.example/ nonsense', undefined],
		['plain http to elsewhere', one.replace('https', 'http'), undefined],
		['plain http to what begins like this machine', `http://localhost.example/ ${vkey(w1, 4)}`, undefined],
		['another protocol', `file:///tmp ${vkey(w1, 4)}`, undefined],
		['a password', `https://me:secret@w1.example/ ${vkey(w1, 4)}`, undefined],
		['a query', `https://w1.example/?x ${vkey(w1, 4)}`, undefined],
		['a witness twice', `${one} ${one}`, undefined],
		['a witness twice under two names', `${one} https://w2.example ${vkey(again, 4)}`, undefined],
		['the log itself', `https://w1.example ${vkey(own, 4)}`, undefined],
		['a larger quorum than witnesses', one, 2],
		['a quorum without witnesses', '', 1],
		[
			'more than every reader takes',
			Array.from({ length: 16 }, (_, i) => `https://w ${vkey(logKey(`w${i}`), 4)}`).join(' '),
			1,
		],
	])('is refused with %s', (_, list, quorum) => {
		expect(() => witnessesOf(list, quorum, LOG)).toThrow(/^(must|has|not|the key)/);
	});

	it('asks for all of them, unless it says how many', () => {
		const counts = (list: string, quorum?: number) => {
			const { all, quorum: enough } = witnessesOf(list, quorum, LOG);
			return [all.length, enough];
		};
		expect([counts(''), counts(one), counts(` ${two}\n`), counts(two, 1), counts(two, 0)]).toEqual([
			[0, 0],
			[1, 1],
			[2, 2],
			[2, 1],
			[2, 0],
		]);
	});

	it('is named when it is wrong, without what it holds', () => {
		const env = {
			AWS_REGION: 'eu-central-1',
			FAIRLEAD_LEDGER_LOG: 'file:///tmp/log',
			FAIRLEAD_LEDGER_VKEY: LOG,
			FAIRLEAD_LEDGER_KEY: 'file:///tmp/key.pem',
		};
		expect(sealingLog(env).witnesses).toEqual({ all: [], quorum: 0 });
		const wrong = { ...env, FAIRLEAD_LEDGER_WITNESSES: 'https://me:secret@w1.example/ x' };
		expect(() => sealingLog(wrong)).toThrow(/^settings:\nFAIRLEAD_LEDGER_WITNESSES: (?!.*secret)/);
		for (const quorum of ['-1', '1.5', 'all', '1']) {
			expect(() => sealingLog({ ...env, FAIRLEAD_LEDGER_WITNESS_QUORUM: quorum })).toThrow(
				/^settings:\nFAIRLEAD_LEDGER_WITNESS/,
			);
		}
		const named = { ...env, FAIRLEAD_LEDGER_WITNESSES: two };
		expect(sealingLog(named).witnesses?.quorum).toBe(2);
		expect(sealingLog({ ...named, FAIRLEAD_LEDGER_WITNESS_QUORUM: '0' }).witnesses?.quorum).toBe(0);
		// Said, and not how many: that none need cosign is for somebody to say.
		for (const quorum of ['', ' ', '0x0', '-0', '0.0', '00']) {
			expect(() => sealingLog({ ...named, FAIRLEAD_LEDGER_WITNESS_QUORUM: quorum })).toThrow(
				/^settings:\nFAIRLEAD_LEDGER_WITNESS_QUORUM/,
			);
		}
	});
});

function* chunks() {
	for (;;) yield Buffer.alloc(MAX_ANSWER_BYTES);
}

describe('a request', () => {
	const closing: (() => void)[] = [];
	afterEach(() => {
		for (const close of closing.splice(0)) close();
	});
	async function asking(answer: RequestListener, path = '') {
		const server = createServer(answer);
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		closing.push(() => {
			server.closeAllConnections();
			server.close();
		});
		const { port } = server.address() as AddressInfo;
		const [witness] = witnessesOf(`http://127.0.0.1:${port}${path} ${vkey(w1, 4)}`, undefined, LOG).all;
		if (witness === undefined) throw new Error('no witness');
		return witness.ask('old 0\n\nnote');
	}

	it('is a POST below the address, and the answer comes whatever its status', async () => {
		const seen: unknown[] = [];
		for (const path of ['', '/', '/prefix', '/prefix/']) {
			const answer = await asking((request, response) => {
				seen.push(`${request.method} ${request.url}`);
				request.setEncoding('utf8').on('data', (body) => seen.push(body));
				request.on('end', () => response.writeHead(409).end('7\n'));
			}, path);
			expect(answer).toEqual({ status: 409, body: '7\n' });
		}
		const [plain, prefixed] = ['POST /add-checkpoint', 'POST /prefix/add-checkpoint'];
		const body = 'old 0\n\nnote';
		expect(seen).toEqual([plain, body, plain, body, prefixed, body, prefixed, body]);
	});

	it('follows no redirect', async () => {
		let asked = 0;
		const { status } = await asking((_, response) => {
			asked += 1;
			response.writeHead(308, { location: '/elsewhere' }).end();
		});
		expect([status, asked]).toEqual([308, 1]);
	});

	it('reads no more than a witness can have to say', async () => {
		const endless: RequestListener = (_, response) => {
			response.writeHead(200);
			Readable.from(chunks()).pipe(response);
		};
		await expect(asking(endless)).rejects.toThrow(/too long/);
	});

	it('fails where nobody answers, or the answer breaks off', async () => {
		await expect(asking((request) => request.socket.destroy())).rejects.toThrow();
		const cut: RequestListener = (_, response) => {
			response.writeHead(200, { 'content-length': 100 });
			response.write('half', () => response.destroy());
		};
		await expect(asking(cut)).rejects.toThrow();
	});

	it('is given up after a while', { timeout: 20_000 }, async () => {
		await expect(asking(() => {})).rejects.toMatchObject({ name: 'TimeoutError' });
	});
});
