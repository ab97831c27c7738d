/** A witness over HTTP/1.1. It speaks no TLS: a proxy in front of it does, wherever it is reached from elsewhere. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MAX_REQUEST_BYTES } from '../verifier/witness.ts';
import { type Answer, respond, type Witness } from './witness.ts';

/** A request that is not there by then is given up, its head as well as the whole. */
const REQUEST_MS = 10_000;
/** How often Node looks for such requests: every 30 seconds unless told, so that they would stay for four times as long. */
const CHECK_MS = 1000;
const MAX_CONNECTIONS = 256;

export type Running = { readonly port: number; readonly close: () => Promise<void> };

export type Listening = {
	readonly host: string;
	/** 0 is any free one. */
	readonly port: number;
	/** Milliseconds that a client has for its request. */
	readonly requestMs?: number;
};

/** Listens. Whoever does not send a whole request in time is answered 408, and cut off. */
export async function serve(witness: Witness, { host, port, requestMs = REQUEST_MS }: Listening): Promise<Running> {
	const limits = { requestTimeout: requestMs, headersTimeout: requestMs, connectionsCheckingInterval: CHECK_MS };
	const server = createServer(limits, (request, response) => {
		const write = ({ status, type, body }: Answer) => {
			const last = status === 413 ? { connection: 'close' } : {};
			response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), ...last });
			response.end(body);
		};
		// Whoever goes away in the middle of a request wants no answer.
		answer(witness, request).then(write, () => response.destroy());
	});
	server.maxConnections = MAX_CONNECTIONS;
	await new Promise<void>((resolve, reject) => {
		server.once('error', reject);
		server.listen(port, host, resolve);
	});
	return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

async function answer(witness: Witness, request: IncomingMessage): Promise<Answer> {
	const body = await bodyOf(request);
	if (body === null) return { status: 413, type: 'text/plain', body: 'the request is too long\n' };
	const [path = ''] = (request.url ?? '').split('?');
	return respond(witness, { method: request.method ?? '', path, body });
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array | null> {
	const chunks: Uint8Array[] = [];
	let length = 0;
	for await (const chunk of request as AsyncIterable<Uint8Array>) {
		length += chunk.length;
		if (length > MAX_REQUEST_BYTES) return null;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

async function closed(server: Server): Promise<void> {
	const done = new Promise<void>((resolve) => {
		server.close(() => resolve());
	});
	server.closeAllConnections();
	await done;
}
