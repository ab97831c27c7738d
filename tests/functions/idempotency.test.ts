import { randomBytes } from 'node:crypto';
import { type AttributeValue, PutItemCommand } from '@aws-sdk/client-dynamodb';
import * as fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { BrokerError } from '#core/error.ts';
import { parseKey } from '#functions/idempotency/key.ts';
import { after, clientWith, type Desk, type Handler, instance, openDesk, outage, START } from './desk.ts';

let desk: Desk;
let effects: string[];
let keys = 0;
beforeAll(async () => {
	desk = await openDesk();
});
afterAll(async () => {
	await desk.close();
});
beforeEach(() => {
	effects = [];
	desk.warnings.length = 0;
});

const newKey = () => {
	keys += 1;
	return `key-${keys}`;
};

/** Takes effect each time that it runs, and answers differently each time. */
const create: Handler = async (c) => {
	effects.push(await c.req.text());
	const n = effects.length;
	return c.json({ n, from: await c.req.json() }, 201, {
		location: `/api/v1/things/${n}`,
		etag: `"${n}"`,
		'x-other': 'o',
	});
};

/** Runs until it is let go. */
function held() {
	let letGo = () => {};
	const gate = new Promise<void>((resolve) => {
		letGo = resolve;
	});
	let entered = () => {};
	const running = new Promise<void>((resolve) => {
		entered = resolve;
	});
	const handler: Handler = async (c) => {
		entered();
		await gate;
		return await create(c);
	};
	return { handler, running, letGo: () => letGo() };
}

const itemOf = async (before: readonly Record<string, AttributeValue>[]) => {
	const known = new Set(before.map((i) => i['pk']?.S));
	return (await desk.items()).filter((i) => !known.has(i['pk']?.S));
};

describe('a key', () => {
	it.each([
		['empty', ''],
		['too long', 'k'.repeat(256)],
		['with a space', 'a b'],
		['twice', 'one, two'],
		['with a control character', 'a\tb'],
		['beyond ASCII', 'schl\u00fcssel'],
		['not closed', '"a'],
		['quoted, and empty', '""'],
		['quoted, with a space', '"a b"'],
		['quoted, too long', `"${'k'.repeat(256)}"`],
		['quoted, with parameters', '"a";v=1'],
		['quoted, twice', '"a", "b"'],
		['quoted, with an unknown escape', '"a\\n"'],
	])('that is %s is refused: nothing runs, nothing is stored', async (_name, key) => {
		const before = await desk.items();
		expect(await instance(desk.platform(), create)({ key })).toMatchObject({ status: 400, code: 'bad-request' });
		expect(effects).toEqual([]);
		expect(await desk.items()).toEqual(before);
	});

	it('is the same bare and quoted, for every text of visible ASCII', () => {
		const visible = fc.integer({ min: 0x21, max: 0x7e }).map((n) => String.fromCharCode(n));
		const bare = fc.array(visible, { minLength: 1, maxLength: 255 }).map((all) => all.join(''));
		fc.assert(
			fc.property(bare, (key) => {
				const quoted = `"${key.replaceAll(/["\\]/g, '\\$&')}"`;
				expect(parseKey(quoted)).toBe(key);
				if (!key.startsWith('"')) expect(parseKey(key)).toBe(key);
			}),
		);
	});

	it('is taken in both forms for one call', async () => {
		const send = instance(desk.platform(), create);
		await send({ key: 'both-forms' });
		expect((await send({ key: '"both-forms"' })).headers.get('idempotency-replayed')).toBe('true');
		expect(effects).toHaveLength(1);
	});

	it.each([
		['body', { body: '{"b":1}' }, { body: '{"b": 1}' }],
		['content type', {}, { headers: { 'content-type': 'application/json; charset=utf-8' } }],
		['content encoding', {}, { headers: { 'content-encoding': 'gzip' } }],
		['If-Match', { headers: { 'if-match': '"1"' } }, { headers: { 'if-match': '"2"' } }],
		['query', {}, { path: '/api/v1/things?dryRun=true' }],
	])('does not serve a call with another %s', async (_name, first, second) => {
		const key = newKey();
		const send = instance(desk.platform(), create);
		expect((await send({ key, ...first })).status).toBe(201);
		expect(await send({ key, ...second })).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
		expect(effects).toHaveLength(1);
		expect((await send({ key, ...first })).headers.get('idempotency-replayed')).toBe('true');
	});

	it.each([
		['caller', { who: 'boris' }],
		['path', { path: '/api/v1/others' }],
	])('of another %s is another key', async (_name, more) => {
		const key = newKey();
		const send = instance(desk.platform(), create);
		const first = await send({ key });
		const other = await send({ key, ...more });
		expect(other.status).toBe(201);
		expect(other.text).not.toBe(first.text);
		expect(effects).toHaveLength(2);
	});

	it('has no meaning on a method that is not POST', async () => {
		const before = await desk.items();
		const send = instance(desk.platform(), (c) => c.json({}));
		for (const method of ['GET', 'PUT', 'PATCH']) expect((await send({ method, key: 'a b' })).status).toBe(200);
		expect(await desk.items()).toEqual(before);
	});

	it('is not needed: without one, each call takes effect', async () => {
		const before = await desk.items();
		const send = instance(desk.platform(), create);
		await send({});
		await send({});
		expect(effects).toHaveLength(2);
		expect(await desk.items()).toEqual(before);
	});
});

