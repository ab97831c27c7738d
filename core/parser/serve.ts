/**
 * The thread's side of reading SQL, and what the two sides say to each other. One answer to one order; the thread keeps
 * nothing, so a crash leaves nothing.
 */
import type { MessagePort } from 'node:worker_threads';
import { BrokerError, type Code, type Extensions } from '../error.ts';
import type { Expression, Query } from '../sql.ts';

export type Trees = { readonly query: Query; readonly expression: Expression };
export type Kind = keyof Trees;
type Readers = { readonly [K in Kind]: (text: string) => Trees[K] } & { readonly warm: () => void };

export type Order = { readonly kind: Kind; readonly text: string } | { readonly kind: 'warm' };
export type Answer =
	| { readonly tree: Trees[Kind] | null }
	| { readonly refused: { readonly code: Code; readonly detail: string; readonly extensions: Extensions } };

/** Sent once, when the grammar is loaded; nothing is ordered before. */
const READY = 'ready';

/** Answers each order of its port. Anything but a refusal ends the thread. */
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
