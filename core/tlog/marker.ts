/**
 * The marks on an entry's item: its index in the log once it is sealed, or the shard in which it waits until somebody has
 * looked at it. Bytes and hash are never touched, and IAM holds the sealer to `u`, `ut` and `li`
 * (`dynamodb:Attributes`). Marking again changes nothing.
 */
import { type AttributeValue, QueryCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import pMap from 'p-map';
import { errorName } from '../error.ts';
import * as Ledger from '../ledger.ts';
import { alarm, type ReadCtx } from './ports.ts';

/** Where entries wait that cannot be read, and what follows them. */
export const QUARANTINE = 'U#quarantine';

export type ItemKey = { readonly pk: string; readonly sk: string };

/** Takes a sealed entry off the queue. Throws an alarm where its item is not what was sealed. */
export async function markSealed(ctx: ReadCtx, entry: Ledger.Recorded, index: number): Promise<void> {
	const { stream, ver } = entry.stored;
	const done = await marked(ctx, { pk: stream, sk: Ledger.versionKey(ver) }, entry.leaf, index);
	if (!done) throw alarm('entry-differs', 'An entry changed after it was sealed.', { stream, ver, index });
}

/** Takes off the queue what is in the log already at this index. False where it is another entry by now. */
export async function unqueue(ctx: ReadCtx, { pk, sk, stored }: ItemKey & Leafed, index: number): Promise<boolean> {
	return stored !== null && marked(ctx, { pk, sk }, stored.leaf, index);
}

type Leafed = { readonly stored: Pick<Ledger.Stored, 'leaf'> | null };

async function marked(ctx: ReadCtx, key: ItemKey, leaf: string, index: number): Promise<boolean> {
	return update(ctx, key, 'REMOVE u, ut SET li = :li', {
		condition: 'h = :h AND (attribute_not_exists(li) OR li = :li)',
		values: { ':li': { N: String(index) }, ':h': { B: Buffer.from(leaf, 'hex') } },
	});
}

/** Moves what waits from one shard to another. False where it waits there no more. */
export async function move(ctx: ReadCtx, key: ItemKey, from: string, to: string): Promise<boolean> {
	return update(ctx, key, 'SET u = :to', {
		condition: 'u = :from',
		values: { ':from': { S: from }, ':to': { S: to } },
	});
}

async function update(
	ctx: ReadCtx,
	{ pk, sk }: ItemKey,
	UpdateExpression: string,
	{ condition, values }: { condition: string; values: Record<string, AttributeValue> },
): Promise<boolean> {
	const command = new UpdateItemCommand({
		TableName: ctx.config.tables.ledger,
		Key: { pk: { S: pk }, sk: { S: sk } },
		UpdateExpression,
		ConditionExpression: condition,
		ExpressionAttributeValues: values,
	});
	try {
		await ctx.aws.dynamodb.send(command);
		return true;
	} catch (cause) {
		if (errorName(cause) === 'ConditionalCheckFailedException') return false;
		throw Ledger.unavailable(cause);
	}
}

export type Waiting = ItemKey & { readonly order: string };
type Start = Record<string, AttributeValue> | undefined;

/** A page of what waits in a shard, in the order of its time; of keys that begin with `start`, after the page before (`next`). */
export async function waitingIn(ctx: ReadCtx, shard: string, limit: number, after: Start, start = '') {
	const command = new QueryCommand({
		TableName: ctx.config.tables.ledger,
		IndexName: Ledger.UNSEALED_INDEX,
		KeyConditionExpression: start === '' ? 'u = :u' : 'u = :u AND begins_with(ut, :start)',
		ExpressionAttributeValues: { ':u': { S: shard }, ...(start === '' ? {} : { ':start': { S: start } }) },
		Limit: limit,
		...(after === undefined ? {} : { ExclusiveStartKey: after }),
	});
	const answer = await ctx.aws.dynamodb.send(command).catch((cause: unknown) => {
		throw Ledger.unavailable(cause);
	});
	const keys: Waiting[] = (answer.Items ?? []).map((item) => ({
		pk: item['pk']?.S ?? '',
		sk: item['sk']?.S ?? '',
		order: item['ut']?.S ?? '',
	}));
	return { keys, next: answer.LastEvaluatedKey };
}

/** Everything that waits in a shard, page by page. */
export async function* pagesIn(ctx: ReadCtx, shard: string, start?: string): AsyncGenerator<Waiting[]> {
	let after: Start;
	do {
		const page = await waitingIn(ctx, shard, 500, after, start);
		yield page.keys;
		after = page.next;
	} while (after !== undefined);
}

/** How many entries wait in quarantine. */
export async function quarantined(ctx: ReadCtx): Promise<number> {
	let count = 0;
	for await (const page of pagesIn(ctx, QUARANTINE)) count += page.length;
	return count;
}

/**
 * Lets everything in quarantine be looked at again, once its cause is mended: a sealer that did not know a new type of
 * entry, an item put back from a backup. What is still wrong comes back.
 */
export async function release(ctx: ReadCtx): Promise<number> {
	const keys: Waiting[] = [];
	for await (const page of pagesIn(ctx, QUARANTINE)) keys.push(...page);
	const back = (key: Waiting) => move(ctx, key, QUARANTINE, Ledger.shardOf(ctx, key.pk));
	return (await pMap(keys, back, { concurrency: 16 })).filter(Boolean).length;
}
