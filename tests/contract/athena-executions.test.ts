/** Texts, codes and their order as measured on Athena: aws-facts section 3, "API details", and section 0. */
import { randomUUID } from 'node:crypto';
import {
	type AthenaClient,
	BatchGetQueryExecutionCommand,
	GetQueryResultsCommand,
	GetQueryRuntimeStatisticsCommand,
	type StartQueryExecutionInput,
	StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endless, grant, startQuery, tableNamed } from '#tests/local/calls.ts';
import { ended, GRANTOR, type Lake, openLake, RISK_ROLE, rowsOf, runQuery } from '#tests/local/harness.ts';

let lake: Lake;
let athena: AthenaClient;
beforeAll(async () => {
	lake = await openLake();
	athena = await lake.athena(RISK_ROLE);
	await grant(await lake.lakeformation(GRANTOR), tableNamed('payments'));
});
afterAll(() => lake.close());

const start = (input: Partial<StartQueryExecutionInput>) =>
	startQuery(athena, { QueryString: 'SELECT 1 AS one', ...input });
const results = (QueryExecutionId: string | undefined, more = {}) =>
	athena.send(new GetQueryResultsCommand({ QueryExecutionId, ...more }));
const stop = (QueryExecutionId: string | undefined) => athena.send(new StopQueryExecutionCommand({ QueryExecutionId }));
/** What a call is refused with: Athena's code and its text. */
async function told(call: Promise<unknown>): Promise<[string, string]> {
	const error: unknown = await call.then(
		() => undefined,
		(caught: unknown) => caught,
	);
	expect(error).toMatchObject({ name: 'InvalidRequestException' });
	const { AthenaErrorCode, message } = error as { AthenaErrorCode: string; message: string };
	return [AthenaErrorCode, message];
}
const constraint = (member: string, rule: string) =>
	`1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must have ${rule}`;
const SHORT = constraint('clientRequestToken', 'length greater than or equal to 32');

describe('a start is refused in this order', () => {
	const location = { ResultConfiguration: { OutputLocation: 'here' } };
	test.each<[string, Partial<StartQueryExecutionInput>, [string, string | RegExp]]>([
		[
			'a text that is empty',
			{ QueryString: '' },
			['INVALID_INPUT', constraint('queryString', 'length greater than or equal to 1')],
		],
		[
			'a token that is too short',
			{ ClientRequestToken: 'x', QueryString: 'SELEC', ...location },
			['INVALID_INPUT', SHORT],
		],
		['one of too few characters', { ClientRequestToken: 'あ'.repeat(20) }, ['INVALID_INPUT', SHORT]],
		[
			'one that is too long',
			{ ClientRequestToken: 'x'.repeat(129) },
			['INVALID_INPUT', constraint('clientRequestToken', 'length less than or equal to 128')],
		],
		[
			'one of too many bytes',
			{ ClientRequestToken: 'あ'.repeat(50) },
			['INVALID_INPUT', 'clientRequestToken exceeds maximum allowed length 128'],
		],
		['a location', { QueryString: 'SELEC', ...location }, ['INVALID_INPUT', 'outputLocation is not a valid S3 path.']],
		['a location without a bucket', { ResultConfiguration: { OutputLocation: 's3://' } }, ['INVALID_INPUT', /S3 path/]],
		['a work group', { WorkGroup: 'nosuch' }, ['INVALID_INPUT', 'WorkGroup is not found.']],
		['the syntax', { QueryString: 'SELEC' }, ['MALFORMED_QUERY', /^line 1:1: /]],
	])('%s', async (_name, input, [code, text]) => {
		const [gotCode, gotText] = await told(start(input));
		expect(gotCode).toBe(code);
		expect(gotText).toMatch(text);
	});

	test('the location and the syntax also under a token that is taken', async () => {
		const ClientRequestToken = randomUUID();
		await start({ ClientRequestToken });
		expect((await told(start({ ClientRequestToken, ...location })))[0]).toBe('INVALID_INPUT');
		expect((await told(start({ ClientRequestToken, QueryString: 'SELEC' })))[0]).toBe('MALFORMED_QUERY');
	});
});

