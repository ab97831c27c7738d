/** Refusals after which the same call may run again under its key. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BrokerError } from '#core/error.ts';
import { after, type Desk, type Handler, instance, openDesk } from './desk.ts';

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
});

const newKey = () => {
	keys += 1;
	return `key-${keys}`;
};

const create: Handler = async (c) => {
	effects.push(await c.req.text());
	return c.json({ n: effects.length }, 201);
};

describe('a refusal that may pass, and that recorded nothing,', () => {
	test.each(['conflict', 'grant-not-proven', 'not-finished'] as const)('%s frees the key', async (code) => {
		const key = newKey();
		const handler: Handler = () => Promise.reject(new BrokerError(code, 'Not now.'));
		expect(await instance(desk.platform(), handler)({ key })).toMatchObject({ code });
		// A process whose clock is behind finds it free, too.
		const anew = await instance(desk.platform(), create, after(-5))({ key });
		expect([anew.status, anew.headers.has('idempotency-replayed')]).toEqual([201, false]);
		const again = await instance(desk.platform(), create, after(1))({ key });
		expect([again.text, again.headers.get('idempotency-replayed')]).toEqual([anew.text, 'true']);
		expect(effects).toHaveLength(1);
	});

	test('of 3 calls at once, still lets one run', async () => {
		const key = newKey();
		await instance(desk.platform(), () => Promise.reject(new BrokerError('conflict', 'No.')))({ key });
		const send = instance(desk.platform(), create);
		const codes = (await Promise.all([send({ key }), send({ key }), send({ key })])).map((a) => a.code);
		expect(effects).toHaveLength(1);
		expect(codes.filter((code) => code !== null && code !== 'in-flight')).toEqual([]);
	});
});
