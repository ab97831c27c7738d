/** The ledger for those who check it: raw entries with their bytes, and verification. */
import { z } from '@hono/zod-openapi';
import { makeCursor, readCursor } from '#core/cursor.ts';
import * as Ledger from '#core/ledger.ts';
import { authorize, Entity } from '#core/policy.ts';
import * as Reading from '#core/reading.ts';
import * as Example from './examples.ts';
import { pageAmong } from './listing.ts';
import { json, link, linkNext, newRouter, nextPageToken, operation, Paging } from './router.ts';

const RawEntry = z
	.object({
		stream: z.string(),
		version: z.int().min(1),
		leaf: Ledger.Hash.meta({ description: 'SHA-256(0x00 || bytes), hex, as stored' }),
		bytes: z.base64().meta({ description: 'The canonical bytes (RFC 8785), base64' }),
	})
	.meta({ id: 'LedgerEntry' });

const Stream = Ledger.StreamName.optional().meta({
	description: 'One stream alone',
	example: 'A#product#lending.loans',
});

const listEntries = operation(
	{ tag: 'Ledger', action: 'readLedger', refuses: ['not-permitted'] },
	{
		method: 'get',
		path: '/ledger/entries',
		operationId: 'listLedgerEntries',
		summary: 'Entries of one stream, or of the whole ledger stream by stream, with the bytes to check',
		request: { query: Paging.extend({ stream: Stream }) },
		responses: {
			200: {
				...json(z.object({ entries: z.array(RawEntry), nextPageToken }), 'Entries', {
					entries: [Example.ledgerEntry],
					nextPageToken: null,
				}),
				headers: link,
			},
		},
	},
);

const Fault = z.object({ stream: z.string(), ver: z.int().min(1), fault: z.string() });

const verify = operation(
	{ tag: 'Ledger', action: 'verifyLedger', refuses: ['not-permitted'] },
	{
		method: 'get',
		path: '/ledger/verification',
		operationId: 'verifyLedger',
		summary: 'Recompute hashes and chains of one stream or of all; names the first bad entry of each',
		request: { query: z.object({ stream: Stream }) },
		responses: {
			200: json(
				z.object({ ok: z.boolean(), streams: z.int().min(0), entries: z.int().min(0), findings: z.array(Fault) }),
				'What was found',
				{ ok: true, streams: 18, entries: 23, findings: [] },
			),
		},
	},
);

export function ledgerRoutes() {
	const app = newRouter();
	app.openapi(listEntries, async (c) => {
		const { ctx } = c.var;
		authorize(ctx, 'readLedger', Entity.mesh(ctx.config.governance));
		const { stream, pageSize, pageToken } = c.req.valid('query');
		if (stream !== undefined) {
			// By version: what is appended meanwhile comes after it.
			const paging = { of: ['ledger', stream], pageSize, pageToken };
			const { found, ...rest } = pageAmong(c, await Ledger.rawStream(ctx, stream), ({ ver }) => ver, paging);
			c.set('shown', Reading.ofEntries(found));
			return c.json({ entries: found.map(raw), ...rest }, 200);
		}
		const start = pageToken === undefined ? null : z.string().parse(readCursor(ctx, ['ledger'], pageToken));
		const page = await Ledger.rawPage(ctx, start, pageSize);
		const next = page.next === null ? null : makeCursor(ctx, ['ledger'], page.next);
		linkNext(c, next);
		c.set('shown', Reading.ofEntries(page.items));
		return c.json({ entries: page.items.map(raw), nextPageToken: next }, 200);
	});
	app.openapi(verify, async (c) => {
		const { ctx } = c.var;
		authorize(ctx, 'verifyLedger', Entity.mesh(ctx.config.governance));
		const { stream } = c.req.valid('query');
		if (stream === undefined) {
			const found = await Ledger.verifyAll(ctx);
			c.set('shown', { count: found.entries });
			return c.json({ ok: found.findings.length === 0, ...found }, 200);
		}
		const versions = await Ledger.rawStream(ctx, stream);
		c.set('shown', { count: versions.length });
		const finding = Ledger.verifyStream(stream, versions);
		const findings = finding === null ? [] : [finding];
		return c.json(
			{ ok: finding === null, streams: versions.length > 0 ? 1 : 0, entries: versions.length, findings },
			200,
		);
	});
	return app;
}

function raw(stored: Ledger.Stored) {
	return {
		stream: stored.stream,
		version: stored.ver,
		leaf: stored.leaf,
		bytes: Buffer.from(stored.bytes).toString('base64'),
	};
}
