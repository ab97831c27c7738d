import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import {
	type AthenaClient,
	BatchGetQueryExecutionCommand,
	GetQueryExecutionCommand,
	GetQueryResultsCommand,
	ListQueryExecutionsCommand,
	paginateGetQueryResults,
	type StartQueryExecutionInput,
	StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import type { LakeFormationClient, Resource } from '@aws-sdk/client-lakeformation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emptyLanding } from '#local/aws.ts';
import { createFilter, endless, filterNamed, grant, revoke, startQuery, tableNamed } from '#tests/local/calls.ts';
import {
	BYSTANDER,
	cells,
	ended,
	GRANTOR,
	type Lake,
	LENDING,
	OTHER_ROLE,
	openLake,
	RISK_ROLE,
	refusal,
	rowsOf,
	runQuery,
	WORK_GROUP,
} from '#tests/local/harness.ts';

let lake: Lake;
let admin: LakeFormationClient;
let athena: AthenaClient;
let other: AthenaClient;

const payments = tableNamed('payments');
beforeAll(async () => {
	lake = await openLake();
	admin = await lake.lakeformation(GRANTOR);
	athena = await lake.athena(RISK_ROLE);
	other = await lake.athena(OTHER_ROLE);
	await createFilter(admin, {
		ColumnNames: ['loan_id', 'status', 'note'],
		RowFilter: { FilterExpression: "status IN ('B', 'D') OR status IS NULL" },
	});
	await grant(admin, filterNamed());
	await grant(admin, payments, ['DESCRIBE']);
	await grant(admin, tableNamed('loose'));
});
afterAll(async () => {
	await lake.close();
});

const start = (input: Partial<StartQueryExecutionInput>, client = athena) => startQuery(client, input);
const failure = async (sql: string, client = athena) => (await runQuery(client, sql)).Status;

describe('StartQueryExecution refuses', () => {
	test.each<[string, Partial<StartQueryExecutionInput>, string]>([
		['a token shorter than 32 characters', { ClientRequestToken: 'x'.repeat(31) }, 'INVALID_INPUT'],
		['a token longer than 128 characters', { ClientRequestToken: 'x'.repeat(129) }, 'INVALID_INPUT'],
		['a location that is not in S3', { ResultConfiguration: { OutputLocation: '/tmp' } }, 'INVALID_INPUT'],
		['a work group of another account', { WorkGroup: 'fairlead-lending' }, 'INVALID_INPUT'],
		['primary, which has no place for results, without one', { WorkGroup: undefined }, 'INVALID_INPUT'],
		['an empty query', { QueryString: '' }, 'INVALID_INPUT'],
		['parameters, which are not supported here', { ExecutionParameters: ['1'] }, 'INVALID_INPUT'],
		['a text that is no SQL', { QueryString: 'SELECT FROM WHERE' }, 'MALFORMED_QUERY'],
		['two statements', { QueryString: 'SELECT 1; SELECT 2' }, 'MALFORMED_QUERY'],
	])('%s', async (_name, input, code) => {
		const error: unknown = await start(input).catch((caught: unknown) => caught);
		expect(error).toMatchObject({ name: 'InvalidRequestException', AthenaErrorCode: code });
	});

	test('a token that was used for another query', async () => {
		const ClientRequestToken = randomUUID();
		await start({ ClientRequestToken });
		for (const changed of [{ QueryString: 'SELECT 1' }, { QueryExecutionContext: { Database: 'lending' } }]) {
			const error: unknown = await start({ ClientRequestToken, ...changed }).catch((caught: unknown) => caught);
			expect(error).toMatchObject({
				name: 'InvalidRequestException',
				AthenaErrorCode: 'IDEMPOTENT_PARAMETER_MISMATCH',
			});
		}
	});
});

describe('a token', () => {
	test('sent again gives the same execution, also at the same time and whatever became of it', async () => {
		const ClientRequestToken = randomUUID();
		const both = await Promise.all([start({ ClientRequestToken }), start({ ClientRequestToken })]);
		expect(both[0].QueryExecutionId).toBe(both[1].QueryExecutionId);
		await ended(athena, both[0].QueryExecutionId);
		expect((await start({ ClientRequestToken })).QueryExecutionId).toBe(both[0].QueryExecutionId);
	});

	test("is its role's own: sent by another role it starts another query, under the rights of that role", async () => {
		const ClientRequestToken = randomUUID();
		const mine = await start({ ClientRequestToken });
		const theirs = await start({ ClientRequestToken }, other);
		expect(theirs.QueryExecutionId).not.toBe(mine.QueryExecutionId);
		const { Status } = await ended(other, theirs.QueryExecutionId);
		expect(Status?.StateChangeReason).toContain('Insufficient permissions');
		expect((await start({ ClientRequestToken })).QueryExecutionId).toBe(mine.QueryExecutionId);
	});

	test('is not used up by a query that could not be read', async () => {
		const ClientRequestToken = randomUUID();
		await refusal(start({ ClientRequestToken, QueryString: 'SELEC 1' }));
		expect((await start({ ClientRequestToken })).QueryExecutionId).toMatch(/^[0-9a-f-]{36}$/);
	});
});

describe('a query ends as FAILED', () => {
	const denied = 'cannot be resolved or requester is not authorized to access requested resources';

	test.each([
		['SELECT amount FROM lending.loans', `COLUMN_NOT_FOUND: line 1:8: Column 'amount' ${denied}`, 1006],
		['SELECT nosuch FROM lending.loans', `COLUMN_NOT_FOUND: line 1:8: Column 'nosuch' ${denied}`, 1006],
		[
			'SELECT loan_id FROM lending.loans WHERE amount > 1',
			`COLUMN_NOT_FOUND: line 1:41: Column 'amount' ${denied}`,
			1006,
		],
		[
			'SELECT loan_id FROM lending.loans ORDER BY amount',
			`COLUMN_NOT_FOUND: line 1:44: Column 'amount' ${denied}`,
			1006,
		],
		['SELECT * FROM lending.payments', 'COLUMN_NOT_FOUND: Relation contains no accessible columns', 1006],
		['SELECT * FROM lending.nosuch', "TABLE_NOT_FOUND: Table 'awsdatacatalog.lending.nosuch' does not exist", 1301],
		['SELECT * FROM nosuch.loans', "SCHEMA_NOT_FOUND: Schema 'nosuch' does not exist", 1301],
	])('%s', async (sql, reason, type) => {
		expect(await failure(sql)).toMatchObject({
			State: 'FAILED',
			StateChangeReason: reason,
			AthenaError: { ErrorCategory: 2, ErrorType: type, Retryable: false },
		});
	});

	test('for a role without any permission, also on the catalog of the owner', async () => {
		const reason =
			'Insufficient permissions to execute the query. Principal does not have any privilege on specified resource';
		expect((await failure('SELECT * FROM lending.loans', other))?.StateChangeReason).toBe(reason);
		expect((await failure('SELECT 1 FROM lending.loans', other))?.StateChangeReason).toBe(reason);
	});

	test('over a value, without telling the value', async () => {
		const status = await failure('SELECT CAST(note AS integer) FROM lending.loans');
		expect(status?.StateChangeReason).toBe('GENERIC_USER_ERROR: query failed: a value could not be computed');
	});

	test('over a location that nobody registered with Lake Formation', async () => {
		expect((await failure('SELECT * FROM lending.loose'))?.StateChangeReason).toBe(
			'Permission denied on S3 path: s3://lake/loose',
		);
	});

	test('over SQL that is not supported here, in words that say so', async () => {
		const reason = (await failure('DROP TABLE lending.loans'))?.StateChangeReason;
		expect(reason).toMatch(/^NOT_SUPPORTED: line 1:\d+: /);
	});
});

describe('a query sees', () => {
	const all = [
		['loan_id', 'status', 'note'],
		['2', 'B', ''],
		['3', 'D', null],
		['4', null, 'two\nlines \u2028 here'],
	];

	test('exactly the granted cells, in table order', async () => {
		expect(await rowsOf(athena, 'SELECT * FROM lending.loans')).toEqual(all);
		expect(await rowsOf(athena, 'SELECT * FROM awsdatacatalog.lending.loans')).toEqual(all);
	});

	test('the tables of its database by their bare name', async () => {
		const execution = await runQuery(athena, 'SELECT * FROM loans', {
			QueryExecutionContext: { Database: 'lending', Catalog: 'AwsDataCatalog' },
		});
		const answer = await athena.send(new GetQueryResultsCommand({ QueryExecutionId: execution.QueryExecutionId }));
		expect(cells(answer.ResultSet?.Rows)).toEqual(all);
		expect(execution.QueryExecutionContext).toEqual({ Database: 'lending', Catalog: 'awsdatacatalog' });
	});

	test('aggregates of the visible rows alone', async () => {
		expect(await rowsOf(athena, 'SELECT count(*), max(loan_id) AS last FROM lending.loans')).toEqual([
			['_col0', 'last'],
			['3', '4'],
		]);
	});

	test('no row that another role was granted, and nothing after the revoke', async () => {
		const mine: Resource = {
			TableWithColumns: { CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans', ColumnNames: ['loan_id'] },
		};
		await grant(admin, mine, ['SELECT'], OTHER_ROLE);
		expect(await rowsOf(other, 'SELECT * FROM lending.loans')).toEqual([['loan_id'], ['1'], ['2'], ['3'], ['4']]);
		expect(await rowsOf(athena, 'SELECT count(*) AS n FROM lending.loans')).toEqual([['n'], ['3']]);
		await revoke(admin, mine, ['SELECT'], OTHER_ROLE);
		expect(await rowsOf(other, 'SELECT * FROM lending.loans')).toContain('Insufficient permissions');
	});

	test('everything when it may also write: a column filter has no effect then', async () => {
		await grant(admin, tableNamed('loans'), ['INSERT']);
		expect(await rowsOf(athena, 'SELECT count(amount) AS n FROM lending.loans')).toEqual([['n'], ['4']]);
		await revoke(admin, tableNamed('loans'), ['INSERT']);
	});
});

describe('results', () => {
	test('have the header as the first row of the first page, counted as one, and NULL as a cell without a value', async () => {
		const { QueryExecutionId } = await runQuery(athena, 'SELECT loan_id, status FROM lending.loans');
		const first = await athena.send(new GetQueryResultsCommand({ QueryExecutionId, MaxResults: 1 }));
		expect(cells(first.ResultSet?.Rows)).toEqual([['loan_id', 'status']]);
		expect(first.ResultSet?.ResultSetMetadata?.ColumnInfo).toMatchObject([
			{
				CatalogName: 'hive',
				Name: 'loan_id',
				Label: 'loan_id',
				Type: 'bigint',
				Precision: 19,
				Nullable: 'UNKNOWN',
				CaseSensitive: false,
			},
			{ Name: 'status', Type: 'varchar', Precision: 2_147_483_647, CaseSensitive: true },
		]);
		const rows: (string | null)[][] = [];
		for await (const page of paginateGetQueryResults({ client: athena, pageSize: 2 }, { QueryExecutionId })) {
			rows.push(...cells(page.ResultSet?.Rows));
		}
		expect(rows).toEqual([
			['loan_id', 'status'],
			['2', 'B'],
			['3', 'D'],
			['4', null],
		]);
		const last = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }));
		expect(last.ResultSet?.Rows?.at(-1)?.Data?.[1]).toEqual({});
		expect(last.NextToken).toBeUndefined();
	});

	test('are one header for a query without rows', async () => {
		expect(await rowsOf(athena, 'SELECT loan_id FROM lending.loans WHERE loan_id < 0')).toEqual([['loan_id']]);
	});

	test("are refused for an unknown, another account's, a failed, a running and a cancelled query, and with bad paging", async () => {
		const get = async (QueryExecutionId: string | undefined, more = {}, client = athena) =>
			await refusal(client.send(new GetQueryResultsCommand({ QueryExecutionId, ...more })));
		const unknown = randomUUID();
		expect((await get(unknown)).message).toBe(`QueryExecution ${unknown} was not found`);
		const done = await runQuery(athena, 'SELECT loan_id FROM lending.loans');
		const producer = await lake.athena(GRANTOR);
		expect((await get(done.QueryExecutionId, {}, producer)).message).toBe(
			`QueryExecution ${done.QueryExecutionId} was not found`,
		);
		expect((await get(done.QueryExecutionId, { MaxResults: 1001 })).name).toBe('InvalidRequestException');
		expect((await get(done.QueryExecutionId, { MaxResults: 0 })).name).toBe('InvalidRequestException');
		expect((await get(done.QueryExecutionId, { NextToken: 'nonsense' })).name).toBe('InvalidRequestException');
		const failed = await runQuery(athena, 'SELECT nosuch FROM lending.loans');
		expect((await get(failed.QueryExecutionId)).message).toBe(
			'Query did not finish successfully. Final query state: FAILED',
		);
		const { QueryExecutionId } = await start({ QueryString: endless() });
		expect((await get(QueryExecutionId)).message).toMatch(
			/^Query has not yet finished. Current state: (QUEUED|RUNNING)$/,
		);
		await athena.send(new StopQueryExecutionCommand({ QueryExecutionId }));
		const stopped = await ended(athena, QueryExecutionId);
		expect(stopped.Status?.State).toBe('CANCELLED');
		expect((await get(QueryExecutionId)).message).toBe('Could not find results');
	});

	test('are refused with a token that is none of ours, however it looks', async () => {
		const { QueryExecutionId } = await runQuery(athena, 'SELECT loan_id FROM lending.loans');
		for (const text of ['nonsense', 'p-1', 'p1', 'p2', 'p999999', 'p999999999999999', 'p1e3', '']) {
			const NextToken = Buffer.from(text).toString('base64') || '!';
			const get = athena.send(new GetQueryResultsCommand({ QueryExecutionId, NextToken }));
			expect([text, (await refusal(get)).typed]).toEqual([text, 'InvalidRequestException']);
		}
	});
});

