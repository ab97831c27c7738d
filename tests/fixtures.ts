/** A fresh bank for a test file, with the sample lake registered, and calls to its API. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Bank, startBank } from '#local/bank.ts';
import { generateLake, sampleContracts } from '#local/lake.ts';
import { register } from '#local/story/access.ts';
import type { Answer } from '#local/story/client.ts';
import { makeWorld, type World } from '#local/story/world.ts';

/** As tests/parser.ts built it; without it, the bank reads the thread's source. */
const { PARSER_FILE } = process.env;

export type TestBank = { readonly bank: Bank; readonly world: World; readonly close: () => Promise<void> };

/** Starts a bank in a folder of its own, on any free ports; with `registered`, domains and products are in it. */
export async function testBank({
	registered = true,
	settings = {},
}: {
	registered?: boolean;
	settings?: Record<string, string>;
} = {}): Promise<TestBank> {
	const home = mkdtempSync(path.join(tmpdir(), 'fairlead-test-'));
	const lakeDir = path.join(home, 'lake');
	await generateLake(lakeDir, { seed: 1 });
	const bank = await startBank({
		dataDir: path.join(home, 'bank'),
		lakeDir,
		contractsDir: sampleContracts,
		ports: { api: 0, aws: 0, issuer: 0 },
		settings: { ...(PARSER_FILE === undefined ? {} : { FAIRLEAD_PARSER: PARSER_FILE }), ...settings },
	});
	const world = makeWorld(bank);
	if (registered) await register.run(world);
	return {
		bank,
		world,
		async close() {
			await bank.close();
			rmSync(home, { recursive: true, force: true });
		},
	};
}

/** Everything the ledger holds, as the regulator sees it: to show that a refusal stored nothing. */
export async function ledgerSize(world: World): Promise<number> {
	const answer: Answer = await world.call({ who: 'rita', path: '/api/v1/ledger/verification' });
	const { entries, ok } = answer.body as { entries: number; ok: boolean };
	if (!ok) throw new Error('the ledger does not verify');
	return entries;
}
