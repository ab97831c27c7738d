/** A query as the API takes and tells it. */
import * as z from 'zod';
import type { Context } from '../context.ts';
import { idOf, ProductId, RoleArn, Slug } from '../id.ts';
import { columnsIn, type Flow, stateAt } from '../lineage.ts';

export const QueryBody = z
	.strictObject({
		sql: z.string().min(1).max(262_144).meta({ example: 'SELECT * FROM lending.loans' }),
		principal: RoleArn,
		purpose: Slug.optional().meta({ description: 'The purpose of the principal if absent' }),
		dryRun: z.boolean().optional().meta({ description: 'Say what it would read and what is missing; run nothing' }),
	})
	.meta({ id: 'QueryBody' });
export type QueryBody = z.infer<typeof QueryBody>;

export const QueryView = z
	.object({
		id: idOf('query'),
		state: z.enum(['running', 'orphaned', 'completed', 'failed', 'cancelled']).meta({
			description:
				'`orphaned`: no end was recorded within an hour. Athena may still run it, for four hours at most; its end takes the place of this',
		}),
		reason: z
			.enum(['not-started', 'engine', 'denied-by-lake-formation', 'lost', 'grant-ended', 'caller'])
			.nullable()
			.meta({ description: 'Why it has no result' }),
		principal: RoleArn,
		purpose: Slug,
		tables: z.array(z.object({ product: ProductId, table: z.string(), columns: z.array(z.string()) })),
		grants: z.array(idOf('grant')),
		submittedAt: z.iso.datetime(),
		execution: z.string().nullable().meta({ description: 'Athena query execution id, once it ended' }),
		bytesScanned: z.int().min(0).nullable(),
		rowsDelivered: z.int().min(0).nullable(),
	})
	.meta({ id: 'Query' });
export type QueryView = z.infer<typeof QueryView>;

export async function viewOf(ctx: Pick<Context, 'aws' | 'config' | 'now'>, flow: Flow): Promise<QueryView> {
	const { body, entry } = flow.intended;
	const state = stateAt(flow, ctx.now);
	const read = (await columnsIn(ctx, flow)).from;
	const end = flow.ended?.body;
	return {
		id: flow.id,
		state: state === 'intended' ? 'running' : state,
		reason: end?.type === 'FlowFailed' ? end.reason : end?.type === 'FlowCancelled' ? end.cause : null,
		principal: body.principal,
		purpose: body.purpose,
		tables: body.from.map((f, i) => ({
			product: f.product,
			table: `${f.database}.${f.table}`,
			columns: (read[i] ?? []).map((c) => c.name),
		})),
		grants: [...new Set(body.auth.flatMap((a) => a.grants))],
		submittedAt: entry.at,
		execution: end !== undefined && 'execution' in end ? end.execution : null,
		bytesScanned: end?.type === 'FlowCompleted' ? end.stats.bytesScanned : null,
		rowsDelivered: flow.rows,
	};
}
