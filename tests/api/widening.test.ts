/** Rows that only Lake Formation's filter holds: a grant for somebody else on the same principal must not widen them. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type TestBank, testBank } from '../fixtures.ts';
import { finished, get, grantTo, requestBody } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
	await enrol(test, 'risk', { alice: ['consumer'], nick: ['consumer'] });
});

afterAll(() => test.close());

const cells = (rowFilter: string) =>
	requestBody(test.world, { tables: [{ table: 'loans', columns: ['loan_id', 'amount'], rowFilter }] });

it('a result is not served once the entitlement changed under it, nor is the query run again', async () => {
	await grantTo(test.world, 'alice', cells("status = 'B'"));
	const sql = 'SELECT loan_id FROM lending.loans';
	const query = await finished(test.world, 'alice', sql);
	const results = get('alice', `/queries/${query.id}/results`);
	expect((await test.world.call(results)).status).toBe(200);
	await grantTo(test.world, 'nick', cells("status = 'D'"));
	const after = await test.world.call(results);
	expect([after.status, (after.body as { code: string }).code]).toEqual([403, 'grant-not-proven']);
	const { principal } = requestBody(test.world, {}) as { principal: string };
	const again = { who: 'alice' as const, method: 'POST' as const, path: '/api/v1/queries', body: { sql, principal } };
	expect((await test.world.call(again)).status).toBe(403);
});
