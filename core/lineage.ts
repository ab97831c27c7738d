/**
 * Flows: data of one domain read by a principal of another, from intent to delivery.
 *
 * Promise: `intend` is durable before the engine starts; the end is written once, by whoever sees it first. Columns
 * read and the sources of each output column are part of the intent, so no flow is known only by its text.
 */
import { actorOf, type Context } from './context.ts';
import { BrokerError } from './error.ts';
import * as Ledger from './ledger.ts';
import { bodyOf, type ColumnMap, columnsOf } from './lineage/columns.ts';

export { type ColumnMap, MAX_COLUMN_BYTES, sizeOf } from './lineage/columns.ts';
export { type Job, jobOf, noteStarted, startedAs, startedNoted, tokenOf } from './lineage/started.ts';

type ReadCtx = Pick<Context, 'aws' | 'config'>;

export type FlowState = 'intended' | 'completed' | 'failed' | 'cancelled';

export type Flow = {
	readonly id: string;
	readonly intended: Ledger.Recorded<'FlowIntended'>;
	readonly entries: readonly Ledger.Recorded[];
	readonly state: FlowState;
	readonly ended: Ledger.Recorded | null;
	/** Rows handed out to the caller; null until a result was read to its end. */
	readonly rows: number | null;
};

/** A flow as folded from its stream, or null. */
export async function get(ctx: ReadCtx, id: string): Promise<Flow | null> {
	return fold(id, await Ledger.read(ctx, Ledger.stream.flow(id)));
}

function fold(id: string, entries: readonly Ledger.Recorded[]): Flow | null {
	const intended = Ledger.find(entries, 'FlowIntended');
	if (intended === undefined) return null;
	const ended = entries.find((e) => e.body.type in states) ?? null;
	const state = ended === null ? 'intended' : states[ended.body.type as keyof typeof states];
	return { id, intended, entries, state, ended, rows: Ledger.find(entries, 'FlowDelivered')?.body.rows ?? null };
}

/** After that nobody expects an end to be recorded any more. */
export const ORPHANED_AFTER_MS = 3_600_000;

/**
 * Its state as of an instant. `orphaned` is told by the clock alone and written nowhere: Athena may still run the query (for
 * four hours at most), and the end takes its place whenever it is recorded.
 */
export function stateAt({ state, intended }: Flow, now: Date): FlowState | 'orphaned' {
	const late = now.getTime() - Date.parse(intended.entry.at) > ORPHANED_AFTER_MS;
	return state === 'intended' && late ? 'orphaned' : state;
}

const states = { FlowCompleted: 'completed', FlowFailed: 'failed', FlowCancelled: 'cancelled' } as const;

/**
 * Records that data is about to flow, and these columns of it. `texts` (SQL as sent and as printed) may hold literals: they
 * go to the payload.
 */
export async function intend(
	ctx: Context,
	flow: Parameters<typeof bodyOf>[1],
	columns: ColumnMap,
	texts: { readonly sql: string; readonly printed: string; readonly columns: readonly (string | null)[] },
): Promise<Flow> {
	const recorded = await Ledger.append(ctx, {
		stream: Ledger.stream.flow(flow.flow),
		after: null,
		actor: actorOf(ctx),
		body: await bodyOf(ctx, flow, columns),
		pii: texts,
	});
	return written(fold(flow.flow, [recorded]));
}

/** Which columns a flow reads, and what becomes of them. Throws `record-corrupt` where that is missing or altered. */
export function columnsIn(ctx: ReadCtx, { intended }: Flow): Promise<ColumnMap> {
	return columnsOf(ctx, intended.body);
}

export type End = Ledger.BodyOf<'FlowCompleted'> | Ledger.BodyOf<'FlowFailed'> | Ledger.BodyOf<'FlowCancelled'>;

/** Records how a flow ended. When somebody else did so first, theirs stands. */
export async function conclude(ctx: Context, flow: Flow, end: End): Promise<Flow> {
	if (flow.ended !== null) return flow;
	return addTo(ctx, flow, end);
}

/** Records that the result was read to its end. Only the first reading counts. */
export async function delivered(ctx: Context, flow: Flow, rows: number): Promise<Flow> {
	if (flow.state !== 'completed' || flow.rows !== null) return flow;
	return addTo(ctx, flow, { type: 'FlowDelivered', flow: flow.id, rows });
}

async function addTo(ctx: Context, flow: Flow, body: End | Ledger.BodyOf<'FlowDelivered'>): Promise<Flow> {
	try {
		const after = flow.entries.at(-1) ?? null;
		const recorded = await Ledger.append(ctx, {
			stream: Ledger.stream.flow(flow.id),
			after,
			actor: actorOf(ctx),
			body,
		});
		return written(fold(flow.id, [...flow.entries, recorded]));
	} catch (error) {
		if (!(error instanceof BrokerError) || error.code !== 'conflict') throw error;
		return written(await get(ctx, flow.id));
	}
}

function written(flow: Flow | null): Flow {
	if (flow === null) throw new BrokerError('record-corrupt', 'A flow that was just written cannot be read.');
	return flow;
}

/** The SQL texts of a flow, as long as they were not erased. */
export async function textsOf(ctx: ReadCtx, flow: Flow): Promise<{ sql: string; printed: string } | null> {
	const pii = await Ledger.payload(ctx, flow.intended.entry);
	const { sql, printed } = pii ?? {};
	return typeof sql === 'string' && typeof printed === 'string' ? { sql, printed } : null;
}
