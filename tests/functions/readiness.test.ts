/**
 * `/readyz` is open to everybody: how often it may be asked is not how often the ledger is read. And it says what a call
 * would meet: rules that can be evaluated, not rules that were loaded once.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Hono } from 'hono';
import { expect, it } from 'vitest';
import type { Platform, PolicySet } from '#core/context.ts';
import { loadPolicies } from '#core/policy.ts';
import { serviceRoutes } from '#functions/api/service.ts';
import type { Env } from '#functions/env.ts';
import { schema, texts } from '#tests/policy/cases.ts';

const rules = loadPolicies(schema, texts);

/** The routes on a ledger that counts its reads, under a clock set by hand. */
function service(policies: PolicySet = rules) {
	const state = { now: Date.parse('2026-03-01T10:00:00.000Z'), reads: 0, down: false };
	const send = () => {
		state.reads += 1;
		return state.down ? Promise.reject(new Error('down')) : Promise.resolve({ Items: [] });
	};
	const platform = {
		config: { governance: 'governance', tables: { ledger: 'ledger' } },
		aws: { dynamodb: { send } },
		policies,
		clock: () => new Date(state.now),
		warn: () => {},
	} as unknown as Platform;
	const app = new Hono<Env>();
	app.use(async (c, next) => {
		c.set('platform', platform);
		await next();
	});
	app.route('/', serviceRoutes());
	const checks = async () => ((await (await app.request('/readyz')).json()) as { checks: unknown }).checks;
	return { state, checks, ask: async () => (await app.request('/readyz')).status };
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

it('is ready on a set that goes on in place of a broken one, and says so', async () => {
	const { ask, checks } = service({ ...rules, stale: true });
	expect([await ask(), await checks()]).toEqual([200, { policies: 'stale', ledger: 'ok' }]);
});

it('is not ready where the rules cannot be evaluated, stale or not', async () => {
	const overflows = 'forbid (principal, action, resource) when { 9223372036854775807 + 1 > 0 };';
	const set = loadPolicies(schema, { ...texts, overflows });
	for (const stale of [false, true]) {
		const { ask, checks } = service({ ...set, stale });
		expect([await ask(), await checks()]).toEqual([503, { policies: 'failed', ledger: 'ok' }]);
	}
});

it('is not ready from the moment at which the engine trapped, and whatever it throws is a refusal', () => {
	const script = fileURLToPath(new URL('./trap.ts', import.meta.url));
	const told: unknown = JSON.parse(execFileSync(process.execPath, ['--import', 'tsx', script], { encoding: 'utf8' }));
	expect(told).toEqual({ before: true, afterOne: false, codes: ['internal'], after: false });
}, 60_000);
