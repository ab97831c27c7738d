/** Processes of the benchmark's own: each runs one file, says when it is ready, and ends with its parent. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export type Child = {
	/** Sends one message and gives the next answer. */
	readonly ask: (message: unknown) => Promise<unknown>;
	/** What it said when it was ready. */
	readonly ready: unknown;
	readonly close: () => Promise<void>;
};

/** `file` is relative to this folder. The child sees these variables and the path, nothing else. */
export async function start(
	file: string,
	args: readonly string[],
	env: Readonly<Record<string, string>> = {},
): Promise<Child> {
	const child = fork(fileURLToPath(new URL(file, import.meta.url)), [...args], {
		execArgv: ['--import', import.meta.resolve('tsx')],
		env: { PATH: process.env['PATH'], ...QUIET, ...env },
		stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
	});
	return {
		ready: await answer(child),
		async ask(message) {
			const next = answer(child);
			child.send(message as object);
			return next;
		},
		async close() {
			const gone = once(child, 'exit');
			child.kill();
			await gone;
		},
	};
}

/** The SDK's notice of Node versions to come is for operators. */
export const QUIET = { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' };

async function answer(child: ChildProcess): Promise<unknown> {
	const told = new AbortController();
	const { signal } = told;
	const gone = once(child, 'exit', { signal }).then(([code]) => {
		throw new Error(`a process of the benchmark ended with ${String(code)}`);
	});
	try {
		const [message] = (await Promise.race([once(child, 'message', { signal }), gone])) as [unknown];
		return message;
	} finally {
		gone.catch(() => {});
		told.abort();
	}
}

/** In a child: ends with the parent, however that one ends. */
export function endWithParent(): void {
	process.on('disconnect', () => process.exit());
}
