/**
 * How each embedded service is spoken to: AWS JSON 1.0 and 1.1, REST-JSON, Query with XML. What a request asks for is
 * read here, and how an error is told; nothing here serves anything.
 */
import { randomUUID } from 'node:crypto';
import { AwsError } from '../wire.ts';
import { type Refusal, SignatureError, type SignedRequest } from './sigv4.ts';
import { tag } from './sts.ts';

export type Protocol = 'json' | 'rest-json' | 'query';
export type Service = 'dynamodb' | 'glue' | 'athena' | 'lakeformation' | 'cloudtrail' | 'sts' | 'iam';
export type Reply = {
	readonly status: number;
	readonly headers: Readonly<Record<string, string>>;
	readonly body: string;
};

export const PROTOCOL: Readonly<Record<Service, Protocol>> = {
	dynamodb: 'json',
	glue: 'json',
	athena: 'json',
	lakeformation: 'rest-json',
	cloudtrail: 'json',
	sts: 'query',
	iam: 'query',
};
/** IAM is a global service: its requests are signed for this Region, or for the client's own where an endpoint is set. */
export const GLOBAL_REGION = 'us-east-1';

const NAMESPACE: Readonly<Record<'sts' | 'iam', string>> = {
	sts: 'https://sts.amazonaws.com/doc/2011-06-15/',
	iam: 'https://iam.amazonaws.com/doc/2010-05-08/',
};
const TARGET: Readonly<Record<string, string>> = {
	glue: 'AWSGlue',
	athena: 'AmazonAthena',
	dynamodb: 'DynamoDB_20120810',
	cloudtrail: 'CloudTrail_20131101',
};

const REFUSALS: Readonly<Record<Refusal, { readonly json: string; readonly query: string }>> = {
	'missing-token': { json: 'MissingAuthenticationTokenException', query: 'MissingAuthenticationToken' },
	incomplete: { json: 'IncompleteSignatureException', query: 'IncompleteSignature' },
	'unknown-key': { json: 'UnrecognizedClientException', query: 'InvalidClientTokenId' },
	'bad-signature': { json: 'InvalidSignatureException', query: 'SignatureDoesNotMatch' },
	'expired-token': { json: 'ExpiredTokenException', query: 'ExpiredToken' },
};

export function serviceOf(name: string): Service {
	if (Object.hasOwn(PROTOCOL, name)) return name as Service;
	throw new SignatureError('bad-signature', `Credential should be scoped to correct service, not '${name}'.`);
}

/** What is said to a caller who named no service: the protocol that the request looks like. */
export function protocolOf(service: Service | undefined, request: SignedRequest): Protocol {
	if (service !== undefined) return PROTOCOL[service];
	if (request.headers['x-amz-target'] !== undefined) return 'json';
	return request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
		? 'query'
		: 'rest-json';
}

export function operationName(request: SignedRequest): string {
	const target = request.headers['x-amz-target'];
	if (typeof target === 'string') return target.slice(target.lastIndexOf('.') + 1);
	return request.path === '/' ? (parametersOf(request).get('Action') ?? '') : request.path.slice(1);
}

/** Throws what AWS answers to a request that is none of this service's operations by its form. */
export function mustBeAddressed(service: Service, request: SignedRequest): void {
	if (request.method !== 'POST') throw unknownOperation();
	const target = request.headers['x-amz-target'];
	if (PROTOCOL[service] === 'json' && (typeof target !== 'string' || target.split('.').at(-2) !== TARGET[service])) {
		throw unknownOperation();
	}
}

export function parametersOf(request: SignedRequest): Map<string, string> {
	return new Map(new URLSearchParams(textOf(request)));
}

/** What the request carries: its JSON, or its parameters by name. */
export function inputOf(service: Service, request: SignedRequest): unknown {
	if (PROTOCOL[service] === 'query') return Object.fromEntries(parametersOf(request));
	const body = textOf(request);
	if (body === '') return {};
	try {
		return JSON.parse(body);
	} catch {
		const what = service === 'dynamodb' ? 'The request body is not a JSON object' : 'The request body is not JSON';
		throw new AwsError('SerializationException', what);
	}
}

export function textOf(request: SignedRequest): string {
	return Buffer.from(request.body).toString();
}

export function unknownOperation(): AwsError {
	return new AwsError('UnknownOperationException', 'Unknown operation');
}

export function jsonType(service: Service | undefined): string {
	if (service === 'lakeformation') return 'application/json';
	return service === 'dynamodb' ? 'application/x-amz-json-1.0' : 'application/x-amz-json-1.1';
}

export function errorReply(known: AwsError, service: Service | undefined, protocol: Protocol): Reply {
	if (protocol === 'query') {
		const kind = known.status >= 500 ? 'Receiver' : 'Sender';
		const inner = tag('Type', kind) + tag('Code', known.code) + tag('Message', known.message);
		const body = `<ErrorResponse xmlns="${NAMESPACE[service === 'iam' ? 'iam' : 'sts']}"><Error>${inner}</Error>${tag('RequestId', randomUUID())}</ErrorResponse>`;
		return { status: known.status, headers: { 'content-type': 'text/xml' }, body };
	}
	const type = service === 'dynamodb' ? `${dynamoNamespace(known.code)}#${known.code}` : known.code;
	const text = service === 'dynamodb' ? { message: known.message } : { Message: known.message };
	return {
		status: known.status,
		// Athena sends no such header; REST-JSON clients read the error's name from it.
		headers: {
			'content-type': jsonType(service),
			...(protocol === 'rest-json' ? { 'x-amzn-errortype': known.code } : {}),
		},
		body: JSON.stringify({ __type: type, ...text, ...known.members }),
	};
}

function dynamoNamespace(code: string): string {
	return code === 'DuplicateItemException' ? 'com.amazonaws.dynamodb.v20120810' : 'com.amazon.coral.service';
}

/** Whatever went wrong, as AWS would say it: what it has no name for is its own failure. */
export function asAwsError(error: unknown, protocol: Protocol): AwsError {
	if (error instanceof AwsError) return error;
	if (error instanceof SignatureError) {
		const names = REFUSALS[error.refusal];
		const code = protocol === 'query' ? names.query : names.json;
		return new AwsError(code, error.message, { status: protocol === 'json' ? 400 : 403 });
	}
	return new AwsError('InternalFailure', 'The embedded service failed', { status: 500 });
}
