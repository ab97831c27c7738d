/**
 * StartQueryExecution, checked in Athena's order: token, location, syntax, replay (measured; aws-facts section 3, "API
 * details"). It answers at once; the query runs on its own (run.ts).
 */
import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { BrokerError } from '#core/error.ts';
import type { Query } from '#core/sql.ts';
import { AwsError, type Caller } from '../wire.ts';
import { type Emit, sceneOf, startCall, stateChange } from './events.ts';
import type { Execution, Executions } from './executions.ts';
import type { QueryFailure } from './failure.ts';
import { type Find, read } from './plan.ts';
import { invalid } from './refusal.ts';
import { run } from './run.ts';
import type { Runner } from './runner.ts';
import { checkLocation, outputOf, PRIMARY, settingsOf, type WorkGroup } from './workgroup.ts';
import { type Deleting, mustTakeQueries, type WorkGroups } from './workgroups.ts';

/** What Athena asks of the lake: its work groups, what a name means to a caller, and who sees the executions of others. */
export type Lake = {
	readonly workGroups: WorkGroups;
	/** Whether a role sees every execution of its account, and not its own alone. */
	readonly watches?: (caller: Caller) => boolean;
	readonly find: (caller: Caller) => Find;
};

export type AthenaOptions = {
	readonly lake: Lake;
	readonly executions: Executions;
	/** The work groups whose deletion is under way. */
	readonly deleting: Deleting;
	readonly runner: Runner;
	readonly clock: () => Date;
	readonly log: (line: string) => void;
	readonly deadlineMs: number;
	readonly region: string;
	readonly emit: Emit;
	/** Queries of an account that are queued or running ("Active DML queries", Athena service quotas). */
	readonly mostActive: number;
	/** Whether the query that begins now goes back into the queue once, as AWS documents for transient errors. */
	readonly requeues: () => boolean;
};

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

/** The executions that have not ended, by id. */
export type Running = Map<
	string,
	{
		readonly account: string;
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
	const token = checkedToken(input.ClientRequestToken);
	const asked = askedOf(input);
	const { group, output } = checkSettings(caller, input, asked.outputLocation, options);
	const query = readQuery(input.QueryString);
	const replayed = executions.byToken(caller, token);
	if (replayed !== undefined) {
		const id = replay(replayed, { ...asked, output });
		await running.get(id)?.saved;
		options.emit(startCall(caller, replayed, sceneOf(options)));
		return { QueryExecutionId: id };
	}
	const active = [...running.values()].filter(({ account }) => account === caller.account).length;
	if (active >= options.mostActive) throw tooMany();
	const execution: Execution = {
		id: randomUUID(),
		account: caller.account,
		principal: caller.principal,
		workGroup: group.name,
		...asked,
		output,
		token,
		state: 'QUEUED',
		reason: null,
		errorType: null,
		sequence: 1,
		submitted: options.clock().getTime(),
		started: null,
		completed: null,
		scannedBytes: 0,
		columns: null,
	};
	await begin(
		execution,
		(signal) => {
			options.emit(startCall(caller, execution, sceneOf(options)));
			options.emit(stateChange(execution, null, sceneOf(options)));
			return run(execution, query, caller, signal, options);
		},
		options,
		running,
	);
	return { QueryExecutionId: execution.id };
}

function askedOf({ QueryString: query, QueryExecutionContext: context, ResultConfiguration: results }: StartInput) {
	return {
		query,
		database: context?.Database ?? null,
		catalog: context?.Catalog ?? null,
		outputLocation: results?.OutputLocation ?? null,
	};
}

/** Too short is told in characters, too long also in bytes, and an empty one is too short (measured). */
function checkedToken(token: string | null | undefined): string {
	if (token === undefined || token === null) throw invalid('clientRequestToken is null or empty');
	const wrong = (rule: string) =>
		invalid(
			`1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint: Member must have length ${rule}`,
		);
	if (token.length < 32) throw wrong('greater than or equal to 32');
	if (token.length > 128) throw wrong('less than or equal to 128');
	if (Buffer.byteLength(token) > 128) throw invalid('clientRequestToken exceeds maximum allowed length 128');
	return token;
}

function tooMany(): AwsError {
	const members = { Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' };
	const message = 'You have exceeded the limit for the number of queries you can run concurrently.';
	return new AwsError('TooManyRequestsException', message, { members });
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
	running.set(execution.id, { account: execution.account, abort, saved, done });
	await saved;
}

/** [unverified] The text. */
const DISABLED = 'WorkGroup is disabled';

/** The work group, and where the results will lie by its settings. */
function checkSettings(
	caller: Caller,
	input: StartInput,
	location: string | null,
	{ lake, deleting }: AthenaOptions,
): { readonly group: WorkGroup; readonly output: string | null } {
	if (location !== null) checkLocation(location);
	if (input.ExecutionParameters?.length) throw invalid('ExecutionParameters are not supported by the embedded Athena');
	const group = mustTakeQueries(lake, deleting, caller, input.WorkGroup || PRIMARY);
	if (!group.enabled) throw invalid(DISABLED);
	return { group, output: outputOf(settingsOf(group), location) };
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

type Asked = Pick<Execution, 'query' | 'database' | 'catalog' | 'outputLocation' | 'output'>;

/** The same token gives the same execution, whatever became of it; another query under it is an error. */
function replay(execution: Execution, asked: Asked): string {
	const same =
		execution.query === asked.query &&
		execution.database === asked.database &&
		execution.catalog === asked.catalog &&
		// A location that the work group overrides is none (measured); neither is another work group.
		(execution.outputLocation === asked.outputLocation || execution.output === asked.output);
	if (!same) throw invalid('Idempotent parameters do not match', 'IDEMPOTENT_PARAMETER_MISMATCH');
	return execution.id;
}
