/** Shapes: Athena user guide, "athena-events"; aws-facts section 3, "Events and bypass detection". */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type AthenaClient, StopQueryExecutionCommand } from '@aws-sdk/client-athena';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFilter, endless, filterNamed, grant, startQuery, tableNamed } from '#tests/local/calls.ts';
import {
	ended,
	GRANTOR,
	type Lake,
	LENDING,
	openLake,
	REGION,
	RISK,
	RISK_ROLE,
	WORK_GROUP,
} from '#tests/local/harness.ts';

type Told = {
	source: string;
	account: string;
	region: string;
	time: string;
	detail: {
		currentState?: string;
		previousState?: string;
		queryExecutionId?: string;
		sequenceNumber?: string;
		eventName?: string;
		userIdentity?: object;
		requestParameters?: Record<string, unknown>;
		additionalEventData?: Record<string, string>;
		responseElements?: { queryExecutionId?: string } | null;
		sharedEventID?: string;
	};
};

let lake: Lake;
let athena: AthenaClient;
beforeAll(async () => {
	lake = await openLake();
	athena = await lake.athena(RISK_ROLE);
	const admin = await lake.lakeformation(GRANTOR);
	await createFilter(admin);
	await grant(admin, filterNamed());
	await grant(admin, tableNamed('payments'));
});
afterAll(() => lake.close());

const position = (aws = lake.aws) => aws.events().at(-1)?.position ?? 0;
const since = (after: number, aws = lake.aws) => aws.events({ after }).map(({ event }) => event as Told);
const states = (told: readonly Told[]) => told.filter(({ detail }) => detail.currentState !== undefined);
async function run(QueryString: string) {
	const after = position();
	const { QueryExecutionId } = await startQuery(athena, { QueryString });
	await ended(athena, QueryExecutionId);
	return { id: QueryExecutionId, told: since(after) };
}

test('each state of a query is told once, in order, without its text, its role or its tables', async () => {
	const { id, told } = await run('SELECT loan_id FROM lending.loans');
	expect(states(told).map(({ detail }) => [detail.sequenceNumber, detail.previousState, detail.currentState])).toEqual([
		['1', undefined, 'QUEUED'],
		['2', 'QUEUED', 'RUNNING'],
		['3', 'RUNNING', 'SUCCEEDED'],
	]);
	expect(states(told)[2]).toEqual({
		version: '0',
		id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
		'detail-type': 'Athena Query State Change',
		source: 'aws.athena',
		account: RISK,
		time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
		region: REGION,
		resources: [],
		detail: {
			versionId: '0',
			currentState: 'SUCCEEDED',
			previousState: 'RUNNING',
			statementType: 'DML',
			queryExecutionId: id,
			workgroupName: WORK_GROUP,
			sequenceNumber: '3',
		},
	});
	expect(JSON.stringify(states(told))).not.toMatch(/loan_id|lending|fairlead-risk-credit/);
});

test('a failure is told with its error, and only a failure', async () => {
	const { told } = await run('SELECT nosuch FROM lending.loans');
	expect(states(told).at(-1)?.detail).toMatchObject({
		currentState: 'FAILED',
		previousState: 'RUNNING',
		athenaError: {
			errorCategory: 2,
			errorType: 1006,
			errorMessage: expect.stringMatching(/^COLUMN_NOT_FOUND: /) as string,
			retryable: false,
		},
	});
	const after = position();
	const { QueryExecutionId } = await startQuery(athena, { QueryString: endless('lending.payments') });
	await athena.send(new StopQueryExecutionCommand({ QueryExecutionId }));
	const last = states(since(after)).at(-1)?.detail;
	expect(last).toMatchObject({ currentState: 'CANCELLED' });
	expect(last).not.toHaveProperty('athenaError');
});

