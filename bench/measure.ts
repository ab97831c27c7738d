/** Times and what is said of them. Work that is compared is run in turns, so that a busy moment meets all of it alike. */

export type Samples = readonly number[];

/** The value below which this share of the samples lies. */
export function quantile(samples: Samples, share: number): number {
	const sorted = samples.toSorted((a, b) => a - b);
	return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export const p50 = (samples: Samples): number => quantile(samples, 0.5);
export const p95 = (samples: Samples): number => quantile(samples, 0.95);

/** Milliseconds that the work took, with what it gave. */
export async function timed<T>(work: () => T | Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
	const started = performance.now();
	const value = await work();
	return { ms: performance.now() - started, value };
}

/** Runs each work once a round, beginning with another one each time; the first rounds only warm up. */
export async function inTurns<K extends string>(
	rounds: { readonly warm: number; readonly counted: number },
	works: Readonly<Record<K, () => Promise<unknown>>>,
): Promise<Record<K, number[]>> {
	const names = Object.keys(works) as K[];
	const samples = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
	for (let round = 0; round < rounds.warm + rounds.counted; round += 1) {
		for (let i = 0; i < names.length; i += 1) {
			const name = names[(round + i) % names.length] as K;
			const { ms } = await timed(works[name]);
			if (round >= rounds.warm) samples[name].push(ms);
		}
	}
	return samples;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