describe('a replay', () => {
	it('is the first answer byte for byte, from any instance, and runs nothing', async () => {
		const key = newKey();
		const first = await instance(desk.platform(), create)({ key, body: '{"text":"\u00e4\u2028"}' });
		const again = await instance(desk.platform(), create, after(5))({ key, body: '{"text":"\u00e4\u2028"}' });
		expect(effects).toHaveLength(1);
		expect({ status: again.status, text: again.text }).toEqual({ status: 201, text: first.text });
		for (const name of ['content-type', 'location', 'etag']) {
			expect(again.headers.get(name)).toBe(first.headers.get(name));
			expect(again.headers.get(name)).not.toBeNull();
		}
		expect(first.headers.has('idempotency-replayed')).toBe(false);
		expect(again.headers.get('idempotency-replayed')).toBe('true');
		expect(again.headers.has('x-other')).toBe(false);
	});

	it.each<[string, Handler]>([
		['a refusal', () => Promise.reject(new BrokerError('validation', 'No.', { errors: [] }))],
		[
			'a refusal of the same status as one that may pass',
			() => Promise.reject(new BrokerError('already-decided', 'No.')),
		],
		['an answer without a body', (c) => c.body(null, 204)],
		['bytes that are no text', (c) => c.body(new Uint8Array([0, 255, 128, 10]), 200, { 'content-type': 'x/y' })],
	])('keeps %s, too', async (_name, answer) => {
		const key = newKey();
		const handler: Handler = (c) => {
			effects.push('');
			return answer(c);
		};
		const first = await instance(desk.platform(), handler)({ key });
		const again = await instance(desk.platform(), handler, after(1))({ key });
		expect(effects).toHaveLength(1);
		expect({ ...again, headers: null }).toEqual({ ...first, headers: null });
		expect(again.headers.get('retry-after')).toBe(first.headers.get('retry-after'));
		expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
		expect(again.headers.get('idempotency-replayed')).toBe('true');
	});

	it('is given for 24 hours, whether or not DynamoDB has deleted the item; then the key is free', async () => {
		const key = newKey();
		const day = 24 * 60 * 60;
		await instance(desk.platform(), create)({ key });
		const last = await instance(desk.platform(), create, after(day - 1))({ key });
		expect(last.headers.get('idempotency-replayed')).toBe('true');
		expect(effects).toHaveLength(1);
		const anew = await instance(desk.platform(), create, after(day))({ key, body: '{"other":1}' });
		expect(anew.status).toBe(201);
		expect(effects).toHaveLength(2);
	});

	it('of an answer too large for an item is refused, with what is known of it', async () => {
		const key = newKey();
		const noise = randomBytes(450 * 1024);
		const handler: Handler = (c) => {
			effects.push('');
			return c.body(noise, 201, { location: '/api/v1/things/1', 'content-type': 'application/octet-stream' });
		};
		expect((await instance(desk.platform(), handler)({ key })).status).toBe(201);
		const again = await instance(desk.platform(), handler)({ key });
		expect(again).toMatchObject({ status: 409, code: 'outcome-unknown' });
		expect(JSON.parse(again.text)).toMatchObject({ firstStatus: 201, location: '/api/v1/things/1' });
		expect(effects).toHaveLength(1);
		expect(desk.warnings).toEqual([]);
	});

	it('of a large answer that deflates is given whole', async () => {
		const key = newKey();
		const handler: Handler = (c) => c.json({ text: 'lorem ipsum '.repeat(150_000) }, 201);
		const send = instance(desk.platform(), handler);
		const first = await send({ key });
		expect((await send({ key })).text).toBe(first.text);
	});
});

