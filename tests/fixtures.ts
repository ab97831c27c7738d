/** A fresh bank for a test file, with the sample lake registered, and calls to its API. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ScanCommand, type ScanCommandOutput } from '@aws-sdk/client-dynamodb';
import { type Bank, type BankOptions, startBank } from '#local/bank.ts';
import { generateLake, sampleContracts } from '#local/lake.ts';
import { register } from '#local/story/access.ts';
import type { Answer } from '#local/story/client.ts';
import { makeWorld, type World } from '#local/story/world.ts';

/** As tests/parser.ts built it; without it, the bank reads the thread's source. */
const { PARSER_FILE } = process.env;

export type TestBank = { readonly bank: Bank; readonly world: World; readonly close: () => Promise<void> };

type Options = { settings?: Record<string, string> } & Pick<BankOptions, 'onPolicies' | 'witness'>;

/** Starts a bank in a folder of its own, on any free ports; with `registered`, domains and products are in it. */
export async function testBank({
	registered = true,
	...options
}: { registered?: boolean } & Options = {}): Promise<TestBank> {
	const home = newHome();
	if (registered) cpSync(await template(), home, { recursive: true });
	else await generateLake(path.join(home, 'lake'), { seed: 1 });
	return start(home, options);
}

const newHome = () => mkdtempSync(path.join(tmpdir(), 'fairlead-test-'));

async function start(home: string, { settings = {}, ...options }: Options): Promise<TestBank> {
	const bank = await startBank({
		dataDir: path.join(home, 'bank'),
		lakeDir: path.join(home, 'lake'),
		contractsDir: sampleContracts,
		ports: { api: 0, aws: 0, issuer: 0 },
		issuer: 'http://issuer.test',
		// Nothing is sealed here but by the tests that do so: nobody waits long in vain.
		settings: {
			FAIRLEAD_SEALED_WAIT_MS: '300',
			...(PARSER_FILE === undefined ? {} : { FAIRLEAD_PARSER: PARSER_FILE }),
			...settings,
		},
		...options,
	});
	return {
		bank,
		world: makeWorld(bank),
		async close() {
			await bank.close();
			rmSync(home, { recursive: true, force: true });
		},
	};
}

let made: Promise<string> | undefined;

/** The folder of a bank with everything registered, made once for all files of the process: each test starts from a copy. */
function template(): Promise<string> {
	made ??= (async () => {
		const home = newHome();
		process.once('exit', () => rmSync(home, { recursive: true, force: true }));
		await generateLake(path.join(home, 'lake'), { seed: 1 });
		const { bank, world } = await start(home, {});
		await register.run(world);
		await bank.close();
		return home;
	})();
	return made;
}

/** Everything the ledger holds, as the operator may count it, whose counting is not recorded: to show that nothing was stored. */
export async function ledgerSize(world: World): Promise<number> {
	const answer: Answer = await world.call({ who: 'oscar', path: '/api/v1/ledger/verification' });
	const { entries, ok } = answer.body as { entries: number; ok: boolean };
	if (!ok) throw new Error('the ledger does not verify');
	return entries;
}

/** How many entries there are, but of who looked. Counted, not verified: often asked for. */
export async function entriesIn({ bank }: Pick<TestBank, 'bank'>): Promise<number> {
	const { aws, config } = bank.platform;
	let count = 0;
	let start: ScanCommandOutput['LastEvaluatedKey'];
	do {
		const page: ScanCommandOutput = await aws.dynamodb.send(
			new ScanCommand({
				TableName: config.tables.ledger,
				ConsistentRead: true,
				Select: 'COUNT',
				FilterExpression: 'NOT begins_with(pk, :reading)',
				ExpressionAttributeValues: { ':reading': { S: 'A#reading#' } },
				ExclusiveStartKey: start,
			}),
		);
		count += page.Count ?? 0;
		start = page.LastEvaluatedKey;
	} while (start !== undefined);
	return count;
}

/** Fairlead's filters and what principals hold. Its own role's rights on the name of a link outlive the link here. */
export function inLakeFormation({ aws }: Pick<Bank, 'aws'>) {
	const { filters, permissions } = aws.lakeFormationState();
	return { filters, permissions: permissions.filter((p) => !p.principal.endsWith(':role/fairlead-consumer')) };
}
