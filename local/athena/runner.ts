/**
 * A few child processes that run queries. At most `MOST` queries run at once, the others wait, each principal in a lane of
 * its own; a child that dies or does not end in time fails its own query and is replaced for the next one. Nothing of a
 * query outlives it: each gets a new DuckDB instance (execute.ts).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Job, Outcome } from './execute.ts';
import { openLanes } from './lanes.ts';

const MOST = 2;
/** After the deadline the child interrupts the query itself; this long after it is killed. */
const GRACE_MS = 3000;

export type Runner = {
	/** Runs the job that `prepare` makes once there is room. Aborting ends it at once, running or not. */
	readonly run: (lane: string, prepare: () => Job, signal: AbortSignal) => Promise<Outcome>;
	/** The processes alive now, for tests and diagnosis. */
	readonly pids: () => number[];
	readonly close: () => Promise<void>;
};

export function startRunner(): Runner {
	const idle: ChildProcess[] = [];
	const all = new Set<ChildProcess>();
	const lanes = openLanes(MOST);
	let closed = false;

	const child = () => {
		const known = idle.pop();
		if (known !== undefined) return known;
		const made = spawn();
		all.add(made);
		made.once('exit', () => {
			all.delete(made);
			const at = idle.indexOf(made);
			if (at >= 0) idle.splice(at, 1);
		});
		return made;
	};

	return {
		async run(lane, prepare, signal) {
			if (closed || !(await lanes.take(lane, signal))) return stopped('aborted');
			try {
				if (closed) return stopped('closed');
				const job = prepare();
				const process = child();
				const outcome = await send(process, job, signal);
				if (isUsable(process)) idle.push(process);
				return outcome;
			} finally {
				lanes.give(lane);
			}
		},
		pids: () => [...all].flatMap((one) => (one.pid === undefined ? [] : [one.pid])),
		async close() {
			closed = true;
			await Promise.all([...all].map(end));
		},
	};
}

function stopped(hint: string): Outcome {
	return { kind: 'failed', reason: 'engine', hint };
}

function isUsable(process: ChildProcess): boolean {
	return process.connected && !process.killed && process.exitCode === null && process.signalCode === null;
}

function spawn(): ChildProcess {
	const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
	return fork(fileURLToPath(new URL('./child.ts', import.meta.url)), [], {
		execArgv: ['--import', loader, '--max-old-space-size=256'],
		// Nothing of the parent's environment is needed, so no secret in it is within reach of a query.
		env: { PATH: process.env['PATH'], UV_THREADPOOL_SIZE: '4' },
		stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
	});
}

function send(process: ChildProcess, job: Job, signal: AbortSignal): Promise<Outcome> {
	return new Promise((resolve) => {
		let late = false;
		const kill = () => process.kill('SIGKILL');
		const timer = setTimeout(() => {
			late = true;
			kill();
		}, job.deadlineMs + GRACE_MS);
		const settle = (outcome: Outcome) => {
			clearTimeout(timer);
			signal.removeEventListener('abort', kill);
			process.off('message', onMessage);
			process.off('exit', onExit);
			process.off('error', onExit);
			resolve(outcome);
		};
		const hint = 'the process ended';
		const onExit = () => settle(late ? { kind: 'failed', reason: 'deadline', hint } : stopped(hint));
		const onMessage = (message: { kind: string; id?: string; outcome?: Outcome }) => {
			if (message.kind === 'outcome' && message.id === job.id && message.outcome !== undefined) settle(message.outcome);
		};
		process.on('message', onMessage);
		process.on('exit', onExit);
		process.on('error', onExit);
		signal.addEventListener('abort', kill);
		process.send(job);
	});
}

function end(process: ChildProcess): Promise<void> {
	return new Promise((resolve) => {
		if (process.exitCode !== null || process.signalCode !== null) return resolve();
		process.once('exit', () => resolve());
		process.kill('SIGKILL');
		return undefined;
	});
}
