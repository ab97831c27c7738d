/**
 * SQL texts are read in a thread of their own, one at a time, each with a deadline: whatever a caller sends, the event loop
 * goes on and the next text is read. The grammar is loaded there alone.
 *
 * A text that is still being read at its deadline ends the thread, and is refused as `too-large`; the next text starts
 * another one. Nothing is stored, so a crash leaves nothing.
 */
import { Worker } from 'node:worker_threads';
import { BrokerError } from './error.ts';
import type { Answer, Kind, Order, Trees } from './parser/serve.ts';
import { bounds, type Expression, type Query, tooLarge } from './sql.ts';

export { serveParser } from './parser/serve.ts';

export type Parser = {
	/** One statement that reads. Throws `sql-syntax`, `unsupported`, `validation`, `too-large`, with line and column. */
	readonly query: (text: string) => Promise<Query>;
	/** One expression without a sub-query. Throws as `query` does. */
	readonly expression: (text: string) => Promise<Expression>;
	/** Makes the thread ready for large texts now: the first ones build the grammar's tables. */
	readonly warm: () => Promise<void>;
};

/** Texts that wait their turn; a further one is told to come back. */
const MAX_WAITING = 100;
/** Ten times what the largest texts within the bounds take, on a slow processor. */
const DEADLINE_MS = 4000;
/** Loading the bundle takes about 0.15 s, warming it about 0.5 s, on two quiet processors; more on one that is shared. */
const START_MS = 30_000;
const HEAP_MB = 512;

/** Where a refusal of a whole text points to. */
const START = { line: 1, column: 1 };

export type ParserOptions = {
	/** Module that calls `serveParser`. */
	readonly file: URL;
	readonly deadlineMs?: number;
};

/** Starts no thread before the first text, and keeps no process alive. */
export function makeParser({ file, deadlineMs = DEADLINE_MS }: ParserOptions): Parser {
	let thread: Promise<Worker> | null = null;
	let last: Promise<unknown> = Promise.resolve();
	let waiting = 0;

	const started = (): Promise<Worker> => {
		if (thread !== null) return thread;
		const starting = start(file);
		const gone = () => {
			if (thread === starting) thread = null;
		};
		starting.then((worker) => worker.once('exit', gone), gone);
		thread = starting;
		return starting;
	};
	/** A thread that gave no answer gets no further order, though it may not have ended yet. */
	const order = async (what: Order, ms: number): Promise<Answer> => {
		try {
			return await ask(await started(), what, ms);
		} catch (error) {
			thread = null;
			throw error;
		}
	};
	const inTurn = async <T>(work: () => Promise<T>): Promise<T> => {
		if (waiting >= MAX_WAITING) {
			throw new BrokerError('unavailable', 'Too many queries are being read; try again.', { retryAfter: 1 });
		}
		waiting += 1;
		const turn = last.then(work);
		last = turn.catch(() => undefined);
		return turn.finally(() => {
			waiting -= 1;
		});
	};
	const read = async <K extends Kind>(kind: K, text: string): Promise<Trees[K]> => {
		if (Buffer.byteLength(text) > bounds.bytes)
			throw tooLarge(START, `A query may have at most ${bounds.bytes} bytes.`);
		const answer = await inTurn(() => order({ kind, text }, deadlineMs));
		if ('refused' in answer) {
			const { code, detail, extensions } = answer.refused;
			throw new BrokerError(code, detail, extensions);
		}
		return answer.tree as Trees[K];
	};
	return {
		query: (text) => read('query', text),
		expression: (text) => read('expression', text),
		warm: async () => {
			await inTurn(() => order({ kind: 'warm' }, START_MS));
		},
	};
}

function start(file: URL): Promise<Worker> {
	return new Promise((resolve, reject) => {
		const fail = (cause: unknown) => {
			reject(new BrokerError('internal', 'The SQL parser did not start.', {}, { cause }));
		};
		const worker = threadOf(file, fail);
		if (worker === null) return;
		const timer = setTimeout(() => void worker.terminate(), START_MS);
		// Stays: without a listener the error of a dying thread would end the process.
		worker.on('error', fail);
		worker.once('exit', (code) => {
			clearTimeout(timer);
			fail(code);
		});
		worker.once('message', () => {
			clearTimeout(timer);
			worker.unref();
			resolve(worker);
		});
	});
}

function threadOf(file: URL, fail: (cause: unknown) => void): Worker | null {
	try {
		return new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
	} catch (cause) {
		fail(cause);
		return null;
	}
}

/** The answer to one order. A thread that gives none in time, or dies over it, is ended. */
function ask(worker: Worker, order: Order, deadlineMs: number): Promise<Answer> {
	return new Promise((resolve, reject) => {
		let waits = true;
		let late = false;
		let cause: unknown;
		// An answer that is there already, because this process was busy or asleep, comes first.
		const timer = setTimeout(() => setImmediate(end), deadlineMs);
		const done = () => {
			waits = false;
			clearTimeout(timer);
			worker.off('error', noted);
			worker.off('exit', died);
			worker.off('message', answered);
			worker.unref();
		};
		const noted = (error: unknown) => {
			cause = error;
		};
		const died = () => {
			done();
			reject(late || isOutOfMemory(cause) ? tooLong() : broken(cause));
		};
		const answered = (answer: Answer) => {
			done();
			resolve(answer);
		};
		function end() {
			if (!waits) return;
			late = true;
			worker.off('message', answered);
			void worker.terminate();
		}
		worker.on('error', noted);
		worker.once('exit', died);
		worker.once('message', answered);
		worker.ref();
		worker.postMessage(order);
	});
}

/** https://nodejs.org/api/errors.html#err_worker_out_of_memory */
function isOutOfMemory(error: unknown): boolean {
	return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function tooLong(): BrokerError {
	return tooLarge(START, 'The query takes too long to read. Nest it less deeply, or write it as several queries.');
}

/** No text should end the thread otherwise: it is ours to look at. */
function broken(cause: unknown): BrokerError {
	return new BrokerError('internal', 'The SQL parser stopped.', {}, { cause });
}
