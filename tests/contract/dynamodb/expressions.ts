/** Requests that are refused as a whole: expressions that cannot be read or do not fit, keys that cannot be. */
import {
	type AttributeValue,
	BatchGetItemCommand,
	DeleteItemCommand,
	GetItemCommand,
	QueryCommand,
	UpdateItemCommand,
	type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect } from 'vitest';
import { refusal } from '#tests/local/harness.ts';
import { get, insert, promise, put, S, send } from './store.ts';

const Key = { pk: S('expressed'), sk: S('1') };

const update = (more: Partial<UpdateItemCommandInput>) =>
	send(new UpdateItemCommand({ TableName: 'ledger', Key, UpdateExpression: 'SET a = :a', ...more }));

const A = { ':a': S('1') };

export function expressionPromises(): void {
	describe('what is refused as a whole', () => {
		beforeAll(() => put('ledger', { ...Key, a: S('0'), n: { N: '1' } }));

		for (const [what, input] of [
			['a condition that ends too soon', { ConditionExpression: 'a =', ExpressionAttributeValues: A }],
			['a condition without an operator', { ConditionExpression: 'a a', ExpressionAttributeValues: A }],
			['a condition with a bracket too many', { ConditionExpression: 'a = :a)', ExpressionAttributeValues: A }],
			['a function that is none', { ConditionExpression: 'is_there(a)', ExpressionAttributeValues: A }],
			['a value that is not given', { ConditionExpression: 'a = :b', ExpressionAttributeValues: A }],
			['a name that is not given', { ConditionExpression: '#b = :a', ExpressionAttributeValues: A }],
			['a value that nothing names', { ExpressionAttributeValues: { ...A, ':b': S('2') } }],
			['a name that nothing names', { ExpressionAttributeValues: A, ExpressionAttributeNames: { '#b': 'b' } }],
			['an update without a clause', { UpdateExpression: 'a = :a', ExpressionAttributeValues: A }],
			['an update without a value', { UpdateExpression: 'SET a', ExpressionAttributeValues: A }],
			['an update of a key', { UpdateExpression: 'SET sk = :a', ExpressionAttributeValues: A }],
			['adding a text', { UpdateExpression: 'ADD n :a', ExpressionAttributeValues: A }],
			['adding to a text', { UpdateExpression: 'ADD a :n', ExpressionAttributeValues: { ':n': { N: '1' } } }],
			[
				'a key of the index that is no text',
				{ UpdateExpression: 'SET u = :n', ExpressionAttributeValues: { ':n': { N: '1' } } },
			],
		] as const satisfies readonly (readonly [string, Partial<UpdateItemCommandInput>])[]) {
			promise(`an update with ${what} changes nothing`, async () => {
				expect((await refusal(update(input))).name).toBe('ValidationException');
				expect(await get('ledger', 'expressed', '1')).toEqual({ ...Key, a: S('0'), n: { N: '1' } });
			});
		}

		promise('an update that makes an item too large changes nothing', async () => {
			const more = {
				UpdateExpression: 'SET b = :b',
				ExpressionAttributeValues: { ':b': { B: new Uint8Array(400 * 1024) } },
			};
			expect((await refusal(update(more))).name).toBe('ValidationException');
			expect((await get('ledger', 'expressed', '1'))?.['b']).toBeUndefined();
		});

		promise('a key has at most 2,048 bytes, and within a partition 1,024', async () => {
			const statement = `INSERT INTO "ledger" VALUE {'pk': ?, 'sk': ?}`;
			await insert(statement, S('p'.repeat(2048)), S('s'.repeat(1024)));
			expect(await get('ledger', 'p'.repeat(2048), 's'.repeat(1024))).toBeDefined();
			for (const [pk, sk] of [
				['p'.repeat(2049), 's'],
				['p', 's'.repeat(1025)],
			] as const) {
				expect((await refusal(insert(statement, S(pk), S(sk)))).name).toBe('ValidationException');
				expect((await refusal(put('ledger', { pk: S(pk), sk: S(sk) }))).name).toBe('ValidationException');
			}
		});

		promise('a read or a removal takes a whole key and nothing else', async () => {
			const wrong: Record<string, AttributeValue>[] = [
				{ pk: S('a') },
				{ ...Key, a: S('0') },
				{ pk: S('a'), sk: { N: '1' } },
			];
			for (const one of wrong) {
				const read = refusal(send(new GetItemCommand({ TableName: 'ledger', Key: one })));
				const removal = refusal(send(new DeleteItemCommand({ TableName: 'ledger', Key: one })));
				for (const { name } of await Promise.all([read, removal])) expect(name).toBe('ValidationException');
			}
		});

		promise('many are read at once, 100 at most and none twice', async () => {
			const read = (Keys: Record<string, AttributeValue>[]) =>
				send(new BatchGetItemCommand({ RequestItems: { ledger: { Keys, ConsistentRead: true } } }));
			const keys = Array.from({ length: 101 }, (_, i) => ({ pk: S('expressed'), sk: S(String(i)) }));
			const found = await read(keys.slice(0, 100));
			expect(found.Responses?.['ledger']?.map((item) => item['sk'])).toEqual([S('1')]);
			expect(found.UnprocessedKeys).toEqual({});
			for (const wrong of [keys, [Key, Key], []]) expect((await refusal(read(wrong))).name).toBe('ValidationException');
		});

		promise('a query names one partition, and of its other key at most one range', async () => {
			const values = { ':a': S('a'), ':b': S('b') };
			const [a, b] = [{ ':a': values[':a'] }, values];
			for (const [condition, given] of [
				['sk = :a', a],
				['pk > :a', a],
				['pk = :a OR sk = :b', b],
				['pk = :a AND sk <> :b', b],
				['pk = :a AND a = :b', b],
				['pk = :a AND sk > :a AND sk < :b', b],
				['pk = :a AND sk', a],
			] as const) {
				const KeyConditionExpression = condition;
				const asked = { TableName: 'ledger', KeyConditionExpression, ExpressionAttributeValues: given };
				expect((await refusal(send(new QueryCommand(asked)))).name, condition).toBe('ValidationException');
			}
		});

		promise('of a projection come the attributes that it names, of those that are there', async () => {
			const asked = { TableName: 'ledger', Key, ProjectionExpression: 'sk, n, nothing', ConsistentRead: true };
			expect((await send(new GetItemCommand(asked))).Item).toEqual({ sk: S('1'), n: { N: '1' } });
		});

		promise('what was removed is answered where that is asked for', async () => {
			await put('ledger', { pk: S('removed'), sk: S('1'), a: S('0') });
			const remove = () =>
				send(
					new DeleteItemCommand({
						TableName: 'ledger',
						Key: { pk: S('removed'), sk: S('1') },
						ReturnValues: 'ALL_OLD',
					}),
				);
			expect((await remove()).Attributes?.['a']).toEqual(S('0'));
			expect((await remove()).Attributes).toBeUndefined();
		});
	});
}
