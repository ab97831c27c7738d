/** A small app behind the real middleware and the real store, with any handler, clock and number of instances. */
import { type AttributeValue, DynamoDBClient, DynamoDBServiceException, ScanCommand } from '@aws-sdk/client-dynamodb';
import { Hono, type Context as HonoContext } from 'hono';
import type { Platform } from '#core/context.ts';
import type { Env } from '#functions/env.ts';
import { idempotency } from '#functions/idempotency.ts';
import { makeLog } from '#functions/log.ts';
import { problem } from '#functions/problem.ts';
import { createTables } from '#local/tables.ts';
import { openLake } from '#tests/local/harness.ts';

export const START = new Date('2026-03-01T10:00:30.000Z');
export const after = (seconds: number) => new Date(START.getTime() + seconds * 1000);

/** What the app's outermost middleware gives each request. */
export function begin(c: HonoContext<Env>, requestId: string): void {
	c.set('requestId', requestId);
	c.set('trace', { id: 'a'.repeat(32), span: 'b'.repeat(16), parent: null, flags: '00' });
	c.set('site', {
		url: 'https://fairlead.example',
		version: 'test',
		issuer: 'https://issuer.example',
		callsPerMinute: 600,
		sealedWaitMs: 0,
		startsAhead: false,
		docs: '',
		log: silent,
	});
}

const silent = makeLog('test', '/dev/null');

export type Desk = {
	readonly dynamodb: DynamoDBClient;
	readonly warnings: string[];
	readonly platform: (more?: Partial<Platform>) => Platform;
	readonly items: () => Promise<Record<string, AttributeValue>[]>;
	readonly close: () => Promise<void>;
};

const tables = { ledger: 'ledger', payloads: 'payloads', projections: 'projections', calls: 'calls' };

export async function openDesk(): Promise<Desk> {
	const lake = await openLake();
	// As the product's own client: a kept connection that the server has just closed is not a failure.
	const dynamodb = new DynamoDBClient({ ...lake.settings(lake.broker), maxAttempts: 4 });
	await createTables(dynamodb, tables);
	const warnings: string[] = [];
	let drawn = 0;
	return {
		dynamodb,
		warnings,
		platform: (more = {}) =>
			({
				config: { tables, cursorKey: Buffer.alloc(32, 7) },
				aws: { dynamodb },
				random: (bytes: number) => {
					drawn += 1;
					return Buffer.alloc(bytes, `${drawn}-`);
				},
				clock: () => START,
				warn: (message: string) => warnings.push(message),
				...more,
			}) as unknown as Platform,
		items: async () => (await dynamodb.send(new ScanCommand({ TableName: tables.calls }))).Items ?? [],
		close: () => lake.close(),
	};
}

/** A client whose calls pass through `around` first. */
export function clientWith(
	client: DynamoDBClient,
	around: (name: string, send: () => Promise<unknown>) => Promise<unknown>,
): Platform['aws'] {
	const send = (command: Parameters<DynamoDBClient['send']>[0]) =>
		around(command.constructor.name, () => client.send(command));
	return { dynamodb: { send } } as unknown as Platform['aws'];
}

export const outage = () =>
	Promise.reject(
		new DynamoDBServiceException({ name: 'InternalServerError', $fault: 'server', message: 'down', $metadata: {} }),
	);

export type Handler = (c: HonoContext<Env>) => Response | Promise<Response>;

export type Sent = {
	readonly who?: string;
	readonly method?: string;
	readonly path?: string;
	readonly key?: string;
	readonly body?: string;
	readonly headers?: Readonly<Record<string, string>>;
};

/** One process that serves: `who` stands for a token that was verified. */
export function instance(platform: Platform, handler: Handler, now = START) {
	const app = new Hono<Env>();
	let requests = 0;
	app.use(async (c, next) => {
		const caller = { issuer: 'https://issuer.example', subject: c.req.header('who') ?? '', person: null, roles: [] };
		requests += 1;
		begin(c, `${now.toISOString()}-${requests}`);
		c.set('platform', platform);
		c.set('ctx', { ...platform, caller, now, trace: 'a'.repeat(32) });
		await next();
	});
	app.use('/api/v1/*', idempotency(platform));
	app.onError((error, c) => problem(c, error));
	app.all('/api/v1/*', handler);
	return async ({ who = 'anna', method = 'POST', path = '/api/v1/things', key, body = '{}', headers = {} }: Sent) => {
		const sent = { who, 'content-type': 'application/json', ...headers };
		const answer = await app.request(path, {
			method,
			headers: key === undefined ? sent : { ...sent, 'idempotency-key': key },
			...(method === 'GET' ? {} : { body }),
		});
		const text = await answer.text();
		const code = answer.ok || text === '' ? null : (JSON.parse(text) as { code: string }).code;
		return { status: answer.status, headers: answer.headers, text, code };
	};
}
