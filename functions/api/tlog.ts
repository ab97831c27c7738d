/**
 * The log over the ledger: what was sealed, for whoever checks it with programs of his own (C2SP tlog-tiles,
 * tlog-checkpoint, tlog-proof). Addresses below `/ledger` are those of a log of tiles, so that a client takes this for its
 * prefix. Nothing here is believed because the store holds it: a checkpoint is one that our key signed, a proof was
 * checked against it, and tiles are for the reader to check.
 */
import { z } from '@hono/zod-openapi';
import * as Evidence from '#core/evidence.ts';
import { idOf } from '#core/id.ts';
import * as Ledger from '#core/ledger.ts';
import { authorize, Entity, notFound } from '#core/policy.ts';
import * as Reading from '#core/reading.ts';
import * as Tlog from '#core/tlog.ts';
import { decodeBundle, FULL, parsePath, type TileName } from '#verifier/tile.ts';
import * as Example from './examples/tlog.ts';
import { cacheable } from './headers.ts';
import { json, newRouter, operation } from './router.ts';

const getCheckpoint = operation(
	{ tag: 'Ledger', action: 'viewLog', refuses: ['not-permitted', 'not-found'] },
	{
		method: 'get',
		path: '/ledger/checkpoint',
		operationId: 'getCheckpoint',
		summary: 'The latest checkpoint of the log: its size and root, signed; `not-found` before anything is sealed',
		responses: {
			200: {
				description: 'A signed note (C2SP tlog-checkpoint)',
				content: { 'text/plain': { schema: z.string(), example: Example.checkpoint } },
			},
		},
	},
);

// The router takes all that is left of the address; no template of OpenAPI says so (see the end of `tlogRoutes`).
const place = '(x[0-9]{3}/){0,5}[0-9]{3}(\\.p/[0-9]{1,3})?';
const described = 'As C2SP tlog-tiles writes it; its slashes may stand as they are or escaped';

const getBundle = operation(
	{ tag: 'Ledger', action: 'readLedger', refuses: ['not-permitted', 'not-found'] },
	{
		method: 'get',
		path: '/ledger/tile/entries/{path{.+}}',
		operationId: 'getEntryBundle',
		summary: 'Entries of the log as they were sealed, up to 256 of them, each after its length in two bytes',
		request: {
			params: z.object({
				path: z
					.string()
					.max(40)
					.regex(new RegExp(`^${place}$`), 'must be the place of a bundle, such as x001/234 or 000.p/18')
					.meta({ description: described, example: '000.p/18' }),
			}),
		},
		responses: { 200: bytes('An entry bundle (C2SP tlog-tiles)', '\u0000\u0003one\u0000\u0003two') },
	},
);

const getTile = operation(
	{ tag: 'Ledger', action: 'viewLog', refuses: ['not-permitted', 'not-found'] },
	{
		method: 'get',
		path: '/ledger/tile/{path{.+}}',
		operationId: 'getTile',
		summary: 'Hashes of the log, up to 256 of one level',
		request: {
			params: z.object({
				path: z
					.string()
					.max(40)
					.regex(new RegExp(`^[0-9]{1,2}/${place}$`), 'must be level and place of a tile, such as 0/x001/234')
					.meta({ description: described, example: '0/000.p/18' }),
			}),
		},
		responses: { 200: bytes('A tile (C2SP tlog-tiles): hashes of 32 bytes', 'a hash is thirty-two such bytes.') },
	},
);

function bytes(description: string, example: string) {
	const schema = z.string().openapi({ format: 'binary' });
	return { description, headers: cacheable, content: { 'application/octet-stream': { schema, example } } };
}

const getProof = operation(
	{ tag: 'Ledger', action: 'proveEntry', refuses: ['not-permitted', 'not-found', 'not-finished'] },
	{
		method: 'get',
		path: '/ledger/entries/{id}/proof',
		operationId: 'getEntryProof',
		summary:
			'That an entry about something of yours is in the log, to be checked offline; says so if it is not sealed yet',
		request: { params: z.object({ id: idOf('entry').meta({ description: 'Id of the entry' }) }) },
		responses: {
			200: {
				description: 'Index, inclusion proof and checkpoint (C2SP tlog-proof@v1)',
				content: { 'text/plain': { schema: z.string(), example: Example.proof } },
			},
		},
	},
);

const Hash = z.base64().meta({ description: 'SHA-256, base64' });
const Head = z.object({ size: z.int().min(0), root: Hash }).meta({ id: 'LogHead' });
const size = z
	.string()
	.regex(/^(0|[1-9][0-9]{0,14})$/, 'must be a whole number')
	.transform(Number);
const sizeIn = { type: 'string', pattern: '^(0|[1-9][0-9]{0,14})$' } as const;

const getConsistency = operation(
	{ tag: 'Ledger', action: 'viewLog', refuses: ['not-permitted', 'not-found'] },
	{
		method: 'get',
		path: '/ledger/consistency',
		operationId: 'getConsistency',
		summary:
			'That the log of one checkpoint begins with that of an earlier one; `not-found` for what was never published',
		request: {
			query: z.object({
				from: size.default(0).openapi({ ...sizeIn, description: 'Size of the earlier one; 0 unless given' }),
				to: size.optional().openapi({ ...sizeIn, description: 'Size of the later one; the latest unless given' }),
			}),
		},
		responses: {
			200: json(
				z.object({ from: Head, to: Head, proof: z.array(Hash) }).meta({ id: 'ConsistencyProof' }),
				'A consistency proof (RFC 6962, 2.1.2) that was checked against both',
				Example.consistency,
			),
		},
	},
);

