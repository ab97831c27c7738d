/**
 * The actions that the roles get are the actions that the code uses: derived from the SDK commands left in each
 * function's bundle once unreachable code is gone, and watched, table by table, while the main job runs.
 */
import { type CreateTableCommandInput, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tables } from '#core/context.ts';
import * as LF from '#core/lakeformation.ts';
import * as Ledger from '#core/ledger.ts';
import { principalOf, query, startQuery } from '#local/story/world.ts';
import { inputsOf } from '#local/tables.ts';
import {
	consumerUses,
	type FunctionName,
	grantorUses,
	libraryUses,
	logUses,
	neverOnRecords,
	principalUses,
	type Uses,
	uses,
} from '../infra/actions.ts';
import { bundleOptions } from '../infra/bundle.ts';
import { entries } from '../infra/entries.ts';
import { schema, type TableName, type TableSchema } from '../infra/schema.ts';
import { withdrawn } from './api/fuzz/erasures.ts';
import { decision, file, get, grantTo, post, requestBody } from './api/harness.ts';
import { enrol } from './api/registration.ts';
import { again, check, tell, tomorrow } from './completeness/world.ts';
import { type TestBank, testBank } from './fixtures.ts';

const functions = Object.keys(entries) as FunctionName[];
const sorted = (values: Iterable<string>) => [...new Set(values)].toSorted();

/** Prefix of a service's actions, by the package of its client. */
const prefixes: Record<string, string> = {
	'@aws-sdk/client-athena': 'athena',
	'@aws-sdk/client-cloudtrail': 'cloudtrail',
	'@aws-sdk/client-dynamodb': 'dynamodb',
	'@aws-sdk/client-glue': 'glue',
	'@aws-sdk/client-iam': 'iam',
	'@aws-sdk/client-kms': 'kms',
	'@aws-sdk/client-lakeformation': 'lakeformation',
	'@aws-sdk/client-s3': 's3',
};

/** Our own code as it is reached from an entry; packages stay outside. */
async function reached(name: FunctionName): Promise<string> {
	const { outputFiles } = await build({
		...bundleOptions(entries[name]),
		packages: 'external',
		minify: false,
		keepNames: false,
		write: false,
	});
	return outputFiles[0]?.text ?? '';
}

/** Names that the code takes from a package of AWS, and the package. */
function imported(code: string): { local: string; name: string; from: string }[] {
	return [...code.matchAll(/^import \{([^}]*)\} from "(@aws-sdk\/[^"]+)";/gm)].flatMap(([, names = '', from = '']) =>
		names
			.split(',')
			.map((n) => n.trim().split(/\s+as\s+/))
			.filter(([name]) => name !== '')
			.map(([name = '', local = name]) => ({ name, local, from })),
	);
}

/** Operations whose action has another name (Service Authorization Reference, Amazon S3). */
const renamed: Record<string, string> = { 's3:ListObjectsV2': 's3:ListBucket' };

