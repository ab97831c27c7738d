/** The ledger's one write: PartiQL INSERT, and a role that may do nothing else (DynamoDB guide, ql-reference.insert, ql-iam). */
import {
	CreateTableCommand,
	DeleteItemCommand,
	DeleteTableCommand,
	type DynamoDBClient,
	ExecuteStatementCommand,
	GetItemCommand,
	PutItemCommand,
	UpdateItemCommand,
	waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { Assumption } from './stage.ts';
import { refusalOf } from './steps.ts';

const TableName = 'fl-live-ledger';
const Key = { pk: { S: 'one' } };
const NO_POLICIES = 'the embedded AWS knows no policies of IAM';

const statement = (client: DynamoDBClient, Statement: string, values: readonly string[]) =>
	client.send(new ExecuteStatementCommand({ Statement, Parameters: values.map((S) => ({ S })) }));
const insert = (client: DynamoDBClient, key: string, text: string) =>
	statement(client, `INSERT INTO "${TableName}" VALUE {'pk': ?, 'text': ?}`, [key, text]);

export const insertOnly: Assumption = {
	name: 'insert-only',
	question: 'Does a second INSERT of a key fail and change nothing, and can a role have that write and no other?',
	assumed: {
		duplicate: { name: 'DuplicateItemException', message: 'Duplicate primary key exists in table' },
		kept: 'first',
		roleInserts: 'taken',
		rolePuts: 'AccessDeniedException',
		roleUpdates: 'AccessDeniedException',
		roleDeletes: 'AccessDeniedException',
		roleUpdatesByStatement: 'AccessDeniedException',
	},
	liveOnly: {
		roleInserts: NO_POLICIES,
		rolePuts: NO_POLICIES,
		roleUpdates: NO_POLICIES,
		roleDeletes: NO_POLICIES,
		roleUpdatesByStatement: NO_POLICIES,
	},
	async observe({ dynamodb, inserter, patienceMs, undo }) {
		await dynamodb.send(
			new CreateTableCommand({
				TableName,
				BillingMode: 'PAY_PER_REQUEST',
				AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
				KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
			}),
		);
		undo(`table ${TableName}`, () => dynamodb.send(new DeleteTableCommand({ TableName })));
		const maxWaitTime = Math.max(30, patienceMs / 1000);
		await waitUntilTableExists({ client: dynamodb, minDelay: 1, maxWaitTime }, { TableName });
		await insert(dynamodb, 'one', 'first');
		const duplicate = await refusalOf(insert(dynamodb, 'one', 'second'));
		const { Item } = await dynamodb.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
		const shown = { duplicate, kept: Item?.['text']?.S ?? null };
		if (inserter === null) return { observed: shown };
		const named = async (call: Promise<unknown>) => (await refusalOf(call)).name || 'taken';
		const change = {
			UpdateExpression: 'SET #t = :t',
			ExpressionAttributeNames: { '#t': 'text' },
			ExpressionAttributeValues: { ':t': { S: 'changed' } },
		};
		return {
			observed: {
				...shown,
				roleInserts: await named(insert(inserter, 'two', 'second')),
				rolePuts: await named(inserter.send(new PutItemCommand({ TableName, Item: Key }))),
				roleUpdates: await named(inserter.send(new UpdateItemCommand({ TableName, Key, ...change }))),
				roleDeletes: await named(inserter.send(new DeleteItemCommand({ TableName, Key }))),
				roleUpdatesByStatement: await named(
					statement(inserter, `UPDATE "${TableName}" SET text = ? WHERE pk = ?`, ['changed', 'one']),
				),
			},
		};
	},
};
