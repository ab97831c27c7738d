/**
 * The headers of answers, each described once: an answer names those it has, and the document refers to them.
 * RFC 9110 (Location, ETag, Retry-After, WWW-Authenticate), RFC 8288 (Link), W3C Trace Context (traceparent),
 * draft-ietf-httpapi-ratelimit-headers, draft-ietf-httpapi-idempotency-key-header-07.
 */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Env } from '../env.ts';
import { idempotencyHeaders } from '../idempotency.ts';
import { limitHeaders } from '../limits.ts';
import { sealedHeaders } from '../sealed.ts';

const text = (description: string, example: string) => ({ description, schema: { type: 'string' as const }, example });
const always = <T extends object>(header: T) => ({ ...header, required: true });

const described = {
	Location: always(text('Where the thing is that came of this', '/api/v1/requests/req_01M7YD5PDNN5AS78V66SC2NX1W')),
	GrantLocation: text(
		'Where the grant is, if this decision opened one',
		'/api/v1/grants/grt_01M7YD5PMRP0ZNXB91CVA8E467',
	),
	ETag: always({
		description:
			'Names what you see (of a request, the content that is decided on, not its approvals); send it as If-Match',
		schema: { type: 'string' as const, pattern: '^"[\\x21\\x23-\\x7e]+"$' },
		example: '"3"',
	}),
	Link: text('The next page, if there is one (`rel="next"`)', '</api/v1/grants?pageToken=Zm9v>; rel="next"'),
	RetryAfter: {
		description: 'Seconds after which trying again may help',
		schema: { type: 'string' as const, pattern: '^[0-9]+$' },
		example: '1',
	},
	Challenge: always(
		text(
			'The scheme, and where tokens come from (RFC 9728)',
			'Bearer resource_metadata="https://fairlead.example/.well-known/oauth-protected-resource"',
		),
	),
	RequestId: always({
		description: 'Id of the request, for support',
		schema: { type: 'string' as const, format: 'uuid' },
		example: '0193a5a4-7b1e-4c1f-9d3e-2f6f1c0f6c3a',
	}),
	Traceparent: always({
		description: 'The trace that the request belongs to, continued from the one it came with',
		schema: { type: 'string' as const, pattern: '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$' },
		example: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
	}),
	CacheControl: always({
		description: 'Nothing here may be kept by anybody on the way',
		schema: { type: 'string' as const, const: 'no-store' },
		example: 'no-store',
	}),
	Kept: always({
		description: 'What never changes may be kept by whoever asked; nothing else may',
		schema: { type: 'string' as const, pattern: '^(no-store|private, max-age=31536000, immutable)$' },
		example: 'private, max-age=31536000, immutable',
	}),
	RateLimitPolicy: limitHeaders['RateLimit-Policy'],
	RateLimit: limitHeaders.RateLimit,
	FairleadSealed: sealedHeaders['Fairlead-Sealed'],
	IdempotencyReplayed: idempotencyHeaders['Idempotency-Replayed'],
};

/** Makes the descriptions known to the document that the routes of `app` go into. */
export function describeHeaders(app: OpenAPIHono<Env>): void {
	for (const [name, header] of Object.entries(described))
		app.openAPIRegistry.registerComponent('headers', name, header);
}

const refer = (name: keyof typeof described) => ({ $ref: `#/components/headers/${name}` });

export const location = { Location: refer('Location') };
export const grantLocation = { Location: refer('GrantLocation') };
export const etag = { ETag: refer('ETag') };
export const link = { Link: refer('Link') };
export const retryAfter = { 'Retry-After': refer('RetryAfter') };
export const challenge = { 'WWW-Authenticate': refer('Challenge') };

/** In place of what every answer has, where it may be kept. */
export const cacheable = { 'Cache-Control': refer('Kept') };

/** What every answer has. */
export const everywhere = {
	'X-Request-Id': refer('RequestId'),
	traceparent: refer('Traceparent'),
	'Cache-Control': refer('CacheControl'),
};

/** What an answer to a caller who is signed in may have, besides. */
export const signedIn = { RateLimit: refer('RateLimit'), 'RateLimit-Policy': refer('RateLimitPolicy') };

/** What the answer to whatever writes may have, besides. */
export const sealed = { 'Fairlead-Sealed': refer('FairleadSealed') };

/** What the answer to a POST may have, besides. */
export const replayed = { 'Idempotency-Replayed': refer('IdempotencyReplayed') };
