/** Whatever a witness keeps its state in: one of two wins, and nobody goes on from what is not there any more. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CreateTableCommand, DeleteItemCommand, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, describe, expect, it } from 'vitest';
import { tableStore } from '#functions/witness/store.ts';
import { memoryStore as memoryTables } from '#tests/tlog/memory.ts';
import { logKey, vkey } from '#tests/verifier/reference.ts';
import type { Kept } from '#witness/decide.ts';
import { beginState, folderStore } from '#witness/folder.ts';
import { StateMissing, type Store } from '#witness/witness.ts';
import { logOf, memoryStore, ORIGIN } from './arrange.ts';

const log = logOf(logKey(ORIGIN), 60);
const other = logOf(logKey('example.com/other'), 60);
const at = (size: number, of = log): Kept => ({ note: of.checkpoint(size), time: 1_770_000_000 + size });
const home = mkdtempSync(path.join(tmpdir(), 'fairlead-witness-'));
afterAll(() => rmSync(home, { recursive: true }));

const TableName = 'witness';
async function table() {
	const { client } = memoryTables();
	await client.send(
		new CreateTableCommand({
			TableName,
			BillingMode: 'PAY_PER_REQUEST',
			AttributeDefinitions: [{ AttributeName: 'origin', AttributeType: 'S' }],
			KeySchema: [{ AttributeName: 'origin', KeyType: 'HASH' }],
		}),
	);
	return client;
}

/** As whoever runs the witness begins with a log. */
const first = (origin: string) => new PutItemCommand({ TableName, Item: { origin: { S: origin }, size: { N: '0' } } });

async function begun() {
	const client = await table();
	for (const origin of [ORIGIN, 'example.com/other']) await client.send(first(origin));
	return client;
}

async function folder() {
	const [root, own] = [path.join(home, String(made++)), vkey(logKey('witness.example/w1'), 4)];
	await beginState(root, own);
	return folderStore(root, own);
}

let made = 0;
const stores: readonly [string, () => Promise<Store>][] = [
	['a folder', folder],
	['a table', async () => tableStore(await begun(), TableName)],
	["the tests' memory", async () => memoryStore().store],
];

describe.each(stores)('%s', (_, make) => {
	it('keeps what comes after what it holds, and nothing else', async () => {
		const store = await make();
		expect(await store.read(ORIGIN)).toBeNull();
		expect(await store.replace(ORIGIN, at(5), at(4))).toBe(false);
		expect(await store.read(ORIGIN)).toBeNull();
		expect(await store.replace(ORIGIN, at(5), null)).toBe(true);
		expect(await store.replace(ORIGIN, at(6), null)).toBe(false);
		expect(await store.replace(ORIGIN, at(6), { ...at(5), time: 5 })).toBe(false);
		expect(await store.replace(ORIGIN, at(6), { ...at(4), time: at(5).time })).toBe(false);
		expect(await store.read(ORIGIN)).toEqual(at(5));
		expect(await store.replace(ORIGIN, at(6), at(5))).toBe(true);
		expect(await store.read(ORIGIN)).toEqual(at(6));
	});

	it('keeps logs apart', async () => {
		const store = await make();
		await store.replace(ORIGIN, at(5), null);
		expect(await store.replace('example.com/other', at(7, other), null)).toBe(true);
		expect([await store.read(ORIGIN), await store.read('example.com/other')]).toEqual([at(5), at(7, other)]);
	});

	it('keeps one of many at once', async () => {
		const store = await make();
		await store.replace(ORIGIN, at(5), null);
		const sizes = [6, 7, 8, 9, 10, 11, 12, 13];
		const won = await Promise.all(sizes.map((size) => store.replace(ORIGIN, at(size), at(5))));
		expect(won.filter(Boolean)).toHaveLength(1);
		expect(await store.read(ORIGIN)).toEqual(at(sizes[won.indexOf(true)] ?? 0));
	});
});

describe('a table', () => {
	it('without an item of a log says nothing of it and keeps nothing, until somebody puts the first one', async () => {
		const client = await table();
		const store = tableStore(client, TableName);
		await expect(store.read(ORIGIN)).rejects.toThrow(StateMissing);
		await expect(store.read(ORIGIN)).rejects.toThrow(/put its first item: origin, and size 0/);
		await expect(store.replace(ORIGIN, at(5), null)).rejects.toThrow(StateMissing);
		await expect(store.replace(ORIGIN, at(6), at(5))).rejects.toThrow(StateMissing);
		await client.send(first(ORIGIN));
		expect(await store.read(ORIGIN)).toBeNull();
		expect(await store.replace(ORIGIN, at(5), null)).toBe(true);
		await expect(store.read('example.com/other')).rejects.toThrow(StateMissing);
	});

	it('that lost an item does not begin with the log again', async () => {
		const client = await begun();
		const store = tableStore(client, TableName);
		await store.replace(ORIGIN, at(5), null);
		await client.send(new DeleteItemCommand({ TableName, Key: { origin: { S: ORIGIN } } }));
		await expect(store.read(ORIGIN)).rejects.toThrow(StateMissing);
		await expect(store.replace(ORIGIN, at(6), at(5))).rejects.toThrow(StateMissing);
	});

	it('has kept what was asked for, when the answer was lost and the client asked again', async () => {
		const client = await begun();
		let lost = 0;
		const twice = {
			send: async (command: PutItemCommand) => {
				if (!(command instanceof PutItemCommand)) return client.send(command);
				lost += 1;
				await client.send(command);
				return client.send(command);
			},
		} as unknown as DynamoDBClient;
		const store = tableStore(twice, TableName);
		expect(await store.replace(ORIGIN, at(5), null)).toBe(true);
		expect(await store.replace(ORIGIN, at(6), at(5))).toBe(true);
		expect(await store.replace(ORIGIN, at(7), at(5))).toBe(false);
		expect([lost, await store.read(ORIGIN)]).toEqual([3, at(6)]);
	});

	it('does not take what it cannot read for nothing', async () => {
		const client = await table();
		const store = tableStore(client, TableName);
		await client.send(new PutItemCommand({ TableName, Item: { origin: { S: ORIGIN }, size: { N: '5' } } }));
		await expect(store.read(ORIGIN)).rejects.toThrow();
		for (const Item of [{ time: { N: '5' } }, { note: { S: '' } }]) {
			await client.send(new PutItemCommand({ TableName, Item: { origin: { S: ORIGIN }, size: { N: '0' }, ...Item } }));
			await expect(store.read(ORIGIN)).rejects.toThrow();
		}
		expect(await store.replace(ORIGIN, at(6), null).catch(() => 'failed')).toBe('failed');
		await expect(store.replace('example.com/other', at(6), null)).rejects.toThrow(/another log/);
	});

	it('does not take another failure for a race', async () => {
		const failing = { send: () => Promise.reject(new Error('throttled')) } as unknown as DynamoDBClient;
		await expect(tableStore(failing, TableName).replace(ORIGIN, at(5), null)).rejects.toThrow('throttled');
	});
});
