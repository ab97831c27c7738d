/** What every answer has, whatever the operation: its trace, its challenge, its limits, and the way to the next page. */

import { connect } from 'node:net';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import type { people } from '#local/people.ts';
import { ledgerSize, type TestBank, testBank } from '#tests/fixtures.ts';
import { decision, expectRefusal, file, get, refused, requestBody, seen, send } from './harness.ts';
import { enrol } from './registration.ts';

let test: TestBank;

beforeAll(async () => {
	test = await testBank();
});
afterAll(() => test.close());

const as = async (who: keyof typeof people, more: Record<string, string> = {}) => ({
	authorization: `Bearer ${await test.bank.issuer.token(who)}`,
	...more,
});

describe('the trace', () => {
	const id = '4bf92f3577b34da6a3ce929d0e0e4736';

	it('of the caller goes on: in the answer, in the problem and in the ledger', async () => {
		const traceparent = `00-${id}-00f067aa0ba902b7-01`;
		const answer = await send(test, '/api/v1/grants/none', { headers: await as('alice', { traceparent }) });
		expect(answer.body).toMatchObject({ status: 422, traceId: id });
		expect(answer.headers.get('traceparent')).toMatch(new RegExp(`^00-${id}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
		const asked = await test.world.call({
			who: 'alice',
			method: 'POST',
			path: '/api/v1/requests',
			body: requestBody(test.world),
			headers: { traceparent },
		});
		const path = `/api/v1/ledger/entries?stream=${encodeURIComponent(`A#request#${(asked.body as { id: string }).id}`)}`;
		const { entries } = (await test.world.call({ who: 'rita', path })).body as { entries: { bytes: string }[] };
		expect(entries.map((e) => JSON.parse(Buffer.from(e.bytes, 'base64').toString()).trace)).toEqual([id]);
	});

	it.each([
		['none', undefined],
		['blank ids', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
		['a blank parent', `00-${id}-${'0'.repeat(16)}-01`],
		['an invalid version', `ff-${id}-00f067aa0ba902b7-01`],
		['more than version 00 has', `00-${id}-00f067aa0ba902b7-01-more`],
		['capitals', `00-${id.toUpperCase()}-00f067aa0ba902b7-01`],
		['something else', '${jndi:ldap://x}'],
	])('begins anew with %s', async (_, traceparent) => {
		const headers = traceparent === undefined ? {} : { traceparent };
		const { traceId } = (await send(test, '/nowhere', { headers })).body as { traceId: string };
		expect(traceId).toMatch(/^[0-9a-f]{32}$/);
		expect(traceId).not.toBe(id);
	});

	it('of a later version is taken as far as it is known', async () => {
		const headers = { traceparent: `cc-${id}-00f067aa0ba902b7-01-what-ever` };
		expect((await send(test, '/nowhere', { headers })).body).toMatchObject({ traceId: id });
	});
});

describe('signing in', () => {
	it('401 names where tokens come from, and an error only where one was sent (RFC 9728, RFC 6750)', async () => {
		const metadata = `Bearer resource_metadata="${test.bank.api}/.well-known/oauth-protected-resource"`;
		const none = await send(test, '/api/v1/me');
		expect([none.status, none.headers.get('www-authenticate')]).toEqual([401, metadata]);
		const bad = await send(test, '/api/v1/me', { headers: { authorization: 'Bearer x.y.z' } });
		expect([bad.status, bad.headers.get('www-authenticate')]).toEqual([401, `${metadata}, error="invalid_token"`]);
	});

	it('the metadata names this origin and its issuer, whatever host the caller names', async () => {
		const headers = { 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
		const answer = await send(test, '/.well-known/oauth-protected-resource', { headers });
		expect(answer).toMatchObject({
			status: 200,
			body: {
				resource: test.bank.api,
				authorization_servers: [test.bank.issuer.issuer],
				bearer_methods_supported: ['header'],
			},
		});
	});
});

describe('the service', () => {
	it('is alive, ready, and says what it runs', async () => {
		expect(await send(test, '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
		const checks = { policies: 'ok', ledger: 'ok' };
		expect(await send(test, '/readyz')).toMatchObject({ status: 200, body: { status: 'ready', checks } });
		expect(await send(test, '/version')).toMatchObject({
			status: 200,
			body: { name: 'fairlead', version: '0.1.0', policies: test.bank.platform.policies.hash },
		});
	});

	it('is not ready when the ledger cannot be read', async () => {
		const broken = await testBank({ registered: false });
		try {
			const { aws, config } = broken.bank.platform;
			await aws.dynamodb.send(new DeleteTableCommand({ TableName: config.tables.ledger }));
			const answer = await send(broken, '/readyz');
			expect(answer).toMatchObject({ status: 503, body: { status: 'not-ready', checks: { ledger: 'failed' } } });
			expect((await send(broken, '/healthz')).status).toBe(200);
		} finally {
			await broken.close();
		}
	});

	it('405 names the methods that there are; 404 where there is nothing', async () => {
		const answer = await send(test, '/api/v1/purposes', { method: 'DELETE', headers: await as('alice') });
		expectRefusal(answer, 405, 'method-not-allowed');
		expect(answer.headers.get('allow')).toBe('GET, HEAD');
		expectRefusal(await send(test, '/api/v1/purpose', { headers: await as('alice') }), 404, 'not-found');
		expectRefusal(await send(test, '/healthz', { method: 'POST' }), 405, 'method-not-allowed');
	});
});

describe('a body', () => {
	const MAX = 1024 * 1024;

	/** A POST whose headers and bytes are exactly these; what comes back until the first line's end. */
	async function rawPost(headers: Record<string, string>, chunks: string[]): Promise<string> {
		const { host, hostname, port } = new URL(test.bank.api);
		const all = { host, ...(await as('alice')), 'content-type': 'application/json', ...headers };
		const socket = connect(Number(port), hostname);
		const head = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
		socket.write(`POST /api/v1/requests HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
		for (const chunk of chunks) socket.write(chunk);
		return new Promise((resolve, reject) => {
			let text = '';
			socket.on('error', reject);
			socket.on('data', (data) => {
				text += data.toString();
				if (!text.includes('\r\n')) return;
				socket.destroy();
				resolve(text.split('\r\n')[0] ?? '');
			});
		});
	}

	it('is taken up to the limit, and refused above it by its real bytes', async () => {
		const size = await ledgerSize(test.world);
		const headers = await as('alice', { 'content-type': 'application/json' });
		const exact = `"${'x'.repeat(MAX - 2)}"`;
		expectRefusal(await send(test, '/api/v1/requests', { method: 'POST', headers, body: exact }), 422, 'validation');
		const over = `"${'x'.repeat(MAX - 1)}"`;
		expectRefusal(await send(test, '/api/v1/requests', { method: 'POST', headers, body: over }), 413, 'too-large');
		// Two bytes a character: what counts is bytes.
		const wide = `"${'é'.repeat(MAX / 2)}"`;
		expectRefusal(await send(test, '/api/v1/requests', { method: 'POST', headers, body: wide }), 413, 'too-large');
		expect(await ledgerSize(test.world)).toBe(size);
	});

	it('is counted when it comes in chunks of no declared length', async () => {
		const chunk = 'x'.repeat(256 * 1024);
		const framed = `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
		const status = await rawPost({ 'transfer-encoding': 'chunked' }, [framed, framed, framed, framed, framed]);
		expect(status).toBe('HTTP/1.1 413 Payload Too Large');
	});

	it('is refused by a length that it only announces', async () => {
		expect(await rawPost({ 'content-length': String(MAX + 1) }, ['{'])).toBe('HTTP/1.1 413 Payload Too Large');
	});
});

describe('a listing', () => {
	it('names the next page in Link as well, and the pages are the whole of it', async () => {
		for (let i = 0; i < 3; i += 1) await file(test.world, 'alice', requestBody(test.world));
		const seenIds: string[] = [];
		let path = '/api/v1/requests?pageSize=2';
		let pages = 0;
		while (path !== '') {
			const answer = await test.world.call({ who: 'alice', path });
			const { requests, nextPageToken } = answer.body as { requests: { id: string }[]; nextPageToken: string | null };
			seenIds.push(...requests.map((r) => r.id));
			pages += 1;
			const link = answer.headers.get('link');
			expect(link === null).toBe(nextPageToken === null);
			path = /^<(\/[^>]*)>; rel="next"$/.exec(link ?? '')?.[1] ?? '';
			expect(path === '' || new URL(path, test.bank.api).searchParams.get('pageToken') === nextPageToken).toBe(true);
		}
		expect(pages).toBeGreaterThan(1);
		const whole = (await test.world.call(get('alice', '/requests?pageSize=100'))).body as {
			requests: { id: string }[];
		};
		expect(seenIds).toEqual(whole.requests.map((r) => r.id));
	});
});

describe('the entries of one stream', () => {
	type Page = { entries: { version: number; stream: string }[]; nextPageToken: string | null };
	const first = (stream: string) => `/api/v1/ledger/entries?pageSize=2&stream=${encodeURIComponent(stream)}`;
	const stream = 'A#domain#marketing';

	it('come in pages by version, each naming the next', async () => {
		const given: Role[][] = [['owner'], ['steward'], ['consumer', 'owner'], ['consumer']];
		for (const roles of given) {
			await enrol(test, 'marketing', { mia: roles });
		}
		const { version } = (await test.world.call(get('stella', '/domains/marketing'))).body as { version: number };
		const pages: number[][] = [];
		let path = first(stream);
		while (path !== '') {
			const answer = await test.world.call({ who: 'rita', path });
			const { entries, nextPageToken } = answer.body as Page;
			expect(entries.every((e) => e.stream === stream)).toBe(true);
			pages.push(entries.map((e) => e.version));
			path = /^<(\/[^>]*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1] ?? '';
			const token = path === '' ? null : new URL(path, test.bank.api).searchParams.get('pageToken');
			expect(nextPageToken).toBe(token);
		}
		expect(pages.flat()).toEqual(Array.from({ length: version }, (_, i) => i + 1));
		expect(pages.slice(0, -1).every((p) => p.length === 2)).toBe(true);
		expect(pages.length).toBe(Math.ceil(version / 2));
	});

	it('take no page token of another stream, of the whole ledger, or made up; nor does the ledger take theirs', async () => {
		const tokenOf = async (path: string) => {
			const { nextPageToken } = (await test.world.call({ who: 'rita', path })).body as Page;
			expect(nextPageToken).not.toBeNull();
			return encodeURIComponent(nextPageToken ?? '');
		};
		const whole = '/api/v1/ledger/entries?pageSize=2';
		const [own, all] = [await tokenOf(first(stream)), await tokenOf(whole)];
		const wrong = [
			`${first('A#domain#lending')}&pageToken=${own}`,
			`${first(stream)}&pageToken=${all}`,
			`${first(stream)}&pageToken=2`,
			`${whole}&pageToken=${own}`,
		];
		for (const path of wrong) await refused(test, { who: 'rita', path }, 422, 'validation');
	});

	it('422 for what is no name of a stream, however long: nothing is looked up by it', async () => {
		const names = ['', 'A#nosuch#x', 'A#flow#x', 'a#product#lending.loans', 'A#product#', 'Alice Novak', 'F#a b'];
		const long = ['€'.repeat(1000), `A#product#${'€'.repeat(990)}`, `A#product#${'x'.repeat(991)}`];
		const path = (operation: string, name: string) => `/api/v1/ledger/${operation}?stream=${encodeURIComponent(name)}`;
		const paths = [...names, ...long].map((name) => path('entries', name));
		for (const one of [...paths, ...long.map((name) => path('verification', name))]) {
			const answer = await test.world.call({ who: 'rita', path: one });
			expect(expectRefusal(answer, 422, 'validation').errors?.map((e) => e.pointer)).toContain('/stream');
		}
	});

	it('can be asked for by each name that the ledger has', async () => {
		const { items } = await Ledger.rawPage(test.bank.platform, null, 500);
		const entitled = Ledger.stream.entitlement(`arn:aws-us-gov:iam::111111111111:role/${'a+=,.@-_'.repeat(8)}`, {
			account: '1'.repeat(12),
			database: 'd'.repeat(255),
			table: 't'.repeat(255),
		});
		const names = [...items.map((item) => item.stream), entitled];
		expect(names.filter((name) => !Ledger.StreamName.safeParse(name).success)).toEqual([]);
		const path = `/api/v1/ledger/entries?stream=A%23product%23${'x'.repeat(990)}`;
		expect((await test.world.call({ who: 'rita', path })).status).toBe(200);
	});

	it('of a stream that is not there are none', async () => {
		const { body } = await test.world.call({ who: 'rita', path: first('A#domain#nowhere') });
		expect(body).toEqual({ entries: [], nextPageToken: null });
	});
});

describe('a domain that two stewards change', () => {
	it('428 without the version that was seen, 412 with an old one; the first change stands', async () => {
		const path = '/api/v1/domains/marketing';
		const first = await seen(test, path);
		await enrol(test, 'marketing', { mia: ['consumer', 'owner'] });
		const body = { name: 'M', account: '210000000005', members: [], principals: [] };
		const put = (headers: Record<string, string>) => ({
			who: 'stella' as const,
			method: 'PUT' as const,
			path,
			body,
			headers,
		});
		await refused(test, put({}), 428, 'precondition-required');
		await refused(test, put(first), 412, 'stale');
		expect((await refused(test, put({ 'if-match': '*' }), 412, 'stale')).detail).toContain('`*`');
		const weak = Object.values(await seen(test, path)).map((tag) => `W/${tag}, "0"`);
		await refused(test, put({ 'if-match': weak.join() }), 412, 'stale');
		const treasury = { ...put({ 'if-match': '"1"' }), path: '/api/v1/domains/treasury' };
		await refused(test, { ...treasury, body: { ...body, account: '210000000099' } }, 412, 'stale');
		const { version } = (await test.world.call({ who: 'stella', path })).body as { version: number };
		expect(`"${version - 1}"`).toBe(first['if-match']);
		const listed = put({ 'if-match': `"0", "${version}"` });
		expect((await test.world.call(listed)).body).toMatchObject({ version: version + 1 });
	});

	it('200 for the same content again, whoever saw what', async () => {
		await enrol(test, 'marketing', { mia: ['consumer'] });
		const { body } = await test.world.call(get('stella', '/domains/marketing'));
		await enrol(test, 'marketing', { mia: ['consumer'] });
		expect((await test.world.call(get('stella', '/domains/marketing'))).body).toEqual(body);
	});
});

describe('a decision', () => {
	it('is taken for any of several contents that were seen; its ETag is the same after an approval', async () => {
		const asked = await file(test.world, 'alice', requestBody(test.world, { duration: 'P4D' }));
		const listed = { ...asked, etag: `"${'0'.repeat(64)}", ${asked.etag}` };
		expect((await test.world.call(decision('olga', listed))).status).toBe(201);
		const { headers } = await test.world.call(get('alice', `/requests/${asked.view.id}`));
		expect(headers.get('etag')).toBe(asked.etag);
	});

	it('201 names the grant that it opened', async () => {
		const asked = await file(test.world, 'alice', requestBody(test.world));
		const answer = await test.world.call(decision('olga', asked));
		expect(answer.headers.get('location')).toBe(
			`/api/v1/grants/${(answer.body as { grant: { id: string } }).grant.id}`,
		);
	});
});
