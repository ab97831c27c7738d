/**
 * Columns of a flow that are too many for its entry: which were read, and what each output is made of.
 *
 * They go, in parts, into a stream that is named by the SHA-256 of all of them (RFC 8785), as entries like any others: kept
 * for ever, sealed before the flow that names them, and in the bundles for whoever has no more than those. The same columns
 * are written once, whoever reads them again. A crash leaves the first parts, which whoever writes the same goes on from.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type * as z from 'zod';
import { actorOf, type Context } from '../context.ts';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';

type Writer = Parameters<typeof Ledger.append>[0] & Pick<Context, 'caller'>;
type Flow = Ledger.BodyOf<'FlowIntended'>;
type Reference = NonNullable<Flow['columns']>;

/** Per table of `from`, and in that order; and what becomes of them. */
export type ColumnMap = z.infer<typeof Ledger.ColumnMap>;

/** What an entry of a flow holds of them itself: the rest of it needs room, too. */
const INLINE_BYTES = 32 * 1024;
/** Of all parts together. */
export const MAX_COLUMN_BYTES = 4 * 1024 * 1024;
/** Of one part: as base64 it fits into an entry, with room for the rest of that. */
const PART_BYTES = 40 * 1024;
/** How much is looked at for one part; columns deflate to a tenth. */
const SLICE_BYTES = 512 * 1024;

/** What would be recorded of these columns: their size, and whether they go into a stream of their own. */
export function sizeOf(map: ColumnMap): { readonly bytes: number; readonly apart: boolean } {
	const { length } = Ledger.canonicalBytes(map);
	return { bytes: length, apart: length > INLINE_BYTES };
}

type Draft = Omit<Flow, 'type' | 'from' | 'to' | 'columns'> & {
	readonly from: readonly Omit<Flow['from'][number], 'columns'>[];
	readonly to: Pick<Flow['to'], 'domain'>;
};

/** The body of a flow over these columns. Where they are too many for it, they are recorded when this returns. */
export async function bodyOf(ctx: Writer, flow: Draft, map: ColumnMap): Promise<Flow> {
	const { from, to, ...rest } = flow;
	if (sizeOf(map).apart) {
		return { type: 'FlowIntended', ...rest, from: [...from], to, columns: await keep(ctx, map) };
	}
	const read = from.map((table, i) => ({ ...table, columns: map.from[i] ?? [] }));
	return { type: 'FlowIntended', ...rest, from: read, to: { ...to, ...map.to } };
}

/** Writes what is missing of the stream of these columns. Throws `too-large`, and `record-corrupt` where it is another's. */
async function keep(ctx: Writer, map: ColumnMap): Promise<Reference> {
	const bytes = Ledger.canonicalBytes(map);
	if (bytes.length > MAX_COLUMN_BYTES) throw new BrokerError('too-large', 'The query reads too many columns at once.');
	const hash = Ledger.sha256(bytes);
	const stream = Ledger.stream.columns(hash);
	let parts = await Ledger.read(ctx, stream);
	for (;;) {
		const written = join(hash, parts);
		if (Buffer.compare(bytes.subarray(0, written.length), written) !== 0) throw corrupt();
		const last = parts.at(-1) ?? null;
		if (last !== null && written.length === bytes.length) {
			const outputs = map.to.columns.length;
			const read = map.from.reduce((sum, columns) => sum + columns.length, 0);
			return { hash, ver: last.ver, leaf: last.leaf, read, outputs };
		}
		const body = { type: 'ColumnsRecorded', hash, bytes: bytes.length, ...part(bytes, written.length) } as const;
		try {
			parts = [...parts, await Ledger.append(ctx, { stream, after: last, actor: actorOf(ctx), body })];
		} catch (error) {
			if (!(error instanceof BrokerError) || error.code !== 'conflict') throw error;
			// Somebody else writes the same: what is missing after that is written from there on.
			parts = await Ledger.read(ctx, stream);
		}
	}
}

/** As much from there on as one entry holds. */
function part(bytes: Uint8Array, from: number): { from: number; data: string } {
	for (let size = SLICE_BYTES; ; size = Math.floor(size / 2)) {
		const small = deflateRawSync(bytes.subarray(from, from + size));
		if (small.length <= PART_BYTES) return { from, data: small.toString('base64') };
	}
}

/** What these parts hold, one after the other. Throws `record-corrupt` where they do not follow each other. */
function join(hash: string, parts: readonly Ledger.Recorded[]): Buffer {
	const found: Buffer[] = [];
	let length = 0;
	for (const recorded of parts) {
		const { body } = Ledger.as(recorded, 'ColumnsRecorded');
		if (body.hash !== hash || body.from !== length || length > MAX_COLUMN_BYTES) throw corrupt();
		const slice = inflated(body.data);
		length += slice.length;
		found.push(slice);
	}
	return Buffer.concat(found);
}

function inflated(data: string): Buffer {
	try {
		return inflateRawSync(Buffer.from(data, 'base64'), { maxOutputLength: SLICE_BYTES });
	} catch (cause) {
		throw corrupt(cause);
	}
}

/** The columns of a flow, wherever they are. Throws `record-corrupt` where they are missing or are not what it names. */
export async function columnsOf(ctx: Pick<Context, 'aws' | 'config'>, flow: Flow): Promise<ColumnMap> {
	const { from, to, columns } = flow;
	if (columns === undefined) {
		return {
			from: from.map((table) => table.columns ?? []),
			to: { columns: to.columns ?? [], rows: to.rows ?? [] },
		};
	}
	const { hash, ver, leaf } = columns;
	const parts = (await Ledger.read(ctx, Ledger.stream.columns(hash))).slice(0, ver);
	if (parts.at(-1)?.leaf !== leaf) throw corrupt();
	const bytes = join(hash, parts);
	if (Ledger.sha256(bytes) !== hash) throw corrupt();
	const map = Ledger.ColumnMap.safeParse(JSON.parse(bytes.toString('utf8')));
	if (!map.success || map.data.from.length !== from.length) throw corrupt(map.error);
	return map.data;
}

const corrupt = (cause?: unknown) =>
	new BrokerError('record-corrupt', 'The columns of a query are missing or altered.', {}, { cause });
