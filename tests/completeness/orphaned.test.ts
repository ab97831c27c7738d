/** A flow without an end: shown as orphaned an hour later by the clock alone; the end takes its place, whenever it comes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemContext } from '#core/context.ts';
import * as Ledger from '#core/ledger.ts';
import * as Lineage from '#core/lineage.ts';
import * as Query from '#core/query.ts';
import { startQuery } from '#local/story/world.ts';
import { grantTo, requestBody } from '#tests/api/harness.ts';
import { entriesIn, type TestBank, testBank } from '#tests/fixtures.ts';
import { again, check, tomorrow } from './world.ts';

const HOUR_MS = 3_600_000;
let test: TestBank;
let id: string;
beforeAll(async () => {
	test = await testBank();
	await grantTo(test.world, 'alice', requestBody(test.world));
	id = ((await startQuery(test.world, 'SELECT loan_id FROM lending.loans')).body as { id: string }).id;
});
afterAll(() => test.close());

async function viewAt(ms: number): Promise<string> {
	const flow = await Lineage.get(test.bank.platform, id);
	if (flow === null) throw new Error('there is no flow');
	const now = new Date(Date.parse(flow.intended.entry.at) + ms);
	return (await Query.viewOf({ ...test.bank.platform, now }, flow)).state;
}

describe('a flow that nobody saw the end of', () => {
	it('runs for an hour, and is orphaned from then on, with no entry that says so', async () => {
		const entries = await entriesIn(test);
		expect(await viewAt(0)).toBe('running');
		expect(await viewAt(HOUR_MS)).toBe('running');
		expect(await viewAt(HOUR_MS + 1)).toBe('orphaned');
		expect(await viewAt(5 * HOUR_MS)).toBe('orphaned');
		expect(await entriesIn(test)).toBe(entries);
	});

	it('is counted, named and told aloud by the check of its day', async () => {
		const told: string[] = [];
		const platform = tomorrow(test.bank, { warn: (message) => void told.push(message) });
		expect(await check(platform)).toMatchObject({ findings: 1 });
		const [checked] = await Ledger.read(platform, Ledger.stream.completeness((await dayOf()) ?? ''));
		expect(checked?.body).toMatchObject({ state: 'findings', orphaned: [id], counts: { orphaned: 1, bypasses: 0 } });
		expect(told).toContain('completeness: orphaned flows');
	});

	it('is what it ended as, once that is recorded: also after hours', async () => {
		const flow = await Lineage.get(test.bank.platform, id);
		if (flow === null) throw new Error('there is no flow');
		let seen = flow;
		for (let i = 0; seen.ended === null && i < 400; i += 1) {
			await new Promise((resolve) => setTimeout(resolve, 25));
			seen = await Query.follow(systemContext(test.bank.platform, '0'.repeat(32)), flow);
		}
		expect(await viewAt(5 * HOUR_MS)).toBe('completed');
		expect((await again(tomorrow(test.bank)))?.body).toMatchObject({ state: 'clean', orphaned: [] });
	});

	async function dayOf(): Promise<string | undefined> {
		return (await Lineage.get(test.bank.platform, id))?.intended.entry.at.slice(0, 10);
	}
});

describe('states', () => {
	const at = '2026-01-01T00:00:00.000Z';
	it.each(['completed', 'failed', 'cancelled'] as const)('%s stays, however late it is', (state) => {
		const flow = { state, intended: { entry: { at } } } as unknown as Lineage.Flow;
		expect(Lineage.stateAt(flow, new Date('2030-01-01'))).toBe(state);
	});
});
