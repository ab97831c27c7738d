/**
 * The embedded AWS: DynamoDB, STS, Glue, Lake Formation and Athena on one loopback address, spoken to by
 * the real SDK clients over HTTP. It keeps everything in one folder, which one process owns at a time; after
 * a crash the folder holds all that was acknowledged. It cannot start in production.
 */
import { mkdirSync } from 'node:fs';
import { openAthena } from './athena.ts';
import { openDynamoDb } from './aws/dynamodb.ts';
import { makeGlue } from './aws/glue.ts';
import { type Key, openKeys } from './aws/keys.ts';
import { makeLakeFormation } from './aws/lakeformation.ts';
import { provision } from './aws/landing.ts';
import { lockFolder } from './aws/lock.ts';
import { findForQuery } from './aws/lookup.ts';
import { listen } from './aws/server.ts';
import type { Filter, LandingInput, Permission } from './aws/state.ts';
import { openStore } from './aws/store.ts';
import { makeSts } from './aws/sts.ts';

export { emptyLanding, type Landing, type LandingInput } from './aws/state.ts';

export type LocalAws = {
	/** One address for all services. */
	readonly endpoint: string;
	/** The long-lived key of an IAM identity; the same one when asked again, also after a restart. */
	readonly issueKey: (identityArn: string) => Key;
	/** Adds or replaces what `landing` names; leaves the rest and what was granted since. */
	readonly provision: (landing: LandingInput) => Promise<void>;
	/** What Lake Formation holds now. */
	readonly lakeFormationState: () => {
		readonly filters: readonly Filter[];
		readonly permissions: readonly Permission[];
	};
	/** Ids of the processes that queries run in. */
	readonly queryProcesses: () => readonly number[];
	readonly close: () => Promise<void>;
};

export type AwsOptions = {
	readonly dataDir: string;
	/** 0 or absent: any free port. */
	readonly port?: number;
	readonly region: string;
	readonly log?: (line: string) => void;
	readonly clock?: () => Date;
	/** A query that runs longer is interrupted and fails. */
	readonly queryDeadlineMs?: number;
};

const QUERY_DEADLINE_MS = 60_000;

export async function startAws(options: AwsOptions): Promise<LocalAws> {
	if (process.env['NODE_ENV'] === 'production') throw new Error('The embedded AWS does not run in production.');
	mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
	const unlock = lockFolder(options.dataDir);
	try {
		return await start(options, unlock);
	} catch (error) {
		unlock();
		throw error;
	}
}

async function start(options: AwsOptions, unlock: () => void): Promise<LocalAws> {
	const { dataDir, region } = options;
	const clock = options.clock ?? (() => new Date());
	const log = options.log ?? (() => {});
	const keys = openKeys(dataDir);
	const store = openStore(dataDir, region);
	const dynamodb = openDynamoDb({ dataDir, region });
	const athena = await openAthena({
		dataDir,
		clock,
		log,
		deadlineMs: options.queryDeadlineMs ?? QUERY_DEADLINE_MS,
		lake: {
			workGroups: (account) =>
				store
					.read()
					.landing.workGroups.filter((group) => group.account === account)
					.map(({ name }) => name),
			find: (caller) => (database, table) => findForQuery(store.read(), caller, database, table),
		},
	});
	const closeServices = async () => {
		await athena.close();
		await store.settle();
		await dynamodb.close();
	};
	const server = await listen({
		port: options.port ?? 0,
		region,
		keys,
		clock,
		log,
		services: {
			dynamodb,
			sts: makeSts({ keys, store, clock }),
			glue: makeGlue(store),
			lakeformation: makeLakeFormation(store, clock),
			athena: athena.operations,
		},
	}).catch(async (error: unknown) => {
		await closeServices();
		throw error;
	});
	return {
		endpoint: server.endpoint,
		issueKey: keys.issue,
		provision: (landing) => store.change((state) => provision(state, landing, clock())),
		lakeFormationState() {
			const { filters, permissions } = store.read();
			return { filters: [...filters.values()], permissions: [...permissions.values()] };
		},
		queryProcesses: athena.processes,
		async close() {
			await server.close();
			await closeServices();
			unlock();
		},
	};
}
