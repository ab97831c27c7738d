import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DynamoDb, openDynamoDb } from '#local/aws/dynamodb.ts';
import { trackWork } from '#local/aws/underway.ts';
import type { Caller } from '#local/wire.ts';
import { BROKER, PLATFORM, REGION } from './harness.ts';

let dataDir: string;
beforeEach(() => {
	dataDir = mkdtempSync(path.join(tmpdir(), 'fairlead-closing-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

const caller: Caller = { account: PLATFORM, arn: BROKER, principal: BROKER, userId: 'A', longLived: true };

function call(database: DynamoDb, operation: string, input: object) {
	const headers = {
		'content-type': 'application/x-amz-json-1.0',
		'x-amz-date': '20260301T100000Z',
		authorization:
			'AWS4-HMAC-SHA256 Credential=A/20260301/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
	};
	return database.handle(caller, operation, { headers, body: JSON.stringify(input) });
}

test('DynamoDB closes after the requests that it had begun, all answered, and takes no new one', async () => {
	const database = openDynamoDb({ dataDir, region: REGION });
	const created = await call(database, 'CreateTable', {
		TableName: 'entries',
		BillingMode: 'PAY_PER_REQUEST',
		AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
		KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
	});
	expect(created.status).toBe(200);
	for (let status = ''; !status.includes('ACTIVE'); ) {
		status = (await call(database, 'DescribeTable', { TableName: 'entries' })).body;
	}
	// Writes of one key wait for each other, so that most of them have not reached the database yet.
	const begun = Array.from({ length: 200 }, (_, index) =>
		call(database, 'PutItem', { TableName: 'entries', Item: { pk: { S: 'one' }, n: { N: String(index) } } }),
	);
	const closed = database.close();
	await expect(call(database, 'ListTables', {})).rejects.toThrow('is closing');
	const replies = await Promise.all(begun);
	expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
	await closed;
});

test('closing does not wait for ever for work that never ends', async () => {
	const underway = trackWork();
	const endless = underway.run(() => new Promise<never>(() => {}));
	await underway.close(5);
	await expect(Promise.race([endless, Promise.resolve('not ended')])).resolves.toBe('not ended');
});
