/** What all routes share: how input is refused, how lists are paged. */
import { OpenAPIHono, z } from '@hono/zod-openapi';
import type { Context as HonoContext } from 'hono';
import type { Context } from '#core/context.ts';
import { makeCursor, readCursor } from '#core/cursor.ts';
import { Listing } from '#core/ledger.ts';
import type { Env } from '../env.ts';
import { invalidInput, problem } from '../problem.ts';

export { etag, IfMatch, json, jsonBody, openOperation, operation } from './operation.ts';

const places: Record<string, string> = { json: 'body', query: 'query', param: 'path', header: 'headers' };

export function newRouter(): OpenAPIHono<Env> {
	return new OpenAPIHono<Env>({
		defaultHook: (result, c) =>
			result.success ? undefined : problem(c, invalidInput(result.error.issues, places[result.target] ?? 'request')),
	});
}

export const Paging = z.object({
	pageSize: z.coerce.number().int().min(1).max(100).default(20),
	pageToken: z.string().max(2000).optional(),
});

/** Whether a domain's listing is open to the caller at all; what it shows is decided line by line. */
export function mayList(ctx: Context, domain: string): boolean {
	const { governance } = ctx.config;
	return ctx.caller.roles.some((m) => m.domain === domain || (m.domain === governance && m.role === 'regulator'));
}

/** Sort keys of one page of a listing, and the token of the next. */
export async function pageOf(ctx: Context, pk: string, paging: z.infer<typeof Paging>, newestFirst: boolean) {
	const after = paging.pageToken === undefined ? null : z.string().parse(readCursor(ctx, [pk], paging.pageToken));
	const page = await Listing.list(ctx, pk, { limit: paging.pageSize, after, newestFirst });
	return { keys: page.keys, nextPageToken: page.next === null ? null : makeCursor(ctx, [pk], page.next) };
}

export const nextPageToken = z.string().nullable().meta({ description: 'null on the last page' });

/** Names the next page as RFC 8288 does, besides the token in the body: the same query with the token of that page. */
export function linkNext(c: HonoContext<Env>, pageToken: string | null): void {
	if (pageToken === null) return;
	const url = new URL(c.req.url);
	url.searchParams.set('pageToken', pageToken);
	c.header('link', `<${url.pathname}${url.search}>; rel="next"`);
}
