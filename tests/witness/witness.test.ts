/** A witness over HTTP: statuses and types as C2SP tlog-witness has them, and nothing signed that is not kept. */
import { createHash } from 'node:crypto';
import { request as send } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { logKey, signed, signedCheckpoint } from '#tests/verifier/reference.ts';
import { verifierKey, verifyNote } from '#verifier/note.ts';
import { cosignatureIn, MAX_REQUEST_BYTES } from '#verifier/witness.ts';
import { REPEAT_SECONDS, seenIn } from '#witness/decide.ts';
import { serve } from '#witness/server.ts';
import { respond, StateMissing, type Witness } from '#witness/witness.ts';
import { logOf, makeWitness, memoryStore, ORIGIN, requestOf } from './arrange.ts';

const key = logKey(ORIGIN);
const log = logOf(key);
const fork = logOf(key, 40, 'another');
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});

const ask = (witness: Witness, body: string, method = 'POST', path = '/add-checkpoint') =>
	respond(witness, { method, path, body: Buffer.from(body) });

async function over(witness: Witness) {
	const { port, close } = await serve(witness, { host: '127.0.0.1', port: 0 });
	closing.push(close);
	return async (path: string, init: RequestInit) => {
		const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
		return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
	};
}

describe('over HTTP', () => {
	it('each answer has its status and its type', async () => {
		const { witness, clock } = makeWitness([key]);
		const call = await over(witness);
		const post = (body: string) => call('/add-checkpoint', { method: 'POST', body });
		const wKey = verifierKey(witness.vkey);
		expect((await post('nonsense')).status).toBe(400);
		expect((await post(requestOf(0, [], signedCheckpoint(logKey('b'), 5, log.tree.root(5))))).status).toBe(404);
		expect((await post(log.request(0, 5).replace('\n5\n', '\n6\n'))).status).toBe(403);
		const first = await post(log.request(0, 5));
		expect([first.status, first.type]).toEqual([200, 'text/plain; charset=utf-8']);
		expect(cosignatureIn(first.body, seenIn(log.checkpoint(5)).text, wKey).time).toBe(clock.now / 1000);
		expect(await post(log.request(0, 9))).toEqual({ status: 409, type: 'text/x.tlog.size', body: '5\n' });
		expect((await post(requestOf(5, [], log.checkpoint(9)))).status).toBe(422);
		expect((await post(log.request(5, 9))).status).toBe(200);
		expect((await call('/add-checkpoint', { method: 'GET' })).status).toBe(405);
		expect((await call('/', { method: 'GET' })).status).toBe(404);
		expect((await call('/sign-subtree', { method: 'POST', body: '' })).status).toBe(404);
	});

	it('a request of any length takes no more memory than one can need', async () => {
		const { witness } = makeWitness([key]);
		const { port, close } = await serve(witness, { host: '127.0.0.1', port: 0 });
		closing.push(close);
		const status = await new Promise((resolve, reject) => {
			const call = send({ port, host: '127.0.0.1', method: 'POST', path: '/add-checkpoint' }, (answer) => {
				resolve(answer.statusCode);
				call.destroy();
			});
			call.on('error', reject);
			// It never ends; what is too long is answered before.
			call.write(Buffer.alloc(MAX_REQUEST_BYTES + 1));
		});
		expect(status).toBe(413);
	});

	it.each([
		['nothing', ''],
		['half of a head', 'POST /add-checkpoint HTTP/1.1\r\nhost: w\r\nx-slow: '],
		['half of a body', 'POST /add-checkpoint HTTP/1.1\r\nhost: w\r\ncontent-length: 100\r\n\r\nold 0\n'],
	])('whoever sends %s, and then nothing, is cut off', async (_, begin) => {
		const { witness } = makeWitness([key]);
		const { port, close } = await serve(witness, { host: '127.0.0.1', port: 0, requestMs: 20 });
		closing.push(close);
		const answer = await new Promise<string>((resolve, reject) => {
			const socket = connect(port, '127.0.0.1', () => socket.write(begin));
			const chunks: Buffer[] = [];
			socket.on('data', (chunk) => chunks.push(chunk));
			socket.on('error', reject);
			socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
		});
		expect(answer).toMatch(/^HTTP\/1\.1 408 /);
	});

	it('monitors find the last checkpoint, with the signature of the log and the cosignature that was given', async () => {
		const { witness, clock } = makeWitness([key]);
		const call = await over(witness);
		const path = `/${createHash('sha256').update(ORIGIN).digest('hex')}/checkpoint`;
		expect((await call(path, { method: 'GET' })).status).toBe(404);
		expect((await call(`/${'0'.repeat(64)}/checkpoint`, { method: 'GET' })).status).toBe(404);
		const { body: line } = await call('/add-checkpoint', { method: 'POST', body: log.request(0, 5) });
		clock.now += 60_000;
		// Another process than the one that cosigned makes the same line again.
		const again = await over({ ...witness });
		for (const one of [call, again]) expect((await one(path, { method: 'GET' })).body).toBe(log.checkpoint(5) + line);
	});
});

