/**
 * The DynamoDB under test: the embedded one, or any other that FAIRLEAD_DYNAMODB_ENDPOINT names (DynamoDB Local, in CI);
 * or the one in memory that the log's tests and benchmarks run on, which has no exceptions.
 * What another one answers otherwise is listed here with the reason, and skipped there.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
	type AttributeValue,
	DynamoDBClient,
	ExecuteStatementCommand,
	GetItemCommand,
	PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { test } from 'vitest';
import { createTables } from '#local/tables.ts';
import { openLake, REGION } from '#tests/local/harness.ts';
import { memoryStore } from '#tests/tlog/memory.ts';

const endpoint = process.env['FAIRLEAD_DYNAMODB_ENDPOINT'];

/** Promises that another DynamoDB does not keep, by the start of their titles. */
export const OTHERWISE: Readonly<Record<string, string>> = {
	'reads nothing but an insert': 'DynamoDB reads all of PartiQL; the embedded one takes what the ledger writes',
	'refuses to make a table with': 'DynamoDB has these; the embedded one refuses what would have no effect',
	'refuses what would be ignored': 'DynamoDB has these; the embedded one refuses what would have no effect',
	'an update with a key of the index that is no text': 'DynamoDB refuses it; DynamoDB Local leaves it out of the index',
	'carries the account and the Region in its ARN': 'DynamoDB Local answers ddblocal and 000000000000',
};

/** What a key that is there already is called: DynamoDB Local leaves the last word out, against its own service model. */
export const DUPLICATE = endpoint === undefined ? 'DuplicateItemException' : /^DuplicateItem(Exception)?$/;

/** Exceptions that a promise was found for. */
export const told = new Set<string>();

/** Whether those that come next are of the store that may be another one. */
let excepting = true;

/** The promises of one suite, for one store. */
export function promisesOf(under: Under, suite: () => void): void {
	excepting = under !== 'the one in memory';
	suite();
}

export function promise(title: string, keep: () => Promise<void>): void {
	const exception = Object.keys(OTHERWISE).find((start) => title.startsWith(start));
	if (exception !== undefined) told.add(exception);
	const reason = exception === undefined ? undefined : OTHERWISE[exception];
	if (!excepting || endpoint === undefined || reason === undefined) test(title, keep);
	else test.skip(`${title} (not there: ${reason})`, keep);
}

const tables = { ledger: 'ledger', payloads: 'payloads', projections: 'projections', calls: 'calls' };
let client: DynamoDBClient;

export type Under = 'the embedded one, or the one that is named' | 'the one in memory';

/** Makes Fairlead's tables; returns what closes it all. */
export async function openStore(under: Under): Promise<() => Promise<void>> {
	let close = async () => {};
	if (under === 'the one in memory') {
		({ client } = memoryStore());
	} else if (endpoint === undefined) {
		const lake = await openLake();
		client = lake.dynamodb;
		close = () => lake.close();
	} else {
		// DynamoDB Local keeps apart what different keys make: each run has tables of its own.
		const secretAccessKey = createHash('sha256').update(randomBytes(16)).digest('hex');
		const credentials = { accessKeyId: secretAccessKey.slice(0, 20), secretAccessKey };
		client = new DynamoDBClient({ region: REGION, endpoint, credentials, maxAttempts: 1 });
	}
	await createTables(client, tables);
	return close;
}

export const send: DynamoDBClient['send'] = ((command: Parameters<DynamoDBClient['send']>[0]) =>
	client.send(command)) as DynamoDBClient['send'];

export const S = (text: string): AttributeValue => ({ S: text });

export const insert = (statement: string, ...values: AttributeValue[]) =>
	send(new ExecuteStatementCommand({ Statement: statement, Parameters: values }));

export const put = (TableName: string, Item: Record<string, AttributeValue>) =>
	send(new PutItemCommand({ TableName, Item }));

export const get = async (TableName: string, pk: string, sk: string) =>
	(await send(new GetItemCommand({ TableName, Key: { pk: S(pk), sk: S(sk) }, ConsistentRead: true }))).Item;
