/** Fairlead's four tables, made in the embedded DynamoDB as the deployed stack makes them. Existing ones are kept. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateTableCommand, type CreateTableCommandInput, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import type { Tables } from '#core/context.ts';
import { errorName } from '#core/error.ts';
import { UNSEALED_INDEX } from '#core/ledger.ts';

const keys = { pk: 'HASH', sk: 'RANGE' } as const;

function table(name: string): CreateTableCommandInput {
	return {
		TableName: name,
		BillingMode: 'PAY_PER_REQUEST',
		AttributeDefinitions: Object.keys(keys).map((k) => ({ AttributeName: k, AttributeType: 'S' })),
		KeySchema: Object.entries(keys).map(([k, type]) => ({ AttributeName: k, KeyType: type })),
	};
}

function ledgerTable(name: string): CreateTableCommandInput {
	const base = table(name);
	return {
		...base,
		AttributeDefinitions: [
			...(base.AttributeDefinitions ?? []),
			{ AttributeName: 'u', AttributeType: 'S' },
			{ AttributeName: 'ut', AttributeType: 'S' },
		],
		GlobalSecondaryIndexes: [
			{
				IndexName: UNSEALED_INDEX,
				KeySchema: [
					{ AttributeName: 'u', KeyType: 'HASH' },
					{ AttributeName: 'ut', KeyType: 'RANGE' },
				],
				Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['h'] },
			},
		],
	};
}

/** Where deployed, its `expires` is the attribute for time to live; here items stay, and readers compare it anyway. */
function callsTable(name: string): CreateTableCommandInput {
	return {
		TableName: name,
		BillingMode: 'PAY_PER_REQUEST',
		AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
		KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
	};
}

/** What each table is made of. */
export function inputsOf(tables: Tables): readonly CreateTableCommandInput[] {
	return [ledgerTable(tables.ledger), table(tables.payloads), table(tables.projections), callsTable(tables.calls)];
}

export async function createTables(client: DynamoDBClient, tables: Tables): Promise<void> {
	const inputs = inputsOf(tables);
	for (const input of inputs) {
		try {
			await client.send(new CreateTableCommand(input));
		} catch (error) {
			if (errorName(error) !== 'ResourceInUseException') throw error;
		}
	}
	// A table that is being made is not there yet.
	const waiting = { client, minDelay: 1, maxDelay: 1, maxWaitTime: 30 };
	await Promise.all(inputs.map(({ TableName }) => waitUntilTableExists(waiting, { TableName })));
}
