/** What one may not see answers like what does not exist; and bodies that are refused before anybody reads them. */
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Answer } from '#local/story/client.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { expectRefusal, file, get, grantTo, post, refused, requestBody, send } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
});

afterAll(() => test.close());

const body = (more: Record<string, unknown> = {}) => requestBody(test.world, more);
const same = (problem: object) => JSON.stringify({ ...problem, instance: '', traceId: '' });

describe('404, the same for absent and hidden', () => {
	it('a product, for somebody whom no domain registered: asked for, reported on, read', async () => {
		const calls = (product: string) => [
			post('nick', '/requests', body({ product })),
			post('nick', '/reports', { kind: 'flows', product }),
			get('nick', `/dataproducts/${product}`),
			get('nick', `/dataproducts/${product}/versions`),
		];
		const hidden = calls('lending.loans');
		for (const [i, call] of calls('lending.nosuch').entries()) {
			const absent = await refused(test, call, 404, 'not-found');
			expect(same(await refused(test, hidden[i] ?? call, 404, 'not-found'))).toBe(same(absent));
		}
	});

	it('a request and a grant, for people of other domains: read, decided, cancelled, revoked', async () => {
		const { view, etag } = await file(test.world, 'alice', body());
		const grant = await grantTo(test.world, 'alice', body());
		const zeros = '0'.repeat(26);
		const calls = (request: string, granted: string) =>
			(['mia', 'peter', 'stella', 'nick'] as const).flatMap((who) => [
				get(who, `/requests/${request}`),
				post(who, `/requests/${request}/decisions`, { verdict: 'approve' }, { 'if-match': etag }),
				post(who, `/requests/${request}/cancel`),
				get(who, `/grants/${granted}`),
				post(who, `/grants/${granted}/revoke`, { reason: 'x' }),
			]);
		const hidden = calls(view.id, grant.id);
		for (const [i, call] of calls(`req_${zeros}`, `grt_${zeros}`).entries()) {
			const absent = await refused(test, call, 404, 'not-found');
			expect(same(await refused(test, hidden[i] ?? call, 404, 'not-found'))).toBe(same(absent));
		}
	});

	it('a list: nobody learns from its pages that something was left out', async () => {
		await file(test.world, 'alice', body());
		for (const who of ['nick', 'mia', 'peter'] as const) {
			for (const list of ['requests', 'grants']) {
				const answer = await test.world.call(get(who, `/${list}?domain=lending&pageSize=1`));
				expect([who, answer.status, answer.body]).toEqual([who, 200, { [list]: [], nextPageToken: null }]);
			}
		}
	});

	it('an unknown address', async () => {
		await refused(test, get('alice', '/nosuch'), 404, 'not-found');
	});

	it('a principal, for somebody whom no domain registered', async () => {
		const query = (principal: string) =>
			post('nick', '/queries', { sql: 'SELECT loan_id FROM lending.loans', principal });
		const known = await test.world.call(query(body()['principal'] as string));
		const unknown = await test.world.call(query('arn:aws:iam::210000000004:role/nosuch'));
		expect([unknown.status, same(unknown.body as object)]).toEqual([known.status, same(known.body as object)]);
	});
});

/** On a connection of its own: the broker may answer before it has read everything, and hang up. */
async function sendLarge(text: string, headers: Record<string, string>, told: boolean): Promise<Answer> {
	const length = told ? { 'content-length': String(Buffer.byteLength(text)) } : { 'transfer-encoding': 'chunked' };
	const call = request(`${test.bank.api}/api/v1/requests`, {
		method: 'POST',
		headers: { ...headers, ...length },
		agent: false,
	});
	call.on('error', () => {});
	call.end(text);
	const [answer] = (await once(call, 'response')) as [IncomingMessage];
	const received = Buffer.concat((await answer.toArray()) as Buffer[]).toString('utf8');
	const names = Object.entries(answer.headers).map(([name, value]) => [name, String(value)] as [string, string]);
	return { status: answer.statusCode ?? 0, headers: new Headers(names), body: JSON.parse(received), curl: '' };
}

describe('bodies', () => {
	const headers = async (type = 'application/json') => ({
		authorization: `Bearer ${await test.bank.issuer.token('alice')}`,
		'content-type': type,
	});
	const paths = ['/api/v1/requests', '/api/v1/queries', '/api/v1/reports'];

	it.each(['{"product":', '{', "{'a':1}", '[1,]', 'NaN', '{"a":1}{"a":2}', '\0', 'product=lending.loans'])(
		'400 for the malformed JSON %j',
		async (text) => {
			for (const path of paths) {
				const call = async () => send(test, path, { method: 'POST', headers: await headers(), body: text });
				await refused(test, call, 400, 'bad-request');
			}
		},
	);

	it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/yaml', ''])(
		'415 for the type %j, though the text is right',
		async (type) => {
			const text = JSON.stringify(body());
			const call = async () => send(test, paths[0] ?? '', { method: 'POST', headers: await headers(type), body: text });
			await refused(test, call, 415, 'unsupported-media-type');
		},
	);

	it.each(['null', '[]', '7', '"text"', 'true', '{}'])('422 for the JSON %s', async (text) => {
		for (const path of paths) {
			const call = async () => send(test, path, { method: 'POST', headers: await headers(), body: text });
			await refused(test, call, 422, 'validation');
		}
	});

	it('413 over the limit, whether its length is told or not', async () => {
		const large = JSON.stringify(body({ justification: 'x'.repeat(1024 * 1024) }));
		for (const told of [true, false]) {
			await refused(test, async () => sendLarge(large, await headers(), told), 413, 'too-large');
		}
	});

	it('no answer is a 5xx for methods and addresses that are not ours', async () => {
		const token = await headers();
		for (const path of [
			'/api/v1/requests',
			'/api/v1/requests/%00',
			'/api/v1/requests/..%2fme',
			'/api/v1//me',
			'/%zz',
		]) {
			for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS', 'POST']) {
				const { status } = await send(test, path, { method, headers: token, body: '{}' });
				expect([path, method, status]).toEqual([path, method, expect.toSatisfy((s: number) => s >= 400 && s < 500)]);
			}
		}
	});
});

describe('members of two domains', () => {
	it('get 404 for the requests of one only once they have left it', async () => {
		const { view } = await file(test.world, 'alice', body());
		await enrol(test, 'lending', { olga: ['owner'], nick: ['owner'] });
		expect((await test.world.call(get('nick', `/requests/${view.id}`))).status).toBe(200);
		await enrol(test, 'lending', { olga: ['owner'] });
		expectRefusal(await test.world.call(get('nick', `/requests/${view.id}`)), 404, 'not-found');
	});
});
