/** A process that answers each line with one line of JSON, whatever it is written in. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

export type Side = {
	/** What it said when it was ready. */
	readonly ready: unknown;
	readonly ask: () => Promise<unknown>;
	readonly close: () => Promise<void>;
};

export async function openSide(command: string, args: readonly string[]): Promise<Side> {
	const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
	const ended = once(child, 'exit');
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const answer = async (): Promise<unknown> => {
		const { value, done } = await lines.next();
		if (done === true) throw new Error(`${path.basename(command)} of the benchmark ended: ${status(child)}`);
		return JSON.parse(value);
	};
	const close = async () => {
		child.stdin.end();
		await ended;
	};
	return {
		ready: await answer(),
		async ask() {
			child.stdin.write('\n');
			return answer();
		},
		close,
	};
}

const status = ({ exitCode, signalCode }: ChildProcess): string => String(exitCode ?? signalCode ?? 'no output');

const run = promisify(execFile);

/** A Python with these requirements in `folder`, or why there is none. */
export async function makeVenv(
	folder: string,
	requirements: string,
): Promise<{ readonly python: string } | { readonly why: string }> {
	const python = path.join(folder, 'bin', 'python');
	try {
		await run('python3', ['-m', 'venv', folder]);
	} catch {
		return { why: 'there is no python3 with venv' };
	}
	try {
		const quiet = ['--quiet', '--disable-pip-version-check', '--require-hashes', '--only-binary', ':all:'];
		await run(python, ['-m', 'pip', 'install', ...quiet, '-r', requirements]);
	} catch {
		return { why: 'pip cannot install sqlglot' };
	}
	return { python };
}
