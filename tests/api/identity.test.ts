/** The verifier alone, with claims that the sample issuer never makes, and settings that must not start. */
import { type CryptoKey, createLocalJWKSet, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Authenticate, type IdentitySettings, makeAuthenticate } from '#core/identity.ts';
import { buildPlatform } from '#functions/platform.ts';

const settings: IdentitySettings = {
	issuer: 'https://issuer.example',
	audience: 'fairlead',
	jwksUri: 'https://issuer.example/jwks',
	algorithms: ['ES256'],
	tokenType: 'at+jwt',
	maxTokenAgeSeconds: 3600,
};
const now = new Date('2026-03-01T12:00:00Z');
const seconds = now.getTime() / 1000;

let authenticate: Authenticate;
let privateKey: CryptoKey;

beforeAll(async () => {
	const pair = await generateKeyPair('ES256', { extractable: true });
	({ privateKey } = pair);
	const jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k', alg: 'ES256', use: 'sig' };
	authenticate = makeAuthenticate(settings, createLocalJWKSet({ keys: [jwk] }));
});

async function tokenWith(claims: Record<string, unknown>, typ = 'at+jwt'): Promise<string> {
	const right = { iss: settings.issuer, aud: 'fairlead', sub: 'u-1', iat: seconds - 10, exp: seconds + 600 };
	const payload = { ...right, ...claims } as JWTPayload;
	return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'k', typ }).sign(privateKey);
}

const verdict = async (claims: Record<string, unknown>, typ?: string) =>
	authenticate(`Bearer ${await tokenWith(claims, typ)}`, now).catch((error: { code: string }) => error.code);

describe('a token is refused', () => {
	it.each([
		['that has expired', { exp: seconds - 60 }],
		['that is not valid yet', { nbf: seconds + 60 }],
		['that is issued in the future', { iat: seconds + 60 }],
		['that is older than the bound, whatever its exp', { iat: seconds - 3700, exp: 253_402_300_799 }],
		['whose exp is text', { exp: String(seconds + 600) }],
		['whose iat is text', { iat: String(seconds) }],
		['whose exp is null', { exp: null }],
		['whose audience is empty', { aud: '' }],
		['whose audiences do not have us', { aud: ['a', 'b'] }],
		['whose audience is ours in another case', { aud: 'Fairlead' }],
		['whose issuer has one character more', { iss: `${settings.issuer}/` }],
		['whose sub is blank', { sub: '' }],
		['whose sub is a number', { sub: 7 }],
		['whose sub is a list', { sub: ['u-1'] }],
	])('%s', async (_, claims) => {
		expect(await verdict(claims)).toBe('invalid-token');
	});

	it.each(['JWT', 'id_token', ''])('of type %j', async (typ) => {
		expect(await verdict({}, typ)).toBe('invalid-token');
	});

	it('when the keys cannot be read: unavailable, never accepted', async () => {
		const blind = makeAuthenticate(settings, async () => {
			throw new Error('connect ECONNREFUSED');
		});
		await expect(blind(`Bearer ${await tokenWith({})}`, now)).rejects.toMatchObject({ code: 'unavailable' });
	});
});

describe('a token is taken', () => {
	it('with us among its audiences, and gives issuer and subject alone', async () => {
		expect(await verdict({ aud: ['other', 'fairlead'], roles: ['steward'], email: 'x' })).toEqual({
			issuer: settings.issuer,
			subject: 'u-1',
		});
	});
});

describe('the verifier is not built', () => {
	it.each(['issuer', 'audience', 'jwksUri'] as const)('with a blank %s', (name) => {
		expect(() => makeAuthenticate({ ...settings, [name]: '' })).toThrow(name);
		expect(() => makeAuthenticate({ ...settings, [name]: ' \t' })).toThrow(name);
	});

	it.each([[[]], [['none']], [['HS256']], [['ES256', 'HS512']]])('with the algorithms %j', (algorithms) => {
		expect(() => makeAuthenticate({ ...settings, algorithms })).toThrow('algorithms');
	});
});

describe('the platform is not built', () => {
	it('without settings, and names each one that is missing', () => {
		expect(() => buildPlatform({})).toThrow(/FAIRLEAD_ISSUER[^]*FAIRLEAD_AUDIENCE/);
	});

	it('with a wrong one, and does not print it', () => {
		const env = { FAIRLEAD_CURSOR_KEY: 'c2VjcmV0', FAIRLEAD_ISSUER: ' ' };
		expect(() => buildPlatform(env)).toThrow('FAIRLEAD_CURSOR_KEY');
		expect(() => buildPlatform(env)).not.toThrow('c2VjcmV0');
	});
});
