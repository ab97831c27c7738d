/**
 * The log of refusals (story.test.ts looks at that of a whole story): one line per request, each of a closed form, and
 * in none of them a token, a row value, an SQL literal, a name or anything else that a caller sent.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { principalOf } from '#local/story/world.ts';
import { get, grantTo, post, requestBody, send } from './api/harness.ts';
import { type TestBank, testBank } from './fixtures.ts';
import { leaksOf, parseLog, readLog } from './log.ts';

const SECRET = 'Zq7xSecret';
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

let test: TestBank;
/** Ids of the calls made here, in order. */
const requests: string[] = [];
let lines: string[];

async function refusals(): Promise<void> {
	const { world } = test;
	const call = async (...args: Parameters<typeof world.call>) => {
		const answer = await world.call(...args);
		requests.push(answer.headers.get('x-request-id') ?? '');
		return answer;
	};
	const plain = async (...args: [string, Parameters<typeof send>[2]?]) => {
		requests.push((await send(test, ...args)).headers.get('x-request-id') ?? '');
	};
	const principal = principalOf(world, 'risk', 'credit-risk');
	const bearer = { authorization: `Bearer ${await test.bank.issuer.token('alice')}` };
	await plain(`/api/v1/${SECRET}`, { headers: { authorization: `Bearer ${SECRET}.${SECRET}.${SECRET}` } });
	await plain(`/${SECRET}?${SECRET}=${SECRET}`);
	await plain(`/api/v1/dataproducts/${SECRET}?${SECRET}`, { headers: { ...bearer, traceparent: SECRET } });
	await plain('/api/v1/requests', { method: 'POST', headers: { ...bearer, 'content-type': SECRET }, body: SECRET });
	await plain('/api/v1/me', { headers: { ...bearer, 'x-request-id': SECRET, 'user-agent': SECRET } });
	await call(post('alice', '/requests', requestBody(world, { justification: SECRET, purpose: 'no-such' })));
	await call(post('alice', '/requests', requestBody(world, { [SECRET]: SECRET })));
	const rowFilter = `status = '${SECRET}' OR ${SECRET} = 1`;
	await call(
		post('alice', '/requests', requestBody(world, { tables: [{ table: 'loans', columns: ['loan_id'], rowFilter }] })),
	);
	for (const sql of [`SELECT '${SECRET}`, `SELECT ${SECRET} FROM lending.loans`, `SELECT * FROM ${SECRET}.${SECRET}`]) {
		await call(post('alice', '/queries', { sql, principal }));
	}
	// Fails in the engine, whose message quotes the value.
	const failing = `SELECT CAST('${SECRET}' AS bigint) FROM lending.loans`;
	const query = await call(post('alice', '/queries', { sql: failing, principal }));
	await call(get('alice', `/queries/${(query.body as { id: string }).id}`));
	await call(get('mia', `/queries/${(query.body as { id: string }).id}`));
	await call({ who: 'olga', method: 'PUT', path: '/api/v1/dataproducts/lending.loans', body: `a: ${SECRET}\nb: [` });
	await call(get('nick', '/dataproducts'));
}

beforeAll(async () => {
	test = await testBank();
	await grantTo(test.world, 'alice', requestBody(test.world));
	await refusals();
	lines = readLog(test.bank);
});

afterAll(() => test.close());

describe('the log', () => {
	it('has one line per request, and nothing but a closed form', async () => {
		const parsed = await parseLog(lines);
		const ids = parsed.flatMap((line) => ('request' in line ? [line.request] : []));
		expect(new Set(ids).size).toBe(ids.length);
		expect(requests.filter((id) => ids.filter((other) => other === id).length !== 1)).toEqual([]);
	});

	it('says who, what and how it ended', () => {
		const find = (part: Record<string, unknown>) =>
			lines
				.map((l) => JSON.parse(l) as Record<string, unknown>)
				.filter((l) => Object.entries(part).every(([k, v]) => l[k] === v));
		expect(find({ route: '/api/v1/queries', method: 'POST', status: 202 })[0]).toMatchObject({
			caller: expect.stringMatching(/^per_/),
		});
		expect(find({ code: 'invalid-token', caller: null }).length).toBeGreaterThan(0);
		expect(find({ code: 'sql-syntax', status: 422 })).toHaveLength(1);
		expect(find({ route: '/*', code: 'not-found', caller: null })).toHaveLength(1);
	});

	it('holds nothing that a caller sent, no token, no name, no literal, no value of a row', async () => {
		expect(await leaksOf(lines, test.world, [SECRET, 'Review'])).toEqual([]);
	});

	it('would be found to leak, if it did', async () => {
		const line = JSON.stringify({ ...JSON.parse(lines[0] ?? '{}'), route: `/${SECRET}/Novak` });
		expect(await leaksOf([line], test.world, [SECRET])).toEqual(['Novak', SECRET]);
		await expect(parseLog([line])).rejects.toThrow();
	});

	it('carries the trace of the caller', async () => {
		const headers = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` };
		await send(test, '/healthz', { headers });
		expect(JSON.parse(readLog(test.bank).at(-1) ?? '{}')).toMatchObject({
			route: '/healthz',
			trace: TRACE,
			status: 200,
		});
	});
});
