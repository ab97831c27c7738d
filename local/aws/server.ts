/**
 * One loopback HTTP server for all embedded services. The whole body is read before anything else, so a
 * client that goes away costs nothing; then the signature is checked, and the service named by the
 * credential scope answers in its own protocol (protocol.ts). A test may put faults in between (faults.ts).
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Caller, Operations } from '../wire.ts';
import type { DynamoDb } from './dynamodb.ts';
import { type Call, type Screen, screened } from './entries.ts';
import { type FaultInjector, Unanswered } from './faults.ts';
import type { Keys } from './keys.ts';
import {
	asAwsError,
	errorReply,
	GLOBAL_REGION,
	inputOf,
	jsonType,
	mustBeAddressed,
	operationName,
	parametersOf,
	protocolOf,
	type Reply,
	type Service,
	serviceOf,
	textOf,
	unknownOperation,
} from './protocol.ts';
import { openRecorder } from './record.ts';
import { mustBeLeft } from './session-policy.ts';
import { authenticate, type Credential, readCredential, type SignedRequest } from './sigv4.ts';
import { isRecorded, type Outcome } from './trail.ts';
import { trackWork } from './underway.ts';

/** A service of the Query protocol: parameters in, XML out. */
export type QueryService = (caller: Caller, parameters: ReadonlyMap<string, string>) => string | Promise<string>;

export type Services = {
	readonly dynamodb: DynamoDb;
	readonly sts: QueryService;
	readonly iam: QueryService;
	readonly glue: Operations;
	readonly athena: Operations;
	readonly lakeformation: Operations;
	readonly cloudtrail: Operations;
};

export type ServerOptions = {
	readonly port: number;
	readonly region: string;
	readonly keys: Keys;
	readonly clock: () => Date;
	readonly log: (line: string) => void;
	readonly services: Services;
	readonly injector: FaultInjector;
	/** What refuses a grant or revocation before Lake Formation sees it. */
	readonly screens: readonly Screen[];
	/** Told of what CloudTrail records, once it is done. */
	readonly trail: (call: Call, outcome: Outcome) => void;
};

const CLOSE_MS = 2000;
const KEEP_MS = 120_000;
const LARGEST_BODY = 16 * 1024 * 1024;
const recorder = openRecorder();

export async function listen(options: ServerOptions): Promise<{ endpoint: string; close: () => Promise<void> }> {
	const requests = trackWork();
	recordServed(options.services);
	const server = createServer((request, response) => {
		requests
			.run(() => serve(request, response, options))
			.catch((error: unknown) => {
				if (!(error instanceof Unanswered)) {
					options.log(`the server failed: ${error instanceof Error ? error.stack : String(error)}`);
				}
				response.destroy();
			});
	});
	// Longer than a client keeps a connection that it may still use; a busy machine would be met by a closed one.
	server.keepAliveTimeout = KEEP_MS;
	server.on('clientError', (_error, socket) => socket.destroy());
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(options.port, '127.0.0.1', resolve);
	});
	const { port } = server.address() as AddressInfo;
	// Connections end at once; what their requests had begun is not cut off in the middle of the folder's files.
	const close = async () => {
		options.injector.faults.clear();
		await closeServer(server);
		await requests.close(CLOSE_MS);
	};
	return { endpoint: `http://127.0.0.1:${port}`, close };
}

/** The tests that hold us against AWS's service models learn here what there is to hold. */
function recordServed(services: Services): void {
	for (const service of ['glue', 'athena', 'lakeformation', 'cloudtrail'] as const) {
		recorder?.served({ service, operations: [...services[service].keys()] });
	}
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
		const call = await readCall(service, request, credential, options);
		reply = await options.injector.around(call, () => dispatch(call, request, options));
	} catch (error) {
		if (error instanceof Unanswered) {
			options.log(`${service ?? '?'} ${operationName(request)} unanswered`);
			throw error;
		}
		reply = refuse(error, service, request, options);
	}
	recorder?.exchange({
		service: service ?? '',
		operation: operationName(request),
		request: { headers: request.headers, body: body.toString() },
		response: reply,
	});
	const ms = Math.round(performance.now() - started);
	options.log(`${service ?? '?'} ${operationName(request)} ${reply.status} ${ms} ms`);
	return reply;
}

/** Who calls what with which input; throws for whom the signature does not show to be who he says. */
async function readCall(
	service: Service,
	request: SignedRequest,
	credential: Credential,
	{ keys, region, clock }: ServerOptions,
): Promise<Call> {
	const signedFor = service === 'iam' && credential.region === GLOBAL_REGION ? GLOBAL_REGION : region;
	const caller = await authenticate(request, credential, { keys, region: signedFor, now: clock() });
	mustBeAddressed(service, request);
	const invocation = request.headers['amz-sdk-invocation-id'];
	return {
		service,
		operation: operationName(request),
		caller,
		input: inputOf(service, request),
		id: typeof invocation === 'string' ? invocation : randomUUID(),
		accessKeyId: credential.accessKeyId,
	};
}

async function dispatch(call: Call, request: SignedRequest, options: ServerOptions): Promise<Reply> {
	if (call.service === 'dynamodb') return await askDynamoDb(call, request, options);
	const recorded = isRecorded(call);
	try {
		mustBeLeft(call.caller, call.service, call.operation);
		const output = await ask(call, request, options);
		if (recorded) options.trail(call, { output });
		const xml = typeof output === 'string';
		return {
			status: 200,
			headers: { 'content-type': xml ? 'text/xml' : jsonType(call.service) },
			body: xml ? output : JSON.stringify(output),
		};
	} catch (error) {
		if (recorded) options.trail(call, { error: asAwsError(error, protocolOf(call.service, request)) });
		throw error;
	}
}

async function ask(call: Call, request: SignedRequest, options: ServerOptions): Promise<object | string> {
	const { service, operation: name, caller } = call;
	if (service === 'sts' || service === 'iam') return await options.services[service](caller, parametersOf(request));
	if (service === 'dynamodb') throw unknownOperation();
	const operation = options.services[service].get(name);
	if (operation === undefined) throw unknownOperation();
	return await screened(call, options.screens, (input) => operation(caller, input));
}

/** DynamoDB's replies are written by dynalite itself. */
async function askDynamoDb(call: Call, request: SignedRequest, { services }: ServerOptions): Promise<Reply> {
	mustBeLeft(call.caller, call.service, call.operation);
	const headers = Object.fromEntries(Object.entries(request.headers).map(([key, value]) => [key, String(value)]));
	return await services.dynamodb.handle(call.caller, call.operation, { headers, body: textOf(request) });
}

function refuse(error: unknown, service: Service | undefined, request: SignedRequest, options: ServerOptions): Reply {
	const protocol = protocolOf(service, request);
	const known = asAwsError(error, protocol);
	if (known.status >= 500) {
		options.log(`${service ?? '?'} failed: ${error instanceof Error ? error.stack : String(error)}`);
	}
	return errorReply(known, service, protocol);
}
