import {
	CreateTableCommand,
	DeleteTableCommand,
	DescribeTableCommand,
	ExecuteStatementCommand,
	GetItemCommand,
	PutItemCommand,
	QueryCommand,
	TransactWriteItemsCommand,
	UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Lake, openLake, PLATFORM, REGION, refusal } from '#tests/local/harness.ts';

let lake: Lake;
beforeAll(async () => {
	lake = await openLake();
	await lake.dynamodb.send(
		new CreateTableCommand({
			TableName: 'entries',
			BillingMode: 'PAY_PER_REQUEST',
			AttributeDefinitions: ['stream', 'seq', 'day'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
			KeySchema: [
				{ AttributeName: 'stream', KeyType: 'HASH' },
				{ AttributeName: 'seq', KeyType: 'RANGE' },
			],
			GlobalSecondaryIndexes: [
				{
					IndexName: 'by-day',
					KeySchema: [{ AttributeName: 'day', KeyType: 'HASH' }],
					Projection: { ProjectionType: 'ALL' },
				},
			],
		}),
	);
});
afterAll(async () => {
	await lake.close();
});

const insert = (statement: string, ...values: string[]) =>
	lake.dynamodb.send(new ExecuteStatementCommand({ Statement: statement, Parameters: values.map((S) => ({ S })) }));
const INSERT = `INSERT INTO "entries" VALUE {'stream': ?, 'seq': ?, 'it''s': ?}`;

describe('PartiQL', () => {
	test.each([
		['SELECT * FROM "entries"', []],
		[`UPDATE "entries" SET x = ? WHERE stream = 'a'`, ['1']],
		[`DELETE FROM "entries" WHERE stream = ? AND seq = ?`, ['a', '1']],
		[`INSERT INTO "entries" VALUE {'stream': 'a', 'seq': ?}`, ['1']],
		[`INSERT INTO "entries" VALUE {'stream': ?, 'seq': ?} ; DELETE FROM "entries"`, ['a', '1']],
		[`INSERT INTO "entries" VALUE {'stream': ?, 'seq': ?}`, ['a']],
		[`INSERT INTO "entries" VALUE {'stream': ?, 'stream': ?}`, ['a', 'b']],
		[`INSERT INTO entries VALUE {'stream': ?, 'seq': ?}`, ['a', '1']],
		[`INSERT INTO "entries" VALUE {'stream': ?}`, ['a']],
	])('refuses %s', async (statement, values) => {
		expect(await refusal(insert(statement, ...values))).toMatchObject({ name: 'ValidationException' });
	});

	test('refuses a table that is not there', async () => {
		const refused = await refusal(insert(`INSERT INTO "nothing" VALUE {'stream': ?, 'seq': ?}`, 'a', '1'));
		expect(refused).toMatchObject({ name: 'ResourceNotFoundException', typed: 'ResourceNotFoundException' });
	});

	test('inserts once: the second insert of a key fails and changes nothing', async () => {
		await insert(INSERT, 'once', '1', 'first');
		expect(await refusal(insert(INSERT, 'once', '1', 'second'))).toEqual({
			name: 'DuplicateItemException',
			typed: 'DuplicateItemException',
			message: 'Duplicate primary key exists in table',
		});
		const found = await lake.dynamodb.send(
			new GetItemCommand({
				TableName: 'entries',
				Key: { stream: { S: 'once' }, seq: { S: '1' } },
				ConsistentRead: true,
			}),
		);
		expect(found.Item?.["it's"]).toEqual({ S: 'first' });
		await insert(INSERT, 'once', '2', 'another sort key is another item');
	});

	test('lets exactly one of many racing inserts win', async () => {
		const outcomes = await Promise.allSettled(
			Array.from({ length: 20 }, (_, i) => insert(INSERT, 'race', '1', String(i))),
		);
		expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
		const names = outcomes.flatMap((outcome) =>
			outcome.status === 'rejected' ? [(outcome.reason as Error).name] : [],
		);
		expect(new Set(names)).toEqual(new Set(['DuplicateItemException']));
	});
});

describe('tables', () => {
	test.each([
		['a stream', { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' as const } }],
		['deletion protection', { DeletionProtectionEnabled: true }],
		['encryption', { SSESpecification: { Enabled: true } }],
	])('refuses to make a table with %s, which would have no effect', async (_name, more) => {
		const refused = await refusal(
			lake.dynamodb.send(
				new CreateTableCommand({
					TableName: 'refused',
					BillingMode: 'PAY_PER_REQUEST',
					AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
					KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
					...more,
				}),
			),
		);
		expect(refused.name).toBe('ValidationException');
	});

	test('carry the account and the Region in their ARN', async () => {
		const { Table } = await lake.dynamodb.send(new DescribeTableCommand({ TableName: 'entries' }));
		expect(Table?.TableArn).toBe(`arn:aws:dynamodb:${REGION}:${PLATFORM}:table/entries`);
		expect(Table?.TableStatus).toBe('ACTIVE');
	});

	test('answer ResourceInUseException and ResourceNotFoundException', async () => {
		const again = lake.dynamodb.send(
			new CreateTableCommand({
				TableName: 'entries',
				BillingMode: 'PAY_PER_REQUEST',
				AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
				KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
			}),
		);
		expect((await refusal(again)).typed).toBe('ResourceInUseException');
		const missing = lake.dynamodb.send(new DeleteTableCommand({ TableName: 'missing' }));
		expect((await refusal(missing)).typed).toBe('ResourceNotFoundException');
	});
});

describe('items', () => {
	const key = { stream: { S: 'items' }, seq: { S: '1' } };

	test('refuses ReturnValuesOnConditionCheckFailure and transactions, which would be ignored', async () => {
		const put = lake.dynamodb.send(
			new PutItemCommand({ TableName: 'entries', Item: key, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
		);
		expect((await refusal(put)).message).toContain('ReturnValuesOnConditionCheckFailure');
		const transact = lake.dynamodb.send(
			new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName: 'entries', Item: key } }] }),
		);
		expect((await refusal(transact)).name).toBe('UnknownOperationException');
	});

	test('answers ConditionalCheckFailedException when a condition does not hold', async () => {
		const update = lake.dynamodb.send(
			new UpdateItemCommand({
				TableName: 'entries',
				Key: key,
				UpdateExpression: 'SET x = :x',
				ConditionExpression: 'attribute_exists(#stream)',
				ExpressionAttributeNames: { '#stream': 'stream' },
				ExpressionAttributeValues: { ':x': { S: 'x' } },
			}),
		);
		expect((await refusal(update)).typed).toBe('ConditionalCheckFailedException');
	});

	test('refuses a consistent read of an index, and reads it otherwise', async () => {
		await lake.dynamodb.send(new PutItemCommand({ TableName: 'entries', Item: { ...key, day: { S: 'monday' } } }));
		const query = (ConsistentRead: boolean) =>
			lake.dynamodb.send(
				new QueryCommand({
					TableName: 'entries',
					IndexName: 'by-day',
					KeyConditionExpression: '#day = :day',
					ExpressionAttributeNames: { '#day': 'day' },
					ExpressionAttributeValues: { ':day': { S: 'monday' } },
					ConsistentRead,
				}),
			);
		expect((await refusal(query(true))).name).toBe('ValidationException');
		expect((await query(false)).Count).toBe(1);
	});
});
