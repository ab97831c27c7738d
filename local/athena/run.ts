/**
 * One execution from QUEUED to its end: planned for its caller, run in a child process, saved before it is told. Each
 * state is an event, the last one after it was saved: a crash in between loses the event, not the end.
 */
import type { Query } from '#core/sql.ts';
import type { Caller } from '../wire.ts';
import { dataAccess, sceneOf, stateChange } from './events.ts';
import type { Job, Outcome } from './execute.ts';
import type { Execution } from './executions.ts';
import { QueryFailure, STOPPED, TOO_MANY_BYTES, typeOf } from './failure.ts';
import { plan } from './plan.ts';
import type { AthenaOptions } from './start.ts';
import { settingsOf } from './workgroup.ts';

const REASONS = {
	value: 'GENERIC_USER_ERROR: query failed: a value could not be computed',
	memory: 'EXCEEDED_LOCAL_MEMORY_LIMIT: Query exhausted resources at this scale factor',
	'too-large': 'EXCEEDED_LOCAL_MEMORY_LIMIT: Query exhausted resources at this scale factor',
	deadline: 'Query timeout',
	engine: 'GENERIC_INTERNAL_ERROR: the query engine stopped',
} as const;

/** A transient error: the query goes back into the queue. */
class Requeued extends Error {}

/** Runs to a terminal state and never throws: nobody waits for it. */
export async function run(
	execution: Execution,
	query: Query | QueryFailure,
	caller: Caller,
	signal: AbortSignal,
	options: AthenaOptions,
): Promise<void> {
	const { executions, clock, runner, log } = options;
	let current = execution;
	let names: readonly string[] = [];
	const move = (change: Partial<Execution>) => {
		current = moved(current, change, options);
	};
	// Rights are looked at when the query begins, not when it was asked for: it may have waited.
	const prepare = () => {
		move({ state: 'RUNNING', started: clock().getTime() });
		if (options.requeues()) throw new Requeued();
		const prepared = jobOf(current, query, caller, options);
		names = prepared.names;
		current = { ...current, scannedBytes: prepared.scannedBytes };
		executions.note(current);
		return prepared.job;
	};
	try {
		const outcome = await attempts(
			() => runner.run(caller.principal, prepare, signal),
			async () => {
				move({ state: 'QUEUED', started: null });
				await executions.save(current);
			},
		);
		if (outcome.kind === 'failed' && !signal.aborted) log(`athena ${execution.id} ${outcome.reason}: ${outcome.hint}`);
		await keep(current, ended(outcome, names, signal.aborted), options);
	} catch (error) {
		if (!(error instanceof QueryFailure))
			log(`athena ${execution.id}: ${error instanceof Error ? error.stack : String(error)}`);
		const failure = error instanceof QueryFailure ? error : new QueryFailure(REASONS.engine);
		const { state, message: reason, errorType } = failure;
		await keep(current, { state, reason, errorType }, options);
	}
}

async function attempts(attempt: () => Promise<Outcome>, requeue: () => Promise<void>): Promise<Outcome> {
	for (;;) {
		try {
			return await attempt();
		} catch (error) {
			if (!(error instanceof Requeued)) throw error;
			await requeue();
		}
	}
}

/** The job of a query that may run; tells the lake's auditors of each table that it reads. */
function jobOf(
	execution: Execution,
	query: Query | QueryFailure,
	caller: Caller,
	options: AthenaOptions,
): { readonly job: Job; readonly names: readonly string[]; readonly scannedBytes: number } {
	if (query instanceof QueryFailure) throw query;
	const { lake, executions, deadlineMs } = options;
	const { load, sql, names, scannedBytes, reads } = plan(query, execution, lake.find(caller));
	const group = lake.workGroups.list(execution.account).find(({ name }) => name === execution.workGroup);
	const cutoff = group === undefined ? null : settingsOf(group).BytesScannedCutoffPerQuery;
	if (cutoff != null && scannedBytes > cutoff) throw new QueryFailure(TOO_MANY_BYTES, 'CANCELLED');
	for (const read of reads) {
		for (const event of dataAccess(caller, execution.id, read, sceneOf(options))) options.emit(event);
	}
	const { id } = execution;
	return { job: { id, load, sql, file: executions.resultFile(id), deadlineMs }, names, scannedBytes };
}

/** The execution in its next state, kept in memory and told. */
function moved(execution: Execution, change: Partial<Execution>, options: AthenaOptions): Execution {
	const next = { ...execution, ...change, sequence: execution.sequence + 1 };
	options.executions.note(next);
	options.emit(stateChange(next, execution.state, sceneOf(options)));
	return next;
}

type End = Pick<Execution, 'state' | 'reason' | 'errorType'> & Partial<Pick<Execution, 'columns'>>;

async function keep(execution: Execution, end: End, options: AthenaOptions): Promise<void> {
	const { executions, log, clock } = options;
	const last = { ...execution, ...end, sequence: execution.sequence + 1, completed: clock().getTime() };
	// Rows that stay behind are read by nobody, and removed at the next start.
	const discard = () =>
		executions
			.discardResult(execution.id)
			.catch((error: unknown) => log(`athena ${execution.id} left its rows: ${String(error)}`));
	if (last.state !== 'SUCCEEDED') await discard();
	let told: Execution = last;
	try {
		await executions.save(last);
	} catch (error) {
		log(`athena ${execution.id} could not be saved: ${String(error)}`);
		told = { ...last, ...failed(REASONS.engine), columns: null };
		executions.note(told);
		await discard();
	}
	options.emit(stateChange(told, execution.state, sceneOf(options)));
}

function failed(reason: string): End {
	return { state: 'FAILED', reason, errorType: typeOf(reason) };
}

function ended(outcome: Outcome, names: readonly string[], aborted: boolean): End {
	if (aborted) return { state: 'CANCELLED', reason: STOPPED, errorType: null };
	if (outcome.kind === 'failed') return failed(REASONS[outcome.reason]);
	if (names.length !== outcome.columns.length) throw new Error('the result has other columns than the query');
	const columns = outcome.columns.map((column, index) => Object.assign({ name: names[index] ?? '' }, column));
	return { state: 'SUCCEEDED', reason: null, errorType: null, columns };
}
