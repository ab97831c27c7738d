/** As somebody with rights on the table would, past the ledger. */
import { type AttributeValue, DeleteItemCommand, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import * as Ledger from '#core/ledger.ts';
import { ORIGIN, tables, type World } from './world.ts';

const TableName = tables.ledger;
export type Attributes = Record<string, AttributeValue | undefined>;

export const keyOf = ({ stored }: Ledger.Recorded) => ({
	pk: { S: stored.stream },
	sk: { S: Ledger.versionKey(stored.ver) },
});

export async function itemOf({ store }: World, Key: Record<string, AttributeValue>) {
	return (await store.client.send(new GetItemCommand({ TableName, Key }))).Item ?? {};
}

/** Changes attributes of an item; undefined takes one away. */
export async function damage(world: World, entry: Ledger.Recorded, change: Attributes): Promise<void> {
	await put(world, { ...(await itemOf(world, keyOf(entry))), ...change });
}

export async function put({ store }: World, item: Attributes): Promise<void> {
	const Item = Object.fromEntries(Object.entries(item).filter(([, value]) => value !== undefined));
	await store.client.send(new PutItemCommand({ TableName, Item: Item as Record<string, AttributeValue> }));
}

export async function remove({ store }: World, entry: Ledger.Recorded): Promise<void> {
	await store.client.send(new DeleteItemCommand({ TableName, Key: keyOf(entry) }));
}

export const head = (world: World) => itemOf(world, Ledger.headKey(ORIGIN));
