/**
 * One loopback HTTP server for all embedded services. The whole body is read before anything else, so a
 * client that goes away costs nothing; then the signature is checked, and the service named by the
 * credential scope answers in its own protocol: AWS JSON 1.0 and 1.1, REST-JSON, Query with XML.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AwsError, type Caller, type Operations } from '../wire.ts';
import type { DynamoDb } from './dynamodb.ts';
import type { Keys } from './keys.ts';
import { authenticate, type Refusal, readCredential, SignatureError, type SignedRequest } from './sigv4.ts';
import { type Sts, tag } from './sts.ts';
import { trackWork } from './underway.ts';

type Protocol = 'json' | 'rest-json' | 'query';
type Service = 'dynamodb' | 'glue' | 'athena' | 'lakeformation' | 'sts';

export type Services = {
	readonly dynamodb: DynamoDb;
	readonly sts: Sts;
	readonly glue: Operations;
	readonly athena: Operations;
	readonly lakeformation: Operations;
};

export type ServerOptions = {
	readonly port: number;
	readonly region: string;
	readonly keys: Keys;
	readonly clock: () => Date;
	readonly log: (line: string) => void;
	readonly services: Services;
};

type Reply = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

const CLOSE_MS = 2000;
const LARGEST_BODY = 16 * 1024 * 1024;
const PROTOCOL: Readonly<Record<Service, Protocol>> = {
	dynamodb: 'json',
	glue: 'json',
	athena: 'json',
	lakeformation: 'rest-json',
	sts: 'query',
};
const TARGET: Readonly<Record<string, string>> = {
	glue: 'AWSGlue',
	athena: 'AmazonAthena',
	dynamodb: 'DynamoDB_20120810',
};

const REFUSALS: Readonly<Record<Refusal, { readonly json: string; readonly query: string }>> = {
	'missing-token': { json: 'MissingAuthenticationTokenException', query: 'MissingAuthenticationToken' },
	incomplete: { json: 'IncompleteSignatureException', query: 'IncompleteSignature' },
	'unknown-key': { json: 'UnrecognizedClientException', query: 'InvalidClientTokenId' },
	'bad-signature': { json: 'InvalidSignatureException', query: 'SignatureDoesNotMatch' },
	'expired-token': { json: 'ExpiredTokenException', query: 'ExpiredToken' },
};

export async function listen(options: ServerOptions): Promise<{ endpoint: string; close: () => Promise<void> }> {
	const requests = trackWork();
	const server = createServer((request, response) => {
		requests
			.run(() => serve(request, response, options))
			.catch((error: unknown) => {
				options.log(`the server failed: ${error instanceof Error ? error.stack : String(error)}`);
				response.destroy();
			});
	});
	server.on('clientError', (_error, socket) => socket.destroy());
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(options.port, '127.0.0.1', resolve);
	});
	const { port } = server.address() as AddressInfo;
	// Connections end at once; what their requests had begun is not cut off in the middle of the folder's files.
	const close = async () => {
		await closeServer(server);
		await requests.close(CLOSE_MS);
	};
	return { endpoint: `http://127.0.0.1:${port}`, close };
}

function closeServer(server: Server): Promise<void> {
	return new Promise((resolve, reject) => {
		server.close((error) => (error ? reject(error) : resolve()));
		server.closeAllConnections();
	});
}

async function serve(incoming: IncomingMessage, response: ServerResponse, options: ServerOptions): Promise<void> {
	// Without listeners an aborted connection would be an uncaught error.
	response.on('error', () => {});
	const body = await readBody(incoming).catch(() => undefined);
	if (body === undefined) return;
	const reply = body === 'too-large' ? { status: 413, headers: {}, body: '' } : await answer(incoming, body, options);
	if (response.destroyed) return;
	response.writeHead(reply.status, { 'x-amzn-requestid': randomUUID(), ...reply.headers });
	response.end(reply.body);
}

function readBody(incoming: IncomingMessage): Promise<Buffer | 'too-large'> {
	return new Promise((resolve, reject) => {
		const chunks: Buffer[] = [];
		let size = 0;
		incoming.on('data', (chunk: Buffer) => {
			size += chunk.length;
			if (size <= LARGEST_BODY) chunks.push(chunk);
		});
		incoming.on('end', () => resolve(size > LARGEST_BODY ? 'too-large' : Buffer.concat(chunks)));
		incoming.on('error', reject);
		incoming.on('close', () => reject(new Error('the client went away')));
	});
}

async function answer(incoming: IncomingMessage, body: Buffer, options: ServerOptions): Promise<Reply> {
	const [path = '/', query = ''] = (incoming.url ?? '/').split('?', 2);
	const request: SignedRequest = {
		method: incoming.method ?? 'GET',
		path,
		query: Object.fromEntries(new URLSearchParams(query)),
		headers: incoming.headers,
		body,
	};
	const started = performance.now();
	let service: Service | undefined;
	let reply: Reply;
	try {
		const credential = readCredential(incoming.headers.authorization);
		service = serviceOf(credential.service);
		const caller = await authenticate(request, credential, {
			keys: options.keys,
			region: options.region,
			now: options.clock(),
		});
		reply = await dispatch(service, caller, request, options);
	} catch (error) {
		reply = errorReply(error, service, protocolOf(service, request), options);
	}
	const ms = Math.round(performance.now() - started);
	options.log(`${service ?? '?'} ${operationName(request)} ${reply.status} ${ms} ms`);
	return reply;
}

function serviceOf(name: string): Service {
	if (Object.hasOwn(PROTOCOL, name)) return name as Service;
	throw new SignatureError('bad-signature', `Credential should be scoped to correct service, not '${name}'.`);
}

/** What is said to a caller who named no service: the protocol that the request looks like. */
function protocolOf(service: Service | undefined, request: SignedRequest): Protocol {
	if (service !== undefined) return PROTOCOL[service];
	if (request.headers['x-amz-target'] !== undefined) return 'json';
	return request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
		? 'query'
		: 'rest-json';
}

