/**
 * What a witness keeps, in a DynamoDB table: an item for each log, replaced by a conditional put. A lost answer may have
 * taken effect, and the client asks again by itself: what is found then decides.
 *
 * The first item of a log, of size 0 and without a note, is put by whoever runs the witness: it says that nothing of the log
 * was cosigned yet. A log without an item is never taken for that, as it is what a table that was lost looks like.
 */
import {
	type AttributeValue,
	ConditionalCheckFailedException,
	type DynamoDBClient,
	GetItemCommand,
	PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Kept, seenIn } from '#witness/decide.ts';
import { StateMissing, type Store } from '#witness/witness.ts';

export function tableStore(client: DynamoDBClient, table: string): Store {
	const read = async (origin: string) => {
		const Key = { origin: { S: origin } };
		const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
		if (Item !== undefined) return keptIn(Item);
		throw new StateMissing(
			`${table} has no item of ${origin}: without it nothing is cosigned. If this key never cosigned anything of that log, put its first item: origin, and size 0. If the table lost it, begin another witness, with a key of its own`,
		);
	};
	return {
		read,
		async replace(origin, next, over) {
			const { size, ...seen } = seenIn(next.note);
			if (seen.origin !== origin) throw new Error('the checkpoint is of another log');
			const was = over === null ? {} : { ':note': { S: over.note }, ':time': { N: String(over.time) } };
			const same = { ConditionExpression: '#note = :note AND #time = :time', ExpressionAttributeValues: was };
			const names = { ExpressionAttributeNames: { '#note': 'note', '#time': 'time' } };
			const none = {
				ConditionExpression: '#size = :zero AND attribute_not_exists(#note)',
				ExpressionAttributeNames: { '#size': 'size', '#note': 'note' },
				ExpressionAttributeValues: { ':zero': { N: '0' } },
			};
			const command = new PutItemCommand({
				TableName: table,
				Item: {
					origin: { S: origin },
					// For whoever looks at the table.
					size: { N: String(size) },
					note: { S: next.note },
					time: { N: String(next.time) },
				},
				...(over === null ? none : { ...same, ...names }),
			});
			try {
				await client.send(command);
				return true;
			} catch (cause) {
				if (!(cause instanceof ConditionalCheckFailedException)) throw cause;
				const now = await read(origin);
				return now !== null && now.note === next.note && now.time === next.time;
			}
		},
	};
}

/** Null for the first item of a log. */
function keptIn({ size, note, time }: Record<string, AttributeValue>): Kept | null {
	if (note === undefined && time === undefined && size?.N === '0') return null;
	const kept = { note: note?.S ?? '', time: Number(time?.N) };
	seenIn(kept.note);
	if (!Number.isSafeInteger(kept.time)) throw new Error('what is kept cannot be read');
	return kept;
}