test('CloudTrail has each start, also a repeated one, with its caller and without its text', async () => {
	const after = position();
	const ClientRequestToken = randomUUID();
	const first = await startQuery(athena, { ClientRequestToken });
	await startQuery(athena, { ClientRequestToken });
	await ended(athena, first.QueryExecutionId);
	const calls = since(after).filter(({ detail }) => detail.eventName === 'StartQueryExecution');
	expect(calls).toHaveLength(2);
	for (const { account, detail } of calls) {
		expect(account).toBe(RISK);
		expect(detail).toMatchObject({
			eventSource: 'athena.amazonaws.com',
			readOnly: false,
			userIdentity: { type: 'AssumedRole', sessionContext: { sessionIssuer: { arn: RISK_ROLE } } },
			requestParameters: {
				queryString: '***OMITTED***',
				clientRequestToken: ClientRequestToken,
				workGroup: WORK_GROUP,
			},
			responseElements: { queryExecutionId: first.QueryExecutionId },
		});
		expect(JSON.stringify(detail)).not.toContain('loan_id');
	}
});

test("CloudTrail has one vending of credentials for each table read, and a copy for the table's own account", async () => {
	const { id, told } = await run(
		'SELECT count(*) AS n FROM lending.loans a, lending.payments b, lending.loans c WHERE a.loan_id = c.loan_id',
	);
	const vended = told.filter(({ detail }) => detail.eventName === 'GetDataAccess');
	const arn = (name: string) => `arn:aws:glue:${REGION}:${LENDING}:table/lending/${name}`;
	expect(vended.map(({ account, detail }) => [detail.requestParameters?.['tableArn'], account])).toEqual([
		[arn('loans'), RISK],
		[arn('loans'), LENDING],
		[arn('payments'), RISK],
		[arn('payments'), LENDING],
	]);
	const mine = vended.find(
		({ account, detail }) => account === RISK && detail.requestParameters?.['tableArn'] === arn('loans'),
	);
	expect(mine?.detail).toMatchObject({
		eventSource: 'lakeformation.amazonaws.com',
		readOnly: true,
		managementEvent: true,
		sourceIPAddress: 'athena.amazonaws.com',
		userAgent: 'athena.amazonaws.com',
		userIdentity: { type: 'AssumedRole', invokedBy: 'athena.amazonaws.com' },
		requestParameters: {
			permissions: ['SELECT'],
			auditContext: { additionalAuditContext: `{queryId: ${id}}` },
			cellLevelSecurityEnforced: true,
		},
		additionalEventData: { requesterService: 'ATHENA', lakeFormationPrincipal: RISK_ROLE },
		responseElements: null,
	});
	expect(mine?.detail.additionalEventData?.['lakeFormationRoleSessionName']).toMatch(/^AWSLF-00-AT-\d{12}-\w+$/);
	const copy = vended.find(
		({ account, detail }) => account === LENDING && detail.sharedEventID === mine?.detail.sharedEventID,
	);
	expect(copy?.detail.userIdentity).toMatchObject({ type: 'AWSAccount', accountId: RISK });
	expect(JSON.stringify(copy)).not.toContain(RISK_ROLE);
});

test('a query that is denied reads no table', async () => {
	const { told } = await run('SELECT amount FROM lending.loans');
	expect(told.filter(({ detail }) => detail.eventName === 'GetDataAccess')).toEqual([]);
});

test('what a crash cut off is told as failed at the next start, under a number of its own', async () => {
	const own = await openLake();
	const client = await own.athena(RISK_ROLE);
	const { QueryExecutionId: id = '' } = await startQuery(client, { QueryString: 'SELECT 1 AS one' });
	await ended(client, id);
	const after = position(own.aws);
	const again = await own.restart(() => {
		const file = path.join(own.folder, 'data', 'athena', `${id}.json`);
		const written = JSON.parse(readFileSync(file, 'utf8')) as object;
		writeFileSync(file, JSON.stringify({ ...written, state: 'QUEUED', sequence: 1, completed: null, columns: null }));
	});
	const told = states(since(after, again.aws));
	expect(told.map(({ detail }) => [detail.queryExecutionId, detail.currentState, detail.sequenceNumber])).toEqual([
		[id, 'FAILED', '3'],
	]);
	await again.close();
});
