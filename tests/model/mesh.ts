/**
 * The sample bank behind one more instance of Fairlead, whose clock a history moves; each history begins where
 * registration ended. Tokens are held against the real clock: who somebody is does not change with the days.
 */
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AttributeValue, DeleteItemCommand, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { serve } from '@hono/node-server';
import { type Platform, systemContext } from '#core/context.ts';
import * as Grants from '#core/grants.ts';
import { sweep } from '#core/sweep.ts';
import { makeApp } from '#functions/app.ts';
import { buildPlatform } from '#functions/platform.ts';
import { type Answer, type Call, call } from '#local/story/client.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';

export type Mesh = {
	readonly test: TestBank;
	readonly platform: Platform;
	/** Any answer but a failure of Fairlead's; that each is as the document says is seen to by tests/conformance.ts. */
	readonly call: (what: Call) => Promise<Answer>;
	readonly advance: (ms: number) => void;
	readonly sweep: () => Promise<void>;
	/** Everything as it was when the bank had registered. */
	readonly reset: () => Promise<void>;
	readonly close: () => Promise<void>;
};

const TRACE = '0'.repeat(32);

export async function openMesh(): Promise<Mesh> {
	const test = await testBank({ settings: { FAIRLEAD_CALLS_PER_MINUTE: '1000000' } });
	const built = buildPlatform(test.bank.settings);
	let aheadMs = 0;
	/** Why something was left to the next sweep. */
	const warned: string[] = [];
	const clock = () => new Date(Date.now() + aheadMs);
	const warn = (message: string, error: unknown) => {
		warned.push(`${message}: ${error instanceof Error ? error.stack : String(error)}`);
	};
	const authenticate: typeof built.authenticate = (authorization) => built.authenticate(authorization, new Date());
	/** A process keeps what it has read of what never changes, by its clients: what is taken back needs others. */
	const start = () => {
		const platform: Platform = { ...built.platform, aws: { ...built.platform.aws }, clock, warn };
		return { platform, app: makeApp({ ...built, platform, authenticate }) };
	};
	let now = start();
	const server = await new Promise<Server>((resolve) => {
		const started = serve({ fetch: (request) => now.app.fetch(request), port: 0, hostname: '127.0.0.1' }, () =>
			resolve(started),
		) as Server;
	});
	const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const tokens = new Map<string, Promise<string>>();
	const issuer = {
		...test.bank.issuer,
		token: (who: string) => {
			const token = tokens.get(who) ?? test.bank.issuer.token(who);
			tokens.set(who, token);
			return token;
		},
	};
	const began = await stored(now.platform);
	return {
		test,
		get platform() {
			return now.platform;
		},
		call: async (what) => {
			const answer = await call({ api, issuer }, what);
			if (answer.status < 500) return answer;
			throw new Error(`${what.method ?? 'GET'} ${what.path} is ${answer.status}: ${JSON.stringify(answer.body)}`);
		},
		advance: (ms) => {
			aheadMs += ms;
		},
		sweep: async () => {
			warned.length = 0;
			const { failed } = await sweep(now.platform, TRACE);
			if (failed > 0) throw new Error(`the sweep leaves something:\n${warned.join('\n')}`);
		},
		reset: async () => {
			aheadMs = 0;
			tokens.clear();
			await bringBack(now.platform, began);
			now = start();
			const ctx = systemContext(now.platform, TRACE);
			for (const { name, account, database, table } of test.bank.aws.lakeFormationState().filters) {
				await Grants.dropFilter(ctx, { table: { account, database, table }, name });
			}
		},
		close: async () => {
			await new Promise<void>((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			});
			await test.close();
		},
	};
}

type Item = Readonly<Record<string, AttributeValue>>;
type Stored = ReadonlyMap<string, { readonly TableName: string; readonly Item: Item }>;

/** Every item of the tables that last, by table and key. */
async function stored({ aws, config }: Platform): Promise<Stored> {
	const found = new Map<string, { TableName: string; Item: Item }>();
	for (const TableName of [config.tables.ledger, config.tables.payloads, config.tables.projections]) {
		let start: Item | undefined;
		do {
			const page = await aws.dynamodb.send(
				new ScanCommand({
					TableName,
					ConsistentRead: true,
					...(start === undefined ? {} : { ExclusiveStartKey: start }),
				}),
			);
			for (const item of page.Items ?? []) {
				found.set(JSON.stringify([TableName, item['pk']?.S, item['sk']?.S]), { TableName, Item: item });
			}
			start = page.LastEvaluatedKey;
		} while (start !== undefined);
	}
	return found;
}

async function bringBack(platform: Platform, began: Stored): Promise<void> {
	const now = await stored(platform);
	const { dynamodb } = platform.aws;
	for (const [key, { TableName, Item: item }] of now) {
		const { pk, sk } = item;
		if (began.has(key) || pk === undefined || sk === undefined) continue;
		await dynamodb.send(new DeleteItemCommand({ TableName, Key: { pk, sk } }));
	}
	for (const [key, { TableName, Item: item }] of began) {
		// Only the listings' hints have a value that changes.
		const same = now.get(key)?.Item['value']?.S === item['value']?.S;
		if (!now.has(key) || !same) await dynamodb.send(new PutItemCommand({ TableName, Item: item }));
	}
}
