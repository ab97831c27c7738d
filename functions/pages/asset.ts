/**
 * Files that pages refer to. The name of each holds a hash of its bytes, so that it may be kept for ever: other bytes
 * have another name. Only names made here are served; no path of a request ever reaches the file system.
 */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Context as HonoContext } from 'hono';
import { accepts } from 'hono/accepts';
import type { Env } from '../env.ts';

export type Asset = {
	/** Where it is served. */
	readonly href: string;
	readonly type: string;
	readonly body: Uint8Array<ArrayBuffer>;
	/** The same, packed once and not by each request: the largest is of more than a megabyte. */
	readonly gzip: Uint8Array<ArrayBuffer>;
};

const types = { '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8' };

export function makeAsset(name: `${string}${keyof typeof types}`, body: Uint8Array<ArrayBuffer>): Asset {
	const { name: stem, ext } = path.parse(name);
	const hash = createHash('sha256').update(body).digest('hex').slice(0, 16);
	return {
		href: `/docs/${stem}.${hash}${ext}`,
		type: types[ext as keyof typeof types],
		body,
		gzip: new Uint8Array(gzipSync(body)),
	};
}

/** One year, the longest that RFC 9111 caches are asked to honour; `immutable` is RFC 8246. */
export function sendAsset(c: HonoContext<Env>, { type, body, gzip }: Asset): Response {
	const headers = {
		'content-type': type,
		'cache-control': 'public, max-age=31536000, immutable',
		vary: 'Accept-Encoding',
	};
	const coding = accepts(c, { header: 'Accept-Encoding', supports: ['gzip', 'identity'], default: 'identity' });
	return coding === 'gzip' ? c.body(gzip, 200, { ...headers, 'content-encoding': 'gzip' }) : c.body(body, 200, headers);
}
