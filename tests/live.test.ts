/** On the embedded AWS each script sees exactly what it says is assumed, and leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { all } from './live/all.ts';
import { type Embedded, openEmbedded } from './live/embedded.ts';
import { settle } from './live/stage.ts';

let embedded: Embedded;
beforeAll(async () => {
	embedded = await openEmbedded();
});
afterAll(async () => {
	await embedded.close();
});

describe('the embedded AWS does what is assumed of AWS', () => {
	test.each(all.map((assumption) => [assumption.name, assumption] as const))('%s', async (_name, assumption) => {
		const before = embedded.held();
		const verdict = await settle(assumption, embedded.stage, true);
		expect(verdict.observed).toEqual(verdict.assumed);
		expect(verdict).toMatchObject({ agrees: true, left: [] });
		expect(embedded.held()).toEqual(before);
	});
});
