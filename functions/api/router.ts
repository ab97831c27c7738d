/** What all routes share: how input is refused, how lists are paged. */
import { OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context as HonoContext } from 'hono';
import { idOf, type Kind, Slug } from '#core/id.ts';
import type { Env } from '../env.ts';
import { invalidInput, problem } from '../problem.ts';

export { etag, grantLocation, link, location, retryAfter } from './headers.ts';
export { IfMatch, json, jsonBody, openOperation, operation } from './operation.ts';

const places: Record<string, string> = { json: 'body', query: 'query', param: 'path', header: 'headers' };

export function newRouter(): OpenAPIHono<Env> {
	return new OpenAPIHono<Env>({
		defaultHook: (result, c) =>
			result.success ? undefined : problem(c, invalidInput(result.error.issues, places[result.target] ?? 'request')),
	});
}

/** Plain digits only: what JavaScript takes for a number besides (`0x10`, `1e1`, blanks) was not meant. */
export function pageSize(most: number, otherwise: number) {
	return z
		.string()
		.regex(/^[1-9][0-9]{0,8}$/, 'must be a whole number')
		.transform(Number)
		.pipe(z.int().max(most))
		.default(otherwise)
		.openapi({ type: 'integer', minimum: 1, maximum: most, default: otherwise, description: 'Most things on a page' });
}

export function pageToken(most: number) {
	return z
		.string()
		.min(1)
		.max(most)
		.optional()
		.meta({ description: '`nextPageToken` of the page before; for the same caller and the same query only' });
}

export function format<const F extends [string, ...string[]]>(...formats: F) {
	return z.enum(formats).default(formats[0]).meta({ description: 'How the answer is written' });
}

export const Paging = z.object({ pageSize: pageSize(100, 20), pageToken: pageToken(2000) });

/** The path of one thing. */
export const one = (kind: Kind) => ({
	params: z.object({ id: idOf(kind).meta({ description: `Id of the ${kind}` }) }),
});

export const OfDomain = Slug.optional().meta({ description: 'Those of this domain, as far as you may see them' });

export const nextPageToken = z.string().nullable().meta({ description: 'null on the last page' });

/** Names the next page as RFC 8288 does, besides the token in the body: the same query with the token of that page. */
export function linkNext(c: HonoContext<Env>, pageToken: string | null): void {
	if (pageToken === null) return;
	const url = new URL(c.req.url);
	url.searchParams.set('pageToken', pageToken);
	c.header('link', `<${url.pathname}${url.search}>; rel="next"`);
}
