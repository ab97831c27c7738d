import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Execution, type Executions, openExecutions } from '#local/athena/executions.ts';
import { makeOperations } from '#local/athena/operations.ts';
import type { Runner } from '#local/athena/runner.ts';
import type { Caller } from '#local/wire.ts';
import { RISK, RISK_ROLE, WORK_GROUP } from './harness.ts';

let dataDir: string;
beforeEach(() => {
	dataDir = mkdtempSync(path.join(tmpdir(), 'fairlead-executions-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const NOW = new Date('2026-03-01T10:00:00Z');
const caller: Caller = { account: RISK, arn: RISK_ROLE, principal: RISK_ROLE, userId: 'A', longLived: false };

const QUEUED: Execution = {
	id: '',
	account: RISK,
	principal: RISK_ROLE,
	workGroup: WORK_GROUP,
	query: 'SELECT 1',
	database: null,
	catalog: null,
	outputLocation: null,
	output: null,
	token: 't',
	state: 'QUEUED',
	reason: null,
	errorType: null,
	sequence: 1,
	submitted: NOW.getTime(),
	started: null,
	completed: null,
	scannedBytes: 0,
	columns: null,
};

describe('pages of a result', () => {
	async function withRows(rows: readonly (string | null)[][]) {
		const executions = await openExecutions(dataDir, NOW);
		const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
		writeFileSync(executions.resultFile('r'), text);
		return { executions, text: Buffer.from(text) };
	}

	test('end at a number of bytes, too, and together give every row', async () => {
		const long = 'x'.repeat(1_500_000);
		const rows = [['1'], [long], [long], ['2'], [long], ['y'.repeat(9_000_000)], ['3'], [null]];
		const { executions } = await withRows(rows);
		const read: (string | null)[][] = [];
		const sizes: number[] = [];
		for (let position: number | null = 0; position !== null; ) {
			const page = await executions.rows('r', position, 1000);
			read.push(...(page?.rows ?? []));
			sizes.push(page?.rows.length ?? 0);
			position = page?.next ?? null;
		}
		expect(read).toEqual(rows);
		expect(sizes).toEqual([4, 1, 1, 2]);
	});

	test('begin where a row begins and nowhere else', async () => {
		const { executions, text } = await withRows([['a', null], ['["'], ['\u2028\n'], ['[null]']]);
		for (let position = 0; position <= text.length + 2; position++) {
			const begins = position === 0 || (text[position - 1] === 10 && position < text.length);
			const page = await executions.rows('r', position, 1000);
			expect([position, page !== undefined]).toEqual([position, begins]);
		}
	});
});

describe('a start after a crash', () => {
	test("removes what is nobody's result and keeps the rest", async () => {
		const folder = path.join(dataDir, 'athena');
		mkdirSync(folder);
		const states = ['SUCCEEDED', 'FAILED', 'RUNNING'] as const;
		for (const state of states) {
			const execution = { ...QUEUED, id: state, token: state, state, completed: state === 'RUNNING' ? null : 1 };
			writeFileSync(path.join(folder, `${state}.json`), JSON.stringify(execution));
			writeFileSync(path.join(folder, `${state}.rows`), '["1"]\n');
		}
		writeFileSync(path.join(folder, 'unknown.rows'), '["1"]\n');
		writeFileSync(path.join(folder, 'unknown.json.1.tmp'), '{');
		const executions = await openExecutions(dataDir, NOW);
		expect(readdirSync(folder).toSorted()).toEqual(['FAILED.json', 'RUNNING.json', 'SUCCEEDED.json', 'SUCCEEDED.rows']);
		expect(executions.get('RUNNING')?.state).toBe('FAILED');
	});
});

const GROUP = { account: RISK, name: WORK_GROUP, description: null, enabled: true, configuration: {}, created: 0 };

/** Athena over these executions, with an engine that answers one row; `ran` counts the queries that reached it. */
async function athenaOver(change: (executions: Executions) => Partial<Executions>) {
	const executions = await openExecutions(dataDir, NOW);
	const changed = { ...executions, ...change(executions) };
	const lines: string[] = [];
	const seen = { ran: 0, requeues: 0, events: [] as object[] };
	const column = { type: 'integer', precision: 10, scale: 0, caseSensitive: false };
	const runner: Runner = {
		async run(_lane, prepare, signal) {
			if (signal.aborted) return { kind: 'failed', reason: 'engine', hint: 'aborted' };
			seen.ran++;
			writeFileSync(prepare().file, '["1"]\n');
			return { kind: 'done', columns: [column], rows: 1 };
		},
		pids: () => [],
		close: async () => {},
	};
	const { operations, settle, close } = makeOperations({
		lake: {
			workGroups: { list: () => [GROUP], change: () => Promise.reject(new Error('nobody changes it here')) },
			find: () => () => ({ kind: 'no-table' }),
		},
		region: 'eu-central-1',
		emit: (event) => seen.events.push(event),
		mostActive: 200,
		requeues: () => seen.requeues-- > 0,
		executions: changed,
		deleting: new Set(),
		runner,
		clock: () => NOW,
		log: (line) => lines.push(line),
		deadlineMs: 1000,
	});
	const call = async (name: string, input: object) => (await operations.get(name)?.(caller, input)) as never;
	const start = async (ClientRequestToken: string, QueryString = 'SELECT 1 AS one'): Promise<string> => {
		const input = { ClientRequestToken, QueryString, WorkGroup: WORK_GROUP };
		return (await call('StartQueryExecution', input))['QueryExecutionId'];
	};
	const list = async (): Promise<string[]> =>
		(await call('ListQueryExecutions', { WorkGroup: WORK_GROUP }))['QueryExecutionIds'];
	return { executions, start, list, call, settle, close, lines, seen };
}

describe('an execution that cannot be kept', () => {
	test('never was: nobody is given its id, it does not run, and its token starts another one', async () => {
		let broken = true;
		const { start, list, settle, seen, executions } = await athenaOver(({ save }) => ({
			save: async (execution) => {
				await save(execution);
				if (broken) throw new Error('the disk is full');
			},
		}));
		const token = randomUUID();
		const both = await Promise.allSettled([start(token), start(token)]);
		expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
		expect(await list()).toEqual([]);
		expect(readdirSync(path.join(dataDir, 'athena'))).toEqual([]);
		await settle();
		expect(seen.ran).toBe(0);
		broken = false;
		const id = await start(token, 'SELECT 2 AS two');
		await settle();
		expect(executions.get(id)?.query).toBe('SELECT 2 AS two');
	});

	test('is not begun once Athena closes', async () => {
		const { start, close, seen } = await athenaOver(() => ({}));
		await close();
		await expect(start(randomUUID())).rejects.toThrow('closing');
		expect([seen.ran, readdirSync(path.join(dataDir, 'athena'))]).toEqual([0, []]);
	});

	test('at its end is told as failed, also when its rows cannot be removed', async () => {
		let broken = false;
		const { executions, start, settle, lines } = await athenaOver(({ save }) => ({
			save: async (execution) => {
				if (broken) throw new Error('the disk is full');
				await save(execution);
				broken = true;
			},
			discardResult: () => Promise.reject(new Error('the disk is gone')),
		}));
		const id = await start(randomUUID());
		await settle();
		expect(executions.get(id)).toMatchObject({ state: 'FAILED', columns: null, completed: NOW.getTime() });
		expect(lines).toEqual([expect.stringContaining('the disk is full'), expect.stringContaining('the disk is gone')]);
	});
});

test('a stop that comes while the execution is being kept is not lost', async () => {
	let release = () => {};
	const held = new Promise<void>((resolve) => {
		release = resolve;
	});
	const { executions, start, list, call, seen } = await athenaOver(({ save }) => ({
		save: async (execution) => {
			if (execution.state === 'QUEUED') await held;
			await save(execution);
		},
	}));
	const started = start(randomUUID());
	const [QueryExecutionId = ''] = await list();
	const stopped = call('StopQueryExecution', { QueryExecutionId });
	release();
	await stopped;
	expect(await started).toBe(QueryExecutionId);
	expect(executions.get(QueryExecutionId)?.state).toBe('CANCELLED');
	expect(seen.ran).toBe(0);
	expect(existsSync(executions.resultFile(QueryExecutionId))).toBe(false);
});
