/** `/readyz` is open to everybody: how often it may be asked is not how often the ledger is read. */
import { Hono } from 'hono';
import { expect, it } from 'vitest';
import type { Platform } from '#core/context.ts';
import { serviceRoutes } from '#functions/api/service.ts';
import type { Env } from '#functions/env.ts';

/** The routes on a ledger that counts its reads, under a clock set by hand. */
function service() {
	const state = { now: Date.parse('2026-03-01T10:00:00.000Z'), reads: 0, down: false };
	const send = () => {
		state.reads += 1;
		return state.down ? Promise.reject(new Error('down')) : Promise.resolve({ Items: [] });
	};
	const platform = {
		config: { governance: 'governance', tables: { ledger: 'ledger' } },
		aws: { dynamodb: { send } },
		clock: () => new Date(state.now),
		warn: () => {},
	} as unknown as Platform;
	const app = new Hono<Env>();
	app.use(async (c, next) => {
		c.set('platform', platform);
		await next();
	});
	app.route('/', serviceRoutes());
	return { state, ask: async () => (await app.request('/readyz')).status };
}

it('reads the ledger once for all calls of two seconds, at once or one after another', async () => {
	const { state, ask } = service();
	expect(await Promise.all([ask(), ask(), ask()])).toEqual([200, 200, 200]);
	state.now += 1999;
	expect([await ask(), state.reads]).toEqual([200, 1]);
	state.now += 1;
	expect([await ask(), state.reads]).toEqual([200, 2]);
});

it('tells a failure and a recovery after two seconds, and keeps nothing when the clock is set back', async () => {
	const { state, ask } = service();
	await ask();
	state.down = true;
	state.now += 2000;
	expect([await ask(), await ask(), state.reads]).toEqual([503, 503, 2]);
	state.down = false;
	state.now -= 3_600_000;
	expect([await ask(), state.reads]).toEqual([200, 3]);
});
