/** Many items of one table by their keys, read consistently. */
import { type AttributeValue, BatchGetItemCommand } from '@aws-sdk/client-dynamodb';
import pMap from 'p-map';
import pRetry from 'p-retry';
import type { Context } from '../context.ts';

export type Key = { readonly pk: string; readonly sk: string };
type Item = Record<string, AttributeValue>;

/** At most (BatchGetItem, API reference). */
const KEYS = 100;
const ATTEMPTS = 8;

/** The items that are there, in no order. Throws what the store does, and after many attempts where it answers in parts. */
export async function readMany(
	ctx: Pick<Context, 'aws' | 'config'>,
	table: string,
	keys: readonly Key[],
): Promise<Item[]> {
	const chunks = Array.from({ length: Math.ceil(keys.length / KEYS) }, (_, i) => keys.slice(i * KEYS, (i + 1) * KEYS));
	return (await pMap(chunks, (chunk) => readChunk(ctx, table, chunk), { concurrency: 4 })).flat();
}

async function readChunk({ aws, config }: Pick<Context, 'aws' | 'config'>, table: string, keys: readonly Key[]) {
	const items: Item[] = [];
	let left: Item[] = keys.map(({ pk, sk }) => ({ pk: { S: pk }, sk: { S: sk } }));
	const read = async () => {
		const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys: left, ConsistentRead: true } } });
		const answer = await aws.dynamodb.send(command);
		items.push(...(answer.Responses?.[table] ?? []));
		left = answer.UnprocessedKeys?.[table]?.Keys ?? [];
		if (left.length > 0) throw new Unprocessed();
	};
	const pauses = { retries: ATTEMPTS, minTimeout: config.retryMs, maxTimeout: 20 * config.retryMs };
	await pRetry(read, { ...pauses, randomize: true, shouldRetry: ({ error }) => error instanceof Unprocessed });
	return items;
}

/** DynamoDB answered for a part of what was asked, which is no error. */
class Unprocessed extends Error {}
