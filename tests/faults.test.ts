/**
 * Each write to AWS that a grant, its end, its suspension, its expiry and a query make, times each way in which a write
 * fails: after the sweep all is as without the fault, the ledger verifies, and Lake Formation holds nothing that nobody
 * recorded. `npm run soak:short` tries one write of each, `npm run soak` all of it.
 * FAIRLEAD_SEED chooses another sample.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import * as Ledger from '#core/ledger.ts';
import { dice } from '#local/aws/chance.ts';
import { startInstance } from './faults/instance.ts';
import { type Bench, FAULTS, type Fault, record, SIGKILLS, sideOf, tryFault } from './faults/run.ts';
import { type Scenario, scenarios } from './faults/scenarios.ts';
import { testBank } from './fixtures.ts';

const { FAIRLEAD_SOAK: level } = process.env;
const soak = level === 'whole';
const seed = Number(process.env['FAIRLEAD_SEED'] ?? 1);
const roll = dice(seed);
const pick = <T>(from: readonly T[]): T => from[Math.floor(roll() * from.length)] as T;
// Rolled for all at once, so that which tests run changes nothing.
const sample = new Map(scenarios.map((scenario) => [scenario, { fault: pick(FAULTS), at: roll() }]));
const named = scenarios.map((scenario) => [scenario.name, scenario] as const);
const slain = { scenario: scenarios[0] as Scenario, fault: pick(SIGKILLS), at: roll() };

let bench: Bench;

async function openBench(): Promise<void> {
	const test = await testBank();
	bench = { test, healthy: sideOf(test, await startInstance(test.bank.settings)) };
	await record(bench, scenarios[0] as Scenario);
}

async function closeBench(): Promise<void> {
	expect((await Ledger.verifyAll(bench.test.bank.platform)).findings).toEqual([]);
	await bench.healthy.instance.close();
	await bench.test.close();
}

async function tryAll(scenario: Scenario, fault: Fault, chosen: (writes: number) => number[]): Promise<void> {
	const { writes, end } = await record(bench, scenario);
	const wrong: string[] = [];
	for (const n of chosen(writes.length)) {
		const found = await tryFault(bench, scenario, fault, n, end).catch((error: unknown) => String(error));
		if (found !== null) wrong.push(`write ${n} of ${writes.length} (${writes[n - 1]}): ${found}`);
	}
	expect(wrong, `seed ${seed}`).toEqual([]);
}

const every = (writes: number) => Array.from({ length: writes }, (_, i) => i + 1);

describe.runIf(soak).each(named)('%s', (_, scenario) => {
	// A bank for each: a sweep lists again what was recorded in the last minutes.
	beforeEach(openBench);
	afterEach(closeBench);
	it.each(FAULTS)('%s, at each write', { timeout: 600_000 }, (fault) => tryAll(scenario, fault, every));
	if (scenario.name !== 'grant') return;
	it.each(SIGKILLS)('%s, at each write', { timeout: 600_000 }, (fault) => tryAll(scenario, fault, every));
});

describe.skipIf(soak)(`a sample of the matrix, by seed ${seed}`, () => {
	beforeAll(openBench);
	afterAll(closeBench);
	afterEach(() => bench.test.bank.aws.faults.clear());
	it.each(named)('%s', async (_, scenario) => {
		const { fault, at } = sample.get(scenario) ?? { fault: 'after', at: 0 };
		await tryAll(scenario, fault, (writes) => [1 + Math.floor(at * writes)]);
	});
	it('a grant by a process that is killed', () =>
		tryAll(slain.scenario, slain.fault, (writes) => [1 + Math.floor(slain.at * writes)]));
});
