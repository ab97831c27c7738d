/** Tokens: every way a wrong one is refused, before anything else is looked at; and that nothing else identifies anybody. */
import { type CryptoKey, exportSPKI, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Handle, people } from '#local/people.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { refused, send } from './harness.ts';

let test: TestBank;
let good: string;
let publicJwk: JWK;

beforeAll(async () => {
	test = await testBank();
	good = await test.bank.issuer.token('olga');
	const answer = await fetch(test.bank.issuer.jwksUri);
	publicJwk = ((await answer.json()) as { keys: [JWK] }).keys[0];
});

afterAll(() => test.close());

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const parts = () => good.split('.') as [string, string, string];
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** 401 with its challenge, nothing stored, the token nowhere in the answer, and a good token works right after. */
async function unauthorised(headers: Record<string, string>, path = '/api/v1/me', method = 'GET'): Promise<void> {
	let whole = '';
	await refused(
		test,
		async () => {
			const answer = await send(test, path, { method, headers });
			whole = JSON.stringify([answer.body, [...answer.headers]]);
			expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
			return answer;
		},
		401,
		'invalid-token',
	);
	const sent = (headers['authorization'] ?? '').split(' ').at(-1) ?? '';
	for (const piece of sent.split('.').filter((p) => p.length > 8)) expect(whole).not.toContain(piece);
	expect((await send(test, '/api/v1/me', { headers: bearer(good) })).status).toBe(200);
}

describe('401 without a bearer token', () => {
	it('for no header at all', () => unauthorised({}));

	it.each(['Basic', 'Token', 'DPoP', 'JWT', 'Bearer Bearer'])('for the scheme %s', (scheme) =>
		unauthorised({ authorization: `${scheme} ${good}` }),
	);

	it('for the token without a scheme', () => unauthorised({ authorization: good }));

	it('for two tokens in one header', () => unauthorised({ authorization: `Bearer ${good}, Bearer ${good}` }));

	it('for the token in the query or in a cookie', async () => {
		await unauthorised({}, `/api/v1/me?access_token=${good}`);
		await unauthorised({ cookie: `access_token=${good}` });
	});

	it.each(['', 'x', 'x.y', 'x.y.z', '....', '{}', 'null', 'a'.repeat(7000)])('for the garbage %j', (token) =>
		unauthorised(bearer(token)),
	);
});

describe('401 for a token that nobody signed', () => {
	it.each(['none', 'None', 'NONE', 'nOnE'])('alg %s', async (alg) => {
		const head = encode({ alg, typ: 'at+jwt' });
		const [, claims, signature] = parts();
		await unauthorised(bearer(`${head}.${claims}.`));
		await unauthorised(bearer(`${head}.${claims}`));
		await unauthorised(bearer(`${head}.${claims}.${signature}`));
	});

	it('a good token whose signature was cut or changed', async () => {
		const [head, claims, signature] = parts();
		await unauthorised(bearer(`${head}.${claims}.`));
		await unauthorised(bearer(`${head}.${claims}`));
		await unauthorised(bearer(`${head}.${claims}.${signature.slice(0, -4)}AAAA`));
		await unauthorised(bearer(`${head}.${claims}.${Buffer.alloc(64).toString('base64url')}`));
	});

	it('a good token whose claims were changed', async () => {
		const [head, claims, signature] = parts();
		const changed = {
			...(JSON.parse(Buffer.from(claims, 'base64url').toString()) as object),
			sub: people.stella.subject,
		};
		await unauthorised(bearer(`${head}.${encode(changed)}.${signature}`));
	});
});

/** Claims that would be right, signed with another key. */
async function signedWith(
	key: CryptoKey | Uint8Array,
	header: { alg: string } & Record<string, unknown>,
): Promise<string> {
	const now = Math.floor(Date.now() / 1000);
	const claims = {
		iss: test.bank.issuer.issuer,
		aud: 'fairlead',
		sub: people.stella.subject,
		iat: now,
		exp: now + 3600,
	};
	return new SignJWT(claims).setProtectedHeader({ typ: 'at+jwt', ...header }).sign(key);
}

