/**
 * Random numbers that a seed decides, the same on every machine: sfc32, the small fast counting generator of
 * PractRand (https://pracrand.sourceforge.net/RNG_engines.txt). Integer arithmetic only. Not for secrets.
 */
import { createHash } from 'node:crypto';

export type Random = {
	/** A whole number from `least` to `most`, both possible. */
	readonly int: (least: number, most: number) => number;
	/** True `percent` times out of 100. */
	readonly chance: (percent: number) => boolean;
	readonly pick: <T>(list: readonly [T, ...T[]]) => T;
};

/** `name` tells streams of one seed apart, so that a change to one table leaves the others as they are. */
export function makeRandom(seed: number, name: string): Random {
	const digest = createHash('sha256').update(`${seed} ${name}`).digest();
	const state = new Uint32Array([digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), 1]);
	const next = (): number => {
		const [a = 0, b = 0, c = 0, counter = 0] = state;
		const out = (a + b + counter) >>> 0;
		state.set([b ^ (b >>> 9), c + (c << 3), ((c << 21) | (c >>> 11)) + out, counter + 1]);
		return out;
	};
	for (let i = 0; i < 12; i += 1) next();
	const int = (least: number, most: number) => least + Math.floor((next() / 2 ** 32) * (most - least + 1));
	return {
		int,
		chance: (percent) => int(0, 99) < percent,
		pick: (list) => list[int(0, list.length - 1)] ?? list[0],
	};
}
