/** Dice that fall the same way for the same seed (mulberry32): a run that went wrong can be run again. */
import { randomInt } from 'node:crypto';

/** Numbers in [0, 1). */
export type Dice = () => number;

export function dice(seed: number): Dice {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

export const anySeed = () => randomInt(2 ** 31);