describe('a token that is taken', () => {
	const context = { Database: 'lending', Catalog: 'AwsDataCatalog' };
	const given = (ClientRequestToken: string, more: Partial<StartQueryExecutionInput> = {}) =>
		start({ ClientRequestToken, QueryExecutionContext: context, ...more });

	test.each<[string, Partial<StartQueryExecutionInput>]>([
		['text', { QueryString: 'SELECT 2 AS one' }],
		['catalog, by its case alone', { QueryExecutionContext: { ...context, Catalog: 'AWSDATACATALOG' } }],
		['database', { QueryExecutionContext: { Catalog: 'AwsDataCatalog' } }],
	])('does not stand for another %s', async (_name, changed) => {
		const token = randomUUID();
		await given(token);
		expect(await told(given(token, changed))).toEqual([
			'IDEMPOTENT_PARAMETER_MISMATCH',
			'Idempotent parameters do not match',
		]);
	});

	test('does not stand for another location, unless the work group overrides it', async () => {
		const at = (OutputLocation: string) => ({ ResultConfiguration: { OutputLocation } });
		const free = randomUUID();
		await start({ ClientRequestToken: free, WorkGroup: 'primary', ...at('s3://a/') });
		const other = start({ ClientRequestToken: free, WorkGroup: 'primary', ...at('s3://b/') });
		expect((await told(other))[0]).toBe('IDEMPOTENT_PARAMETER_MISMATCH');
		const bound = randomUUID();
		const first = await start({ ClientRequestToken: bound });
		expect(await start({ ClientRequestToken: bound, ...at('s3://a/') })).toMatchObject({
			QueryExecutionId: first.QueryExecutionId,
		});
	});

	test.each([
		['has failed', 'SELECT nosuch FROM lending.payments', false],
		['was cancelled', endless('lending.payments'), true],
	])('gives the execution that %s', async (_name, QueryString, stopIt) => {
		const ClientRequestToken = randomUUID();
		const { QueryExecutionId } = await start({ ClientRequestToken, QueryString });
		if (stopIt) await stop(QueryExecutionId);
		await ended(athena, QueryExecutionId);
		expect((await start({ ClientRequestToken, QueryString })).QueryExecutionId).toBe(QueryExecutionId);
	});
});

describe('a statement that is no query ends as FAILED and runs nowhere', () => {
	test.each<[string, string, string | undefined]>([
		['SHOW TABLES IN lending', 'UTILITY', 'SHOW_TABLES'],
		['DESCRIBE lending.payments', 'UTILITY', 'DESCRIBE_TABLE'],
		['EXPLAIN SELECT * FROM lending.payments', 'DML', 'EXPLAIN'],
		['EXPLAIN ANALYZE SELECT * FROM lending.payments', 'DML', 'EXPLAIN'],
		['CREATE TABLE lending.copy AS SELECT * FROM lending.payments', 'DDL', 'CREATE_TABLE_AS_SELECT'],
		[
			"/* c */ CREATE -- d\n TABLE lending.copy WITH (format = 'ORC') AS SELECT 1 AS one",
			'DDL',
			'CREATE_TABLE_AS_SELECT',
		],
		["CREATE EXTERNAL TABLE t (a int) LOCATION 's3://b/'", 'DDL', undefined],
		['INSERT INTO lending.payments SELECT * FROM lending.payments', 'DML', 'INSERT'],
		["UNLOAD (SELECT * FROM lending.payments) TO 's3://b/' WITH (format = 'PARQUET')", 'DML', 'UNLOAD'],
		['DROP TABLE lending.payments', 'DDL', undefined],
		['MSCK REPAIR TABLE lending.payments', 'DDL', undefined],
		['DELETE FROM lending.payments', 'DML', 'DELETE'],
		['PREPARE p FROM SELECT 1', 'DDL', undefined],
	])('%s', async (sql, type, subtype) => {
		const execution = await runQuery(athena, sql);
		expect(execution.Status).toMatchObject({
			State: 'FAILED',
			StateChangeReason: expect.stringMatching(/^NOT_SUPPORTED: /) as string,
			AthenaError: { ErrorCategory: 2, ErrorType: 1200, Retryable: false },
		});
		expect([execution.StatementType, execution.SubstatementType]).toEqual([type, subtype]);
		expect(execution.Statistics?.DataScannedInBytes).toBe(0);
	});
});

