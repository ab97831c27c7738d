/** The Lambda entries, driven as AWS drives them: built from the environment, called with API Gateway v2 events. */
import { readFileSync } from 'node:fs';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Swept } from '#core/sweep.ts';
import { fetchable } from '#functions/lambda.ts';
import { people } from '#local/people.ts';
import { grantTo, requestBody } from './api/harness.ts';
import { check } from './conformance/check.ts';
import { inLakeFormation, ledgerSize, type TestBank, testBank } from './fixtures.ts';

type Invoke = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

let test: TestBank;
let api: Invoke;
let sweep: () => Promise<Swept>;
const before = { ...process.env };

/** The settings of a deployed function, for the bank that this test has. */
function environment({ bank }: TestBank): Record<string, string> {
	return {
		...bank.settings,
		FAIRLEAD_URL: 'https://fairlead.example',
		FAIRLEAD_LOG_FILE: `${bank.dataDir}/lambda.log`,
	};
}

beforeAll(async () => {
	test = await testBank();
	Object.assign(process.env, environment(test));
	api = (await import('#functions/api.ts')).handler as unknown as Invoke;
	sweep = (await import('#functions/sweep.ts')).handler;
});

afterAll(async () => {
	process.env = before;
	await test.close();
});

type Sent = { method?: string; query?: string; headers?: Record<string, string>; body?: string; base64?: boolean };

/** Payload format 2.0 of an HTTP API (API Gateway Developer Guide, "Lambda proxy integrations"). */
function event(rawPath: string, { method = 'GET', query = '', headers = {}, body, base64 = false }: Sent = {}) {
	const host = 'abc123.execute-api.eu-central-1.amazonaws.com';
	return {
		version: '2.0',
		routeKey: '$default',
		rawPath,
		rawQueryString: query,
		headers: { host, 'x-forwarded-proto': 'https', ...headers },
		requestContext: {
			accountId: '210000000000',
			apiId: 'abc123',
			domainName: host,
			domainPrefix: 'abc123',
			http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'test' },
			requestId: 'JKJaXmPLvHcESHA=',
			routeKey: '$default',
			stage: '$default',
			time: '01/Mar/2026:12:00:00 +0000',
			timeEpoch: 1_772_366_400_000,
		},
		...(body === undefined ? {} : { body: base64 ? Buffer.from(body).toString('base64') : body }),
		isBase64Encoded: base64,
	} satisfies APIGatewayProxyEventV2;
}

async function invoke(path: string, sent?: Sent) {
	const { statusCode, headers = {}, body = '', isBase64Encoded } = await api(event(path, sent));
	const text = isBase64Encoded === true ? Buffer.from(body, 'base64').toString('utf8') : body;
	const given = new Headers(Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]));
	const method = sent?.method ?? 'GET';
	const { faults } = await check({ method, url: path, status: statusCode ?? 0, headers: given, body: text });
	expect(path === '/openapi.json' ? [] : faults).toEqual([]);
	return { status: statusCode, headers, body: JSON.parse(text) as Record<string, unknown> };
}

const as = async (who: keyof typeof people) => ({
	authorization: `Bearer ${await test.bank.issuer.token(who)}`,
	'content-type': 'application/json',
});

