/**
 * The embedded AWS: DynamoDB, STS, IAM, Glue, Lake Formation, Athena and CloudTrail on one loopback address, spoken to
 * by the real SDK clients over HTTP. It keeps everything in one folder, which one process owns at a time; after
 * a crash the folder holds all that was acknowledged. It cannot start in production.
 */
import { mkdirSync } from 'node:fs';
import { openAthena } from './athena.ts';
import { makeCloudTrail } from './aws/cloudtrail.ts';
import { type Consistency, makeConsistency } from './aws/consistency.ts';
import { openDynamoDb } from './aws/dynamodb.ts';
import { type Events, openEvents } from './aws/events.ts';
import { type Faults, makeFaults } from './aws/faults.ts';
import { makeGlue } from './aws/glue.ts';
import { makeIam } from './aws/iam.ts';
import { endingWithRoles, type Key, openKeys } from './aws/keys.ts';
import { makeLakeFormation } from './aws/lakeformation.ts';
import { provision, rootOf } from './aws/landing.ts';
import { lockFolder } from './aws/lock.ts';
import { findForQuery } from './aws/lookup.ts';
import { listen } from './aws/server.ts';
import type { Filter, LandingInput, Permission } from './aws/state.ts';
import { openStore } from './aws/store.ts';
import { makeSts } from './aws/sts.ts';
import { trailEvent } from './aws/trail.ts';
import { withWorkGroups, workGroupsOf } from './aws/workgroups.ts';

export type { FaultRule } from './aws/faults.ts';
export { emptyLanding, type Landing, type LandingInput } from './aws/state.ts';

export type LocalAws = {
	/** One address for all services. */
	readonly endpoint: string;
	/** The long-lived key of an IAM identity; the same one when asked again, also after a restart. */
	readonly issueKey: (identityArn: string) => Key;
	/** Adds or replaces what `landing` names; leaves the rest and what was granted since. */
	readonly provision: (landing: LandingInput) => Promise<void>;
	/** What Lake Formation holds now, beside what the landing zone granted. */
	readonly lakeFormationState: () => {
		readonly filters: readonly Filter[];
		readonly permissions: readonly Permission[];
	};
	/** What goes wrong on purpose; nothing until a test says so. */
	readonly faults: Faults;
	/** How late reads are; not at all until a test says so. */
	readonly consistency: Consistency;
	/** What EventBridge would hand on: Athena's state changes and CloudTrail's records, in the order of delivery. */
	readonly events: Events['read'];
	/** Tells of one more, as if it had happened. */
	readonly emit: Events['emit'];
	/** How events are delivered; each once and at once until a test says otherwise. */
	readonly deliverEvents: Events['deliver'];
	/** Ids of the processes that queries run in. */
	readonly queryProcesses: () => readonly number[];
	/** The next so many queries go back from RUNNING to QUEUED, each once. */
	readonly requeueQueries: (queries: number) => void;
	readonly close: () => Promise<void>;
};

export type AwsOptions = {
	readonly dataDir: string;
	/** 0 or absent: any free port. */
	readonly port?: number;
	readonly region: string;
	readonly log?: (line: string) => void;
	readonly clock?: () => Date;
	/** Told of each event that is delivered. */
	readonly onEvent?: (event: object) => void;
	/** A query that runs longer is interrupted and fails. */
	readonly queryDeadlineMs?: number;
	/** How many queries of an account may be queued or running. */
	readonly mostActiveQueries?: number;
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
	const lagging = makeConsistency(clock);
	const store = openStore(dataDir, region, lagging.synced);
	const events = openEvents(dataDir, options.onEvent);
	const injector = makeFaults(log);
	const enforced = lagging.view(store, 'athena');
	const dynamodb = openDynamoDb({ dataDir, region });
	const athena = await openAthena({
		dataDir,
		region,
		clock,
		log,
		deadlineMs: options.queryDeadlineMs ?? QUERY_DEADLINE_MS,
		emit: events.emit,
		...(options.mostActiveQueries === undefined ? {} : { mostActive: options.mostActiveQueries }),
		lake: {
			workGroups: {
				list: (account) => workGroupsOf(store.read(), account),
				change: (account, change) => store.change((state) => withWorkGroups(state, account, change)),
			},
			watches: ({ principal }) =>
				store.read().landing.roles.some(({ arn, watchesQueries }) => arn === principal && watchesQueries === true),
			find: (caller) => (database, table) => findForQuery(enforced.read(), caller, database, table),
		},
	});
	let closed = false;
	const closeServices = () => inTurn(athena.close, events.close, store.close, dynamodb.close);
	const server = await listen({
		port: options.port ?? 0,
		region,
		keys: endingWithRoles(keys, (arn) => store.read().landing.roles.some((role) => role.arn === arn)),
		clock,
		log,
		injector,
		screens: [injector.screen, lagging.screen],
		trail: (call, outcome) => events.emit(trailEvent(call, outcome, { region, now: clock() })),
		services: {
			dynamodb,
			sts: makeSts({ keys, store, clock }),
			iam: makeIam({ store, clock }),
			glue: makeGlue(lagging.view(store, 'glue'), clock),
			lakeformation: makeLakeFormation(lagging.view(store, 'lakeformation'), clock),
			athena: athena.operations,
			cloudtrail: makeCloudTrail(events, clock),
		},
	}).catch(async (error: unknown) => {
		await closeServices();
		throw error;
	});
	return {
		endpoint: server.endpoint,
		issueKey(identityArn) {
			if (closed) throw new Error('The embedded AWS is closed');
			return keys.issue(identityArn);
		},
		provision: (landing) => store.change((state) => provision(state, landing, clock())),
		lakeFormationState() {
			const { filters, permissions } = store.read();
			const others = [...permissions.values()].filter(
				({ resource, updatedBy }) => updatedBy !== rootOf(resource.account),
			);
			return { filters: [...filters.values()], permissions: others };
		},
		faults: injector.faults,
		consistency: lagging.consistency,
		events: events.read,
		emit: events.emit,
		deliverEvents: events.deliver,
		queryProcesses: athena.processes,
		requeueQueries: athena.requeue,
		close() {
			closed = true;
			return inTurn(server.close, closeServices, unlock);
		},
	};
}

/** Each step, whatever became of those before it: the folder must be free in the end. Throws what went wrong first. */
async function inTurn(...steps: readonly (() => void | Promise<void>)[]): Promise<void> {
	const failures: unknown[] = [];
	for (const step of steps) {
		try {
			await step();
		} catch (error) {
			failures.push(error);
		}
	}
	if (failures.length > 0) throw failures[0];
}