const AuditFault = z
	.object({
		kind: z.enum(['changed', 'missing', 'inserted', 'reordered']),
		stream: z.string(),
		version: z.string(),
		index: z.int().min(0).nullable().meta({ description: 'Its index in the log, or the one that it claims' }),
	})
	.meta({ id: 'AuditFault' });

const getAudit = operation(
	{ tag: 'Ledger', action: 'verifyLedger', refuses: ['not-permitted', 'not-finished'] },
	{
		method: 'get',
		path: '/ledger/audit',
		operationId: 'auditLedger',
		summary: 'Compare the ledger with its log, entry by entry and in both directions; names the first that differs',
		responses: {
			200: json(
				z
					.object({
						ok: z.boolean(),
						entries: z.int().min(0).meta({ description: 'Entries of the log' }),
						waiting: z.int().min(0).meta({ description: 'Entries that wait to be sealed' }),
						quarantined: z.int().min(0).meta({ description: 'Entries that cannot be sealed and were put aside' }),
						fault: AuditFault.nullable(),
					})
					.meta({ id: 'LedgerAudit' }),
				'What was found',
				{ ok: true, entries: 42, waiting: 3, quarantined: 0, fault: null },
			),
		},
	},
);

const FOREVER = 'private, max-age=31536000, immutable';

export function tlogRoutes() {
	const app = newRouter();
	app.openapi(getCheckpoint, async (c) => {
		const { ctx } = c.var;
		authorize(ctx, 'viewLog', Entity.mesh(ctx.config.governance));
		const checkpoint = await Tlog.published(ctx.log);
		if (checkpoint === null) throw notFound();
		return c.text(new TextDecoder().decode(checkpoint.bytes), 200, TEXT);
	});
	// Before the other one, whose pattern its address fits, too.
	app.openapi(getBundle, async (c) => {
		const { ctx } = c.var;
		authorize(ctx, 'readLedger', Entity.mesh(ctx.config.governance));
		const path = `tile/entries/${c.req.valid('param').path}`;
		const name = nameOf(path);
		const found = await ctx.log.objects.get(path);
		if (found === null) throw notFound();
		c.set('shown', Reading.ofEntries(decodeBundle(found, name.width).map((entry) => Ledger.readEntry(entry).stored)));
		// A place is digits alone, which hold no word.
		c.set('asked', { parameters: {}, declared: ['path'] });
		return c.body(bodyOf(found), 200, headersOf(name));
	});
	app.openapi(getTile, async (c) => {
		const { ctx } = c.var;
		authorize(ctx, 'viewLog', Entity.mesh(ctx.config.governance));
		const path = `tile/${c.req.valid('param').path}`;
		const name = nameOf(path);
		const found = await ctx.log.objects.get(path);
		if (found === null) throw notFound();
		return c.body(bodyOf(found), 200, headersOf(name));
	});
	app.openapi(getProof, async (c) => {
		const text = await Evidence.prove(c.var.ctx, c.req.valid('param').id);
		c.set('shown', { count: 1 });
		return c.text(text, 200, TEXT);
	});
	app.openapi(getConsistency, async (c) => {
		const { ctx } = c.var;
		authorize(ctx, 'viewLog', Entity.mesh(ctx.config.governance));
		const asked = c.req.valid('query');
		const latest = asked.to ?? (await Tlog.published(ctx.log))?.size;
		if (latest === undefined) throw notFound();
		const { from, to, proof } = await Tlog.consistencyBetween(ctx, asked.from, latest);
		return c.json({ from: headOf(from), to: headOf(to), proof: proof.map(base64) }, 200);
	});
	app.openapi(getAudit, async (c) => {
		const { ctx } = c.var;
		authorize(ctx, 'verifyLedger', Entity.mesh(ctx.config.governance));
		const { fault, ...counted } = await Tlog.auditStore(ctx);
		c.set('shown', { count: counted.entries });
		const told = fault === null ? null : { kind: fault.kind, stream: fault.pk, version: fault.sk, index: fault.index };
		return c.json({ ok: fault === null && counted.quarantined === 0, ...counted, fault: told }, 200);
	});
	for (const definition of app.openAPIRegistry.definitions) {
		if (definition.type === 'route') definition.route.path = definition.route.path.replace('{path{.+}}', '{path}');
	}
	return app;
}

const TEXT = { 'content-type': 'text/plain; charset=utf-8' };
const base64 = (hash: Uint8Array) => Buffer.from(hash).toString('base64');
const headOf = ({ size, root }: { size: number; root: Uint8Array }) => ({ size, root: base64(root) });
const bodyOf = (found: Uint8Array) => new Uint8Array(found);

/** What is full stays what it is; a partial one goes when it is full. */
function headersOf({ width }: TileName): Record<string, string> {
	return { 'content-type': 'application/octet-stream', ...(width === FULL ? { 'cache-control': FOREVER } : {}) };
}

/** The digits may be those of no tile, such as `x000/001`. */
function nameOf(path: string): TileName {
	try {
		return parsePath(path);
	} catch {
		throw notFound();
	}
}
