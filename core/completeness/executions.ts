/**
 * What Athena itself knows of the queries of an account: every work group, every execution, for 45 days. It names no caller
 * and no table; whatever ran in a work group that is there for Fairlead alone must have been a flow.
 */
import {
	BatchGetQueryExecutionCommand,
	ListQueryExecutionsCommand,
	ListWorkGroupsCommand,
} from '@aws-sdk/client-athena';
import type { Context } from '../context.ts';
import { type Asking, ask, Unread } from './asking.ts';

type Ctx = Pick<Context, 'aws' | 'config'>;

/** ListQueryExecutions takes five calls a second and others need them, too (Athena service quotas). */
export const ATHENA_EVERY_MS = 400;
const PAGE = 50;

export type Execution = { readonly id: string; readonly at: string };
export type Page = { readonly executions: readonly Execution[]; readonly next: string | null };

/** The names of all work groups, in their order. Throws `Unread`. */
export async function workGroups(ctx: Ctx, account: string, asking: Asking): Promise<string[]> {
	const client = ctx.aws.consumer.athena(account);
	const names: string[] = [];
	let token: string | undefined;
	do {
		const input = { MaxResults: PAGE, ...(token === undefined ? {} : { NextToken: token }) };
		const answer = await ask(ctx, asking, () => client.send(new ListWorkGroupsCommand(input)));
		names.push(...(answer.WorkGroups ?? []).flatMap(({ Name }) => (Name === undefined ? [] : [Name])));
		token = answer.NextToken;
	} while (token !== undefined);
	return names.toSorted();
}

/**
 * A page of a work group's executions with the time that each was taken at. Null where the group is gone or the place in
 * it is no longer known. Throws `Unread`.
 */
export async function executions(
	ctx: Ctx,
	{ account, group, token }: { readonly account: string; readonly group: string; readonly token: string | null },
	asking: Asking,
): Promise<Page | null> {
	const client = ctx.aws.consumer.athena(account);
	const input = { WorkGroup: group, MaxResults: PAGE, ...(token === null ? {} : { NextToken: token }) };
	const list = () => client.send(new ListQueryExecutionsCommand(input));
	const listed = await ask(ctx, asking, list, isInvalid).catch((error: unknown) => {
		if (error instanceof Unread) throw error;
		return null;
	});
	if (listed === null) return null;
	const ids = listed.QueryExecutionIds ?? [];
	const next = listed.NextToken ?? null;
	if (ids.length === 0) return { executions: [], next };
	const command = new BatchGetQueryExecutionCommand({ QueryExecutionIds: ids });
	const { QueryExecutions: found = [], UnprocessedQueryExecutionIds: missing = [] } = await ask(ctx, asking, () =>
		client.send(command),
	);
	// One that was forgotten meanwhile is 45 days old; anything else that is not told is not known.
	if (missing.some(({ ErrorCode: code }) => code !== 'QUERY_EXECUTION_NOT_FOUND'))
		throw new Unread('unavailable', missing);
	const known = found.map((e) => ({ id: e.QueryExecutionId, at: e.Status?.SubmissionDateTime?.toISOString() }));
	if (known.some(({ id, at }) => id === undefined || at === undefined)) throw new Unread('unavailable', 'no time');
	return { executions: known.map(({ id = '', at = '' }) => ({ id, at })), next };
}

const isInvalid = (name: string) => name === 'InvalidRequestException';
