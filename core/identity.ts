/**
 * Bearer token in, identity out. The token only authenticates: roles come from the domain registry.
 * Issuer, audience, algorithms and the address of the keys come from configuration, never from the token
 * (RFC 8725 sections 3.1, 3.8, 3.9); `exp`, `iat` and `sub` are required and a token's age is bounded.
 */
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Identity } from './context.ts';
import { BrokerError } from './error.ts';

export type IdentitySettings = {
	readonly issuer: string;
	readonly audience: string;
	readonly jwksUri: string;
	/** Asymmetric algorithms only. */
	readonly algorithms: readonly string[];
	/** Required `typ` header, where the issuer sets one (RFC 9068: `at+jwt`). */
	readonly tokenType?: string;
	/** No token older than this is taken, whatever its `exp` says. */
	readonly maxTokenAgeSeconds: number;
};

export type Authenticate = (authorization: string | undefined, now: Date) => Promise<Identity>;

const asymmetric = /^(RS|PS|ES)(256|384|512)$|^EdDSA$|^Ed25519$/;

/** Refuses to be built without issuer, audience and asymmetric algorithms: a blank would accept anybody. */
export function makeAuthenticate(settings: IdentitySettings, keys?: JWTVerifyGetKey): Authenticate {
	for (const name of ['issuer', 'audience', 'jwksUri'] as const) {
		if (settings[name].trim() === '') throw new Error(`identity: \`${name}\` must be set`);
	}
	if (settings.algorithms.length === 0 || !settings.algorithms.every((a) => asymmetric.test(a))) {
		throw new Error('identity: `algorithms` must list asymmetric algorithms only');
	}
	const getKey = keys ?? createRemoteJWKSet(new URL(settings.jwksUri), { timeoutDuration: 3000, cacheMaxAge: 600_000 });
	return async (authorization, now) => {
		const token = /^Bearer ([A-Za-z0-9._~+/-]+=*)$/.exec(authorization ?? '')?.[1];
		if (token === undefined) throw new BrokerError('invalid-token', 'Send `Authorization: Bearer <access token>`.');
		try {
			const { payload } = await jwtVerify(token, getKey, {
				issuer: settings.issuer,
				audience: settings.audience,
				algorithms: [...settings.algorithms],
				requiredClaims: ['exp', 'iat', 'sub'],
				maxTokenAge: settings.maxTokenAgeSeconds,
				clockTolerance: 5,
				currentDate: now,
				...(settings.tokenType === undefined ? {} : { typ: settings.tokenType }),
			});
			if (typeof payload.sub !== 'string' || payload.sub === '') throw new errors.JWTInvalid('blank sub');
			return { issuer: settings.issuer, subject: payload.sub };
		} catch (cause) {
			throw refusal(cause);
		}
	};
}

/** Which claim failed may be said; the token itself never is. */
function refusal(cause: unknown): BrokerError {
	if (cause instanceof errors.JWTExpired)
		return new BrokerError('invalid-token', 'The token has expired.', {}, { cause });
	if (cause instanceof errors.JWTClaimValidationFailed) {
		return new BrokerError('invalid-token', `The token's \`${cause.claim}\` is not acceptable.`, {}, { cause });
	}
	if (cause instanceof errors.JWKSTimeout || !(cause instanceof errors.JOSEError)) {
		return new BrokerError('unavailable', 'The keys of the token issuer cannot be read now.', {}, { cause });
	}
	return new BrokerError('invalid-token', 'The token is not valid.', {}, { cause });
}
