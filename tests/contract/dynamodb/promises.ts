/** What Fairlead asks of DynamoDB, and what it is told: one suite for each of them (store.ts). */
import {
	type AttributeValue,
	CreateTableCommand,
	DeleteItemCommand,
	DeleteTableCommand,
	DescribeTableCommand,
	GetItemCommand,
	PutItemCommand,
	ScanCommand,
	TransactWriteItemsCommand,
	UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { PLATFORM, REGION, refusal } from '#tests/local/harness.ts';
import { expressionPromises } from './expressions.ts';
import { readingPromises } from './reading.ts';
import { DUPLICATE, get, insert, openStore, promise, promisesOf, S, send, type Under } from './store.ts';

const INSERT = `INSERT INTO "ledger" VALUE {'pk': ?, 'sk': ?, 'it''s': ?}`;

/** All of them, for one store. */
export function dynamodbPromises(under: Under): void {
	let close = async () => {};
	beforeAll(async () => {
		close = await openStore(under);
	});
	afterAll(() => close());
	promisesOf(under, () => {
		partiqlPromises();
		sizePromises();
		tablePromises();
		conditionPromises();
		expressionPromises();
		readingPromises();
	});
}

function partiqlPromises(): void {
	describe('PartiQL', () => {
		promise('reads nothing but an insert with a parameter for each attribute', async () => {
			const statements: [string, ...AttributeValue[]][] = [
				['SELECT * FROM "ledger"'],
				[`UPDATE "ledger" SET x = ? WHERE pk = 'a'`, S('1')],
				[`DELETE FROM "ledger" WHERE pk = ? AND sk = ?`, S('a'), S('1')],
				[`INSERT INTO "ledger" VALUE {'pk': 'a', 'sk': ?}`, S('1')],
				[`INSERT INTO ledger VALUE {'pk': ?, 'sk': ?}`, S('a'), S('1')],
			];
			for (const [statement, ...values] of statements) {
				expect((await refusal(insert(statement, ...values))).name).toBe('ValidationException');
			}
		});

		for (const [what, statement, ...values] of [
			['two statements', `INSERT INTO "ledger" VALUE {'pk': ?, 'sk': ?} ; DELETE FROM "ledger"`, S('a'), S('1')],
			['too few parameters', `INSERT INTO "ledger" VALUE {'pk': ?, 'sk': ?}`, S('a')],
			['an item without its sort key', `INSERT INTO "ledger" VALUE {'pk': ?}`, S('a')],
			['a key of another type', `INSERT INTO "ledger" VALUE {'pk': ?, 'sk': ?}`, S('a'), { N: '1' }],
			['an empty key', `INSERT INTO "ledger" VALUE {'pk': ?, 'sk': ?}`, S(''), S('1')],
		] as const satisfies readonly (readonly [string, string, ...AttributeValue[]])[]) {
			promise(`refuses ${what} and inserts nothing`, async () => {
				expect((await refusal(insert(statement, ...values))).name).toBe('ValidationException');
				expect(await get('ledger', 'a', '1')).toBeUndefined();
			});
		}

		promise('refuses a table that is not there', async () => {
			const refused = await refusal(insert(`INSERT INTO "nothing" VALUE {'pk': ?, 'sk': ?}`, S('a'), S('1')));
			expect(refused).toMatchObject({ name: 'ResourceNotFoundException', typed: 'ResourceNotFoundException' });
		});

		promise('inserts once: the second insert of a key fails and changes nothing', async () => {
			await insert(INSERT, S('once'), S('1'), S('first'));
			const refused = await refusal(insert(INSERT, S('once'), S('1'), S('second')));
			expect(refused.name).toMatch(DUPLICATE);
			expect(refused.message).toBe('Duplicate primary key exists in table');
			expect((await get('ledger', 'once', '1'))?.["it's"]).toEqual(S('first'));
			await insert(INSERT, S('once'), S('2'), S('another sort key is another item'));
		});

		promise('lets exactly one of many racing inserts win', async () => {
			const outcomes = await Promise.allSettled(
				Array.from({ length: 20 }, (_, i) => insert(INSERT, S('race'), S('1'), S(String(i)))),
			);
			expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
			const names = outcomes.flatMap((outcome) =>
				outcome.status === 'rejected' ? [(outcome.reason as Error).name] : [],
			);
			expect(names.filter((name) => name.match(DUPLICATE) === null)).toEqual([]);
		});

		promise('keeps bytes, flags and numbers as they were sent', async () => {
			const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
			const values = [S('kinds'), S('1'), { B: bytes }, { BOOL: false }, { N: '12345678901234567890' }];
			await insert(`INSERT INTO "ledger" VALUE {'pk': ?, 'sk': ?, 'b': ?, 'z': ?, 'n': ?}`, ...values);
			const item = await get('ledger', 'kinds', '1');
			expect(item?.['b']?.B).toEqual(bytes);
			expect([item?.['z'], item?.['n']]).toEqual([{ BOOL: false }, { N: '12345678901234567890' }]);
		});
	});
}

function sizePromises(): void {
	describe('the size of an item', () => {
		const LARGEST = 400 * 1024;
		// Names count too: pk, sk and b with their values of one byte, and the bytes.
		const overhead = 'pk'.length + 1 + 'sk'.length + 1 + 'b'.length;
		const large = (sk: string, size: number) =>
			insert(`INSERT INTO "payloads" VALUE {'pk': ?, 'sk': ?, 'b': ?}`, S('p'), S(sk), { B: new Uint8Array(size) });

		promise('is 400 KB at most, names included', async () => {
			await large('1', LARGEST - overhead);
			const refused = await refusal(large('2', LARGEST - overhead + 1));
			expect(refused.name).toBe('ValidationException');
			expect(refused.message).toContain('Item size has exceeded the maximum allowed size');
			expect(await get('payloads', 'p', '2')).toBeUndefined();
		});
	});
}

function tablePromises(): void {
	describe('tables', () => {
		const named = (TableName: string, more: object = {}) =>
			send(
				new CreateTableCommand({
					TableName,
					BillingMode: 'PAY_PER_REQUEST',
					AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
					KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
					...more,
				}),
			);

		for (const [what, more] of [
			['a stream', { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' } }],
			['deletion protection', { DeletionProtectionEnabled: true }],
			['encryption', { SSESpecification: { Enabled: true } }],
		] as const) {
			promise(`refuses to make a table with ${what}, which would have no effect`, async () => {
				expect((await refusal(named('refused', more))).name).toBe('ValidationException');
			});
		}

		promise('carries the account and the Region in its ARN', async () => {
			const { Table } = await send(new DescribeTableCommand({ TableName: 'ledger' }));
			expect(Table?.TableArn).toBe(`arn:aws:dynamodb:${REGION}:${PLATFORM}:table/ledger`);
		});

		promise('are active once they are made', async () => {
			const { Table } = await send(new DescribeTableCommand({ TableName: 'ledger' }));
			expect(Table?.TableStatus).toBe('ACTIVE');
		});

		promise('answer ResourceInUseException and ResourceNotFoundException', async () => {
			expect((await refusal(named('ledger'))).typed).toBe('ResourceInUseException');
			const missing = send(new DeleteTableCommand({ TableName: 'missing' }));
			expect((await refusal(missing)).typed).toBe('ResourceNotFoundException');
			for (const read of [
				() => send(new GetItemCommand({ TableName: 'missing', Key: { pk: S('a') } })),
				() => send(new PutItemCommand({ TableName: 'missing', Item: { pk: S('a') } })),
				() => send(new ScanCommand({ TableName: 'missing' })),
			]) {
				expect((await refusal(read())).typed).toBe('ResourceNotFoundException');
			}
		});
	});
}

function conditionPromises(): void {
	describe('conditions', () => {
		const lease = (me: string, now: number, until: number) =>
			send(
				new PutItemCommand({
					TableName: 'projections',
					Item: { pk: S('lease'), sk: S('-'), owner: S(me), until: { N: String(until) } },
					ConditionExpression: 'attribute_not_exists(pk) OR #until < :now OR #owner = :me',
					ExpressionAttributeNames: { '#until': 'until', '#owner': 'owner' },
					ExpressionAttributeValues: { ':me': S(me), ':now': { N: String(now) } },
				}),
			);

		promise('a lease is taken once, by its owner again, and by another when it has run out', async () => {
			await lease('a', 100, 200);
			await lease('a', 150, 250);
			const refused = await refusal(lease('b', 250, 350));
			expect(refused).toMatchObject({
				name: 'ConditionalCheckFailedException',
				typed: 'ConditionalCheckFailedException',
			});
			expect(refused.message).toBe('The conditional request failed');
			await lease('b', 251, 351);
			expect((await get('projections', 'lease', '-'))?.['owner']).toEqual(S('b'));
			const release = (me: string) =>
				send(
					new DeleteItemCommand({
						TableName: 'projections',
						Key: { pk: S('lease'), sk: S('-') },
						ConditionExpression: '#owner = :me',
						ExpressionAttributeNames: { '#owner': 'owner' },
						ExpressionAttributeValues: { ':me': S(me) },
					}),
				);
			expect((await refusal(release('a'))).typed).toBe('ConditionalCheckFailedException');
			await release('b');
			expect(await get('projections', 'lease', '-')).toBeUndefined();
		});

		promise('of many that take a lease at once exactly one has it', async () => {
			const outcomes = await Promise.allSettled(
				Array.from({ length: 15 }, (_, i) =>
					send(
						new PutItemCommand({
							TableName: 'projections',
							Item: { pk: S('raced'), sk: S('-'), owner: S(String(i)) },
							ConditionExpression: 'attribute_not_exists(pk)',
						}),
					),
				),
			);
			expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
		});

		promise('an update of what is not there is refused where it must be there', async () => {
			const update = send(
				new UpdateItemCommand({
					TableName: 'calls',
					Key: { pk: S('none') },
					UpdateExpression: 'SET #name = :value',
					ConditionExpression: '#attempt = :attempt',
					ExpressionAttributeNames: { '#name': 'answer', '#attempt': 'attempt' },
					ExpressionAttributeValues: { ':value': S('x'), ':attempt': S('y') },
				}),
			);
			expect((await refusal(update)).typed).toBe('ConditionalCheckFailedException');
		});

		promise('a counter counts each call once, however many come at once', async () => {
			const count = () =>
				send(
					new UpdateItemCommand({
						TableName: 'calls',
						Key: { pk: S('counter') },
						UpdateExpression: 'ADD #used :one SET #expires = :expires',
						ExpressionAttributeNames: { '#used': 'used', '#expires': 'expires' },
						ExpressionAttributeValues: { ':one': { N: '1' }, ':expires': { N: '9' } },
						ReturnValues: 'UPDATED_NEW',
					}),
				);
			const answers = await Promise.all(Array.from({ length: 10 }, count));
			const used = answers.map(({ Attributes }) => Number(Attributes?.['used']?.N)).toSorted((a, b) => a - b);
			expect(used).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
		});

		promise('refuses what would be ignored: the old item of a failed condition, and transactions', async () => {
			const Item = { pk: S('items'), sk: S('1') };
			const asked = new PutItemCommand({ TableName: 'ledger', Item, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' });
			expect((await refusal(send(asked))).message).toContain('ReturnValuesOnConditionCheckFailure');
			const transact = send(new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName: 'ledger', Item } }] }));
			expect((await refusal(transact)).name).toBe('UnknownOperationException');
		});
	});
}
