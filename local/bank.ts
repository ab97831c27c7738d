/**
 * A whole bank on one machine: the embedded AWS with a lake's landing zone, the local issuer, and Fairlead's own API and
 * sweep, built from settings as a deployed function builds them. Loopback only. Everything lasting is in `dataDir`.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { serve } from '@hono/node-server';
import type { Platform } from '#core/context.ts';
import { type Erased, erase } from '#core/eraser.ts';
import { scheduled, type Tally } from '#core/reconcile.ts';
import { type Swept, sweep } from '#core/sweep.ts';
import { makeApp } from '#functions/app.ts';
import { buildPlatform } from '#functions/platform.ts';
import { type LocalAws, startAws } from './aws.ts';
import { type Issuer, startIssuer } from './issuer.ts';
import { landing } from './lake.ts';
import { people } from './people.ts';
import { follow } from './rules.ts';
import { ledgerSettings, makeSealer, type Sealer } from './sealing.ts';
import { createTables } from './tables.ts';
import { startWitness } from './witness.ts';

export const REGION = 'eu-central-1';
export const AUDIENCE = 'fairlead';
/** The account that Fairlead itself runs in. */
export const PLATFORM_ACCOUNT = '210000000000';
export const BROKER = `arn:aws:iam::${PLATFORM_ACCOUNT}:role/fairlead-broker`;

/** Fairlead's own log, in the data folder. */
export const LOG_FILE = 'fairlead.log';

const { version } = createRequire(import.meta.url)('../package.json') as { version: string };
const docs = fileURLToPath(new URL('../node_modules/swagger-ui-dist', import.meta.url));
const parser = fileURLToPath(new URL('parser.mjs', import.meta.url));
const policies = fileURLToPath(new URL('../policies', import.meta.url));

export type Ports = { readonly api: number; readonly aws: number; readonly issuer: number };

export type BankOptions = {
	readonly dataDir: string;
	readonly lakeDir: string;
	/** Folder with `domains.yaml` and `contracts/`. */
	readonly contractsDir: string;
	/** 0: any free port. */
	readonly ports: Ports;
	/** Who the tokens of its people are from: with one of its own it knows them again on any port. */
	readonly issuer?: string;
	readonly log?: (line: string) => void;
	/** Settings in place of those that a bank has of itself, by name. */
	readonly settings?: Readonly<Record<string, string>>;
	/** Runs a witness of the log, too, without which nothing is published then. */
	readonly witness?: boolean;
	/** Follows the folder of the policies, and is told of each reading what kept it from coming into force, or null. */
	readonly onPolicies?: (fault: string | null) => void;
};

export type Bank = {
	readonly api: string;
	readonly aws: LocalAws;
	readonly issuer: Issuer;
	readonly platform: Platform;
	/** What Fairlead was built from: its whole environment, for another process that serves the same bank. */
	readonly settings: Readonly<Record<string, string>>;
	/** The key pair of Fairlead's own role. */
	readonly broker: { readonly accessKeyId: string; readonly secretAccessKey: string };
	readonly dataDir: string;
	readonly lakeDir: string;
	readonly contractsDir: string;
	/** Seals what waits; nothing here does so by itself. `sealWaiting` looks first whether anything does. */
	readonly seal: Sealer['seal'];
	readonly sealWaiting: Sealer['tick'];
	readonly sweep: () => Promise<Swept>;
	readonly erase: () => Promise<Erased>;
	/** Null while another pass is under way. */
	readonly reconcile: () => Promise<Tally | null>;
	readonly close: () => Promise<void>;
};