describe('results are refused in this order', () => {
	test('form, execution, page size, state, token', async () => {
		const unknown = randomUUID();
		const failed = (await runQuery(athena, 'SELECT nosuch FROM lending.payments')).QueryExecutionId;
		const done = (await runQuery(athena, 'SELECT 1 AS one')).QueryExecutionId;
		const bad = 'nonsense';
		expect(await told(results(unknown, { MaxResults: 0 }))).toEqual([
			'INVALID_INPUT',
			constraint('maxResults', 'value greater than or equal to 1'),
		]);
		expect(await told(results(unknown, { MaxResults: 1001 }))).toEqual([
			'QUERY_EXECUTION_NOT_FOUND',
			`QueryExecution ${unknown} was not found`,
		]);
		expect(await told(results(failed, { MaxResults: 1001, NextToken: bad }))).toEqual([
			'INVALID_INPUT',
			'MaxResults is more than maximum allowed length 1000',
		]);
		expect(await told(results(failed, { NextToken: bad }))).toEqual([
			'INVALID_QUERY_EXECUTION_STATE',
			'Query did not finish successfully. Final query state: FAILED',
		]);
		expect(await told(results(done, { NextToken: bad }))).toEqual(['INVALID_INPUT', `Malformed nextPageToken ${bad}`]);
	});

	test('of a cancelled query as not found', async () => {
		const { QueryExecutionId } = await start({ QueryString: endless('lending.payments') });
		await stop(QueryExecutionId);
		await ended(athena, QueryExecutionId);
		expect(await told(results(QueryExecutionId))).toEqual(['RESULT_NOT_FOUND', 'Could not find results']);
	});
});

describe('an execution', () => {
	test('that has ended is stopped without an effect', async () => {
		for (const sql of ['SELECT 1 AS one', 'SELECT nosuch FROM lending.payments']) {
			const before = await runQuery(athena, sql);
			await stop(before.QueryExecutionId);
			expect(await ended(athena, before.QueryExecutionId)).toEqual(before);
		}
	});

	test('tells its timeline, and no rows or bytes beside it', async () => {
		const { QueryExecutionId } = await runQuery(athena, 'SELECT count(*) AS n FROM lending.payments');
		const answer = await athena.send(new GetQueryRuntimeStatisticsCommand({ QueryExecutionId }));
		expect(answer.QueryRuntimeStatistics?.Timeline?.TotalExecutionTimeInMillis).toBeGreaterThanOrEqual(0);
		expect(answer.QueryRuntimeStatistics?.Rows).toBeUndefined();
	});

	test('that is unknown is told apart in a batch', async () => {
		const unknown = randomUUID();
		const batch = await athena.send(new BatchGetQueryExecutionCommand({ QueryExecutionIds: [unknown] }));
		expect(batch.UnprocessedQueryExecutionIds).toEqual([
			{
				QueryExecutionId: unknown,
				ErrorCode: 'QUERY_EXECUTION_NOT_FOUND',
				ErrorMessage: `QueryExecution ${unknown} was not found`,
			},
		]);
	});

	test('may go back into the queue and ends all the same', async () => {
		const before = lake.aws.events().at(-1)?.position ?? 0;
		lake.aws.requeueQueries(1);
		expect(await rowsOf(athena, 'SELECT count(*) AS n FROM lending.payments')).toEqual([['n'], ['4']]);
		const states = lake.aws.events({ after: before }).flatMap(({ event }) => {
			const { detail } = event as {
				detail: { currentState?: string; previousState?: string; sequenceNumber?: string };
			};
			const { currentState, previousState, sequenceNumber } = detail;
			return currentState === undefined ? [] : [`${sequenceNumber} ${previousState ?? ''} ${currentState}`];
		});
		expect(states).toEqual([
			'1  QUEUED',
			'2 QUEUED RUNNING',
			'3 RUNNING QUEUED',
			'4 QUEUED RUNNING',
			'5 RUNNING SUCCEEDED',
		]);
	});
});

test('an account has so many queries at once and no more; another account is not held up by them', async () => {
	const busy = await openLake({ mostActiveQueries: 3 });
	await grant(await busy.lakeformation(GRANTOR), tableNamed('payments'));
	const client = await busy.athena(RISK_ROLE);
	const endlessOnes = [1, 2, 3].map(() => startQuery(client, { QueryString: endless('lending.payments') }));
	const [first] = await Promise.all(endlessOnes);
	const error: unknown = await startQuery(client).catch((caught: unknown) => caught);
	expect(error).toMatchObject({ name: 'TooManyRequestsException', Reason: 'CONCURRENT_QUERY_LIMIT_EXCEEDED' });
	const producer = await busy.athena(GRANTOR);
	const own = { WorkGroup: 'primary', ResultConfiguration: { OutputLocation: 's3://a/' } };
	expect((await startQuery(producer, { QueryString: 'SELECT 1 AS one', ...own })).QueryExecutionId).toMatch(/./);
	await client.send(new StopQueryExecutionCommand({ QueryExecutionId: first?.QueryExecutionId }));
	expect((await startQuery(client)).QueryExecutionId).toMatch(/./);
	await busy.close();
});
