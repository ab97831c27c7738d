/** Rate limits over HTTP: exact in one frozen minute, across processes, and never off because the store is. */
import { ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Platform } from '#core/context.ts';
import type { Handle } from '#local/people.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { clientWith, outage } from '#tests/functions/desk.ts';
import { anotherInstance } from '#tests/functions/instance.ts';
import { expectRefusal, get, send } from './harness.ts';

const LIMIT = 5;
const policy = `"default";q=${LIMIT};w=60`;

let test: TestBank;
let minutes = 0;
beforeAll(async () => {
	test = await testBank({ registered: false, settings: { FAIRLEAD_CALLS_PER_MINUTE: String(LIMIT) } });
});
afterAll(async () => {
	await test.close();
});

/** Two processes whose clocks stand in a minute that no other test counts in, and a token that is valid then. */
async function frozen(who: Handle, more: Partial<Platform> = {}) {
	const token = await test.bank.issuer.token(who);
	minutes += 1;
	const now = new Date((Math.floor(Date.now() / 60_000) + 2 * minutes) * 60_000 + 15_000);
	const at = (time: Date) => anotherInstance(test.bank, LIMIT, { ...more, clock: () => time });
	return { token, now, one: at(now), two: at(now), next: at(new Date(now.getTime() + 60_000)) };
}

async function ledger() {
	const { aws, config } = test.bank.platform;
	return (await aws.dynamodb.send(new ScanCommand({ TableName: config.tables.ledger }))).Items;
}

const left = (headers: Headers) => Number(/^"default";r=(\d+);t=\d+$/.exec(headers.get('ratelimit') ?? '')?.[1]);

describe('a caller who spent his calls', () => {
	it('is refused with the wait, and the call takes no effect', async () => {
		const { token, one, next } = await frozen('stella');
		for (let i = 0; i < LIMIT; i += 1) await one('/me', { token });
		const before = await ledger();
		const domain = JSON.stringify({ ...test.world.domains[0], id: undefined });
		const path = `/domains/${test.world.domains[0]?.id}`;
		const answer = await one(path, { token, method: 'PUT', body: domain });
		expect(answer).toMatchObject({ status: 429, code: 'rate-limited' });
		expect(answer.headers.get('content-type')).toBe('application/problem+json');
		expect(answer.headers.get('cache-control')).toBe('no-store');
		expect(answer.headers.get('retry-after')).toBe('45');
		expect(answer.headers.get('ratelimit')).toBe('"default";r=0;t=45');
		expect(answer.headers.get('ratelimit-policy')).toBe(policy);
		expect(await ledger()).toEqual(before);
		expect((await next('/me', { token })).status).toBe(200);
	});

	it('is refused before an idempotency key is taken, which is still free a minute later', async () => {
		const { token, one, next } = await frozen('stella');
		const call = { token, method: 'POST', body: '{}', headers: { 'idempotency-key': 'limited' } };
		for (let i = 0; i < LIMIT; i += 1) await one('/me', { token });
		expect(await one('/requests', call)).toMatchObject({ status: 429, code: 'rate-limited' });
		const first = await next('/requests', call);
		expect(first.status).toBe(422);
		expect(first.headers.has('idempotency-replayed')).toBe(false);
		expect((await next('/requests', call)).headers.get('idempotency-replayed')).toBe('true');
	});

	it('takes nothing from others', async () => {
		const { token, one } = await frozen('stella');
		for (let i = 0; i <= LIMIT; i += 1) await one('/me', { token });
		const other = await one('/me', { token: await test.bank.issuer.token('rita') });
		expect({ status: other.status, left: left(other.headers) }).toEqual({ status: 200, left: LIMIT - 1 });
	});
});

describe('the count', () => {
	it('is exact for calls at once in two processes', async () => {
		const { token, one, two } = await frozen('stella');
		const answers = await Promise.all(
			Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : two)('/me', { token })),
		);
		expect(answers.filter((a) => a.status === 200)).toHaveLength(LIMIT);
		expect(answers.filter((a) => a.code === 'rate-limited')).toHaveLength(20 - LIMIT);
	});

	it('refuses every call while the store does not answer', async () => {
		const real = test.bank.platform.aws;
		const down = clientWith(real.dynamodb, (name, call) => (name === 'UpdateItemCommand' ? outage() : call()));
		const { token, one } = await frozen('stella', { aws: { ...real, dynamodb: down.dynamodb } });
		expect(await one('/me', { token })).toMatchObject({ status: 503, code: 'unavailable' });
	});

	it('does not begin before the caller is known', async () => {
		const { token, one } = await frozen('stella');
		for (let i = 0; i <= LIMIT; i += 1) {
			const unknown = await one('/me', { token: `${token}x` });
			expect(unknown).toMatchObject({ status: 401, code: 'invalid-token' });
			expect(unknown.headers.has('ratelimit')).toBe(false);
		}
		expect(left((await one('/me', { token })).headers)).toBe(LIMIT - 1);
	});

	it('goes on over refusals, each of which tells what is left', async () => {
		const { token, one } = await frozen('stella');
		const answers = [
			await one('/nothing', { token }),
			await one('/requests', { token, method: 'POST', body: '{' }),
			await one('/requests/req_1', { token }),
			await one('/requests', { token, method: 'POST', body: '{}', headers: { 'idempotency-key': 'a b' } }),
		];
		expect(answers.map((a) => a.status >= 400)).toEqual([true, true, true, true]);
		expect(answers.map((a) => a.headers.get('ratelimit-policy'))).toEqual([policy, policy, policy, policy]);
		expect(answers.map((a) => left(a.headers))).toEqual([4, 3, 2, 1]);
	});
});

describe('the bank itself', () => {
	it('limits over HTTP, by the setting', async () => {
		// The minute may end among the calls: twice the limit and one more always meets it.
		for (let i = 0; i < 2 * LIMIT + 1; i += 1) {
			const answer = await test.world.call(get('alice', '/me'));
			expect(answer.headers.get('ratelimit-policy')).toBe(policy);
			if (answer.status !== 429) continue;
			expectRefusal(answer, 429, 'rate-limited');
			expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
			return;
		}
		expect.unreachable('never limited');
	});

	it('does not limit what needs no token', async () => {
		const answer = await send(test, '/healthz');
		expect(answer.status).toBe(200);
		expect(answer.headers.has('ratelimit')).toBe(false);
	});
});
