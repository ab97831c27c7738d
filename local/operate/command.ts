/** What the commands of an operator share: where they ask, as whom, and how they end. */
import type { ParseArgsOptionsConfig } from 'node:util';

/** Where a command prints: what was asked for, and beside it what is said about the asking. */
export type Output = { readonly out: (text: string) => void; readonly err: (text: string) => void };

export type Values = Readonly<Record<string, string | boolean | undefined>>;

/**
 * The API of a mesh, as one caller. Throws for an answer that is a problem (RFC 9457). An answer that says when to ask again
 * is given then, or a minute later at the latest.
 */
export type Api = (method: 'GET' | 'POST', path: string, body?: unknown) => Promise<unknown>;

export type Command = {
	/** Its own options, in the words of the help. */
	readonly usage: string;
	readonly options: ParseArgsOptionsConfig;
	/** The exit code. */
	readonly run: (api: Api, values: Values, output: Output) => Promise<number>;
};

/** Whoever asked cannot be told: no answer, no right, or no such thing. */
export const CANNOT_ASK = 2;

export const textOf = (values: Values, name: string): string | undefined => {
	const value = values[name];
	return typeof value === 'string' ? value : undefined;
};