function operationName(request: SignedRequest): string {
	const target = request.headers['x-amz-target'];
	if (typeof target === 'string') return target.slice(target.indexOf('.') + 1);
	return request.path === '/' ? (parametersOf(request).get('Action') ?? '') : request.path.slice(1);
}

function parametersOf(request: SignedRequest): Map<string, string> {
	return new Map(new URLSearchParams(Buffer.from(request.body).toString()));
}

async function dispatch(
	service: Service,
	caller: Caller,
	request: SignedRequest,
	options: ServerOptions,
): Promise<Reply> {
	const { services } = options;
	if (request.method !== 'POST') throw unknownOperation();
	if (service === 'sts') {
		return { status: 200, headers: { 'content-type': 'text/xml' }, body: services.sts(caller, parametersOf(request)) };
	}
	const target = request.headers['x-amz-target'];
	if (PROTOCOL[service] === 'json' && (typeof target !== 'string' || target.split('.')[0] !== TARGET[service])) {
		throw unknownOperation();
	}
	const name = operationName(request);
	const body = Buffer.from(request.body).toString();
	if (service === 'dynamodb') {
		const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
		return await services.dynamodb.handle(caller, name, { headers, body });
	}
	const operation = services[service].get(name);
	if (operation === undefined) throw unknownOperation();
	const output = await operation(caller, readJson(body));
	return { status: 200, headers: { 'content-type': jsonType(service) }, body: JSON.stringify(output) };
}

function unknownOperation(): AwsError {
	return new AwsError('UnknownOperationException', 'Unknown operation');
}

function readJson(body: string): unknown {
	if (body === '') return {};
	try {
		return JSON.parse(body);
	} catch {
		throw new AwsError('SerializationException', 'The request body is not JSON');
	}
}

function jsonType(service: Service | undefined): string {
	if (service === 'lakeformation') return 'application/json';
	return service === 'dynamodb' ? 'application/x-amz-json-1.0' : 'application/x-amz-json-1.1';
}

function errorReply(error: unknown, service: Service | undefined, protocol: Protocol, options: ServerOptions): Reply {
	const known = asAwsError(error, protocol);
	if (known.status >= 500)
		options.log(`${service ?? '?'} failed: ${error instanceof Error ? error.stack : String(error)}`);
	if (protocol === 'query') {
		const kind = known.status >= 500 ? 'Receiver' : 'Sender';
		const inner = tag('Type', kind) + tag('Code', known.code) + tag('Message', known.message);
		const body = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>${inner}</Error>${tag('RequestId', randomUUID())}</ErrorResponse>`;
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

function asAwsError(error: unknown, protocol: Protocol): AwsError {
	if (error instanceof AwsError) return error;
	if (error instanceof SignatureError) {
		const names = REFUSALS[error.refusal];
		const code = protocol === 'query' ? names.query : names.json;
		return new AwsError(code, error.message, { status: protocol === 'json' ? 400 : 403 });
	}
	return new AwsError('InternalFailure', 'The embedded service failed', { status: 500 });
}
