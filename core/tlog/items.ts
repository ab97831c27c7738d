/** Items of entries by key, read consistently and many at once, with the marks that the ledger itself does not look at. */
import { type AttributeValue, QueryCommand } from '@aws-sdk/client-dynamodb';
import { BrokerError } from '../error.ts';
import * as Ledger from '../ledger.ts';
import type { ItemKey } from './marker.ts';
import type { ReadCtx } from './ports.ts';

export type Item = ItemKey & {
	/** As the ledger reads it; null where it lacks its bytes, its hash or a version. */
	readonly stored: Ledger.Stored | null;
	/** The shard in which it waits, and its place there. */
	readonly shard: string | null;
	readonly order: string;
	/** Its index in the log. */
	readonly index: number | null;
};

export const nameOf = ({ pk, sk }: ItemKey) => `${pk}\n${sk}`;
export const keyOf = (stream: string, ver: number): ItemKey => ({ pk: stream, sk: Ledger.versionKey(ver) });

export function itemOf(item: Record<string, AttributeValue>): Item {
	const pk = item['pk']?.S ?? '';
	const sk = item['sk']?.S ?? '';
	const li = item['li']?.N;
	const marks = {
		shard: item['u']?.S ?? null,
		order: item['ut']?.S ?? '',
		index: li === undefined ? null : Number(li),
	};
	return { pk, sk, ...marks, stored: /^V#[0-9]{10}$/.test(sk) ? storedOf(item) : null };
}

function storedOf(item: Record<string, AttributeValue>): Ledger.Stored | null {
	try {
		return Ledger.storedOf(item);
	} catch (error) {
		if (error instanceof BrokerError && error.code === 'record-corrupt') return null;
		throw error;
	}
}

/** The items under these keys, by {@link nameOf}; those that are not there are missing. */
export async function readItems(ctx: ReadCtx, keys: readonly ItemKey[]): Promise<Map<string, Item>> {
	const found = await Ledger.readMany(ctx, ctx.config.tables.ledger, keys).catch((cause: unknown) => {
		throw Ledger.unavailable(cause);
	});
	return new Map(found.map(itemOf).map((item) => [nameOf(item), item]));
}

/** The first version of a stream whose item has this leaf; null where none has. */
export async function versionWith(ctx: ReadCtx, stream: string, leaf: string): Promise<ItemKey | null> {
	let after: Record<string, AttributeValue> | undefined;
	do {
		const command = new QueryCommand({
			TableName: ctx.config.tables.ledger,
			ConsistentRead: true,
			KeyConditionExpression: 'pk = :pk AND sk >= :from',
			ExpressionAttributeValues: { ':pk': { S: stream }, ':from': { S: Ledger.versionKey(1) } },
			ProjectionExpression: 'pk, sk, h',
			...(after === undefined ? {} : { ExclusiveStartKey: after }),
		});
		const page = await ctx.aws.dynamodb.send(command).catch((cause: unknown) => {
			throw Ledger.unavailable(cause);
		});
		const found = page.Items?.find(({ h }) => h?.B !== undefined && Buffer.from(h.B).toString('hex') === leaf);
		if (found !== undefined) return { pk: stream, sk: found['sk']?.S ?? '' };
		after = page.LastEvaluatedKey;
	} while (after !== undefined);
	return null;
}