describe('401 for a token that somebody else signed', () => {
	it('with HS256 and our public key as the secret, however it is written', async () => {
		const pem = await exportSPKI((await importJWK(publicJwk, 'ES256')) as CryptoKey);
		const { x = '', kid } = publicJwk;
		for (const secret of [JSON.stringify(publicJwk), pem, pem.trim(), x, Buffer.from(x, 'base64url')]) {
			const token = await signedWith(Buffer.from(secret), { alg: 'HS256', ...(kid === undefined ? {} : { kid }) });
			await unauthorised(bearer(token));
		}
	});

	it("with a key of one's own: under our key's id, under none, in the header, or behind an address there", async () => {
		const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
		const jwk = (await crypto.subtle.exportKey('jwk', publicKey)) as JWK;
		const { kid = '' } = publicJwk;
		for (const header of [{ kid }, {}, { jwk }, { kid, jwk }, { jku: 'https://evil.example/jwks' }, { x5u: 'x' }]) {
			await unauthorised(bearer(await signedWith(privateKey, { alg: 'ES256', ...header })));
		}
	});

	it('with an algorithm that is not configured', async () => {
		for (const alg of ['RS256', 'PS256', 'ES384', 'EdDSA']) {
			const { privateKey } = await generateKeyPair(alg, { extractable: true });
			await unauthorised(bearer(await signedWith(privateKey, { alg, kid: publicJwk.kid ?? '' })));
		}
	});
});

describe('401 for a token of the issuer that is not for us, or not now', () => {
	it.each([
		['expired', { expiresIn: -60 }],
		['of another audience', { audience: 'another-service' }],
		['of another issuer', { issuer: 'https://issuer.example' }],
		['of an ID token type', { type: 'JWT' }],
		['of a logout token type', { type: 'logout+jwt' }],
		['without exp', { without: ['exp'] }],
		['without iat', { without: ['iat'] }],
		['without sub', { without: ['sub'] }],
		['without aud', { without: ['aud'] }],
		['with a blank sub', { subject: '' }],
	] as const)('%s', async (_, overrides) => {
		await unauthorised(bearer(await test.bank.issuer.token('stella', overrides)));
	});
});

describe('401 comes first', () => {
	it('on every operation of the document, whatever path and body are', async () => {
		const { paths } = (await send(test, '/openapi.json')).body as { paths: Record<string, Record<string, unknown>> };
		const operations = Object.entries(paths).flatMap(([path, item]) =>
			Object.keys(item).map((m) => [path, m] as const),
		);
		const ours = operations.filter(([path]) => path.startsWith('/api/v1/'));
		expect(ours.length).toBeGreaterThan(20);
		for (const [path, method] of ours) await unauthorised({}, path.replaceAll(/\{\w+\}/g, 'x'), method.toUpperCase());
	});

	it('also on an address below the base that does not exist', () => unauthorised({}, '/api/v1/nosuch'));
});

describe('a good token', () => {
	it('is who it says, whatever other headers say', async () => {
		for (const name of ['x-user', 'x-forwarded-user', 'x-remote-user', 'x-amzn-oidc-identity', 'x-datahub-actor']) {
			const headers = { ...bearer(good), [name]: people.stella.subject };
			const { body } = await send(test, '/api/v1/me', { headers });
			expect((body as { subject: string }).subject).toBe(people.olga.subject);
			await unauthorised({ [name]: people.stella.subject });
		}
	});

	it('of somebody whom no domain registered opens nothing', async () => {
		const { body } = await test.world.call({ who: 'nick', path: '/api/v1/me' });
		expect(body).toMatchObject({ subject: people.nick.subject, person: null, roles: [], principals: [] });
		for (const path of ['domains', 'purposes', 'dataproducts', 'ledger/entries', 'ledger/verification']) {
			await refused(test, { who: 'nick' as Handle, path: `/api/v1/${path}` }, 403, 'not-permitted');
		}
	});
});
