import { UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import * as fc from 'fast-check';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Env } from '#functions/env.ts';
import { applyLimit, type Counted, makeCount } from '#functions/limits.ts';
import { problem } from '#functions/problem.ts';
import { after, begin, clientWith, type Desk, openDesk, outage, START } from './desk.ts';

let desk: Desk;
let callers = 0;
beforeAll(async () => {
	desk = await openDesk();
});
afterAll(async () => {
	await desk.close();
});

const newCaller = () => {
	callers += 1;
	return { issuer: 'https://issuer.example', subject: `subject-${callers}` };
};

describe('counting', () => {
	it('refuses the call when the store fails, and when it answers without a count', async () => {
		const down = clientWith(desk.dynamodb, outage);
		await expect(makeCount(desk.platform({ aws: down }), 5)(newCaller(), START)).rejects.toMatchObject({
			code: 'unavailable',
		});
		const mute = clientWith(desk.dynamodb, () => Promise.resolve({ Attributes: {} }));
		await expect(makeCount(desk.platform({ aws: mute }), 5)(newCaller(), START)).rejects.toMatchObject({
			code: 'unavailable',
		});
	});

	it('misses no call of many at once, in several processes', async () => {
		const caller = newCaller();
		const counts = [makeCount(desk.platform(), 10), makeCount(desk.platform(), 10)] as const;
		const all = await Promise.all(Array.from({ length: 30 }, (_, i) => counts[i % 2 === 0 ? 0 : 1](caller, START)));
		expect(all.map((c) => c.used).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, i) => i + 1));
		expect(all.filter((c) => c.used <= c.limit)).toHaveLength(10);
	});

	it('takes one round trip', async () => {
		const sent: string[] = [];
		const aws = clientWith(desk.dynamodb, (name, send) => {
			sent.push(name);
			return send();
		});
		const count = makeCount(desk.platform({ aws }), 5);
		const caller = newCaller();
		for (let i = 0; i < 7; i += 1) await count(caller, START);
		expect(sent).toEqual(Array.from({ length: 7 }, () => UpdateItemCommand.name));
	});

	it('begins again with each minute, and tells when', async () => {
		const count = makeCount(desk.platform(), 5);
		const caller = newCaller();
		expect(await count(caller, START)).toEqual({ limit: 5, used: 1, resetSeconds: 30 });
		expect(await count(caller, after(29.999))).toEqual({ limit: 5, used: 2, resetSeconds: 1 });
		expect(await count(caller, after(30))).toEqual({ limit: 5, used: 1, resetSeconds: 60 });
	});

	it('keeps callers apart, also those whose issuer and subject join to the same text', async () => {
		const count = makeCount(desk.platform(), 5);
		const pairs = [
			{ issuer: 'https://a', subject: 'b' },
			{ issuer: 'https://', subject: 'ab' },
			{ issuer: 'https://a","b', subject: '' },
		];
		for (const pair of pairs) expect((await count(pair, START)).used).toBe(1);
	});

	it('stores no identity, and an end for each counter that lies after its window', async () => {
		await makeCount(desk.platform(), 5)({ issuer: 'https://issuer.example', subject: 'anna' }, START);
		const items = await desk.items();
		expect(items.length).toBeGreaterThan(0);
		for (const item of items) {
			expect(Object.keys(item).toSorted()).toEqual(['expires', 'pk', 'used']);
			expect(item['pk']?.S).toMatch(/^limit#[\w-]{43}$/);
			expect(Number(item['expires']?.N)).toBeGreaterThan(START.getTime() / 1000);
		}
	});
});

describe('an answer', () => {
	const ask = async (counted: Counted) => {
		const app = new Hono<Env>();
		app.use(async (c, next) => {
			begin(c, 'request');
			applyLimit(c, counted);
			await next();
		});
		app.onError((error, c) => problem(c, error));
		app.get('/made', (c) => c.json({}));
		return await app.request('/made');
	};

	it('carries what is left, and a call too many is refused with the wait', async () => {
		const counted = fc.record({
			limit: fc.integer({ min: 1, max: 1e6 }),
			used: fc.integer({ min: 1, max: 2e6 }),
			resetSeconds: fc.integer({ min: 1, max: 60 }),
		});
		const edges = [5, 6].map((used) => [{ limit: 5, used, resetSeconds: 1 }] as [Counted]);
		await fc.assert(
			fc.asyncProperty(counted, async ({ limit, used, resetSeconds }) => {
				const answer = await ask({ limit, used, resetSeconds });
				const left = Math.max(limit - used, 0);
				expect(answer.headers.get('ratelimit-policy')).toBe(`"default";q=${limit};w=60`);
				expect(answer.headers.get('ratelimit')).toBe(`"default";r=${left};t=${resetSeconds}`);
				expect(answer.status).toBe(used <= limit ? 200 : 429);
				expect(answer.headers.get('retry-after')).toBe(used <= limit ? null : String(resetSeconds));
				if (used > limit) expect(await answer.json()).toMatchObject({ code: 'rate-limited', status: 429 });
			}),
			{ examples: edges },
		);
	});
});
