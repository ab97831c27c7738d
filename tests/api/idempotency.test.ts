/** Idempotency-Key over HTTP: one effect in the ledger however often a call is sent, and the first answer each time. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer, Call } from '#local/story/client.ts';
import { principalOf } from '#local/story/world.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { anotherInstance } from '#tests/functions/instance.ts';
import { decision, file, get, grantTo, post, refused, requestBody, send } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;
beforeAll(async () => {
	test = await testBank();
});
afterAll(async () => {
	await test.close();
});

const keyed = (call: Call, key: string): Call => ({ ...call, headers: { ...call.headers, 'idempotency-key': key } });
const request = (more: Record<string, unknown> = {}) => post('alice', '/requests', requestBody(test.world, more));

/** Both answers are one: only what belongs to the second call itself may differ. */
function expectReplay(first: Answer, again: Answer): void {
	expect({ status: again.status, body: again.body }).toEqual({ status: first.status, body: first.body });
	for (const name of ['location', 'etag', 'content-type', 'retry-after']) {
		expect(again.headers.get(name)).toBe(first.headers.get(name));
	}
	expect(first.headers.has('idempotency-replayed')).toBe(false);
	expect(again.headers.get('idempotency-replayed')).toBe('true');
	expect(again.headers.get('x-request-id')).not.toBe(first.headers.get('x-request-id'));
	expect(again.headers.get('cache-control')).toBe('no-store');
}

describe('is refused, and leaves nothing behind:', () => {
	it('a key that is none', async () => {
		for (const key of ['a b', 'k'.repeat(256), '"open']) {
			await refused(test, keyed(request(), key), 400, 'bad-request');
		}
	});

	it('a key that was sent with another body, another query or another If-Match', async () => {
		const key = randomUUID();
		expect((await test.world.call(keyed(request(), key))).status).toBe(201);
		await refused(test, keyed(request({ duration: 'P2D' }), key), 422, 'idempotency-key-reused');
		const query = { ...request(), path: '/api/v1/requests?x=1' };
		await refused(test, keyed(query, key), 422, 'idempotency-key-reused');
		const matched = { ...request(), headers: { 'if-match': '"x"' } };
		await refused(test, keyed(matched, key), 422, 'idempotency-key-reused');
	});

	it('a call with a known key but without a valid token', async () => {
		const key = randomUUID();
		await test.world.call(keyed(request(), key));
		const headers = { 'content-type': 'application/json', 'idempotency-key': key };
		const body = JSON.stringify(requestBody(test.world));
		await refused(test, () => send(test, '/api/v1/requests', { method: 'POST', headers, body }), 401, 'invalid-token');
	});

	it('a call that is not valid, the second time as the first', async () => {
		const key = randomUUID();
		const call = keyed(request({ columns: 'x' }), key);
		const first = await test.world.call(call);
		await refused(test, call, 422, 'validation');
		expectReplay(first, await test.world.call(call));
	});
});

describe('takes effect once:', () => {
	it('a request that is filed again', async () => {
		const call = keyed(request(), randomUUID());
		const first = await test.world.call(call);
		expect(first.status).toBe(201);
		const entries = await ledgerSize(test.world);
		expectReplay(first, await test.world.call(call));
		expect(await ledgerSize(test.world)).toBe(entries);
	});

	it('a request that is filed twenty times at once', async () => {
		const call = keyed(request({ justification: 'Twenty at once' }), randomUUID());
		const answers = await Promise.all(Array.from({ length: 20 }, () => test.world.call(call)));
		const served = answers.filter((a) => a.status === 201);
		expect(new Set(served.map((a) => a.headers.get('location'))).size).toBe(1);
		const others = answers.filter((a) => a.status !== 201).map((a) => (a.body as { code: string }).code);
		expect(others.filter((code) => code !== 'in-flight')).toEqual([]);
		const { body } = await test.world.call(get('alice', '/requests?pageSize=100'));
		const { requests } = body as { requests: readonly { readonly id: string; readonly justification?: string }[] };
		expect(requests.filter((r) => r.justification === 'Twenty at once')).toHaveLength(1);
		expectReplay(served[0] as Answer, await test.world.call(call));
	});

	it('a decision that is sent again after it completed the route', async () => {
		const asked = await file(test.world, 'alice', requestBody(test.world));
		const call = keyed(decision('olga', asked), randomUUID());
		const first = await test.world.call(call);
		expect(first.status).toBe(201);
		const entries = await ledgerSize(test.world);
		const state = test.bank.aws.lakeFormationState();
		expectReplay(first, await test.world.call(call));
		expect(await ledgerSize(test.world)).toBe(entries);
		expect(test.bank.aws.lakeFormationState()).toEqual(state);
	});

	it('a query that is started again', async () => {
		await grantTo(test.world, 'alice', requestBody(test.world));
		const body = {
			sql: 'SELECT loan_id FROM lending.loans',
			principal: principalOf(test.world, 'risk', 'credit-risk'),
		};
		const call = keyed(post('alice', '/queries', body), randomUUID());
		const first = await test.world.call(call);
		expect(first.status).toBe(202);
		expectReplay(first, await test.world.call(call));
	});

	it('a call that reaches two processes', async () => {
		const token = await test.bank.issuer.token('alice');
		const sent = {
			token,
			method: 'POST',
			body: JSON.stringify(requestBody(test.world)),
			headers: { 'idempotency-key': randomUUID() },
		};
		const one = anotherInstance(test.bank, 1000);
		const two = anotherInstance(test.bank, 1000);
		const first = await one('/requests', sent);
		expect(first.status).toBe(201);
		const entries = await ledgerSize(test.world);
		const again = await two('/requests', sent);
		expect({ status: again.status, text: again.text }).toEqual({ status: 201, text: first.text });
		expect(again.headers.get('idempotency-replayed')).toBe('true');
		expect(await ledgerSize(test.world)).toBe(entries);
	});
});

describe('belongs to one caller:', () => {
	it('the key of somebody else gives nothing of his answer', async () => {
		const key = randomUUID();
		const first = await test.world.call(keyed(request(), key));
		const other = await test.world.call(keyed({ ...request(), who: 'olga' }, key));
		expect(other.headers.has('idempotency-replayed')).toBe(false);
		expect(JSON.stringify(other.body)).not.toContain((first.body as { id: string }).id);
	});

	it('his own shows nothing once he lost his role, and is whole again with it', async () => {
		const asked = await file(test.world, 'alice', requestBody(test.world));
		const call = keyed(decision('olga', asked), randomUUID());
		const first = await test.world.call(call);
		expect(first.status).toBe(201);
		await enrol(test, 'lending', { nick: ['owner'], olga: ['consumer'] });
		const problem = await refused(test, call, 409, 'outcome-unknown');
		expect(problem.detail).toContain('your roles');
		expect(JSON.stringify(problem)).not.toContain(asked.view.id);
		expect(JSON.stringify(problem)).not.toContain((first.body as { grant: { id: string } }).grant.id);
		await enrol(test, 'lending', { nick: ['consumer'], olga: ['owner'] });
		expectReplay(first, await test.world.call(call));
	});
});
