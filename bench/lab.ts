/**
 * Where a section is measured: the sample bank in this process, with one small and one large table that alice may read, and
 * Fairlead's API in a process of its own, called as AWS calls it. All of it lies in a temporary folder that is removed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { type Bank, startBank } from '#local/bank.ts';
import { generateLake, sampleContracts } from '#local/lake.ts';
import { register } from '#local/story/access.ts';
import { approve, ask, makeWorld, principalOf, type World } from '#local/story/world.ts';
import { QUIET } from './child.ts';
import { type Served, serve } from './server.ts';

export type Lab = {
	readonly quick: boolean;
	readonly bank: Bank;
	readonly world: World;
	/** The environment of a deployed function, for this bank. */
	readonly settings: Readonly<Record<string, string>>;
	/** The consumer's role that the queries run under. */
	readonly principal: string;
	readonly api: Served;
	/** A folder for files of the section. */
	readonly home: string;
	readonly close: () => Promise<void>;
};

/** Rows of `lending.accounts`, so that reading them takes the embedded engine more than a second. */
const LARGE = 4_000_000;
/** A quick run only shows that everything runs. */
const SMALLER = 100_000;

export async function openLab(quick: boolean): Promise<Lab> {
	const home = mkdtempSync(path.join(tmpdir(), 'fairlead-bench-'));
	const closing = [async () => rmSync(home, { recursive: true, force: true })];
	const close = async () => {
		for (const end of closing.splice(0).toReversed()) await end();
	};
	try {
		const bank = await openBank(home, quick ? SMALLER : LARGE);
		closing.push(bank.close);
		const world = makeWorld(bank);
		await grantAlice(world);
		const settings = settingsOf(bank, home);
		const api = await serve('fairlead', settings);
		closing.push(api.close);
		return { quick, bank, world, settings, principal: principalOf(world, 'risk', PURPOSE), api, home, close };
	} catch (error) {
		await close();
		throw error;
	}
}

async function openBank(home: string, rows: number): Promise<Bank> {
	const lakeDir = path.join(home, 'lake');
	await generateLake(lakeDir, { seed: 1 });
	await enlarge(path.join(lakeDir, 'accounts.csv'), rows);
	return startBank({
		dataDir: path.join(home, 'bank'),
		lakeDir,
		contractsDir: sampleContracts,
		ports: { api: 0, aws: 0, issuer: 0 },
	});
}

const PURPOSE = 'credit-risk';

async function grantAlice(world: World): Promise<void> {
	await register.run(world);
	const common = { purpose: PURPOSE, duration: 'P1D' };
	const asked = [
		{ product: 'lending.loans', columns: ['loan_id', 'account_id', 'amount', 'status'], rowFilter: "status = 'D'" },
		{ product: 'lending.accounts', columns: ['account_id', 'district_id', 'frequency', 'opened_on'] },
	];
	for (const one of asked) await approve(world, await ask(world, { ...one, ...common }));
}

async function enlarge(file: string, rows: number): Promise<void> {
	const instance = await DuckDBInstance.create(':memory:');
	try {
		const connection = await instance.connect();
		await connection.run(
			`COPY (SELECT i AS account_id, 1 + i % 77 AS district_id, ['monthly', 'weekly', 'after booking'][1 + i % 3] AS frequency,
				DATE '2019-01-01' + CAST(i % 1000 AS INTEGER) AS opened_on FROM range(${rows}) AS t(i)) TO '${file}' (HEADER)`,
		);
	} finally {
		instance.closeSync();
	}
}

function settingsOf(bank: Bank, home: string): Record<string, string> {
	return {
		...QUIET,
		...bank.settings,
		FAIRLEAD_URL: 'https://fairlead.example',
		// What is measured is the work, not the refusal of more of it.
		FAIRLEAD_CALLS_PER_MINUTE: '100000000',
		FAIRLEAD_LOG_FILE: path.join(home, 'api.log'),
	};
}
