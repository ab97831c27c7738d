/**
 * What the sealer needs from outside, besides the ledger's store. Every call may fail, fail after it took effect, or
 * never answer: whoever comes next goes on from what the head says.
 *
 * The object store is not trusted: what is read from it is checked against the head or a signed checkpoint, so it can
 * stop the log and cannot bend it.
 */
import type { Context } from '../context.ts';
import { BrokerError, type Extensions } from '../error.ts';

export type { Log, Objects, Signer, Witness, Witnesses } from '../context.ts';

export type ReadCtx = Pick<Context, 'aws' | 'config' | 'log'>;
export type SealCtx = Pick<Context, 'aws' | 'config' | 'log' | 'clock' | 'random' | 'trace' | 'warn'>;

/** Why the sealer stopped and signs nothing until somebody has looked. */
export type Alarm =
	/** The published checkpoint does not fit the head: ahead of it, behind it, of another root, or gone. */
	| 'head-and-checkpoint-differ'
	/** The published checkpoint is not one that our key signed for this log. */
	| 'foreign-checkpoint'
	| 'head-unreadable'
	/** The files of the log do not lead to the root of the head, or others lie where the next ones are to be made. */
	| 'files-differ'
	| 'staging-differs'
	/** An entry was changed or taken away between its sealing and its marking, or is marked with another index. */
	| 'entry-differs'
	| 'signer'
	/** A witness cosigned a later checkpoint than there is, or another one: the head was put back, or the key is used elsewhere. */
	| 'witness-ahead'
	| 'witness-differs';

export function alarm(
	kind: Alarm,
	detail: string,
	extensions: Extensions = {},
	options: { cause?: unknown } = {},
): BrokerError {
	const code = kind === 'signer' ? 'internal' : 'record-corrupt';
	return new BrokerError(code, detail, { ...extensions, alarm: kind }, options);
}