export async function startBank(options: BankOptions): Promise<Bank> {
	const { dataDir, lakeDir, contractsDir, ports } = options;
	mkdirSync(dataDir, { recursive: true, mode: 0o700 });
	const log = options.log === undefined ? {} : { log: options.log };
	const aws = await startAws({ dataDir: path.join(dataDir, 'aws'), port: ports.aws, region: REGION, ...log });
	const running: (() => Promise<void>)[] = [() => aws.close()];
	const close = async () => {
		for (const stop of running.splice(0).toReversed()) await stop();
	};
	try {
		await aws.provision(await landing({ lakeDir, contractsDir, region: REGION, platformAccount: PLATFORM_ACCOUNT }));
		const name = options.issuer === undefined ? {} : { name: options.issuer };
		const issuer = await startIssuer({ dataDir, port: ports.issuer, audience: AUDIENCE, people, ...name });
		running.push(() => issuer.close());
		const broker = aws.issueKey(BROKER);
		const { api, serve, stop } = await listen(ports.api);
		running.push(stop);
		const own = environment(options, api, aws, issuer, broker);
		const witness = options.witness === true ? await startWitness(dataDir, own.FAIRLEAD_LEDGER_VKEY) : null;
		if (witness !== null) running.push(() => witness.close());
		const settings = { ...own, ...witness?.settings, ...options.settings };
		const built = buildPlatform(settings);
		const { platform } = built;
		const { onPolicies } = options;
		if (onPolicies !== undefined) {
			const stop = follow(settings.FAIRLEAD_POLICIES, () => onPolicies(built.policies.reload()));
			running.push(async () => stop());
		}
		await createTables(platform.aws.dynamodb, platform.config.tables);
		serve(makeApp(built).fetch);
		const sealer = makeSealer(platform, settings);
		return {
			api,
			aws,
			issuer,
			platform,
			settings,
			broker,
			dataDir,
			lakeDir,
			contractsDir,
			seal: sealer.seal,
			sealWaiting: sealer.tick,
			sweep: () => sweep(platform, randomBytes(16).toString('hex')),
			erase: () => erase(platform, randomBytes(16).toString('hex')),
			reconcile: async () => (await scheduled(platform, randomBytes(16).toString('hex')))?.tally ?? null,
			close,
		};
	} catch (error) {
		await close();
		throw error;
	}
}

function environment(options: BankOptions, api: string, aws: LocalAws, issuer: Issuer, broker: Bank['broker']) {
	return {
		AWS_REGION: REGION,
		AWS_ENDPOINT_URL: aws.endpoint,
		AWS_ACCESS_KEY_ID: broker.accessKeyId,
		AWS_SECRET_ACCESS_KEY: broker.secretAccessKey,
		FAIRLEAD_LEDGER_TABLE: 'fairlead-ledger',
		FAIRLEAD_PAYLOADS_TABLE: 'fairlead-payloads',
		FAIRLEAD_PROJECTIONS_TABLE: 'fairlead-projections',
		FAIRLEAD_CALLS_TABLE: 'fairlead-calls',
		// Each pass of the sealer, one a second, asks every shard.
		FAIRLEAD_UNSEALED_SHARDS: '4',
		...ledgerSettings(options.dataDir),
		FAIRLEAD_URL: api,
		FAIRLEAD_VERSION: version,
		FAIRLEAD_CALLS_PER_MINUTE: '6000',
		FAIRLEAD_LOG_FILE: path.join(options.dataDir, LOG_FILE),
		FAIRLEAD_DOCS: docs,
		FAIRLEAD_PARSER: parser,
		FAIRLEAD_POLICIES: policies,
		FAIRLEAD_GOVERNANCE_DOMAIN: 'governance',
		FAIRLEAD_FOUNDERS: JSON.stringify([{ issuer: issuer.issuer, subject: people.stella.subject }]),
		FAIRLEAD_GRANTOR_ROLE: 'fairlead-grantor',
		FAIRLEAD_CONSUMER_ROLE: 'fairlead-consumer',
		FAIRLEAD_OWN_ROLES: BROKER,
		FAIRLEAD_WORK_GROUP_PREFIX: 'fairlead-',
		FAIRLEAD_RETRY_MS: '10',
		FAIRLEAD_CURSOR_KEY: cursorKey(options.dataDir),
		FAIRLEAD_ISSUER: issuer.issuer,
		FAIRLEAD_AUDIENCE: AUDIENCE,
		FAIRLEAD_JWKS_URI: issuer.jwksUri,
		FAIRLEAD_TOKEN_TYPE: 'at+jwt',
		FAIRLEAD_TOKEN_ALGORITHMS: 'ES256',
	};
}

/** Made once per data folder, so that page tokens survive a restart. */
function cursorKey(dataDir: string): string {
	const file = path.join(dataDir, 'cursor.key');
	if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64'), { mode: 0o600 });
	return readFileSync(file, 'utf8');
}

/** A long address is the app's to refuse, as a problem; what Node itself refuses has no body. */
const serverOptions = { maxHeaderSize: 128 * 1024 };

type Fetch = (request: Request) => Response | Promise<Response>;

/** Takes the port first, for the app must know its own address; until it serves, the answer is 503. */
async function listen(port: number): Promise<{ api: string; serve: (app: Fetch) => void; stop: () => Promise<void> }> {
	let app: Fetch = () => new Response(null, { status: 503 });
	const server = await new Promise<Server>((resolve, reject) => {
		const started = serve({ fetch: (request) => app(request), port, hostname: '127.0.0.1', serverOptions }, () =>
			resolve(started),
		) as Server;
		started.once('error', reject);
	});
	const { port: taken } = server.address() as AddressInfo;
	return {
		api: `http://127.0.0.1:${taken}`,
		serve(ready) {
			app = ready;
		},
		stop: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}
