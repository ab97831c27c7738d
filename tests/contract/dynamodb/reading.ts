/** Reading: streams, listings, the index and the whole table, as the ledger and its projections read them. */
import { type AttributeValue, QueryCommand, type QueryCommandInput, ScanCommand } from '@aws-sdk/client-dynamodb';
import { beforeAll, describe, expect } from 'vitest';
import { refusal } from '#tests/local/harness.ts';
import { promise, put, S, send } from './store.ts';

export function readingPromises(): void {
	describe('reading', () => {
		const versions = Array.from({ length: 7 }, (_, i) => `V#${String(i + 1).padStart(10, '0')}`);
		beforeAll(async () => {
			for (const sk of versions) await put('ledger', { pk: S('stream'), sk: S(sk), u: S('U#1'), ut: S(`t${sk}`) });
		});
		const query = (more: Partial<QueryCommandInput>) =>
			send(
				new QueryCommand({
					TableName: 'ledger',
					ConsistentRead: true,
					KeyConditionExpression: 'pk = :pk AND sk >= :from',
					ExpressionAttributeValues: { ':pk': S('stream'), ':from': S('V#') },
					...more,
				}),
			);
		const sortKeys = (items: readonly Record<string, AttributeValue>[] = []) => items.map((item) => item['sk']?.S);

		promise('a stream comes in order, from a version on, backwards, page by page', async () => {
			expect(sortKeys((await query({})).Items)).toEqual(versions);
			const values = { ':pk': S('stream'), ':from': S(versions[4] ?? '') };
			expect(sortKeys((await query({ ExpressionAttributeValues: values })).Items)).toEqual(versions.slice(4));
			expect(sortKeys((await query({ ScanIndexForward: false, Limit: 1 })).Items)).toEqual(versions.slice(-1));
			const pages: (string | undefined)[][] = [];
			let start: Record<string, AttributeValue> | undefined;
			do {
				const page = await query({ Limit: 3, ...(start === undefined ? {} : { ExclusiveStartKey: start }) });
				pages.push(sortKeys(page.Items));
				start = page.LastEvaluatedKey;
			} while (start !== undefined);
			expect(pages).toEqual([versions.slice(0, 3), versions.slice(3, 6), versions.slice(6)]);
		});

		promise('no key is compared with an empty text, in the table or in an index', async () => {
			const values = { ':pk': S('stream'), ':from': S('') };
			expect((await refusal(query({ ExpressionAttributeValues: values }))).name).toBe('ValidationException');
			const index = {
				IndexName: 'unsealed',
				ConsistentRead: false,
				KeyConditionExpression: 'u = :u AND ut > :from',
				ExpressionAttributeValues: { ':u': S('U#1'), ':from': S('') },
			};
			expect((await refusal(query(index))).name).toBe('ValidationException');
		});

		promise('a page ends at 1 MB, and the next goes on there', async () => {
			const pad = { B: new Uint8Array(300 * 1024) };
			for (const sk of ['1', '2', '3', '4', '5']) await put('payloads', { pk: S('wide'), sk: S(sk), pad });
			const seen: (string | undefined)[] = [];
			let start: Record<string, AttributeValue> | undefined;
			let pages = 0;
			do {
				const page = await send(
					new QueryCommand({
						TableName: 'payloads',
						ConsistentRead: true,
						KeyConditionExpression: 'pk = :pk',
						ExpressionAttributeValues: { ':pk': S('wide') },
						...(start === undefined ? {} : { ExclusiveStartKey: start }),
					}),
				);
				seen.push(...sortKeys(page.Items));
				start = page.LastEvaluatedKey;
				pages += 1;
			} while (start !== undefined);
			expect(seen).toEqual(['1', '2', '3', '4', '5']);
			expect(pages).toBeGreaterThan(1);
		});

		promise('a key that was never read from goes on where it would stand', async () => {
			const listing = ['a', 'c', 'e'];
			for (const sk of listing) await put('projections', { pk: S('listing'), sk: S(sk) });
			const after = (sk: string, ScanIndexForward: boolean) =>
				send(
					new QueryCommand({
						TableName: 'projections',
						ConsistentRead: true,
						KeyConditionExpression: 'pk = :pk AND sk <= :to',
						ExpressionAttributeValues: { ':pk': S('listing'), ':to': S('d~') },
						ScanIndexForward,
						Limit: 5,
						ExclusiveStartKey: { pk: S('listing'), sk: S(sk) },
					}),
				);
			expect(sortKeys((await after('b', true)).Items)).toEqual(['c']);
			expect(sortKeys((await after('c', false)).Items)).toEqual(['a']);
		});

		promise(
			'an index reads eventually alone, holds only what has its keys, and shows what it was made for',
			async () => {
				await put('ledger', { pk: S('sealed'), sk: S('1') });
				const unsealed = (more: Partial<QueryCommandInput>) =>
					send(
						new QueryCommand({
							TableName: 'ledger',
							IndexName: 'unsealed',
							KeyConditionExpression: 'u = :u AND ut > :after',
							ExpressionAttributeValues: { ':u': S('U#1'), ':after': S(`t${versions[1]}`) },
							...more,
						}),
					);
				expect((await refusal(unsealed({ ConsistentRead: true }))).name).toBe('ValidationException');
				const found = await unsealed({ Limit: 3 });
				expect(sortKeys(found.Items)).toEqual(versions.slice(2, 5));
				expect(Object.keys(found.Items?.[0] ?? {}).toSorted()).toEqual(['pk', 'sk', 'u', 'ut']);
				expect(Object.keys(found.LastEvaluatedKey ?? {}).toSorted()).toEqual(['pk', 'sk', 'u', 'ut']);
			},
		);

		promise('a scan gives each stream in one piece and in order', async () => {
			for (const pk of ['x', 'y']) for (const sk of ['1', '2', '3']) await put('ledger', { pk: S(pk), sk: S(sk) });
			const seen: string[] = [];
			let start: Record<string, AttributeValue> | undefined;
			do {
				const page = await send(
					new ScanCommand({
						TableName: 'ledger',
						ConsistentRead: true,
						Limit: 4,
						...(start === undefined ? {} : { ExclusiveStartKey: start }),
					}),
				);
				seen.push(...(page.Items ?? []).map((item) => `${item['pk']?.S} ${item['sk']?.S}`));
				start = page.LastEvaluatedKey;
			} while (start !== undefined);
			const streams = seen.map((item) => item.split(' ')[0]).filter((pk, i, all) => pk !== all[i - 1]);
			expect(new Set(streams).size).toBe(streams.length);
			expect(seen.filter((item) => item.startsWith('x'))).toEqual(['x 1', 'x 2', 'x 3']);
			expect(seen).toContain('y 3');
		});
	});
}
