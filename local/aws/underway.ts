/**
 * What is under way, so that whoever closes can wait for it. The wait has a bound: one request that never
 * ends must not keep a process from stopping.
 */
import { AwsError } from '../wire.ts';

export type Underway = {
	/** Does the work, or refuses it once closing has begun. */
	readonly run: <T>(work: () => Promise<T>) => Promise<T>;
	/** Refuses new work and waits for what runs, for so long at most. */
	readonly close: (mostMs: number) => Promise<void>;
};

export function trackWork(): Underway {
	const running = new Set<Promise<unknown>>();
	let closed = false;
	return {
		async run(work) {
			if (closed) throw new AwsError('ServiceUnavailable', 'The embedded AWS is closing', { status: 503 });
			const one = work();
			running.add(one);
			try {
				return await one;
			} finally {
				running.delete(one);
			}
		},
		async close(mostMs) {
			closed = true;
			let timer: NodeJS.Timeout | undefined;
			const late = new Promise<void>((resolve) => {
				timer = setTimeout(resolve, mostMs);
			});
			await Promise.race([Promise.allSettled(running), late]);
			clearTimeout(timer);
		},
	};
}
