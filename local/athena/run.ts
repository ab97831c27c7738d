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
	let names: readonly string[] = [];
	// Rights are looked at when the query begins, not when it was asked for: it may have waited.
	const prepare = () => {
		if (query instanceof QueryFailure) throw query;
		const planned = plan(query, execution.database?.toLowerCase() ?? null, find);
		names = planned.names;
		current = { ...current, state: 'RUNNING', started: clock().getTime(), scannedBytes: planned.scannedBytes };
		executions.note(current);
		const { id } = execution;
		return {
			id,
			load: planned.load,
			sql: planned.sql,
			file: executions.resultFile(id),
			deadlineMs: options.deadlineMs,
		};
	};
	try {
		const outcome = await options.runner.run(prepare, signal);
		if (outcome.kind === 'failed' && !signal.aborted)
			options.log(`athena ${execution.id} ${outcome.reason}: ${outcome.hint}`);
		current = ended(current, outcome, names, signal.aborted);
	} catch (error) {
		if (!(error instanceof QueryFailure))
			options.log(`athena ${execution.id}: ${error instanceof Error ? error.stack : String(error)}`);
		const failure = error instanceof QueryFailure ? error : new QueryFailure(REASONS.engine);
		current = { ...current, state: 'FAILED', reason: failure.message, errorType: failure.errorType };
	}
	current = { ...current, completed: clock().getTime() };
	await keep(current, options);
}

async function keep(execution: Execution, { executions, log }: AthenaOptions): Promise<void> {
	// Rows that stay behind are read by nobody, and removed at the next start.
	const discard = () =>
		executions
			.discardResult(execution.id)
			.catch((error: unknown) => log(`athena ${execution.id} left its rows: ${String(error)}`));
	if (execution.state !== 'SUCCEEDED') await discard();
	try {
		await executions.save(execution);
	} catch (error) {
		log(`athena ${execution.id} could not be saved: ${String(error)}`);
		executions.note({ ...execution, state: 'FAILED', reason: REASONS.engine, columns: null });
		await discard();
	}
}

function ended(execution: Execution, outcome: Outcome, names: readonly string[], aborted: boolean): Execution {
	if (aborted) return { ...execution, state: 'CANCELLED', reason: 'Query cancelled by user' };
	if (outcome.kind === 'failed') return { ...execution, state: 'FAILED', reason: REASONS[outcome.reason] };
	if (names.length !== outcome.columns.length) throw new Error('the result has other columns than the query');
	const columns = outcome.columns.map((column, index) => Object.assign({ name: names[index] ?? '' }, column));
	return { ...execution, state: 'SUCCEEDED', columns };
}