/** Actions of the commands that the code makes. What a statement of PartiQL does is an action of its own. */
function actionsIn(code: string): string[] {
	return sorted(
		imported(code).flatMap(({ name, local, from }) => {
			const operation = /^(?:paginate(\w+)|(\w+)Command)$/.exec(name);
			if (operation === null || !new RegExp(`(new |\\b)${local.replace('$', '\\$')}\\(`).test(code)) return [];
			const prefix = prefixes[from] ?? `unknown package ${from}`;
			const action = `${prefix}:${operation[1] ?? operation[2]}`;
			if (name !== 'ExecuteStatementCommand') return [renamed[action] ?? action];
			const kinds = [...code.matchAll(/Statement: [`'"]\s*(\w+)/g)].map(([, kind = '']) => kind.toLowerCase());
			return kinds.map((kind) => `${prefix}:PartiQL${kind.charAt(0).toUpperCase()}${kind.slice(1)}`);
		}),
	);
}

/** The sealer's updates are bounded by conditions, and so stand apart. */
const update = 'dynamodb:UpdateItem';
/** And so does what the eraser deletes. */
const erasing = 'dynamodb:DeleteItem';
const own = (name: FunctionName) => [
	...Object.values(uses[name]).flatMap(({ table, index = [] }) => [...table, ...index]),
	...Object.values(logUses[name]).flat(),
	...(name === 'seal' ? [update] : []),
	...(name === 'erase' ? [erasing] : []),
];

describe.each(functions)('%s', (name) => {
	it('has exactly the actions that its code uses', async () => {
		const derived = actionsIn(await reached(name));
		expect(derived).toContain('dynamodb:PartiQLInsert');
		expect(derived).toEqual(
			sorted([...own(name), ...grantorUses[name], ...consumerUses[name], ...principalUses[name]]),
		);
	});

	it('uses AWS through no other library than those listed', async () => {
		const code = await reached(name);
		const packages = sorted([...code.matchAll(/from "((?:@aws|@smithy|aws-)[^"]*)"/g)].map(([, from = '']) => from));
		const listed = libraryUses.map(({ library }) => library);
		expect(packages).toEqual(sorted([...Object.keys(prefixes), ...listed].filter((p) => code.includes(`"${p}"`))));
		expect(listed.every((library) => packages.includes(library))).toBe(true);
	});
});

describe('records', () => {
	it.each(functions)('%s can neither change nor delete an entry or a payload', (name) => {
		const { ledger, payloads }: Uses = uses[name];
		const actions = [ledger, payloads].flatMap(({ table, index = [] }) => [...table, ...index]);
		expect(actions.filter((a) => (neverOnRecords as readonly string[]).includes(a) || a.includes('*'))).toEqual([]);
	});
});

describe('the deriving', () => {
	it('sees a new command, a paginator and each kind of statement', () => {
		const code = [
			'import { GetTableCommand, paginateGetTables } from "@aws-sdk/client-glue";',
			'import { ExecuteStatementCommand as E2, PutItemCommand } from "@aws-sdk/client-dynamodb";',
			'import { PublishCommand } from "@aws-sdk/client-sns";',
			'new GetTableCommand({}); paginateGetTables({}, {}); new PublishCommand({});',
			'new E2({ Statement: `INSERT INTO "t"` }); new E2({ Statement: `DELETE FROM "t"` });',
		].join('\n');
		expect(actionsIn(code)).toEqual([
			'dynamodb:PartiQLDelete',
			'dynamodb:PartiQLInsert',
			'glue:GetTable',
			'glue:GetTables',
			'unknown package @aws-sdk/client-sns:Publish',
		]);
	});
});

/** Each call to DynamoDB while the main job runs: `<table or index> <action>`, by who made it. */
describe('on the tables', () => {
	let test: TestBank;
	const seen: Record<FunctionName, Set<string>> = {
		api: new Set(),
		sweep: new Set(),
		reconcile: new Set(),
		seal: new Set(),
		erase: new Set(),
		completeness: new Set(),
	};
	let running: FunctionName = 'api';

	beforeAll(async () => {
		test = await testBank();
		let left = Number.POSITIVE_INFINITY;
		watch(
			test,
			(use) => seen[running].add(use),
			() => {
				left -= 1;
				return left < 0;
			},
		);
		await mainJob(test);
		await leaveBehind(test, (rest) => {
			left = rest;
		});
		running = 'sweep';
		expect(await test.bank.sweep()).toMatchObject({ expired: 1, failed: 0 });
		running = 'reconcile';
		await drift(test);
		expect(await test.bank.reconcile()).toMatchObject({ failed: 0 });
		running = 'seal';
		await sealing(test);
		running = 'api';
		const asked = await withdrawn(test.world);
		const taken = await test.world.call(post('paula', `/ledger/entries/${asked}/erasure`, { reason: 'court-order' }));
		expect(taken.status).toBe(202);
		running = 'erase';
		expect(await test.bank.erase()).toEqual({ erased: 1, kept: 0, failed: 0 });
		running = 'completeness';
		await checkingIt(test);
		running = 'api';
		await checkingAgain(test);
		await provingIt(test);
	}, 120_000);
	afterAll(() => test.close());

	it.each(functions)('%s does nothing that is not declared', (name) => {
		const declared = new Set(declaredUses(name));
		expect([...seen[name]].filter((use) => !declared.has(use))).toEqual([]);
	});

	it('api does everything that is declared', () => {
		expect(sorted(seen.api)).toEqual(sorted(declaredUses('api')));
	});

	it.each(['sweep', 'reconcile', 'seal', 'erase', 'completeness'] as const)(
		'%s does everything that is declared',
		(name) => {
			// Whoever appends can list what he appended, and read hints of listings; what the eraser writes only takes a line off.
			const unused = name === 'erase' ? ['projections dynamodb:GetItem', 'projections dynamodb:PutItem'] : [];
			expect(sorted([...seen[name], ...unused])).toEqual(sorted(declaredUses(name)));
		},
	);
});

function declaredUses(name: FunctionName): string[] {
	const declared = (Object.keys(schema) as TableName[]).flatMap((table) => [
		...uses[name][table].table.map((action) => `${table} ${action}`),
		...(uses[name][table].index ?? []).map((action) => `${table}/index ${action}`),
	]);
	const none = { api: [], sweep: [], reconcile: [], completeness: [] };
	const apart = { seal: [`ledger ${update}`], erase: [`payloads ${erasing}`], ...none };
	return [...declared, ...apart[name]];
}

/** Notes each call; with `isGone`, the process is gone before it writes. */
function watch({ bank }: TestBank, note: (use: string) => void, isGone: () => boolean): void {
	const { tables } = bank.platform.config;
	const tableOf = (name: string) => (Object.keys(tables) as TableName[]).find((t) => tables[t] === name) ?? name;
	bank.platform.aws.dynamodb.middlewareStack.add(
		(next, context) => async (args) => {
			const input = args.input as {
				TableName?: string;
				IndexName?: string;
				Statement?: string;
				RequestItems?: Record<string, unknown>;
			};
			const [, kind = '', into = ''] = /^(\w+) INTO "([^"]+)"/.exec(input.Statement ?? '') ?? [];
			const table = tableOf(input.TableName ?? Object.keys(input.RequestItems ?? { [into]: null })[0] ?? '');
			const operation = (context.commandName ?? '').replace(/Command$/, '');
			const action = kind === '' ? operation : `PartiQL${kind.charAt(0)}${kind.slice(1).toLowerCase()}`;
			if (kind !== '' && isGone()) throw new Error('injected: cut off');
			note(`${table}${input.IndexName === undefined ? '' : '/index'} dynamodb:${action}`);
			return next(args);
		},
		{ step: 'initialize', name: 'watch' },
	);
}

/** Every operation that touches a table in its own way. */
async function mainJob({ world }: TestBank): Promise<void> {
	const headers = { 'idempotency-key': 'main-job' };
	const body = requestBody(world, { duration: 'PT1S' });
	const filed = await world.call(post('alice', '/requests', body, headers));
	await world.call(post('alice', '/requests', body, headers));
	expect(filed.status).toBe(201);
	const grant = await grantTo(world, 'alice', requestBody(world));
	await query(world, 'SELECT * FROM lending.loans');
	await world.call(get('rita', '/ledger/verification'));
	await world.call(post('olga', `/grants/${grant.id}/revoke`));
}

/**
 * Left to the sweep: a grant whose filter names people and which was decided and not opened, a grant that is due, a query
 * that runs.
 */
async function leaveBehind(test: TestBank, cut: (rest: number) => void): Promise<void> {
	const { world } = test;
	await enrol(test, 'customers', { peter: ['owner'], nick: ['privacy-officer'] });
	const asked = await file(world, 'mia', {
		...requestBody(world, { product: 'customers.clients', purpose: 'service-improvement' }),
		tables: [{ table: 'clients', columns: ['client_id'], rowFilter: "birth_token LIKE '7_%'" }],
		principal: principalOf(world, 'marketing', 'service-improvement'),
	});
	await world.call(decision('peter', asked));
	cut(1);
	await world.call(decision('nick', asked));
	cut(Number.POSITIVE_INFINITY);
	const due = await grantTo(world, 'alice', requestBody(world, { duration: 'PT1S' }));
	await startQuery(world, 'SELECT * FROM lending.loans');
	await new Promise((resolve) => setTimeout(resolve, Math.max(0, Date.parse(due.until) - Date.now()) + 1));
}

/** An entry that cannot be read, too: that it cannot is written down. And lines of grants that are over, for it to take off. */
async function sealing({ bank }: TestBank): Promise<void> {
	const { config } = bank.platform;
	const command = { TableName: config.tables.ledger, Item: { pk: { S: 'F#x' }, sk: { S: 'V#0000000001' } } };
	const queued = { u: { S: 'U#0' }, ut: { S: '000000000000001#0000000001#x' }, h: { B: new Uint8Array(32) } };
	// Done by somebody else, and not noted.
	const bare = new DynamoDBClient({
		region: config.region,
		endpoint: bank.aws.endpoint,
		credentials: bank.broker,
	});
	await bare.send(new PutItemCommand({ ...command, Item: { ...command.Item, ...queued } }));
	const { all, applyProjections, key, shardOf } = Ledger.Listing;
	const unseen = { ...bank.platform, aws: { ...bank.platform.aws, dynamodb: bare } };
	const grants = await all(unseen, key.grantsOfDomain('lending'));
	const lines = grants.map((id) => ({ op: 'put' as const, pk: key.open(shardOf(id)), sk: `grant#${id}` }));
	await applyProjections(unseen, lines);
	expect(await bank.seal()).toMatchObject({ overtaken: false });
}

const readOf = (table: string) => ({
	tableArn: `arn:aws:glue:eu-central-1:210000000001:table/lending/${table}`,
	auditContext: { additionalAuditContext: '{queryId: once}' },
});

/** Today, as if it were over: with a read past Fairlead, and a query that was started and not noted. */
async function checkingIt(test: TestBank): Promise<void> {
	tell(test.bank, { record: { requestParameters: readOf('loans') } });
	expect(await check(tomorrow(test.bank))).toMatchObject({ incomplete: 0, findings: 1 });
	tell(test.bank, { record: { requestParameters: readOf('accounts') } });
	await again(tomorrow(test.bank));
}

/** The same on demand, which the API does. */
async function checkingAgain(test: TestBank): Promise<void> {
	tell(test.bank, { record: { requestParameters: readOf('payments') } });
	await again(tomorrow(test.bank));
}

/** Of what was sealed and what was not yet; the audit, too. */
async function provingIt({ bank, world }: TestBank): Promise<void> {
	const [first] = await Ledger.read(bank.platform, Ledger.stream.product('lending.loans'));
	const filed = await file(world, 'alice', requestBody(world));
	const [later] = await Ledger.read(bank.platform, Ledger.stream.request(filed.view.id));
	expect((await world.call(get('alice', `/ledger/entries/${later?.entry.id}/proof`))).status).toBe(409);
	expect((await world.call(get('olga', `/ledger/entries/${first?.entry.id}/proof`))).status).toBe(200);
	expect((await world.call(get('oscar', '/ledger/audit'))).status).toBe(200);
}

/** The permission of every grant in force is taken away by hand. */
async function drift({ bank: { aws, platform } }: TestBank): Promise<void> {
	const { filters } = aws.lakeFormationState();
	expect(filters.length).toBeGreaterThan(0);
	for (const { account, database, table, name } of filters) {
		const ref = { account, database, table };
		await LF.revokeAll(platform, { account, as: 'grantor' }, await LF.rightsOnFilter(platform, ref, name));
	}
}

describe('tables', () => {
	it('have the keys and indexes of those that everything else is tested on', () => {
		const names = Object.fromEntries(Object.keys(schema).map((name) => [name, name])) as Tables;
		const inputs = inputsOf(names);
		const declared = Object.entries<TableSchema>(schema).map(([name, table]) => [name, keysOf(table)]);
		expect(Object.fromEntries(inputs.map((input) => [input.TableName, keysIn(input)]))).toEqual(
			Object.fromEntries(declared),
		);
	});
});

const keysOf = ({ hash, range, index }: TableSchema) => ({
	keys: range === undefined ? [hash] : [hash, range],
	indexes: index === undefined ? [] : [[index.name, index.hash, index.range, ...index.include]],
});
const keysIn = (input: CreateTableCommandInput) => ({
	keys: (input.KeySchema ?? []).map((k) => k.AttributeName),
	indexes: (input.GlobalSecondaryIndexes ?? []).map((i) => [
		i.IndexName,
		...(i.KeySchema ?? []).map((k) => k.AttributeName),
		...(i.Projection?.NonKeyAttributes ?? []),
	]),
});
