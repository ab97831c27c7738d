/**
 * Athena's API: start, follow, stop and read queries. An execution belongs to the role that asked for it: to
 * any other it is not there, so no result is read under rights that its reader does not hold. (On AWS that
 * takes a work group and an IAM policy of each role's own.) A role that the landing zone lets watch is told of
 * all executions of its account, and of no result. Wire details: aws-facts section 3.
 */
import * as z from 'zod';
import { AwsError, type Caller, type Operation, type Operations, operation, page } from '../wire.ts';
import { written, writtenRuntimeStatistics } from './answers.ts';
import { type Execution, type Executions, isAskedBy } from './executions.ts';
import { invalid } from './refusal.ts';
import { getResults } from './results.ts';
import { type AthenaOptions, type Running, StartInput, start } from './start.ts';
import { mustFindGroup, pageToken, workGroupOperations } from './workgroups.ts';

type Served = {
	readonly operations: Operations;
	/** Ends what runs. */
	readonly settle: () => Promise<void>;
	/** The same, and lets nothing begin any more. */
	readonly close: () => Promise<void>;
};

export function makeOperations(options: AthenaOptions): Served {
	const { executions } = options;
	const running: Running = new Map();
	let closed = false;
	const Id = z.object({ QueryExecutionId: z.string().min(1).max(128) });
	const find = (caller: Caller, id: string) => mustFind(executions, caller, id);
	const list: readonly (readonly [string, Operation])[] = [
		[
			'StartQueryExecution',
			operation(StartInput, invalid, (caller, input) => {
				if (closed) throw new AwsError('ServiceUnavailable', 'The embedded AWS is closing', { status: 503 });
				return start(caller, input, options, running);
			}),
		],
		[
			'GetQueryExecution',
			operation(Id, invalid, (caller, input) => ({ QueryExecution: written(find(caller, input.QueryExecutionId)) })),
		],
		[
			'BatchGetQueryExecution',
			operation(z.object({ QueryExecutionIds: z.array(z.string()).min(1).max(50) }), invalid, (caller, input) =>
				batchGet(options, caller, input.QueryExecutionIds),
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
			'GetQueryRuntimeStatistics',
			operation(Id, invalid, (caller, input) => writtenRuntimeStatistics(find(caller, input.QueryExecutionId))),
		],
		...workGroupOperations(options, running),
	];
	const settle = async () => {
		for (const { abort } of running.values()) abort.abort();
		await Promise.all([...running.values()].map(({ done }) => done));
	};
	const close = () => {
		closed = true;
		return settle();
	};
	return { operations: new Map(list), settle, close };
}

const NextToken = z.string().min(1).max(1024).nullish();
const ListInput = z.object({
	NextToken,
	MaxResults: z.number().int().min(0).max(50).nullish(),
	WorkGroup: z.string().nullish(),
});
/** The most that a page holds is looked at later, after the execution (results.ts). */
const ResultsInput = z.object({
	NextToken,
	MaxResults: z.number().int().min(1).nullish(),
	QueryExecutionId: z.string().min(1).max(128),
});

function notFound(id: string): AwsError {
	return invalid(`QueryExecution ${id} was not found`, 'QUERY_EXECUTION_NOT_FOUND');
}

function mustFind(executions: Executions, caller: Caller, id: string): Execution {
	const execution = executions.get(id);
	if (execution === undefined || !isAskedBy(execution, caller)) throw notFound(id);
	return execution;
}

function batchGet({ executions, lake }: AthenaOptions, caller: Caller, ids: readonly string[]): object {
	const found: object[] = [];
	const missing: object[] = [];
	for (const id of ids) {
		const execution = executions.get(id);
		const seen = execution !== undefined && (isAskedBy(execution, caller) || isWatched(lake, execution, caller));
		if (seen) found.push(written(execution));
		else
			missing.push({
				QueryExecutionId: id,
				ErrorCode: 'QUERY_EXECUTION_NOT_FOUND',
				ErrorMessage: notFound(id).message,
			});
	}
	return { QueryExecutions: found, UnprocessedQueryExecutionIds: missing };
}

function isWatched(lake: AthenaOptions['lake'], execution: Execution, caller: Caller): boolean {
	return execution.account === caller.account && lake.watches?.(caller) === true;
}

function listExecutions(options: AthenaOptions, caller: Caller, input: z.infer<typeof ListInput>): object {
	const workGroup = input.WorkGroup ?? 'primary';
	mustFindGroup(options.lake, caller, workGroup);
	const { executions, lake } = options;
	const listed =
		lake.watches?.(caller) === true
			? executions.ofWorkGroup(caller.account, workGroup).toSorted((a, b) => b.submitted - a.submitted)
			: executions.list(caller, workGroup);
	const ids = listed.map(({ id }) => id);
	const { items, next } = page(ids, input.MaxResults || 50, input.NextToken, pageToken(input.NextToken));
	return { QueryExecutionIds: items, ...next };
}
