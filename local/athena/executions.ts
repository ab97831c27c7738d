/**
 * Query executions and their results, as files: `<id>.json` and `<id>.rows` (a JSON array a line). A state is
 * on disk before it is told. After a crash, what had not ended is failed and everything else is still there.
 */
import { createReadStream, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import * as z from 'zod';
import { writeDurably } from '../files.ts';

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
	workGroup: z.string(),
	query: z.string(),
	database: z.string().nullable(),
	catalog: z.string().nullable(),
	outputLocation: z.string().nullable(),
	token: z.string(),
	state: z.enum(['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED']),
	reason: z.string().nullable(),
	errorType: z.number().nullable(),
	submitted: z.number(),
	started: z.number().nullable(),
	completed: z.number().nullable(),
	scannedBytes: z.number(),
	columns: z.array(ColumnInfo).nullable(),
});
export type Execution = z.infer<typeof Execution>;

export type Executions = {
	readonly get: (id: string) => Execution | undefined;
	readonly byToken: (account: string, token: string) => Execution | undefined;
	/** Newest first. */
	readonly list: (account: string, workGroup: string) => Execution[];
	/** Keeps the execution in memory only: a state that a crash may forget. */
	readonly note: (execution: Execution) => void;
	readonly save: (execution: Execution) => Promise<void>;
	readonly resultFile: (id: string) => string;
	/** What a query that did not succeed wrote is nobody's result. */
	readonly discardResult: (id: string) => Promise<void>;
	/** Rows from a position in the result file, and the position after them; null at the end. */
	readonly rows: (
		id: string,
		position: number,
		most: number,
	) => Promise<{ rows: (string | null)[][]; next: number | null }>;
};

function tokenKey(account: string, token: string): string {
	return `${account} ${token}`;
}

export function isTerminal(execution: Execution): boolean {
	return execution.completed !== null;
}

export async function openExecutions(dataDir: string, now: Date): Promise<Executions> {
	const folder = path.join(dataDir, 'athena');
	mkdirSync(folder, { recursive: true, mode: 0o700 });
	const all = new Map<string, Execution>();
	const tokens = new Map<string, string>();
	const note = (execution: Execution) => {
		all.set(execution.id, execution);
		tokens.set(tokenKey(execution.account, execution.token), execution.id);
	};
	const save = async (execution: Execution) => {
		await writeDurably(path.join(folder, `${execution.id}.json`), JSON.stringify(execution));
		note(execution);
	};
	const resultFile = (id: string) => path.join(folder, `${id}.rows`);

	for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
		const execution = Execution.parse(JSON.parse(readFileSync(path.join(folder, file), 'utf8')));
		note(execution);
		if (isTerminal(execution)) continue;
		const reason = 'GENERIC_INTERNAL_ERROR: the query engine stopped';
		await save({ ...execution, state: 'FAILED', reason, completed: now.getTime() });
	}

	return {
		get: (id) => all.get(id),
		byToken(account, token) {
			const id = tokens.get(tokenKey(account, token));
			return id === undefined ? undefined : all.get(id);
		},
		list: (account, workGroup) =>
			[...all.values()]
				.filter((execution) => execution.account === account && execution.workGroup === workGroup)
				.toSorted((a, b) => b.submitted - a.submitted),
		note,
		save,
		resultFile,
		discardResult: (id) => rm(resultFile(id), { force: true }),
		rows: (id, position, most) => readRows(resultFile(id), position, most),
	};
}

const Row = z.array(z.string().nullable());

async function readRows(file: string, position: number, most: number) {
	const rows: (string | null)[][] = [];
	let at = position;
	for await (const line of lines(file, position)) {
		if (rows.length === most) return { rows, next: at };
		rows.push(Row.parse(JSON.parse(line.toString())));
		at += line.length + 1;
	}
	return { rows, next: null };
}

/** Lines end at a line feed and nowhere else: the separators of Unicode stand in values. */
async function* lines(file: string, position: number): AsyncGenerator<Buffer> {
	let rest: Buffer = Buffer.alloc(0);
	for await (const chunk of createReadStream(file, { start: position }) as AsyncIterable<Buffer>) {
		rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
		let start = 0;
		for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10, start)) {
			yield rest.subarray(start, end);
			start = end + 1;
		}
		rest = rest.subarray(start);
	}
}
