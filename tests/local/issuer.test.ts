import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BrokerError } from '#core/error.ts';
import { type IdentitySettings, makeAuthenticate } from '#core/identity.ts';
import { type Issuer, PERSON_GRANT, startIssuer, type TokenOverrides } from '#local/issuer.ts';
import { people } from '#local/people.ts';

const audience = 'https://fairlead.example/api';
let dataDir: string;
let issuer: Issuer;

const start = (options: { port?: number; clock?: () => Date } = {}) =>
	startIssuer({ dataDir, port: 0, audience, people, ...options });

beforeEach(async () => {
	dataDir = mkdtempSync(path.join(tmpdir(), 'issuer-'));
	issuer = await start();
});

afterEach(async () => {
	await issuer.close();
	rmSync(dataDir, { recursive: true });
});

function settings(of: Issuer = issuer): IdentitySettings {
	return {
		issuer: of.issuer,
		audience,
		jwksUri: of.jwksUri,
		algorithms: ['ES256'],
		tokenType: 'at+jwt',
		maxTokenAgeSeconds: 3600,
	};
}

function ask(form: Record<string, string> | string, headers: Record<string, string> = {}): Promise<Response> {
	return fetch(issuer.tokenEndpoint, { method: 'POST', body: new URLSearchParams(form), headers });
}

describe('the token endpoint refuses by the names of RFC 6749', () => {
	const grant = { grant_type: PERSON_GRANT, person: 'alice' };
	test.each([
		['an unknown person', { ...grant, person: 'mallory' }, 'invalid_request'],
		['a name that every object has', { ...grant, person: 'constructor' }, 'invalid_request'],
		['no person', { grant_type: PERSON_GRANT }, 'invalid_request'],
		['no grant type', { person: 'alice' }, 'invalid_request'],
		['another grant type', { ...grant, grant_type: 'password' }, 'unsupported_grant_type'],
		['a parameter twice', `grant_type=${PERSON_GRANT}&person=alice&person=rita`, 'invalid_request'],
		['another audience', { ...grant, audience: 'https://elsewhere.example' }, 'invalid_target'],
		['a body of 64 KiB', { ...grant, scope: 'x'.repeat(64 * 1024) }, 'invalid_request'],
	] as const)('%s', async (_, form, error) => {
		const answer = await ask(form);
		expect(answer.status).toBe(400);
		expect(await answer.json()).toEqual({ error, error_description: expect.any(String) });
	});

	test('a body that is not a form', async () => {
		const answer = await fetch(issuer.tokenEndpoint, {
			method: 'POST',
			body: JSON.stringify(grant),
			headers: { 'content-type': 'application/json' },
		});
		expect([answer.status, await answer.json()]).toEqual([400, expect.objectContaining({ error: 'invalid_request' })]);
	});

	test('a page of a browser, by its Origin', async () => {
		const answer = await ask(grant, { origin: 'https://evil.example' });
		expect(answer.status).toBe(403);
		expect(answer.headers.get('access-control-allow-origin')).toBeNull();
	});

	test('a name that somebody made resolve to loopback', async () => {
		const status = await new Promise((resolve, reject) => {
			const call = send(`${issuer.issuer}/jwks`, { headers: { host: 'evil.example' } }, (answer) => {
				answer.resume();
				resolve(answer.statusCode);
			});
			call.on('error', reject).end();
		});
		expect(status).toBe(403);
	});

	test.each([
		['GET', '/token'],
		['POST', '/jwks'],
		['GET', '/authorize'],
	])('%s %s, which is not there', async (method, where) => {
		expect((await fetch(issuer.issuer + where, { method })).status).toBe(404);
	});
});

