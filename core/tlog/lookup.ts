/**
 * Where an entry is, by its id: its stream and version, and its index in the log. A projection like the listings: it
 * leads to the item and never stands for it. The first entry that is sealed with an id keeps it: ids are drawn at random,
 * so a second one was put in by somebody.
 */
import { GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { BrokerError, errorName } from '../error.ts';
import * as Ledger from '../ledger.ts';
import type { ReadCtx, SealCtx } from './ports.ts';

export type Place = { readonly stream: string; readonly ver: number; readonly index: number };

const keyOf = (id: string) => ({ pk: { S: `entry#${id}` }, sk: { S: '-' } });

const SAME = '#stream = :stream AND #ver = :ver AND #index = :index';

/** Tells where a sealed entry is. Told again it is the same; where another has its id, that is said and left as it is. */
export async function tellPlace(
	ctx: Pick<SealCtx, 'aws' | 'config' | 'warn'>,
	{ entry, stored }: Ledger.Recorded,
	index: number,
): Promise<void> {
	const place = { stream: { S: stored.stream }, ver: { N: String(stored.ver) }, index: { N: String(index) } };
	const command = new PutItemCommand({
		TableName: ctx.config.tables.projections,
		Item: { ...keyOf(entry.id), ...place },
		ConditionExpression: `attribute_not_exists(pk) OR (${SAME})`,
		ExpressionAttributeNames: { '#stream': 'stream', '#ver': 'ver', '#index': 'index' },
		ExpressionAttributeValues: { ':stream': place.stream, ':ver': place.ver, ':index': place.index },
	});
	try {
		await ctx.aws.dynamodb.send(command);
	} catch (cause) {
		if (errorName(cause) !== 'ConditionalCheckFailedException') throw Ledger.unavailable(cause);
		refuseId(ctx, stored);
	}
}

function refuseId(ctx: Pick<SealCtx, 'warn'>, { stream, ver }: Ledger.Stored): void {
	const at = { stream, version: Ledger.versionKey(ver), fault: 'id-taken' };
	const fault = new BrokerError('record-corrupt', 'An entry carries the id of another.', at);
	ctx.warn('ledger: an entry cannot be found by its id', fault);
}

/** Where an entry was sealed; null where it was not. */
export async function lookUp(ctx: ReadCtx, id: string): Promise<Place | null> {
	const command = new GetItemCommand({
		TableName: ctx.config.tables.projections,
		Key: keyOf(id),
		ConsistentRead: true,
	});
	const { Item } = await ctx.aws.dynamodb.send(command).catch((cause: unknown) => {
		throw Ledger.unavailable(cause);
	});
	if (Item === undefined) return null;
	return { stream: Item['stream']?.S ?? '', ver: Number(Item['ver']?.N), index: Number(Item['index']?.N) };
}
