/**
 * How much anybody may send. The bytes that really arrive are counted, whatever `content-length` says: on Lambda no
 * HTTP parser stands between the caller's header and the event's body, and hono/body-limit believes the header.
 */
import type { MiddlewareHandler } from 'hono';
import { BrokerError } from '#core/error.ts';
import type { Env } from './env.ts';

/** Contracts are the largest thing anybody sends. */
export const MAX_BODY = 1024 * 1024;

/** Reads the body once, up to `most` bytes, and leaves it to be read again; more is refused as `too-large`. */
export function limitBody(most: number): MiddlewareHandler<Env> {
	return async (c, next) => {
		const { body } = c.req.raw;
		if (body === null) return next();
		if (Number(c.req.header('content-length') ?? 0) > most) throw tooLarge(most);
		const bytes = await readUpTo(body, most);
		if (bytes === null) throw tooLarge(most);
		const { method } = c.req.raw;
		c.req.raw = new Request(c.req.raw, { method, body: bytes });
		return next();
	};
}

async function readUpTo(body: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array<ArrayBuffer> | null> {
	const chunks: Uint8Array[] = [];
	let size = 0;
	for await (const chunk of body) {
		size += chunk.byteLength;
		if (size > most) return null;
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

const tooLarge = (most: number) => new BrokerError('too-large', `At most ${most} bytes.`);
