/**
 * Query executions and their results, as files: `<id>.json` and `<id>.rows` (a JSON array a line). That a query
 * was accepted and how it ended is on disk before it is told; RUNNING is kept in memory only. After a crash,
 * what had not ended is failed, what ended is still there, and files that are nobody's result are removed.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { writeDurably } from '../files.ts';
import { type Page, readRows } from './rows.ts';

const ColumnInfo = z.strictObject({
	name: z.string(),
	type: z.string(),
	precision: z.number(),
	scale: z.number(),
	caseSensitive: z.boolean(),
});

const Execution = z.strictObject({
	id: z.string(),
	account: z.string(),
	/** The role that asked: nobody else is told of the execution. */
	principal: z.string(),
	workGroup: z.string(),
	query: z.string(),
	database: z.string().nullable(),
	catalog: z.string().nullable(),
	/** As the client gave it. */
	outputLocation: z.string().nullable(),
	/** Where the results go by the work group's settings; null: Athena keeps them. */
	output: z.string().nullable().default(null),
	token: z.string(),
	state: z.enum(['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED']),
	reason: z.string().nullable(),
	errorType: z.number().nullable(),
	/** Counts the states so far: what tells events apart and orders them. */
	sequence: z.number().default(1),
	submitted: z.number(),
	started: z.number().nullable(),
	completed: z.number().nullable(),
	scannedBytes: z.number(),
	columns: z.array(ColumnInfo).nullable(),
});
export type Execution = z.infer<typeof Execution>;

export type Executions = {
	readonly get: (id: string) => Execution | undefined;
	readonly byToken: (asker: Asker, token: string) => Execution | undefined;
	/** Newest first. */
	readonly list: (asker: Asker, workGroup: string) => Execution[];
	/** Everybody's. */
	readonly ofWorkGroup: (account: string, workGroup: string) => Execution[];
	/** Those that had not ended when the last process did, and have failed since. */
	readonly interrupted: readonly Execution[];
	/** Keeps the execution in memory only: a state that a crash may forget. */
	readonly note: (execution: Execution) => void;
	readonly save: (execution: Execution) => Promise<void>;
	/** An execution that was never accepted: its token is free again. */
	readonly forget: (execution: Execution) => Promise<void>;
	readonly resultFile: (id: string) => string;
	/** What a query that did not succeed wrote is nobody's result. */
	readonly discardResult: (id: string) => Promise<void>;
	/** Rows from a position in the result file; undefined if no row begins there. */
	readonly rows: (id: string, position: number, most: number) => Promise<Page | undefined>;
};

/** Whose executions: those of one role in one account. */
export type Asker = Pick<Execution, 'account' | 'principal'>;

export function isAskedBy(execution: Execution, asker: Asker): boolean {
	return execution.account === asker.account && execution.principal === asker.principal;
}

function tokenKey({ account, principal }: Asker, token: string): string {
	return JSON.stringify([account, principal, token]);
}

export function isTerminal(execution: Execution): boolean {
	return execution.completed !== null;
}

export async function openExecutions(dataDir: string, now: Date): Promise<Executions> {
	const folder = path.join(dataDir, 'athena');
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const all = new Map<string, Execution>();
	const tokens = new Map<string, string>();
	const stateFile = (id: string) => path.join(folder, `${id}.json`);
	const resultFile = (id: string) => path.join(folder, `${id}.rows`);
	const note = (execution: Execution) => {
		all.set(execution.id, execution);
		tokens.set(tokenKey(execution, execution.token), execution.id);
	};
	const interrupted: Execution[] = [];
	const save = async (execution: Execution) => {
		await writeDurably(stateFile(execution.id), JSON.stringify(execution));
		note(execution);
	};

	for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
		const execution = Execution.parse(JSON.parse(readFileSync(path.join(folder, file), 'utf8')));
		note(execution);
		if (isTerminal(execution)) continue;
		const reason = 'GENERIC_INTERNAL_ERROR: the query engine stopped';
		// RUNNING may have been told before the end, as the number in between.
		const sequence = execution.sequence + 2;
		const failed = { ...execution, state: 'FAILED' as const, reason, sequence, completed: now.getTime() };
		await save(failed);
		interrupted.push(failed);
	}
	// What a killed process left: rows of queries that did not succeed, files that never took their name.
	for (const file of readdirSync(folder)) {
		const result = file.endsWith('.rows') && all.get(path.basename(file, '.rows'))?.state === 'SUCCEEDED';
		if (!result && !file.endsWith('.json')) await rm(path.join(folder, file), { force: true });
	}

	return {
		get: (id) => all.get(id),
		byToken(asker, token) {
			const id = tokens.get(tokenKey(asker, token));
			return id === undefined ? undefined : all.get(id);
		},
		list: (asker, workGroup) =>
			[...all.values()]
				.filter((execution) => isAskedBy(execution, asker) && execution.workGroup === workGroup)
				.toSorted((a, b) => b.submitted - a.submitted),
		ofWorkGroup: (account, workGroup) =>
			[...all.values()].filter((execution) => execution.account === account && execution.workGroup === workGroup),
		interrupted,
		note,
		save,
		async forget(execution) {
			all.delete(execution.id);
			tokens.delete(tokenKey(execution, execution.token));
			await rm(stateFile(execution.id), { force: true });
		},
		resultFile,
		discardResult: (id) => rm(resultFile(id), { force: true }),
		rows: (id, position, most) => readRows(resultFile(id), position, most),
	};
}
