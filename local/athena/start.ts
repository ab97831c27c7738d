/**
 * StartQueryExecution, checked in Athena's order: token, location, syntax, replay. It answers at once; the
 * query runs on its own (run.ts).
 */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { BrokerError } from '#core/error.ts';
import type { Query } from '#core/sql.ts';
import { AwsError, type Caller } from '../wire.ts';
import type { Execution, Executions } from './executions.ts';
import { type Find, type QueryFailure, read } from './plan.ts';
import { invalid } from './refusal.ts';
import { run } from './run.ts';
import type { Runner } from './runner.ts';

/** What Athena asks of the lake: who may use which work group, and what a name means to a caller. */
export type Lake = {
	readonly workGroups: (account: string) => readonly string[];
	readonly find: (caller: Caller) => Find;
};

export type AthenaOptions = {
	readonly lake: Lake;
	readonly executions: Executions;
	readonly runner: Runner;
	readonly clock: () => Date;
	readonly log: (line: string) => void;
	readonly deadlineMs: number;
};

/** "Active DML queries" of the Regions with the most room (Athena service quotas). */
const MOST_ACTIVE = 200;

export const StartInput = z.object({
	QueryString: z.string().min(1).max(262_144),
	ClientRequestToken: z.string().nullish(),
	QueryExecutionContext: z
		.object({ Database: z.string().min(1).max(255).nullish(), Catalog: z.string().min(1).max(256).nullish() })
		.nullish(),
	ResultConfiguration: z.object({ OutputLocation: z.string().nullish() }).nullish(),
	WorkGroup: z.string().nullish(),
	ExecutionParameters: z.array(z.string().min(1).max(1024)).nullish(),
	ResultReuseConfiguration: z
		.object({ ResultReuseByAgeConfiguration: z.object({ Enabled: z.boolean() }).nullish() })
		.nullish(),
});
export type StartInput = z.infer<typeof StartInput>;

export function mustHaveWorkGroup(lake: Lake, caller: Caller, name: string): void {
	if (!lake.workGroups(caller.account).includes(name)) throw invalid(`WorkGroup ${name} is not found.`);
}

/** The executions that have not ended, by id. */
export type Running = Map<
	string,
	{
		readonly abort: AbortController;
		/** Rejects if the execution could not be kept, and so never was. */
		readonly saved: Promise<void>;
		/** Never rejects. */
		readonly done: Promise<void>;
	}
>;

export async function start(
	caller: Caller,
	input: StartInput,
	options: AthenaOptions,
	running: Running,
): Promise<object> {
	const { executions } = options;
	const token = input.ClientRequestToken ?? '';
	if (token === '') throw invalid('clientRequestToken is null or empty');
	if (token.length < 32 || token.length > 128)
		throw invalid('clientRequestToken must be between 32 and 128 characters');
	const workGroup = input.WorkGroup ?? 'primary';
	checkSettings(caller, input, workGroup, options.lake);
	const query = readQuery(input.QueryString);
	const context = {
		database: input.QueryExecutionContext?.Database ?? null,
		catalog: input.QueryExecutionContext?.Catalog ?? null,
	};
	const outputLocation = input.ResultConfiguration?.OutputLocation ?? null;
	const asked = { query: input.QueryString, ...context, outputLocation };
	const replayed = executions.byToken(caller, token);
	if (replayed !== undefined) {
		const id = replay(replayed, asked);
		await running.get(id)?.saved;
		return { QueryExecutionId: id };
	}
	if (running.size >= MOST_ACTIVE) {
		const members = { Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' };
		throw new AwsError(
			'TooManyRequestsException',
			'You have exceeded the limit for the number of queries you can run concurrently.',
			{ members },
		);
	}
	const execution: Execution = {
		id: randomUUID(),
		account: caller.account,
		principal: caller.principal,
		workGroup,
		...asked,
		token,
		state: 'QUEUED',
		reason: null,
		errorType: null,
		submitted: options.clock().getTime(),
		started: null,
		completed: null,
		scannedBytes: 0,
		columns: null,
	};
	await begin(
		execution,
		(signal) => run(execution, query, options.lake.find(caller), signal, options),
		options,
		running,
	);
	return { QueryExecutionId: execution.id };
}

/** Returns once the execution is kept; it runs on. One that cannot be kept leaves nothing, its token neither. */
async function begin(
	execution: Execution,
	work: (signal: AbortSignal) => Promise<void>,
	{ executions, log }: AthenaOptions,
	running: Running,
): Promise<void> {
	// Noted before the write is awaited: the same token sent twice at once must start one query, and a stop that
	// comes meanwhile must find it.
	executions.note(execution);
	const abort = new AbortController();
	const saved = executions.save(execution).catch(async (error: unknown) => {
		await executions.forget(execution).catch((left: unknown) => log(`athena ${execution.id}: ${String(left)}`));
		throw error;
	});
	const done = saved
		.then(
			() => work(abort.signal),
			() => {},
		)
		.finally(() => running.delete(execution.id));
	running.set(execution.id, { abort, saved, done });
	await saved;
}

function checkSettings(caller: Caller, input: StartInput, workGroup: string, lake: Lake): void {
	const location = input.ResultConfiguration?.OutputLocation;
	if (location && !location.startsWith('s3://')) throw invalid('outputLocation is not a valid S3 path.');
	if (input.ExecutionParameters?.length) throw invalid('ExecutionParameters are not supported by the embedded Athena');
	if (input.ResultReuseConfiguration?.ResultReuseByAgeConfiguration?.Enabled) {
		throw invalid('Result reuse is not supported for tables governed by Lake Formation');
	}
	if (input.WorkGroup) return mustHaveWorkGroup(lake, caller, workGroup);
	if (!lake.workGroups(caller.account).includes(workGroup)) {
		throw invalid(
			'No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input.',
		);
	}
}

function readQuery(text: string): Query | QueryFailure {
	try {
		return read(text);
	} catch (error) {
		if (!(error instanceof BrokerError)) throw error;
		const { line, column } = error.extensions;
		throw invalid(`line ${String(line)}:${String(column)}: ${error.message}`, 'MALFORMED_QUERY');
	}
}

type Asked = Pick<Execution, 'query' | 'database' | 'catalog' | 'outputLocation'>;

/** The same token gives the same execution, whatever became of it; another query under it is an error. */
function replay(execution: Execution, asked: Asked): string {
	const same =
		execution.query === asked.query &&
		execution.database === asked.database &&
		execution.catalog === asked.catalog &&
		execution.outputLocation === asked.outputLocation;
	if (!same) throw invalid('Idempotent parameters do not match', 'IDEMPOTENT_PARAMETER_MISMATCH');
	return execution.id;
}
