/**
 * Athena's API: start, follow, stop and read queries. An execution belongs to the role that asked for it: to
 * any other it is not there, so no result is read under rights that its reader does not hold. (On AWS that
 * takes a work group and an IAM policy of each role's own.) Wire details: aws-facts section 3.
 */
import * as z from 'zod';
import { type AwsError, type Caller, type Operation, type Operations, operation, page } from '../wire.ts';
import { written, writtenWorkGroup } from './answers.ts';
import { type Execution, type Executions, isAskedBy } from './executions.ts';
import { invalid } from './refusal.ts';
import { getResults } from './results.ts';
import { type AthenaOptions, type Lake, mustHaveWorkGroup, type Running, StartInput, start } from './start.ts';

export function makeOperations(options: AthenaOptions): { operations: Operations; settle: () => Promise<void> } {
	const { executions, lake } = options;
	const running: Running = new Map();
	const Id = z.object({ QueryExecutionId: z.string().min(1).max(128) });
	const find = (caller: Caller, id: string) => mustFind(executions, caller, id);
	const list: readonly (readonly [string, Operation])[] = [
		['StartQueryExecution', operation(StartInput, invalid, (caller, input) => start(caller, input, options, running))],
		[
			'GetQueryExecution',
			operation(Id, invalid, (caller, input) => ({ QueryExecution: written(find(caller, input.QueryExecutionId)) })),
		],
		[
			'BatchGetQueryExecution',
			operation(z.object({ QueryExecutionIds: z.array(z.string()).min(1).max(50) }), invalid, (caller, input) =>
				batchGet(executions, caller, input.QueryExecutionIds),
			),
		],
		[
			'StopQueryExecution',
			operation(Id, invalid, async (caller, input) => {
				const execution = find(caller, input.QueryExecutionId);
				running.get(execution.id)?.abort.abort();
				await running.get(execution.id)?.done;
				return {};
			}),
		],
		['ListQueryExecutions', operation(ListInput, invalid, (caller, input) => listExecutions(options, caller, input))],
		[
			'GetQueryResults',
			operation(ResultsInput, invalid, (caller, input) =>
				getResults(executions, find(caller, input.QueryExecutionId), input.MaxResults ?? 1000, input.NextToken ?? null),
			),
		],
		[
			'GetWorkGroup',
			operation(z.object({ WorkGroup: z.string() }), invalid, (caller, input) => {
				mustHaveWorkGroup(lake, caller, input.WorkGroup);
				return { WorkGroup: writtenWorkGroup(input.WorkGroup) };
			}),
		],
		['ListWorkGroups', operation(PageInput, invalid, (caller, input) => listWorkGroups(lake, caller, input))],
	];
	const settle = async () => {
		for (const { abort } of running.values()) abort.abort();
		await Promise.all([...running.values()].map(({ done }) => done));
	};
	return { operations: new Map(list), settle };
}

const PageInput = z.object({ MaxResults: z.number().int().min(1).max(50).nullish(), NextToken: z.string().nullish() });
const ListInput = PageInput.extend({
	MaxResults: z.number().int().min(0).max(50).nullish(),
	WorkGroup: z.string().nullish(),
});
const ResultsInput = z.object({
	QueryExecutionId: z.string().min(1).max(128),
	MaxResults: z.number().int().min(1).max(1000).nullish(),
	NextToken: z.string().min(1).max(1024).nullish(),
});

function badToken(): AwsError {
	return invalid('Invalid NextToken');
}

function mustFind(executions: Executions, caller: Caller, id: string): Execution {
	const execution = executions.get(id);
	if (execution === undefined || !isAskedBy(execution, caller)) throw invalid(`QueryExecution ${id} was not found`);
	return execution;
}

function batchGet(executions: Executions, caller: Caller, ids: readonly string[]): object {
	const found: object[] = [];
	const missing: object[] = [];
	for (const id of ids) {
		const execution = executions.get(id);
		if (execution !== undefined && isAskedBy(execution, caller)) found.push(written(execution));
		else
			missing.push({
				QueryExecutionId: id,
				ErrorCode: 'INVALID_INPUT',
				ErrorMessage: `QueryExecution ${id} was not found`,
			});
	}
	return { QueryExecutions: found, UnprocessedQueryExecutionIds: missing };
}

function listExecutions(options: AthenaOptions, caller: Caller, input: z.infer<typeof ListInput>): object {
	const workGroup = input.WorkGroup ?? 'primary';
	mustHaveWorkGroup(options.lake, caller, workGroup);
	const ids = options.executions.list(caller, workGroup).map(({ id }) => id);
	const { items, next } = page(ids, input.MaxResults || 50, input.NextToken, badToken);
	return { QueryExecutionIds: items, ...next };
}

function listWorkGroups(lake: Lake, caller: Caller, input: z.infer<typeof PageInput>): object {
	const { items, next } = page(lake.workGroups(caller.account), input.MaxResults ?? 50, input.NextToken, badToken);
	const engine = { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' };
	return { WorkGroups: items.map((Name) => ({ Name, State: 'ENABLED', EngineVersion: engine })), ...next };
}
