/**
 * Signature Version 4, checked as AWS does: every request is signed again with the key's secret over the
 * headers that the client says it signed, and compared in constant time. The body's hash is always our own.
 * Order and texts follow the IAM user guide ("Signature Version 4 troubleshooting") and DynamoDB's answers.
 */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Caller } from '../wire.ts';
import { type Keys, sameText } from './keys.ts';

export type SignedRequest = {
	readonly method: string;
	readonly path: string;
	readonly query: Readonly<Record<string, string>>;
	readonly headers: IncomingHttpHeaders;
	readonly body: Uint8Array;
};

/** Why a request is not authenticated; each protocol has its own name for it. */
export type Refusal = 'missing-token' | 'incomplete' | 'unknown-key' | 'bad-signature' | 'expired-token';

export class SignatureError extends Error {
	readonly refusal: Refusal;
	constructor(refusal: Refusal, message: string) {
		super(message);
		this.name = 'SignatureError';
		this.refusal = refusal;
	}
}

export type Credential = {
	readonly accessKeyId: string;
	readonly date: string;
	readonly region: string;
	readonly service: string;
	readonly signedHeaders: readonly string[];
	readonly signature: string;
};

const SKEW_MS = 15 * 60 * 1000;
const MISMATCH =
	'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';
const INVALID_TOKEN = 'The security token included in the request is invalid.';

/** Reads the Authorization header; throws if there is none or a part of it is missing. */
export function readCredential(header: string | undefined): Credential {
	if (header === undefined || !header.startsWith('AWS4-')) {
		throw new SignatureError('missing-token', 'Request is missing Authentication Token');
	}
	const parts = new Map<string, string>();
	for (const part of header.slice(header.indexOf(' ') + 1).split(',')) {
		const equals = part.indexOf('=');
		if (equals > 0) parts.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
	}
	const need = (name: string) => {
		const value = parts.get(name);
		if (value) return value;
		throw new SignatureError('incomplete', `Authorization header requires '${name}' parameter.`);
	};
	if (!header.startsWith('AWS4-HMAC-SHA256 ')) {
		throw new SignatureError('incomplete', "Unsupported AWS 'algorithm': only AWS4-HMAC-SHA256.");
	}
	const scope = need('Credential').split('/');
	const [accessKeyId, date, region, service, term] = scope;
	if (scope.length !== 5 || !accessKeyId || !date || !region || !service || term !== 'aws4_request') {
		const message =
			'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/aws4_request.';
		throw new SignatureError('incomplete', message);
	}
	return {
		accessKeyId,
		date,
		region,
		service,
		signedHeaders: need('SignedHeaders').split(';'),
		signature: need('Signature'),
	};
}

/** The caller of a request whose signature holds now; throws a `SignatureError` otherwise. */
export async function authenticate(
	request: SignedRequest,
	credential: Credential,
	options: { readonly keys: Keys; readonly region: string; readonly now: Date },
): Promise<Caller> {
	const signedAt = signingDate(request.headers, credential, options.now);
	if (credential.region !== options.region) {
		throw new SignatureError(
			'bad-signature',
			`Credential should be scoped to a valid region, not '${credential.region}'.`,
		);
	}
	checkSignedHeaders(request.headers, credential);
	checkPayload(request);
	const token = request.headers['x-amz-security-token'];
	const key = options.keys.resolve(credential.accessKeyId, typeof token === 'string' ? token : undefined);
	if (key.kind === 'unknown') throw new SignatureError('unknown-key', INVALID_TOKEN);
	const expected = await sign(request, credential, key.secretAccessKey, signedAt);
	if (!sameText(expected, credential.signature)) throw new SignatureError('bad-signature', MISMATCH);
	if (key.expires !== null && key.expires <= options.now) {
		throw new SignatureError('expired-token', 'The security token included in the request is expired');
	}
	return key.caller;
}

function signingDate(headers: IncomingHttpHeaders, credential: Credential, now: Date): Date {
	const header = headers['x-amz-date'];
	const text = typeof header === 'string' ? header : '';
	const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
	if (match === null)
		throw new SignatureError('incomplete', "Authorization header requires existence of an 'X-Amz-Date' header.");
	const [, year, month, day, hour, minute, second] = match;
	const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
	if (credential.date !== `${year}${month}${day}`) {
		throw new SignatureError(
			'bad-signature',
			'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.',
		);
	}
	const late = now.getTime() - date.getTime();
	// An unreadable date gives NaN, which no comparison lets through.
	if (!(late <= SKEW_MS)) {
		const bound = basic(new Date(now.getTime() - SKEW_MS));
		throw new SignatureError(
			'bad-signature',
			`Signature expired: ${text} is now earlier than ${bound} (${basic(now)} - 15 min.)`,
		);
	}
	if (!(late >= -SKEW_MS)) {
		const bound = basic(new Date(now.getTime() + SKEW_MS));
		throw new SignatureError(
			'bad-signature',
			`Signature not yet current: ${text} is still later than ${bound} (${basic(now)} + 15 min.)`,
		);
	}
	return date;
}

function basic(date: Date): string {
	return `${date.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

/** Host and every x-amz- header that came must have been signed, or somebody may have added it on the way. */
function checkSignedHeaders(headers: IncomingHttpHeaders, credential: Credential): void {
	const signed = new Set(credential.signedHeaders);
	for (const name of Object.keys(headers)) {
		if ((name === 'host' || name.startsWith('x-amz-')) && !signed.has(name)) {
			throw new SignatureError('bad-signature', `'${name}' must be a 'SignedHeader' in the AWS Authorization.`);
		}
	}
}

function checkPayload(request: SignedRequest): void {
	const claimed = request.headers['x-amz-content-sha256'];
	if (claimed === undefined) return;
	const actual = createHash('sha256').update(request.body).digest('hex');
	if (claimed !== actual) throw new SignatureError('bad-signature', MISMATCH);
}

async function sign(
	request: SignedRequest,
	credential: Credential,
	secretAccessKey: string,
	date: Date,
): Promise<string> {
	const headers: Record<string, string> = {};
	for (const name of credential.signedHeaders) {
		const value = request.headers[name];
		if (value === undefined) throw new SignatureError('bad-signature', MISMATCH);
		headers[name] = Array.isArray(value) ? value.join(',') : value;
	}
	const { accessKeyId, service, region } = credential;
	const signer = new SignatureV4({
		service,
		region,
		credentials: { accessKeyId, secretAccessKey },
		sha256: Sha256,
		applyChecksum: false,
	});
	const signed = await signer.sign(
		{
			protocol: 'http:',
			hostname: '127.0.0.1',
			method: request.method,
			path: request.path,
			query: { ...request.query },
			headers,
			body: request.body,
		},
		{ signingDate: date, signableHeaders: new Set(credential.signedHeaders) },
	);
	return readCredential(signed.headers['authorization']).signature;
}

/** The hash that the signer asks for, over Node's own. */
class Sha256 {
	readonly #hash: Hash | Hmac;
	constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
		this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytes(secret));
	}
	update(chunk: string | ArrayBuffer | ArrayBufferView): void {
		this.#hash.update(bytes(chunk));
	}
	digest(): Promise<Uint8Array> {
		return Promise.resolve(new Uint8Array(this.#hash.digest()));
	}
	reset(): void {
		throw new Error('a hash is used once');
	}
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Buffer {
	if (typeof data === 'string') return Buffer.from(data);
	return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}