describe('nothing is cosigned', () => {
	it('that was not kept before', async () => {
		const calls: string[] = [];
		const { store, all } = memoryStore();
		const { witness } = makeWitness([key], {
			store: {
				read: store.read,
				replace: async (...given) => {
					calls.push('kept');
					return store.replace(...given);
				},
			},
		});
		const sign = async (message: Uint8Array) => {
			calls.push(`signed, with ${all.size} kept`);
			return witness.sign(message);
		};
		await ask({ ...witness, sign }, log.request(0, 5));
		expect(calls).toEqual(['kept', 'signed, with 1 kept']);
	});

	it('where it cannot be kept, and then nothing is', async () => {
		const signs: unknown[] = [];
		const failing = { read: async () => null, replace: () => Promise.reject(new Error('the disk')) };
		const { witness, told } = makeWitness([key], { store: failing, sign: async (m) => (signs.push(m), m) });
		expect((await ask(witness, log.request(0, 5))).status).toBe(500);
		expect([signs, told]).toEqual([[], [{ message: 'witness: a request failed', error: 'Error' }]]);
	});

	it('by another key than the one that is named', async () => {
		const { witness } = makeWitness([key]);
		const { witness: another } = makeWitness([key]);
		expect((await ask({ ...witness, sign: another.sign }, log.request(0, 5))).status).toBe(500);
		expect((await ask({ ...witness, sign: async () => new Uint8Array() }, log.request(5, 5))).status).toBe(500);
	});

	it('of two requests at once that fit the same state, but one: the other is told of the new size', async () => {
		for (const [a, b] of [
			[7, 9],
			[9, 7],
		] as const) {
			const held: (() => void)[] = [];
			const { store } = memoryStore(() => new Promise((resolve) => held.push(resolve)));
			const { witness } = makeWitness([key], { store });
			const first = ask(witness, log.request(0, a));
			const second = ask(witness, log.request(0, b));
			// Both have looked at what is kept before either keeps anything.
			while (held.length < 2) await new Promise((resolve) => setImmediate(resolve));
			for (const go of held.splice(0)) go();
			expect((await first).status).toBe(200);
			expect(await second).toEqual({ status: 409, type: 'text/x.tlog.size', body: `${a}\n` });
		}
	});

	it('of a state that never stands still', async () => {
		const { store } = memoryStore();
		const { witness } = makeWitness([key], { store: { ...store, replace: async () => false } });
		expect((await ask(witness, log.request(0, 5))).status).toBe(503);
	});

	it('again with an earlier time, when the clock goes back', async () => {
		const { witness, clock } = makeWitness([key]);
		const timeOf = async (old: number, size: number) => {
			const { body } = await ask(witness, log.request(old, size));
			return cosignatureIn(body, seenIn(log.checkpoint(size)).text, verifierKey(witness.vkey)).time;
		};
		const first = await timeOf(0, 5);
		clock.now -= 3_600_000;
		expect([await timeOf(5, 5), await timeOf(5, 9)]).toEqual([first, first]);
	});
});

