/**
 * A local OpenID provider for the sample people: discovery, JWKS and a token endpoint that asks for no password.
 * It proves nothing about who asks, so it listens on loopback only and cannot start in production.
 *
 * Access tokens follow RFC 9068 (`typ` at+jwt), signed with ES256. The key is made once and kept in `dataDir`,
 * readable by its owner alone: tokens stay valid across a restart. A crash while the key is written leaves none.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT } from 'jose';
import { openKey, type SigningKey } from './issuer/key.ts';
import type { Person } from './people.ts';

/** The grant type of the token endpoint: an extension grant, named by a URI (RFC 6749 section 4.5). */
export const PERSON_GRANT = 'urn:fairlead:grant-type:person';

const LIFETIME_SECONDS = 3600;
const MAX_BODY_BYTES = 8 * 1024;

export type IssuerOptions = {
	readonly dataDir: string;
	/** 0: any free port. */
	readonly port: number;
	/** Who its tokens are from; if absent its own address, which has the port in it. */
	readonly name?: string;
	readonly audience: string;
	readonly people: Readonly<Record<string, Person>>;
	readonly clock?: () => Date;
};

/** Tests ask for tokens that must be refused. */
export type TokenOverrides = {
	readonly issuer?: string;
	readonly audience?: string;
	readonly subject?: string;
	readonly type?: string;
	/** Seconds; negative for a token that has expired. */
	readonly expiresIn?: number;
	/** Claims to leave out. */
	readonly without?: readonly ('sub' | 'aud' | 'iat' | 'exp')[];
};

export type Issuer = {
	readonly issuer: string;
	readonly jwksUri: string;
	readonly tokenEndpoint: string;
	/** A token for one of the people, by handle. */
	readonly token: (handle: string, overrides?: TokenOverrides) => Promise<string>;
	readonly close: () => Promise<void>;
};

type Endpoint = { readonly status: number; readonly body: object };
type Signer = Pick<Issuer, 'issuer' | 'token'> & {
	readonly address: string;
	readonly key: SigningKey;
	readonly audience: string;
};

export async function startIssuer(options: IssuerOptions): Promise<Issuer> {
	if (process.env['NODE_ENV'] === 'production') throw new Error('The local issuer does not run in production.');
	const key = await openKey(options.dataDir);
	const server = createServer();
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(options.port, '127.0.0.1', resolve);
	});
	const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const issuer = options.name ?? address;
	const token = makeToken(options, key, issuer);
	const signer: Signer = { issuer, address, token, key, audience: options.audience };
	server.on('request', (request, response) => {
		respond(signer, request, response).catch(() => response.destroy());
	});
	return {
		issuer,
		jwksUri: `${address}/jwks`,
		tokenEndpoint: `${address}/token`,
		token,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

function makeToken(options: IssuerOptions, key: SigningKey, issuer: string): Issuer['token'] {
	const clock = options.clock ?? (() => new Date());
	return async (handle, overrides = {}) => {
		const person = personOf(options.people, handle);
		if (person === undefined)
			throw new Error(`unknown person ${handle}; known: ${Object.keys(options.people).join(', ')}`);
		const now = Math.floor(clock().getTime() / 1000);
		const expiresIn = overrides.expiresIn ?? LIFETIME_SECONDS;
		const claims: Record<string, unknown> = {
			iss: overrides.issuer ?? issuer,
			aud: overrides.audience ?? options.audience,
			sub: overrides.subject ?? person.subject,
			client_id: 'fairlead-local',
			// An expired token was issued an hour before its end, like any other.
			iat: expiresIn > 0 ? now : now + expiresIn - LIFETIME_SECONDS,
			exp: now + expiresIn,
			jti: randomUUID(),
		};
		for (const claim of overrides.without ?? []) delete claims[claim];
		return new SignJWT(claims)
			.setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: overrides.type ?? 'at+jwt' })
			.sign(key.privateKey);
	};
}

function personOf(people: Readonly<Record<string, Person>>, handle: string): Person | undefined {
	return Object.hasOwn(people, handle) ? people[handle] : undefined;
}

async function respond(signer: Signer, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const { status, body } = await route(signer, request);
	response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' });
	response.end(JSON.stringify(body));
}

async function route(signer: Signer, request: IncomingMessage): Promise<Endpoint> {
	// A page in a browser could reach loopback: it sends Origin, or a name that was made to resolve here.
	if (request.headers.origin !== undefined || request.headers.host !== new URL(signer.address).host) {
		return { status: 403, body: { error: 'access_denied' } };
	}
	const path = new URL(request.url ?? '/', signer.address).pathname;
	switch (`${request.method} ${path}`) {
		case 'GET /.well-known/openid-configuration':
			return { status: 200, body: metadata(signer) };
		case 'GET /jwks':
			return { status: 200, body: { keys: [signer.key.publicJwk] } };
		case 'POST /token':
			return grant(signer, request);
		default:
			return { status: 404, body: { error: 'not_found' } };
	}
}

/** OpenID Connect Discovery 1.0 section 3, as far as there is anything to discover. */
function metadata({ issuer, address }: Signer): object {
	return {
		issuer,
		jwks_uri: `${address}/jwks`,
		token_endpoint: `${address}/token`,
		grant_types_supported: [PERSON_GRANT],
		token_endpoint_auth_methods_supported: ['none'],
		response_types_supported: [],
		subject_types_supported: ['public'],
		id_token_signing_alg_values_supported: ['ES256'],
	};
}

function refuse(error: string, error_description: string): Endpoint {
	return { status: 400, body: { error, error_description } };
}

/** RFC 6749 sections 4.5, 5.1 and 5.2: form in, JSON out, errors by name. */
async function grant(signer: Signer, request: IncomingMessage): Promise<Endpoint> {
	if (!/^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')) {
		return refuse('invalid_request', 'send application/x-www-form-urlencoded');
	}
	const text = await read(request);
	if (text === null) return refuse('invalid_request', 'the body is too large');
	const form = new URLSearchParams(text);
	const repeated = [...form.keys()].find((name) => form.getAll(name).length > 1);
	if (repeated !== undefined) return refuse('invalid_request', 'a parameter is repeated');
	if (!form.has('grant_type')) return refuse('invalid_request', '`grant_type` is required');
	if (form.get('grant_type') !== PERSON_GRANT) return refuse('unsupported_grant_type', `use ${PERSON_GRANT}`);
	const audience = form.get('audience');
	if (audience !== null && audience !== signer.audience) return refuse('invalid_target', `use ${signer.audience}`);
	const access_token = await signer.token(form.get('person') ?? '').catch(() => null);
	if (access_token === null) return refuse('invalid_request', 'no such person');
	return { status: 200, body: { access_token, token_type: 'Bearer', expires_in: LIFETIME_SECONDS } };
}

async function read(request: IncomingMessage): Promise<string | null> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of request as AsyncIterable<Buffer>) {
		size += chunk.length;
		if (size <= MAX_BODY_BYTES) chunks.push(chunk);
	}
	return size > MAX_BODY_BYTES ? null : Buffer.concat(chunks).toString('utf8');
}
