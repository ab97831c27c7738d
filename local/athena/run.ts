/** One execution from QUEUED to its end: planned for its caller, run in a child process, saved before it is told. */
import type { Query } from '#core/sql.ts';
import type { Outcome } from './execute.ts';
import type { Execution } from './executions.ts';
import { type Find, plan, QueryFailure } from './plan.ts';
import type { AthenaOptions } from './start.ts';

const REASONS = {
	value: 'GENERIC_USER_ERROR: query failed: a value could not be computed',
	memory: 'EXCEEDED_LOCAL_MEMORY_LIMIT: Query exhausted resources at this scale factor',
	'too-large': 'EXCEEDED_LOCAL_MEMORY_LIMIT: Query exhausted resources at this scale factor',
	deadline: 'Query timeout',
	engine: 'GENERIC_INTERNAL_ERROR: the query engine stopped',
} as const;

/** Runs to a terminal state and never throws: nobody waits for it. */
export async function run(
	execution: Execution,
	query: Query | QueryFailure,
	find: Find,
	signal: AbortSignal,
	options: AthenaOptions,
): Promise<void> {
	const { executions, clock } = options;
	let current = execution;
	const started = () => {
		current = { ...current, state: 'RUNNING', started: clock().getTime() };
		executions.note(current);
	};
	try {
		if (query instanceof QueryFailure) throw query;
		const database = execution.database?.toLowerCase() ?? null;
		const planned = plan(query, database, find);
		const job = {
			id: execution.id,
			load: planned.load,
			sql: planned.sql,
			file: executions.resultFile(execution.id),
			deadlineMs: options.deadlineMs,
		};
		const outcome = await options.runner.run(job, { signal, started });
		if (outcome.kind === 'failed' && !signal.aborted)
			options.log(`athena ${execution.id} ${outcome.reason}: ${outcome.hint}`);
		current = ended({ ...current, scannedBytes: planned.scannedBytes }, outcome, planned.names, signal.aborted);
	} catch (error) {
		if (!(error instanceof QueryFailure))
			options.log(`athena ${execution.id}: ${error instanceof Error ? error.stack : String(error)}`);
		const failure = error instanceof QueryFailure ? error : new QueryFailure(REASONS.engine);
		current = { ...current, state: 'FAILED', reason: failure.message, errorType: failure.errorType };
	}
	current = { ...current, completed: clock().getTime() };
	await executions.save(current).catch((error: unknown) => {
		options.log(`athena ${execution.id} could not be saved: ${String(error)}`);
		executions.note({ ...current, state: 'FAILED', reason: REASONS.engine, columns: null });
	});
}

function ended(execution: Execution, outcome: Outcome, names: readonly string[], aborted: boolean): Execution {
	if (aborted) return { ...execution, state: 'CANCELLED', reason: 'Query cancelled by user' };
	if (outcome.kind === 'failed') return { ...execution, state: 'FAILED', reason: REASONS[outcome.reason] };
	if (names.length !== outcome.columns.length) throw new Error('the result has other columns than the query');
	const columns = outcome.columns.map((column, index) => Object.assign({ name: names[index] ?? '' }, column));
	return { ...execution, state: 'SUCCEEDED', columns };
}