describe('it is told', () => {
	it('when a log signs two trees of one size, with both of them', async () => {
		const { witness, told } = makeWitness([key]);
		await ask(witness, log.request(0, 5));
		expect((await ask(witness, fork.request(5, 5))).status).toBe(422);
		expect((await ask(witness, fork.request(0, 5))).status).toBe(409);
		const notice = { kind: 'forked', origin: ORIGIN, size: 5, note: fork.checkpoint(5), kept: log.checkpoint(5) };
		const message = 'witness: ALARM: a log signed two trees of one size';
		expect(told).toEqual([
			{ message, ...notice },
			{ message, ...notice },
		]);
		for (const note of [told[0]?.['note'], told[0]?.['kept']]) {
			expect(verifyNote(String(note), witness.logs.get(ORIGIN) ?? []).text).toContain('\n5\n');
		}
	});

	it('in words of another kind, and not of an alarm, when somebody sends a note of the log with a wrong proof', async () => {
		const { witness, told } = makeWitness([key]);
		await ask(witness, log.request(0, 5));
		// What the log published, by whoever has it.
		for (const proof of [[], log.proof(4, 9)]) {
			expect((await ask(witness, requestOf(5, proof, log.checkpoint(9)))).status).toBe(422);
		}
		expect((await ask(witness, requestOf(5, log.proof(5, 9), log.checkpoint(5)))).status).toBe(422);
		expect(told.map(({ message, kind, size }) => [message, kind, size])).toEqual([
			['witness: a checkpoint was not shown to go on from the last one', 'inconsistent', 9],
			['witness: a checkpoint was not shown to go on from the last one', 'inconsistent', 9],
			['witness: a checkpoint was not shown to go on from the last one', 'inconsistent', 5],
		]);
		expect(JSON.stringify(told)).not.toContain('ALARM');
	});

	it('when a log does not go on from what was cosigned, and not of anything that a stranger sends', async () => {
		const { witness, told } = makeWitness([key]);
		await ask(witness, log.request(0, 5));
		const text = seenIn(fork.checkpoint(9)).text;
		await ask(witness, requestOf(5, [], `${text}\n${signed(logKey(ORIGIN), text)}`));
		await ask(witness, 'nonsense');
		expect(told).toEqual([]);
		await ask(witness, fork.request(5, 9));
		expect(told).toMatchObject([{ kind: 'inconsistent', size: 9, note: fork.checkpoint(9), kept: log.checkpoint(5) }]);
	});

	it('what to do, when what it saw is not there any more', async () => {
		const store = { ...memoryStore().store, read: () => Promise.reject(new StateMissing('bring it back')) };
		const { witness, told } = makeWitness([key], { store });
		expect(await ask(witness, log.request(0, 5))).toMatchObject({ status: 500, body: 'the witness failed\n' });
		expect(told).toEqual([{ message: 'witness: a request failed', error: 'StateMissing', why: 'bring it back' }]);
	});
});

describe('a checkpoint that is sent again and again', () => {
	/** How often the witness kept something, and signed. */
	function counted() {
		const { store } = memoryStore();
		const counts = { kept: 0, signed: 0 };
		const made = makeWitness([key], {
			store: { read: store.read, replace: async (...of) => ((counts.kept += 1), store.replace(...of)) },
		});
		const { sign } = made.witness;
		const witness = { ...made.witness, sign: async (m: Uint8Array) => ((counts.signed += 1), sign(m)) };
		return { ...made, witness, counts };
	}

	it('is neither kept nor signed again for a while, and the answer is the same', async () => {
		const { witness, clock, counts } = counted();
		const first = await ask(witness, log.request(0, 5));
		for (let i = 0; i < 50; i++) {
			expect(await ask(witness, log.request(5, 5))).toEqual(first);
			clock.now += ((REPEAT_SECONDS - 1) * 1000) / 50;
		}
		expect([first.status, counts]).toEqual([200, { kept: 1, signed: 1 }]);
		clock.now += 1000;
		const later = await ask(witness, log.request(5, 5));
		const { time } = cosignatureIn(later.body, seenIn(log.checkpoint(5)).text, verifierKey(witness.vkey));
		expect([time, counts]).toEqual([Math.floor(clock.now / 1000), { kept: 2, signed: 2 }]);
	});

	it('does not keep the log from going on', async () => {
		const { store } = memoryStore();
		const { witness, clock } = makeWitness([key], { store });
		await ask(witness, log.request(0, 5));
		// Whenever the log's own request has looked at what is kept, another one comes in between.
		const read = async (origin: string) => {
			const kept = await store.read(origin);
			clock.now += 1000;
			expect((await ask(witness, log.request(5, 5))).status).toBe(200);
			return kept;
		};
		expect((await ask({ ...witness, store: { ...store, read } }, log.request(5, 9))).status).toBe(200);
	});

	it('is signed again by a process that has not signed it, as it was', async () => {
		const { witness, clock } = counted();
		const first = await ask(witness, log.request(0, 5));
		clock.now += 3000;
		expect(await ask({ ...witness }, log.request(5, 5))).toEqual(first);
	});
});
