/**
 * The actions that the roles get are the actions that the code uses: derived from the SDK commands left in each
 * function's bundle once unreachable code is gone, and watched, table by table, while the main job runs.
 */
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Tables } from '#core/context.ts';
import { principalOf, query, startQuery } from '#local/story/world.ts';
import { inputsOf } from '#local/tables.ts';
import {
	type FunctionName,
	grantorUses,
	libraryUses,
	neverOnRecords,
	principalUses,
	type Uses,
	uses,
} from '../infra/actions.ts';
import { bundleOptions } from '../infra/bundle.ts';
import { entries } from '../infra/entries.ts';
import { schema, type TableName, type TableSchema } from '../infra/schema.ts';
import { decision, enrol, file, get, grantTo, post, requestBody } from './api/harness.ts';
import { type TestBank, testBank } from './fixtures.ts';

const functions = Object.keys(entries) as FunctionName[];
const sorted = (values: Iterable<string>) => [...new Set(values)].toSorted();

/** Prefix of a service's actions, by the package of its client. */
const prefixes: Record<string, string> = {
	'@aws-sdk/client-athena': 'athena',
	'@aws-sdk/client-dynamodb': 'dynamodb',
	'@aws-sdk/client-glue': 'glue',
	'@aws-sdk/client-lakeformation': 'lakeformation',
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

/** Actions of the commands that the code makes. What a statement of PartiQL does is an action of its own. */
function actionsIn(code: string): string[] {
	return sorted(
		imported(code).flatMap(({ name, local, from }) => {
			const operation = /^(?:paginate(\w+)|(\w+)Command)$/.exec(name);
			if (operation === null || !new RegExp(`(new |\\b)${local.replace('$', '\\$')}\\(`).test(code)) return [];
			const prefix = prefixes[from] ?? `unknown package ${from}`;
			if (name !== 'ExecuteStatementCommand') return [`${prefix}:${operation[1] ?? operation[2]}`];
			const kinds = [...code.matchAll(/Statement: [`'"]\s*(\w+)/g)].map(([, kind = '']) => kind.toLowerCase());
			return kinds.map((kind) => `${prefix}:PartiQL${kind.charAt(0).toUpperCase()}${kind.slice(1)}`);
		}),
	);
}

const own = (name: FunctionName) => Object.values(uses[name]).flatMap(({ table, index = [] }) => [...table, ...index]);

describe.each(functions)('%s', (name) => {
	it('has exactly the actions that its code uses', async () => {
		const derived = actionsIn(await reached(name));
		expect(derived).toContain('dynamodb:PartiQLInsert');
		expect(derived).toEqual(sorted([...own(name), ...grantorUses[name], ...principalUses[name]]));
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
			'import { PutObjectCommand } from "@aws-sdk/client-s3";',
			'new GetTableCommand({}); paginateGetTables({}, {}); new PutObjectCommand({});',
			'new E2({ Statement: `INSERT INTO "t"` }); new E2({ Statement: `DELETE FROM "t"` });',
		].join('\n');
		expect(actionsIn(code)).toEqual([
			'dynamodb:PartiQLDelete',
			'dynamodb:PartiQLInsert',
			'glue:GetTable',
			'glue:GetTables',
			'unknown package @aws-sdk/client-s3:PutObject',
		]);
	});
});

/** Each call to DynamoDB while the main job runs: `<table or index> <action>`, by who made it. */
describe('on the tables', () => {
	let test: TestBank;
	const seen: Record<FunctionName, Set<string>> = { api: new Set(), sweep: new Set() };
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
	});
	afterAll(() => test.close());

	it.each(functions)('%s does nothing that is not declared', (name) => {
		const declared = new Set(declaredUses(name));
		expect([...seen[name]].filter((use) => !declared.has(use))).toEqual([]);
	});

	it('api does everything that is declared', () => {
		expect(sorted(seen.api)).toEqual(sorted(declaredUses('api')));
	});

	it('sweep does everything that is declared', () => {
		expect(sorted(seen.sweep)).toEqual(sorted(declaredUses('sweep')));
	});
});

function declaredUses(name: FunctionName): string[] {
	return (Object.keys(schema) as TableName[]).flatMap((table) => [
		...uses[name][table].table.map((action) => `${table} ${action}`),
		...(uses[name][table].index ?? []).map((action) => `${table}/index ${action}`),
	]);
}

/** Notes each call; with `isGone`, the process is gone before it writes. */
function watch({ bank }: TestBank, note: (use: string) => void, isGone: () => boolean): void {
	const { tables } = bank.platform.config;
	const tableOf = (name: string) => (Object.keys(tables) as TableName[]).find((t) => tables[t] === name) ?? name;
	bank.platform.aws.dynamodb.middlewareStack.add(
		(next, context) => async (args) => {
			const input = args.input as { TableName?: string; IndexName?: string; Statement?: string };
			const [, kind = '', into = ''] = /^(\w+) INTO "([^"]+)"/.exec(input.Statement ?? '') ?? [];
			const table = tableOf(input.TableName ?? into);
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
		tables: [{ table: 'clients', columns: ['client_id'], rowFilter: "birth_number LIKE '7_%'" }],
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