describe('of calls at once under one key', () => {
	test('exactly one runs; the others get its answer or are told that it is in flight', async () => {
		const key = newKey();
		const instances = [instance(desk.platform(), create), instance(desk.platform(), create)];
		const answers = await Promise.all(
			Array.from({ length: 20 }, (_, i) => (instances[i % 2] as (typeof instances)[0])({ key })),
		);
		expect(effects).toHaveLength(1);
		const served = answers.filter((a) => a.status === 201);
		expect(new Set(served.map((a) => a.text)).size).toBe(1);
		const others = answers.filter((a) => a.status !== 201);
		for (const other of others) expect(other).toMatchObject({ status: 409, code: 'in-flight' });
	});

	test('a second one is told when to ask again, and then gets the answer of the first', async () => {
		const key = newKey();
		const { handler, running, letGo } = held();
		const send = instance(desk.platform(), handler);
		const first = send({ key });
		await running;
		const second = await send({ key });
		expect(second).toMatchObject({ status: 409, code: 'in-flight' });
		expect(second.headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
		expect(await send({ key, body: '{"other":1}' })).toMatchObject({ status: 422, code: 'idempotency-key-reused' });
		letGo();
		const { text } = await first;
		expect((await send({ key })).text).toBe(text);
		expect(effects).toHaveLength(1);
	});
});

describe('a call whose outcome is unknown never runs again under its key', () => {
	test('when it died on the way: in flight for a minute, then unknown', async () => {
		const key = newKey();
		const { handler, running, letGo } = held();
		const dying = instance(desk.platform(), handler)({ key });
		await running;
		const send = (seconds: number) => instance(desk.platform(), create, after(seconds))({ key });
		expect(await send(60)).toMatchObject({ status: 409, code: 'in-flight' });
		const unknown = await send(61);
		expect(unknown).toMatchObject({ status: 409, code: 'outcome-unknown' });
		expect(unknown.text).toContain('new key');
		expect(effects).toEqual([]);
		letGo();
		await dying;
		expect((await send(62)).headers.get('idempotency-replayed')).toBe('true');
		expect(effects).toHaveLength(1);
	});

	test.each<[string, unknown, number]>([
		['a dependency failed', new BrokerError('unavailable', 'Later.'), 503],
		['a record was corrupt', new BrokerError('record-corrupt', 'Broken.'), 500],
		['something was thrown', new TypeError('x'), 500],
	])('when %s', async (_name, thrown, status) => {
		const key = newKey();
		const handler: Handler = (c) => {
			effects.push(c.req.path);
			throw thrown;
		};
		const first = await instance(desk.platform(), handler)({ key });
		expect([first.status, first.headers.has('retry-after')]).toEqual([status, false]);
		expect(await instance(desk.platform(), create)({ key })).toMatchObject({ status: 409, code: 'outcome-unknown' });
		expect(effects).toHaveLength(1);
	});

	test('when what was thrown is no error', async () => {
		const key = newKey();
		const handler: Handler = () => Promise.reject('x');
		await expect(instance(desk.platform(), handler)({ key })).rejects.toBe('x');
		expect(await instance(desk.platform(), create)({ key })).toMatchObject({ status: 409, code: 'outcome-unknown' });
		expect(effects).toEqual([]);
	});

	test('when its answer could not be stored; the caller gets that answer all the same', async () => {
		const key = newKey();
		const aws = clientWith(desk.dynamodb, (name, send) => (name === 'UpdateItemCommand' ? outage() : send()));
		expect((await instance(desk.platform({ aws }), create)({ key })).status).toBe(201);
		expect(desk.warnings).toHaveLength(1);
		const send = (seconds: number) => instance(desk.platform(), create, after(seconds))({ key });
		expect(await send(1)).toMatchObject({ status: 409, code: 'in-flight' });
		expect(await send(61)).toMatchObject({ status: 409, code: 'outcome-unknown' });
		expect(effects).toHaveLength(1);
	});

	test('when the secret that seals answers has changed', async () => {
		const key = newKey();
		await instance(desk.platform(), create)({ key });
		const { config } = desk.platform();
		const changed = desk.platform({ config: { ...config, cursorKey: Buffer.alloc(32, 8) } });
		expect(await instance(changed, create)({ key })).toMatchObject({ status: 409, code: 'outcome-unknown' });
		expect(effects).toHaveLength(1);
	});
});

describe('a store', () => {
	test.each([['PutItemCommand'], ['GetItemCommand']])(
		'that fails at %s refuses the call, which does not run',
		async (at) => {
			const key = newKey();
			await instance(desk.platform(), create)({ key });
			const aws = clientWith(desk.dynamodb, (name, send) => (name === at ? outage() : send()));
			const send = instance(desk.platform({ aws }), create);
			expect(await send({ key })).toMatchObject({ status: 503, code: 'unavailable' });
			expect(effects).toHaveLength(1);
		},
	);

	test('whose answer to the claim was lost does not make the call lock itself out', async () => {
		const key = newKey();
		const aws = clientWith(desk.dynamodb, async (name, send) => {
			if (name === 'PutItemCommand') await send();
			return send();
		});
		expect((await instance(desk.platform({ aws }), create)({ key })).status).toBe(201);
		expect(effects).toHaveLength(1);
	});

	test('holds nothing in clear: not the caller, the key, the path, the body or the answer', async () => {
		const before = await desk.items();
		const secrets = ['anna-of-lending', 'order-4711', 'things-of-anna', 'asked-for', 'answered-with'];
		const [who = '', key = '', path, asked, answered] = secrets;
		const handler: Handler = (c) => c.json({ answered }, 201);
		await instance(desk.platform(), handler)({ who, key, path: `/api/v1/${path}`, body: JSON.stringify({ asked }) });
		const items = await itemOf(before);
		expect(items).toHaveLength(1);
		const stored = Buffer.concat(
			Object.values(items[0] ?? {}).map((v) => Buffer.from(v.B ?? Buffer.from(v.S ?? v.N ?? ''))),
		);
		for (const secret of [...secrets, 'issuer.example']) expect(stored.includes(secret)).toBe(false);
		expect(Number(items[0]?.['expires']?.N)).toBe(START.getTime() / 1000 + 24 * 60 * 60);
	});

	test('that was tampered with gives no answer: each byte flipped, cut off, or taken from another item', async () => {
		const before = await desk.items();
		const [mine, theirs] = [newKey(), newKey()];
		const send = instance(desk.platform(), create);
		await send({ key: mine, body: '{"mine":1}' });
		const [own = {}] = await itemOf(before);
		await send({ key: theirs, who: 'boris', body: '{"mine":1}' });
		const other = (await itemOf(before)).find((i) => i['pk']?.S !== own['pk']?.S);
		const good = Buffer.from(own['answer']?.B ?? []);
		const flipped = [0, 12, 13, 28, good.length - 1].map((at) => {
			const copy = Buffer.from(good);
			copy.writeUInt8(copy.readUInt8(at) ^ 1, at);
			return copy;
		});
		const bad = [...flipped, good.subarray(0, 20), Buffer.from(other?.['answer']?.B ?? [])];
		for (const answer of bad) {
			const item = { ...own, answer: { B: answer } };
			await desk.dynamodb.send(new PutItemCommand({ TableName: 'calls', Item: item }));
			const again = await send({ key: mine, body: '{"mine":1}' });
			expect(again).toMatchObject({ status: 409, code: 'outcome-unknown' });
		}
		expect(effects).toHaveLength(2);
		expect(desk.warnings).toHaveLength(bad.length);
		await desk.dynamodb.send(new PutItemCommand({ TableName: 'calls', Item: own }));
		expect((await send({ key: mine, body: '{"mine":1}' })).status).toBe(201);
	});
});
