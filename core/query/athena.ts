/** Athena, called as the consumer's principal: start, look, page, stop. Translates Athena's states and errors. */

import {
	GetQueryExecutionCommand,
	GetQueryResultsCommand,
	StartQueryExecutionCommand,
	StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import type { Context } from '../context.ts';
import { BrokerError, errorName } from '../error.ts';
import { type Job, tokenOf } from '../lineage.ts';

type Ctx = Pick<Context, 'aws'>;

export type Execution = {
	readonly id: string;
	/** `lost`: Athena knows no such execution (it forgets them after 45 days). */
	readonly state: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'lost';
	readonly bytesScanned: number | null;
	readonly engineMs: number | null;
	/** Lake Formation said no underneath us: our gate and its permissions differ. */
	readonly denied: boolean;
};

/**
 * Starts the job. The token is derived, never random: starting the same job again returns the same execution
 * (StartQueryExecution, ClientRequestToken), so a crash after the start loses nothing.
 */
export async function start(ctx: Ctx, job: Job): Promise<string> {
	try {
		const { QueryExecutionId } = await ctx.aws.athena(job.principal).send(
			new StartQueryExecutionCommand({
				QueryString: job.printed,
				WorkGroup: job.workGroup,
				QueryExecutionContext: { Catalog: 'AwsDataCatalog' },
				ClientRequestToken: tokenOf(job),
				ResultReuseConfiguration: { ResultReuseByAgeConfiguration: { Enabled: false } },
			}),
		);
		if (QueryExecutionId !== undefined) return QueryExecutionId;
		throw new Error('Athena gave no execution id');
	} catch (cause) {
		if (errorName(cause) === 'InvalidRequestException') {
			throw new BrokerError('query-failed', 'Athena did not accept the query.', {}, { cause });
		}
		throw unavailable(cause);
	}
}

const states: Record<string, Execution['state']> = {
	QUEUED: 'queued',
	RUNNING: 'running',
	SUCCEEDED: 'succeeded',
	FAILED: 'failed',
	CANCELLED: 'cancelled',
};

export async function look(ctx: Ctx, principal: string, id: string): Promise<Execution> {
	try {
		const { QueryExecution: e } = await ctx.aws
			.athena(principal)
			.send(new GetQueryExecutionCommand({ QueryExecutionId: id }));
		const reason = e?.Status?.StateChangeReason ?? '';
		return {
			id,
			state: states[e?.Status?.State ?? ''] ?? 'running',
			bytesScanned: e?.Statistics?.DataScannedInBytes ?? null,
			engineMs: e?.Statistics?.EngineExecutionTimeInMillis ?? null,
			denied: /insufficient|not authorized|no accessible columns|does not have any privilege/i.test(reason),
		};
	} catch (cause) {
		if (errorName(cause) === 'InvalidRequestException') {
			return { id, state: 'lost', bytesScanned: null, engineMs: null, denied: false };
		}
		throw unavailable(cause);
	}
}

export type ResultPage = {
	readonly columns: readonly { readonly name: string; readonly type: string }[];
	/** Athena's text of each value; null is NULL. */
	readonly rows: readonly (readonly (string | null)[])[];
	readonly next: string | null;
};

/** One page of at most `limit` rows. Athena counts the header of page one as a row (GetQueryResults). */
export async function page(
	ctx: Ctx,
	principal: string,
	id: string,
	token: string | null,
	limit: number,
): Promise<ResultPage> {
	try {
		const answer = await ctx.aws.athena(principal).send(
			new GetQueryResultsCommand({
				QueryExecutionId: id,
				MaxResults: token === null ? Math.min(limit + 1, 1000) : limit,
				...(token === null ? {} : { NextToken: token }),
			}),
		);
		const info = answer.ResultSet?.ResultSetMetadata?.ColumnInfo ?? [];
		const rows = (answer.ResultSet?.Rows ?? []).slice(token === null ? 1 : 0);
		return {
			columns: info.map((c) => ({ name: c.Name ?? '', type: c.Type ?? '' })),
			rows: rows.map((r) => (r.Data ?? []).map((d) => d.VarCharValue ?? null)),
			next: answer.NextToken ?? null,
		};
	} catch (cause) {
		throw unavailable(cause);
	}
}

/** Asks Athena to stop. An execution that is over already is fine. */
export async function stop(ctx: Ctx, principal: string, id: string): Promise<void> {
	try {
		await ctx.aws.athena(principal).send(new StopQueryExecutionCommand({ QueryExecutionId: id }));
	} catch (cause) {
		if (errorName(cause) !== 'InvalidRequestException') throw unavailable(cause);
	}
}

function unavailable(cause: unknown): BrokerError {
	return new BrokerError('unavailable', 'Athena does not answer; try again.', {}, { cause });
}
