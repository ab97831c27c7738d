/**
 * The log: one JSON line per request, and one per failure left to the sweep. It names people by pseudonym, things by
 * id, routes by pattern and errors by code. No message of a lower layer is written, for it may hold a value; no path,
 * query, header or body is.
 */
import pino from 'pino';
import { errorName } from '#core/error.ts';

export type Log = pino.Logger;

/** Writes to `file`, or to standard output; each line is on its way before the call that made it goes on. */
export function makeLog(version: string, file?: string): Log {
	return pino(
		{ base: { service: 'fairlead', version }, timestamp: pino.stdTimeFunctions.isoTime, messageKey: 'message' },
		pino.destination({ dest: file ?? 1, sync: true, mkdir: false }),
	);
}

/** Names and codes only; `trace` tells which request it was. */
export function warnTo(log: Log, trace?: string): (message: string, error: unknown) => void {
	const of = trace === undefined ? {} : { trace };
	return (message, error) => log.warn({ ...of, error: errorName(error), ...codeOf(error) }, message);
}

/** A failure of ours: what was thrown by name, and where, so that it can be found. */
export function logFailure(log: Log, of: { trace: string; request: string; code: string }, cause: unknown): void {
	log.error({ ...of, error: errorName(cause), at: framesOf(cause) }, 'failure');
}

/** Places in the code alone; the lines before them hold the message. */
function framesOf(error: unknown): string[] {
	const lines = error instanceof Error ? (error.stack ?? '').split('\n') : [];
	const frames = lines.filter((line) => /^\s+at \S.*:\d+:\d+\)?$/.test(line));
	return frames.slice(0, 8).map((line) => line.trim().slice(3));
}

function codeOf(error: unknown): { code?: string } {
	const code = error instanceof Error ? (error as Error & { code?: unknown }).code : undefined;
	return typeof code === 'string' ? { code } : {};
}

export type RequestLine = {
	readonly trace: string;
	readonly request: string;
	readonly method: string;
	/** The pattern that matched, never the path itself. */
	readonly route: string;
	readonly status: number;
	/** Code of the problem; absent for success. */
	readonly code?: string | undefined;
	/** Pseudonym; null for whoever is not known or not registered. */
	readonly caller: string | null;
	readonly ms: number;
};

export function logRequest(log: Log, line: RequestLine): void {
	const level = line.status >= 500 ? 'error' : 'info';
	log[level]({ ...line, ms: Math.round(line.ms * 10) / 10 }, 'request');
}
