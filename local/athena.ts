/**
 * The embedded Athena: Trino SQL over the lake's files, as one role sees them. It evaluates Lake Formation's
 * own grants, never what a client printed, and the caller's text never reaches the engine: the query is read
 * into a tree, checked against the visible columns, printed again, and run in a separate process over an
 * instance that holds the authorised cells only. Executions and results are files; a crash fails what ran.
 */
import { type Emit, stateChange } from './athena/events.ts';
import { openExecutions } from './athena/executions.ts';
import { makeOperations } from './athena/operations.ts';
import { startRunner } from './athena/runner.ts';
import type { Lake } from './athena/start.ts';
import type { Operations } from './wire.ts';

export type { Emit } from './athena/events.ts';
export type { Find, Found } from './athena/plan.ts';
export type { WorkGroup } from './athena/workgroup.ts';

export type Athena = {
	readonly operations: Operations;
	/** Ids of the processes that queries run in. */
	readonly processes: () => readonly number[];
	/** The next so many queries go back from RUNNING to QUEUED, each once: what AWS does after a transient error. */
	readonly requeue: (queries: number) => void;
	readonly close: () => Promise<void>;
};

/** "Active DML queries" of the Regions with the most room (Athena service quotas). */
const MOST_ACTIVE = 200;

export async function openAthena(options: {
	readonly dataDir: string;
	readonly region: string;
	readonly clock: () => Date;
	readonly log: (line: string) => void;
	readonly deadlineMs: number;
	readonly lake: Lake;
	/** Called with each event in order; what it throws is logged and costs no query. */
	readonly emit?: Emit;
	/** How many queries of an account may be queued or running. */
	readonly mostActive?: number;
}): Promise<Athena> {
	const { dataDir, region, clock, log } = options;
	const executions = await openExecutions(dataDir, clock());
	const emit = (event: object) => {
		try {
			options.emit?.(event);
		} catch (error) {
			log(`athena could not tell an event: ${String(error)}`);
		}
	};
	for (const execution of executions.interrupted) emit(stateChange(execution, 'RUNNING', { region, now: clock() }));
	const runner = startRunner();
	let toRequeue = 0;
	const { operations, close } = makeOperations({
		...options,
		executions,
		deleting: new Set(),
		runner,
		emit,
		mostActive: options.mostActive ?? MOST_ACTIVE,
		requeues: () => toRequeue > 0 && toRequeue-- > 0,
	});
	return {
		operations,
		processes: runner.pids,
		requeue(queries) {
			toRequeue = queries;
		},
		async close() {
			await close();
			await runner.close();
		},
	};
}