describe('executions', () => {
	test('are not there for another role of the same account and work group', async () => {
		const { QueryExecutionId: done = '' } = await runQuery(athena, 'SELECT loan_id FROM lending.loans');
		const { QueryExecutionId: running = '' } = await start({ QueryString: endless() });
		for (const QueryExecutionId of [done, running]) {
			const calls = [
				other.send(new GetQueryExecutionCommand({ QueryExecutionId })),
				other.send(new GetQueryResultsCommand({ QueryExecutionId })),
				other.send(new StopQueryExecutionCommand({ QueryExecutionId })),
			];
			for (const call of calls) {
				expect(await refusal(call)).toMatchObject({
					typed: 'InvalidRequestException',
					message: `QueryExecution ${QueryExecutionId} was not found`,
				});
			}
		}
		const batch = await other.send(new BatchGetQueryExecutionCommand({ QueryExecutionIds: [done, running] }));
		expect(batch.QueryExecutions).toEqual([]);
		const { QueryExecutionIds } = await other.send(new ListQueryExecutionsCommand({ WorkGroup: WORK_GROUP }));
		expect(QueryExecutionIds).not.toContain(done);
		const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId: running }));
		expect(QueryExecution?.Status?.State).toMatch(/^(QUEUED|RUNNING)$/);
		await athena.send(new StopQueryExecutionCommand({ QueryExecutionId: running }));
	});

	test('tell their times, statistics and work group, and neither token nor identity', async () => {
		const execution = await runQuery(athena, 'SELECT loan_id FROM lending.loans');
		expect(execution).toMatchObject({ StatementType: 'DML', SubstatementType: 'SELECT', WorkGroup: WORK_GROUP });
		expect(execution.Status?.CompletionDateTime).toBeInstanceOf(Date);
		expect(execution.Statistics?.DataScannedInBytes).toBeGreaterThan(0);
		expect(JSON.stringify(execution)).not.toContain(RISK_ROLE);
	});

	test('are read in batches and listed newest first, in their own account only', async () => {
		const { QueryExecutionId: id = '' } = await runQuery(athena, 'SELECT loan_id FROM lending.loans');
		const missing = randomUUID();
		const batch = await athena.send(new BatchGetQueryExecutionCommand({ QueryExecutionIds: [id, missing] }));
		expect(batch.QueryExecutions?.map(({ QueryExecutionId }) => QueryExecutionId)).toEqual([id]);
		expect(batch.UnprocessedQueryExecutionIds?.map(({ QueryExecutionId }) => QueryExecutionId)).toEqual([missing]);
		const list = await athena.send(new ListQueryExecutionsCommand({ WorkGroup: WORK_GROUP, MaxResults: 1 }));
		expect(list.QueryExecutionIds).toEqual([id]);
		expect(list.NextToken).toMatch(/./);
		const producer = await lake.athena(GRANTOR);
		expect((await refusal(producer.send(new GetQueryExecutionCommand({ QueryExecutionId: id })))).message).toContain(
			'was not found',
		);
		expect((await refusal(producer.send(new ListQueryExecutionsCommand({ WorkGroup: WORK_GROUP })))).name).toBe(
			'InvalidRequestException',
		);
	});

	test('survive a restart with their results; what was running has failed', async () => {
		const own = await openLake();
		const client = await own.athena(GRANTOR);
		await own.aws.provision({
			...emptyLanding('eu-central-1'),
			workGroups: [{ account: LENDING, name: WORK_GROUP }],
		});
		const { QueryExecutionId } = await runQuery(client, 'SELECT 1 AS one');
		const { QueryExecutionId: cut = '' } = await runQuery(client, 'SELECT 2 AS two');
		const again = await own.restart(() => {
			// What a process leaves that was killed while the query ran.
			const file = path.join(own.folder, 'data', 'athena', `${cut}.json`);
			const written = JSON.parse(readFileSync(file, 'utf8')) as object;
			writeFileSync(file, JSON.stringify({ ...written, state: 'QUEUED', completed: null, columns: null }));
		});
		const after = await again.athena(GRANTOR);
		const answer = await after.send(new GetQueryResultsCommand({ QueryExecutionId }));
		expect(cells(answer.ResultSet?.Rows)).toEqual([['one'], ['1']]);
		expect((await ended(after, cut)).Status?.State).toBe('FAILED');
		await again.close();
	});
});

describe('where the account has a database default', () => {
	test('a query needs DESCRIBE on it, or anything else there', async () => {
		const own = await openLake();
		const landing = { ...emptyLanding('eu-central-1'), databases: [{ account: LENDING, name: 'default' }] };
		await own.aws.provision(landing);
		const grantor = await own.lakeformation(GRANTOR);
		await grant(grantor, tableNamed('loans'), ['SELECT'], BYSTANDER);
		const client = await own.athena(BYSTANDER);
		const more = { WorkGroup: 'primary', ResultConfiguration: { OutputLocation: 's3://results/' } };
		const query = async () => (await runQuery(client, 'SELECT count(*) AS n FROM lending.loans', more)).Status;
		expect(await query()).toMatchObject({
			State: 'FAILED',
			StateChangeReason: 'Insufficient Lake Formation permission(s): Required Describe on default',
		});
		await grant(grantor, { Database: { CatalogId: LENDING, Name: 'default' } }, ['DESCRIBE'], BYSTANDER);
		expect(await query()).toMatchObject({ State: 'SUCCEEDED' });
		await own.close();
	});
});
