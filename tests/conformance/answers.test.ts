/** The check that every answer in the tests goes through does find what does not conform. */
import { describe, expect, it } from 'vitest';
import { appWithoutBank } from '#tests/document.ts';
import { check } from './check.ts';

const base = {
	'content-type': 'application/json',
	'cache-control': 'no-store',
	'x-request-id': '0193a5a4-7b1e-4c1f-9d3e-2f6f1c0f6c3a',
	traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
};

type Answer = { status?: number; headers?: Record<string, string>; body?: unknown; url?: string; method?: string };

async function faultsOf({ status = 200, headers = {}, body = {}, url = '/api/v1/purposes', method = 'GET' }: Answer) {
	const text = typeof body === 'string' ? body : JSON.stringify(body);
	return (await check({ method, url, status, headers: new Headers({ ...base, ...headers }), body: text })).faults;
}

const purpose = { id: 'credit-risk', name: 'Credit risk', legalBasis: 'GDPR 6(1)(c)', retention: 'P7Y' };

const problem = {
	type: '/errors/not-permitted',
	title: 'No rule permits this',
	status: 403,
	detail: 'No.',
	instance: 'urn:uuid:0193a5a4-7b1e-4c1f-9d3e-2f6f1c0f6c3a',
	traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
	code: 'not-permitted',
};
const refusal = { status: 403, headers: { 'content-type': 'application/problem+json' } };

describe('an answer conforms', () => {
	it('with what the document says, and with what the app really sends', async () => {
		expect(await faultsOf({ body: { purposes: [purpose] } })).toEqual([]);
		expect(await faultsOf({ ...refusal, body: problem })).toEqual([]);
		const real = await appWithoutBank().request('/healthz');
		const { status, headers } = real;
		expect((await check({ method: 'GET', url: '/healthz', status, headers, body: await real.text() })).faults).toEqual(
			[],
		);
	});

	it('where its body broke off, as far as it can be told', async () => {
		const headers = new Headers(base);
		const url = '/api/v1/reports/rep_01M7YD5Q1S0C7BB8RV5X9S5R3K/content';
		expect((await check({ method: 'GET', url, status: 200, headers, body: null })).faults).toEqual([]);
	});
});

describe('an answer does not conform', () => {
	const list = { purposes: [purpose] };
	it.each<readonly [what: string, answer: Answer, fault: RegExp]>([
		['with a status that is not documented', { status: 204, body: '' }, /status 204 is not documented/],
		['with another content type', { headers: { 'content-type': 'text/html' }, body: list }, /content type text\/html/],
		['without a member', { body: { purposes: [{ ...purpose, name: undefined }] } }, /required property 'name'/],
		['with another type', { body: { purposes: [{ ...purpose, name: 7 }] } }, /must be string/],
		['with a member that no schema names', { body: { ...list, extra: 1 } }, /must NOT have additional properties/],
		[
			'with one deep inside',
			{ body: { purposes: [{ ...purpose, owner: 'x' }] } },
			/must NOT have additional properties/,
		],
		['with an id that is none', { body: { purposes: [{ ...purpose, id: 'Credit Risk' }] } }, /must match pattern/],
		['with a header that is not documented', { headers: { location: '/x' }, body: list }, /header location is not/],
		['with a header of another form', { headers: { traceparent: 'x' }, body: list }, /header traceparent: x/],
		['if somebody may keep it', { headers: { 'cache-control': 'max-age=9' }, body: list }, /header cache-control/],
		[
			'with a code that the operation does not name',
			{ ...refusal, body: { ...problem, code: 'self-approval' } },
			/code self-approval is not documented/,
		],
		['with a code of no table', { ...refusal, body: { ...problem, code: 'no' } }, /code no is not in the table/],
		[
			'with the code of another status',
			{ ...refusal, body: { ...problem, status: 409 } },
			/code not-permitted with status/,
		],
		['with a refusal that is no problem', { status: 403, body: { error: 'no' } }, /content type application\/json/],
		['below the base, without being a problem', { status: 404, url: '/api/v1/none' }, /is no problem/],
		[
			'with 405 that does not say what is allowed',
			{ ...refusal, status: 405, url: '/api/v1/me', method: 'DELETE', body: problem },
			/405 without Allow/,
		],
		[
			'without its challenge',
			{ ...refusal, status: 401, body: { ...problem, code: 'invalid-token' } },
			/header www-authenticate is missing/,
		],
	])('%s', async (_, answer, fault) => {
		expect((await faultsOf(answer)).join('\n')).toMatch(fault);
	});

	it.each(['x-request-id', 'traceparent', 'cache-control'])('without %s', async (name) => {
		const headers = new Headers(base);
		headers.delete(name);
		const body = JSON.stringify({ purposes: [] });
		const { faults } = await check({ method: 'GET', url: '/api/v1/purposes', status: 200, headers, body });
		expect(faults).toEqual([`header ${name} is missing`]);
	});
});
