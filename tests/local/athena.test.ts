import {
	type AthenaClient,
	GetQueryExecutionCommand,
	type StartQueryExecutionInput,
	StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import type { LakeFormationClient } from '@aws-sdk/client-lakeformation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFilter, endless, filterNamed, grant, startQuery, tableNamed } from '#tests/local/calls.ts';
import { ended, GRANTOR, type Lake, openLake, RISK_ROLE, rowsOf, runQuery } from '#tests/local/harness.ts';

let lake: Lake;
let admin: LakeFormationClient;
let athena: AthenaClient;

const payments = tableNamed('payments');
beforeAll(async () => {
	lake = await openLake();
	admin = await lake.lakeformation(GRANTOR);
	athena = await lake.athena(RISK_ROLE);
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

describe('a query reaches nothing but granted tables', () => {
	test.each([
		"SELECT * FROM read_csv('/etc/passwd')",
		'SELECT * FROM "/etc/passwd"',
		'SELECT * FROM lending."/etc/passwd"',
		`SELECT * FROM lending."loans"" UNION SELECT 1 --"`,
		'SELECT * FROM duckdb_tables()',
		'SELECT * FROM main.duckdb_tables',
		'SELECT * FROM information_schema.tables',
		'SELECT * FROM lending."loans$partitions"',
		'SELECT "$path" FROM lending.loans',
		'SELECT rowid FROM lending.loans',
		'SELECT amount FROM (SELECT * FROM lending.loans) t',
		'SELECT loan_id FROM lending.loans l WHERE EXISTS (SELECT 1 FROM lending.loans m WHERE m.amount > 1)',
		"SELECT getenv('HOME') FROM lending.loans",
		"SELECT query('SELECT 1') FROM lending.loans",
		"SELECT * FROM enable_logging(storage='file')",
		'SELECT * FROM system.lending.loans',
	])('%s', async (sql) => {
		const outcome = await rowsOf(athena, sql).catch((error: Error) => error.name);
		expect(outcome).toMatch(
			/^(InvalidRequestException|(COLUMN|TABLE|SCHEMA|CATALOG)_NOT_FOUND: |MISSING_SCHEMA_NAME: |NOT_SUPPORTED: |SYNTAX_ERROR: )/,
		);
	});
});

describe('the process of a query', () => {
	test('that is killed costs its query; the next one works', async () => {
		const { QueryExecutionId } = await start({ QueryString: endless() });
		for (;;) {
			const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
			if (QueryExecution?.Status?.State === 'RUNNING') break;
			await new Promise((resolve) => setTimeout(resolve, 10));
		}
		for (const pid of lake.aws.queryProcesses()) process.kill(pid, 'SIGKILL');
		const killed = await ended(athena, QueryExecutionId);
		expect(killed.Status).toMatchObject({
			State: 'FAILED',
			StateChangeReason: 'GENERIC_INTERNAL_ERROR: the query engine stopped',
		});
		expect(await rowsOf(athena, 'SELECT count(*) AS n FROM lending.loans')).toEqual([['n'], ['3']]);
	});

	test('ends with the server that started it, also in the middle of a query', async () => {
		const own = await openLake();
		await grant(await own.lakeformation(GRANTOR), payments);
		const client = await own.athena(RISK_ROLE);
		expect(await rowsOf(client, 'SELECT count(*) AS n FROM lending.payments')).toEqual([['n'], ['4']]);
		const pids = own.aws.queryProcesses();
		expect(pids).toHaveLength(1);
		await start({ QueryString: endless('lending.payments') }, client);
		await own.close();
		for (const pid of pids) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
	});

	test('is one of two: more queries wait, and a waiting one can be stopped', async () => {
		const both = await Promise.all([1, 2].map(() => start({ QueryString: endless() })));
		const waiting = await start({});
		const { QueryExecution } = await athena.send(
			new GetQueryExecutionCommand({ QueryExecutionId: waiting.QueryExecutionId }),
		);
		expect(QueryExecution?.Status?.State).toBe('QUEUED');
		await athena.send(new StopQueryExecutionCommand({ QueryExecutionId: waiting.QueryExecutionId }));
		expect((await ended(athena, waiting.QueryExecutionId)).Status?.State).toBe('CANCELLED');
		for (const { QueryExecutionId } of both) await athena.send(new StopQueryExecutionCommand({ QueryExecutionId }));
		expect(await rowsOf(athena, 'SELECT count(*) AS n FROM lending.loans')).toEqual([['n'], ['3']]);
	});

	test('is interrupted when its deadline passes', async () => {
		const hurried = await openLake({ queryDeadlineMs: 300 });
		const client = await hurried.athena(RISK_ROLE);
		await grant(await hurried.lakeformation(GRANTOR), payments);
		const execution = await runQuery(client, endless('lending.payments'));
		expect(execution.Status).toMatchObject({ State: 'FAILED', StateChangeReason: 'Query timeout' });
		await hurried.close();
	});
});