describe('a token', () => {
	test('from the endpoint is a bearer token that the broker takes for the person', async () => {
		const answer = await ask({ grant_type: PERSON_GRANT, person: 'olga', audience });
		expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
		const body = (await answer.json()) as { access_token: string };
		expect(body).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 3600 });
		const identity = await makeAuthenticate(settings())(`Bearer ${body.access_token}`, new Date());
		expect(identity).toEqual({ issuer: issuer.issuer, subject: people.olga.subject });
	});

	test('has the header and claims of RFC 9068 and says nothing else of the person', async () => {
		const token = await issuer.token('alice');
		expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: expect.any(String) });
		const claims = decodeJwt(token);
		expect(Object.keys(claims).toSorted()).toEqual(['aud', 'client_id', 'exp', 'iat', 'iss', 'jti', 'sub']);
		expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3600);
		expect(decodeJwt(await issuer.token('alice')).jti).not.toBe(claims.jti);
	});

	test.each<[string, TokenOverrides]>([
		['expired', { expiresIn: -60 }],
		['for another audience', { audience: 'https://elsewhere.example' }],
		['from another issuer', { issuer: 'https://elsewhere.example' }],
		['of another type', { type: 'JWT' }],
		['without subject', { without: ['sub'] }],
		['without expiry', { without: ['exp'] }],
		['without time of issue', { without: ['iat'] }],
		['without audience', { without: ['aud'] }],
	])('%s is refused by the broker', async (_, overrides) => {
		const token = await issuer.token('alice', overrides);
		const refused = makeAuthenticate(settings())(`Bearer ${token}`, new Date());
		await expect(refused).rejects.toMatchObject({ code: 'invalid-token' });
		await expect(refused).rejects.toBeInstanceOf(BrokerError);
	});

	test('of an issuer with another key is refused', async () => {
		const port = Number(new URL(issuer.issuer).port);
		const token = await issuer.token('alice');
		await issuer.close();
		rmSync(path.join(dataDir, 'issuer-key.json'));
		issuer = await start({ port });
		await expect(makeAuthenticate(settings())(`Bearer ${token}`, new Date())).rejects.toMatchObject({
			code: 'invalid-token',
		});
	});

	test('stays valid when the issuer starts again on its folder', async () => {
		const port = Number(new URL(issuer.issuer).port);
		const token = await issuer.token('mia');
		await issuer.close();
		issuer = await start({ port });
		expect(await makeAuthenticate(settings())(`Bearer ${token}`, new Date())).toEqual({
			issuer: issuer.issuer,
			subject: people.mia.subject,
		});
	});

	test('for an unknown person is never made', async () => {
		await expect(issuer.token('mallory')).rejects.toThrow(/unknown person/);
	});
});

describe('the issuer', () => {
	test('is found by OpenID discovery', async () => {
		const metadata = await (await fetch(`${issuer.issuer}/.well-known/openid-configuration`)).json();
		expect(metadata).toMatchObject({
			issuer: issuer.issuer,
			jwks_uri: issuer.jwksUri,
			token_endpoint: issuer.tokenEndpoint,
			grant_types_supported: [PERSON_GRANT],
		});
	});

	test('publishes its public key and keeps the private part in a file that only its owner reads', async () => {
		const { keys } = (await (await fetch(issuer.jwksUri)).json()) as { keys: object[] };
		expect(keys).toHaveLength(1);
		expect(keys[0]).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig', kid: expect.any(String) });
		expect(keys[0]).not.toHaveProperty('d');
		expect(statSync(path.join(dataDir, 'issuer-key.json')).mode & 0o777).toBe(0o600);
	});

	test('listens on loopback only', async () => {
		expect(new URL(issuer.issuer).hostname).toBe('127.0.0.1');
		const port = Number(new URL(issuer.issuer).port);
		// The port is free on every other address of this machine: here another loopback address.
		const other = createServer();
		const address = await new Promise<AddressInfo>((resolve, reject) => {
			other.once('error', reject).listen(port, '127.0.0.2', () => resolve(other.address() as AddressInfo));
		});
		expect(address.port).toBe(port);
		await new Promise((resolve) => other.close(resolve));
	});

	test('does not start in production', async () => {
		vi.stubEnv('NODE_ENV', 'production');
		await expect(start()).rejects.toThrow(/production/);
		vi.unstubAllEnvs();
	});

	test('says which file holds a damaged key', async () => {
		writeFileSync(path.join(dataDir, 'issuer-key.json'), '{');
		await expect(start()).rejects.toThrow(/issuer-key\.json cannot be read/);
	});

	test('of two started at once on an empty folder, both sign with one key', async () => {
		rmSync(path.join(dataDir, 'issuer-key.json'));
		const both = await Promise.all([start(), start()]);
		const kids = await Promise.all(both.map(async (one) => decodeProtectedHeader(await one.token('rita')).kid));
		await Promise.all(both.map((one) => one.close()));
		expect(kids[0]).toBe(kids[1]);
	});
});
