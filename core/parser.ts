/**
 * SQL texts are read in a thread of their own, one at a time, each with a deadline: whatever a caller sends, the event loop
 * goes on and the next text is read. The grammar is loaded there alone.
 *
 * A text that is still being read at its deadline ends the thread, and is refused as `too-large`; the next text starts
 * another one. Nothing is stored, so a crash leaves nothing.
 */
import { type MessagePort, Worker } from 'node:worker_threads';
import { BrokerError, type Code, type Extensions } from './error.ts';
import type { Expression, Query } from './sql.ts';

export type Parser = {
	/** One statement that reads. Throws `sql-syntax`, `unsupported`, `validation`, `too-large`, with line and column. */
	readonly query: (text: string) => Promise<Query>;
	/** One expression without a sub-query. Throws as `query` does. */
	readonly expression: (text: string) => Promise<Expression>;
	/** Makes the thread ready for large texts now: the first ones build the grammar's tables. */
	readonly warm: () => Promise<void>;
};

type Trees = { readonly query: Query; readonly expression: Expression };
type Kind = keyof Trees;
type Readers = { readonly [K in Kind]: (text: string) => Trees[K] } & { readonly warm: () => void };

type Order = { readonly kind: Kind; readonly text: string } | { readonly kind: 'warm' };
type Answer =
	| { readonly tree: Trees[Kind] | null }
	| { readonly refused: { readonly code: Code; readonly detail: string; readonly extensions: Extensions } };

/** Sent once, when the grammar is loaded. */
const READY = 'ready';

/** Athena's own bound on a query string, https://docs.aws.amazon.com/athena/latest/ug/service-limits.html */
export const MAX_BYTES = 262_144;
/** Texts that wait their turn; a further one is told to come back. */
const MAX_WAITING = 100;
/** Ten times what the largest texts within the bounds take. */
const DEADLINE_MS = 2000;
/** Loading and warming the grammar takes about a second of a whole processor. */
const START_MS = 30_000;
const HEAP_MB = 512;

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
		thread ??= start(file, () => {
			thread = null;
		});
		return thread;
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
		if (Buffer.byteLength(text) > MAX_BYTES) throw tooLarge(`A query may have at most ${MAX_BYTES} bytes.`);
		const answer = await inTurn(async () => ask(await started(), { kind, text }, deadlineMs));
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
			await inTurn(async () => ask(await started(), { kind: 'warm' }, START_MS));
		},
	};
}

function start(file: URL, gone: () => void): Promise<Worker> {
	return new Promise((resolve, reject) => {
		const worker = new Worker(file, { resourceLimits: { maxOldGenerationSizeMb: HEAP_MB } });
		const timer = setTimeout(() => void worker.terminate(), START_MS);
		const fail = (cause: unknown) => {
			clearTimeout(timer);
			reject(new BrokerError('internal', 'The SQL parser did not start.', {}, { cause }));
		};
		worker.once('exit', gone);
		worker.once('exit', fail);
		// Stays: without a listener the error of a dying thread would end the process.
		worker.on('error', fail);
		worker.once('message', () => {
			clearTimeout(timer);
			worker.off('exit', fail);
			worker.unref();
			resolve(worker);
		});
	});
}

/** The answer to one order; a thread that gives none in time, or dies over it, is ended. */
function ask(worker: Worker, order: Order, deadlineMs: number): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const timer = setTimeout(() => void worker.terminate(), deadlineMs);
		const done = () => {
			clearTimeout(timer);
			worker.off('exit', died);
			worker.off('message', answered);
			worker.unref();
		};
		const died = () => {
			done();
			reject(tooLarge('The query takes too long to read. Nest it less deeply, or write it as several queries.'));
		};
		const answered = (answer: Answer) => {
			done();
			resolve(answer);
		};
		worker.once('exit', died);
		worker.once('message', answered);
		worker.ref();
		worker.postMessage(order);
	});
}

function tooLarge(detail: string): BrokerError {
	return new BrokerError('too-large', detail, { line: 1, column: 1 });
}

/** The thread's side: answers each order of its port. Anything but a refusal ends the thread. */
export function serveParser(port: MessagePort, readers: Readers): void {
	port.on('message', (order: Order) => {
		port.postMessage(answerOf(() => read(readers, order)));
	});
	port.postMessage(READY);
}

function read(readers: Readers, order: Order): Trees[Kind] | null {
	if (order.kind !== 'warm') return readers[order.kind](order.text);
	readers.warm();
	return null;
}

function answerOf(read: () => Trees[Kind] | null): Answer {
	try {
		return { tree: read() };
	} catch (error) {
		if (!(error instanceof BrokerError)) throw error;
		return { refused: { code: error.code, detail: error.message, extensions: error.extensions } };
	}
}
