/**
 * The embedded Athena: Trino SQL over the lake's files, as one role sees them. It evaluates Lake Formation's
 * own grants, never what a client printed, and the caller's text never reaches the engine: the query is read
 * into a tree, checked against the visible columns, printed again, and run in a separate process over an
 * instance that holds the authorised cells only. Executions and results are files; a crash fails what ran.
 */
import { openExecutions } from './athena/executions.ts';
import { makeOperations } from './athena/operations.ts';
import { startRunner } from './athena/runner.ts';
import type { Lake } from './athena/start.ts';
import type { Operations } from './wire.ts';

export type { Find, Found } from './athena/plan.ts';

export type Athena = {
	readonly operations: Operations;
	/** Ids of the processes that queries run in. */
	readonly processes: () => readonly number[];
	readonly close: () => Promise<void>;
};

export async function openAthena(options: {
	readonly dataDir: string;
	readonly clock: () => Date;
	readonly log: (line: string) => void;
	readonly deadlineMs: number;
	readonly lake: Lake;
}): Promise<Athena> {
	const executions = await openExecutions(options.dataDir, options.clock());
	const runner = startRunner();
	const { operations, settle } = makeOperations({ ...options, executions, runner });
	return {
		operations,
		processes: runner.pids,
		async close() {
			await settle();
			await runner.close();
		},
	};
}