describe('api', () => {
	it('401 without a token, as a problem with its challenge', async () => {
		const { status, headers, body } = await invoke('/api/v1/me');
		expect([status, body['code']]).toEqual([401, 'invalid-token']);
		expect(headers['content-type']).toBe('application/problem+json');
		expect(headers['www-authenticate']).toMatch(/^Bearer/);
	});

	it('401 for claims that an authorizer in front would have passed on: only the token counts', async () => {
		const claimed = event('/api/v1/me');
		const authorizer = { jwt: { claims: { iss: test.bank.issuer.issuer, sub: people.stella.subject }, scopes: [] } };
		const { statusCode } = await api({
			...claimed,
			requestContext: { ...claimed.requestContext, authorizer },
		} as never);
		expect(statusCode).toBe(401);
	});

	it('400, 415 and 422 for bodies that are none; nothing is stored', async () => {
		const size = await ledgerSize(test.world);
		const headers = await as('alice');
		const post = (body: string | undefined, more: Sent = {}) =>
			invoke('/api/v1/requests', { method: 'POST', headers, ...(body === undefined ? {} : { body }), ...more });
		expect((await post('{"product":')).body['code']).toBe('bad-request');
		expect((await post('{"product":', { base64: true })).body['code']).toBe('bad-request');
		expect((await post(undefined)).status).toBe(400);
		expect((await post('{}')).body['code']).toBe('validation');
		const text = { headers: { ...headers, 'content-type': 'text/plain' } };
		expect((await post(JSON.stringify(requestBody(test.world)), text)).status).toBe(415);
		expect((await post(`"${'x'.repeat(1024 * 1024)}"`)).status).toBe(413);
		expect((await post(`"${'x'.repeat(1024 * 1024)}"`, { base64: true })).status).toBe(413);
		// No HTTP parser stands between this header and the body of the event.
		const lying = { headers: { ...headers, 'content-length': '10' } };
		expect((await post(`"${'x'.repeat(1024 * 1024)}"`, lying)).status).toBe(413);
		expect(await ledgerSize(test.world)).toBe(size);
	});

	it('200 for its health and its document, without a token', async () => {
		expect(await invoke('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
		expect((await invoke('/openapi.json')).body['openapi']).toBe('3.1.0');
	});

	it('200 for who I am, and the query of an address', async () => {
		const headers = await as('alice');
		const { status, body } = await invoke('/api/v1/me', { headers });
		expect([status, body['subject']]).toEqual([200, people.alice.subject]);
		const found = await invoke('/api/v1/dataproducts', {
			headers,
			query: 'domain=lending&text=loan%20amount&pageSize=5',
		});
		expect(found.body).toMatchObject({ dataproducts: [{ id: 'lending.loans' }], nextPageToken: null });
	});

	it.each([false, true])('201 for a request, its body as base64: %s; the same as over HTTP', async (base64) => {
		const body = JSON.stringify(requestBody(test.world, { justification: 'Přehled úvěrů – 100 €' }));
		const sent = { method: 'POST', headers: await as('alice'), body, base64 };
		const { status, headers, body: view } = await invoke('/api/v1/requests', sent);
		const path = `/api/v1/requests/${String(view['id'])}`;
		expect([status, headers['location'], headers['etag']]).toEqual([201, path, `"${String(view['contentHash'])}"`]);
		expect(view['justification']).toBe('Přehled úvěrů – 100 €');
		expect((await test.world.call({ who: 'alice', path })).body).toEqual(view);
	});
});

describe('an event that Fetch takes no request from', () => {
	const log = () => readFileSync(`${test.bank.dataDir}/lambda.log`, 'utf8').trim().split('\n');

	it.each(['TRACE', 'track', 'CONNECT', 'G T', 'Zq7xSecret'])(
		'405 for the method %s, as a problem, with a line in the log',
		async (method) => {
			const printed = vi.spyOn(console, 'error');
			const { status, headers, body } = await invoke('/healthz', { method, body: '{}' });
			expect([status, body['code'], headers['allow']]).toEqual([405, 'method-not-allowed', 'GET, HEAD']);
			const line = JSON.parse(log().at(-1) ?? '') as Record<string, unknown>;
			expect([line['message'], line['request'], line['status']]).toEqual(['request', headers['x-request-id'], 405]);
			expect(line['method']).toBe('FORBIDDEN');
			expect(printed).not.toHaveBeenCalled();
			printed.mockRestore();
		},
	);

	it.each([false, true])('a GET or HEAD with a body is answered as without; as base64: %s', async (base64) => {
		const sent = { headers: await as('alice'), body: '{"x":1}', base64 };
		expect((await invoke('/api/v1/me', sent)).body['subject']).toBe(people.alice.subject);
		const { statusCode, body } = await api(event('/api/v1/me', { ...sent, method: 'HEAD' }));
		expect([statusCode, body]).toEqual([200, '']);
	});
});

describe('a path that was decoded on its way', () => {
	it.each(['/api/v1/dataproducts?text=x', '/api/v1/dataproducts#x', '/api/v1/me/x y', '/api/v1/100%', '/ž/\ud800'])(
		'404, its question mark no query: %s',
		async (path) => {
			const { statusCode, body } = await api(event(path, { headers: await as('alice') }));
			expect([statusCode, JSON.parse(body ?? '')]).toEqual([404, expect.objectContaining({ code: 'not-found' })]);
		},
	);

	it('stays as it is where it is a path already', () => {
		const path = "/api/v1/a.b_c~d-!$&'()*+,;=:@/A%23x%c5%be";
		expect(fetchable(event(path)).rawPath).toBe(path);
	});

	it('is a path and nothing else, whatever it holds, and escaping it again changes nothing', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary' }), (text) => {
				const { rawPath } = fetchable(event(text));
				const url = new URL(`https://host.example${rawPath}`);
				expect([url.origin, url.search, url.hash]).toEqual(['https://host.example', '', '']);
				expect(fetchable(event(rawPath)).rawPath).toBe(rawPath);
			}),
		);
	});
});

describe('sweep', () => {
	it('ends what is due, as scheduled', async () => {
		const grant = await grantTo(test.world, 'alice', requestBody(test.world, { duration: 'PT2S' }));
		await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(grant.until) - Date.now()) + 1));
		expect(await sweep()).toMatchObject({ expired: 1, failed: 0 });
		expect(inLakeFormation(test.bank)).toEqual({ filters: [], permissions: [] });
		const { body } = await test.world.call({ who: 'alice', path: `/api/v1/grants/${grant.id}` });
		expect((body as { state: string }).state).toBe('expired');
	});
});

describe('without its settings', () => {
	it('neither entry can be built', async () => {
		const { buildPlatform } = await import('#functions/platform.ts');
		for (const name of Object.keys(environment(test)).filter(
			(n) => !/^(AWS_(ENDPOINT|ACC|SEC)|.*RETRY|.*TYPE|.*ALG)/.test(n),
		)) {
			expect(() => buildPlatform({ ...environment(test), [name]: ' ' })).toThrow(name);
		}
	});

	it('a process without the thread that reads SQL says that it reads none', async () => {
		const { buildPlatform } = await import('#functions/platform.ts');
		const { FAIRLEAD_PARSER: _, ...without } = environment(test);
		const { parser } = buildPlatform(without).platform;
		const none = { code: 'internal', message: 'This process reads no SQL.' };
		await expect(parser.query('SELECT 1')).rejects.toMatchObject(none);
		await expect(parser.expression('1')).rejects.toMatchObject(none);
		await expect(parser.warm()).rejects.toMatchObject(none);
	});
});
