/**
 * How Lake Formation is asked: again, with jitter and a bound, while AWS says to ask again; and what is still refused
 * then is an error of ours, so nothing counts as done. Errors are told apart by name and message, never by status.
 *
 * Sources: Lake Formation Developer Guide, "Troubleshooting" (ConcurrentModificationException); the retry lists of
 * Terraform's provider and data.all (a new role is "Invalid principal" until it has propagated; `Rate exceeded` comes
 * wrapped in InvalidInputException).
 */
import pRetry from 'p-retry';
import type { Context } from '../context.ts';
import { BrokerError } from '../error.ts';

export type Ctx = Pick<Context, 'aws' | 'config'>;

const ATTEMPTS = 7;
const again = new Set([
	'ConcurrentModificationException',
	'OperationTimeoutException',
	'ThrottledException',
	'ThrottlingException',
	'TooManyRequestsException',
	'InternalServiceException',
]);
const againMessage = /invalid principal|rate exceeded|please retry/i;

/** Whether a refusal asks for the same call again later. */
export function isTransient(name: string, message: string): boolean {
	return again.has(name) || againMessage.test(message);
}

/** Sends one call, again while AWS asks for that. What it refuses for good is thrown as it came, for the caller to read. */
export async function attempt<T>(ctx: Ctx, call: () => Promise<T>): Promise<T> {
	return pRetry(call, { ...pauses(ctx), shouldRetry: ({ error }) => isTransient(error.name, error.message) });
}

/** Whatever is still thrown by `work`, Lake Formation did not do as asked: nothing is proven. */
export function translated<A extends unknown[], T>(work: (...args: A) => Promise<T>): (...args: A) => Promise<T> {
	return async (...args) => {
		try {
			return await work(...args);
		} catch (cause) {
			if (cause instanceof BrokerError) throw cause;
			throw new BrokerError('unavailable', 'Lake Formation does not answer; try again.', {}, { cause });
		}
	};
}

/**
 * Reads back until it shows; propagation has no documented bound (Terraform's provider waits up to two minutes). Throws
 * `grant-not-proven` when it does not in time; what `holds` throws is thrown at once.
 */
export async function until(ctx: Ctx, holds: () => Promise<boolean>): Promise<void> {
	const look = async () => {
		if (!(await holds())) throw new BrokerError('grant-not-proven', 'Lake Formation does not show the change yet.');
	};
	const notYet = (error: Error) => error instanceof BrokerError && error.code === 'grant-not-proven';
	await pRetry(look, { ...pauses(ctx), shouldRetry: ({ error }) => notYet(error) });
}

const pauses = ({ config }: Ctx) => ({
	retries: ATTEMPTS,
	minTimeout: config.retryMs,
	maxTimeout: 20 * config.retryMs,
	randomize: true,
});
