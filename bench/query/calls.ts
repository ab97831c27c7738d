/** One query from its start to its rows, on either way, with the time of each call that is not waiting. */
import { randomUUID } from 'node:crypto';
import { GetQueryExecutionCommand, GetQueryResultsCommand, StartQueryExecutionCommand } from '@aws-sdk/client-athena';
import * as z from 'zod';
import type { Lab } from '../lab.ts';
import { pause, timed } from '../measure.ts';

export type Steps = { readonly start: number; readonly status: number; readonly results: number };
export type Row = readonly (string | null | undefined)[];

/** With the SDK, under the credentials that the consumer's role has anyway, on the names that its account has. */
export async function direct(
	{ bank, principal }: Lab,
	sql: string,
	pollMs: number,
): Promise<{ readonly steps: Steps; readonly engineMs: number; readonly rows: readonly Row[] }> {
	const athena = bank.platform.aws.athena(principal);
	const start = await timed(() =>
		athena.send(
			new StartQueryExecutionCommand({
				QueryString: sql,
				WorkGroup: bank.platform.config.workGroup('risk'),
				QueryExecutionContext: { Catalog: 'AwsDataCatalog' },
				ClientRequestToken: randomUUID(),
			}),
		),
	);
	const of = { QueryExecutionId: start.value.QueryExecutionId ?? '' };
	const look = () => timed(() => athena.send(new GetQueryExecutionCommand(of)));
	let status = await look();
	const stateOf = () => status.value.QueryExecution?.Status;
	while (stateOf()?.State === 'QUEUED' || stateOf()?.State === 'RUNNING') {
		await pause(pollMs);
		status = await look();
	}
	if (stateOf()?.State !== 'SUCCEEDED') throw new Error(`the direct query failed: ${stateOf()?.StateChangeReason}`);
	const results = await timed(() => athena.send(new GetQueryResultsCommand({ ...of, MaxResults: 501 })));
	return {
		steps: { start: start.ms, status: status.ms, results: results.ms },
		engineMs: status.value.QueryExecution?.Statistics?.EngineExecutionTimeInMillis ?? 0,
		rows: (results.value.ResultSet?.Rows ?? []).slice(1).map((row) => (row.Data ?? []).map((d) => d.VarCharValue)),
	};
}

const Started = z.object({ id: z.string(), state: z.string(), reason: z.string().nullable() });

/** Over Fairlead's API, as alice. */
export async function throughFairlead(lab: Lab, sql: string, pollMs: number): Promise<{ readonly steps: Steps }> {
	const headers = await headersOf(lab, 'alice');
	const call = (path: string, init: object = {}) =>
		timed(async () => {
			const answer = await fetch(`${lab.api.url}/api/v1/queries${path}`, { headers, ...init });
			const body: unknown = await answer.json();
			if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${JSON.stringify(body)}`);
			return body;
		});
	const start = await call('', { method: 'POST', body: JSON.stringify({ sql, principal: lab.principal }) });
	const { id } = Started.parse(start.value);
	let status = await call(`/${id}`);
	while (Started.parse(status.value).state === 'running') {
		await pause(pollMs);
		status = await call(`/${id}`);
	}
	const { state, reason } = Started.parse(status.value);
	if (state !== 'completed') throw new Error(`the query ended ${state}: ${reason}`);
	const results = await call(`/${id}/results`);
	return { steps: { start: start.ms, status: status.ms, results: results.ms } };
}

export async function headersOf({ bank }: Lab, who: string): Promise<Record<string, string>> {
	return { authorization: `Bearer ${await bank.issuer.token(who)}`, 'content-type': 'application/json' };
}
