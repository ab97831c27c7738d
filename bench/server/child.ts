/** Serves one handler over HTTP on a free port of the loopback address, which it tells its parent. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { endWithParent } from '../child.ts';
import type { Kind } from '../server.ts';
import { type Handler, toEvent } from './event.ts';

const kind = process.argv[2] as Kind;

async function load(): Promise<Handler> {
	if (kind === 'hono') return (await import('./hono.ts')).handler as unknown as Handler;
	if (kind === 'zod-openapi') return (await import('./zod-openapi.ts')).handler as unknown as Handler;
	if (kind === 'replayed') (await import('./replay.ts')).replayStore();
	return (await import('#functions/api.ts')).handler as unknown as Handler;
}

async function respond(handler: Handler, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const body = request.method === 'GET' ? undefined : await text(request);
	const url = new URL(request.url ?? '/', 'http://127.0.0.1');
	const headers = Object.entries(request.headers).map(([name, value]) => [name, String(value)]);
	const sent = {
		method: request.method ?? 'GET',
		headers: Object.fromEntries(headers) as Record<string, string>,
		body,
	};
	const answer = await handler(toEvent(url.pathname, url.search.slice(1), sent), {});
	const bytes = Buffer.from(answer.body ?? '', answer.isBase64Encoded === true ? 'base64' : 'utf8');
	response.writeHead(answer.statusCode, { ...answer.headers, 'content-length': bytes.length });
	response.end(bytes);
}

endWithParent();
const handler = await load();
const server = createServer((request, response) => {
	respond(handler, request, response).catch((error: unknown) => response.destroy(error as Error));
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
