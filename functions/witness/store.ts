/**
 * What a witness keeps, in a DynamoDB table: an item for each log, replaced by a conditional put. A lost answer may have
 * taken effect, and the client asks again by itself: what is found then decides.
 */
import {
	type AttributeValue,
	ConditionalCheckFailedException,
	type DynamoDBClient,
	GetItemCommand,
	PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { type Kept, seenIn } from '#witness/decide.ts';
import type { Store } from '#witness/witness.ts';

export function tableStore(client: DynamoDBClient, table: string): Store {
	const read = async (origin: string) => {
		const Key = { origin: { S: origin } };
		const { Item } = await client.send(new GetItemCommand({ TableName: table, Key, ConsistentRead: true }));
		return Item === undefined ? null : keptIn(Item);
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
				ConditionExpression: 'attribute_not_exists(#origin)',
				ExpressionAttributeNames: { '#origin': 'origin' },
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

function keptIn({ note, time }: Record<string, AttributeValue>): Kept {
	const kept = { note: note?.S ?? '', time: Number(time?.N) };
	seenIn(kept.note);
	if (!Number.isSafeInteger(kept.time)) throw new Error('what is kept cannot be read');
	return kept;
}
