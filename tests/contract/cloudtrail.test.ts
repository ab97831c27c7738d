/** CloudTrail's event history, over the wire. Names and bounds: CloudTrail API reference, LookupEvents. */
import {
	BatchGetQueryExecutionCommand,
	GetQueryExecutionCommand,
	GetQueryResultsCommand,
	ListQueryExecutionsCommand,
} from '@aws-sdk/client-athena';
import {
	CloudTrailClient,
	LookupEventsCommand,
	type LookupEventsCommandInput,
	paginateLookupEvents,
} from '@aws-sdk/client-cloudtrail';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grant, tableNamed } from '#tests/local/calls.ts';
import {
	BROKER,
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	landing,
	OTHER_ROLE,
	openLake,
	RISK,
	RISK_ROLE,
	refusal,
	runQuery,
	WORK_GROUP,
} from '#tests/local/harness.ts';

const WATCHER = `arn:aws:iam::${RISK}:role/fairlead-consumer`;

let lake: Lake;
let execution: string;
beforeAll(async () => {
	lake = await openLake();
	const watcher = { arn: WATCHER, trusts: [BROKER], watchesQueries: true };
	await lake.aws.provision({ ...landing(lake.folder), roles: [watcher] });
	await grant(await lake.lakeformation(GRANTOR), tableNamed('payments'));
	const done = await runQuery(await lake.athena(RISK_ROLE), 'SELECT loan_id FROM lending.payments');
	execution = done.QueryExecutionId ?? '';
});
afterAll(() => lake.close());

const as = async (role: string) => new CloudTrailClient(lake.settings(await lake.assume(role)));
const lookup = async (input: LookupEventsCommandInput = {}, role = OTHER_ROLE) =>
	(await as(role)).send(new LookupEventsCommand(input));
const named = (AttributeValue: string) => ({
	LookupAttributes: [{ AttributeKey: 'EventName' as const, AttributeValue }],
});

const record = (n: number, more: object = {}) => ({
	'detail-type': 'AWS API Call via CloudTrail',
	detail: {
		recipientAccountId: LENDING,
		eventTime: new Date(Date.now() - 3_600_000 - Math.floor(n / 3) * 1000).toISOString(),
		eventID: `event-${n}`,
		eventName: 'Paged',
		...more,
	},
});

describe('refused', () => {
	test.each<[string, LookupEventsCommandInput, string]>([
		[
			'two attributes',
			{ LookupAttributes: [named('A'), named('B')].flatMap((a) => a.LookupAttributes) },
			'InvalidLookupAttributesException',
		],
		[
			'an attribute that there is not',
			{ LookupAttributes: [{ AttributeKey: 'Region' as 'EventName', AttributeValue: 'x' }] },
			'InvalidLookupAttributesException',
		],
		['51 at a time', { MaxResults: 51 }, 'InvalidMaxResultsException'],
		['none at a time', { MaxResults: 0 }, 'InvalidMaxResultsException'],
		['a token that is none', { NextToken: 'x' }, 'InvalidNextTokenException'],
		['a start after the end', { StartTime: new Date(2000), EndTime: new Date(1000) }, 'InvalidTimeRangeException'],
		['another category', { EventCategory: 'insight' }, 'InvalidEventCategoryException'],
	])('%s', async (_, input, name) => {
		expect((await refusal(lookup(input))).name).toBe(name);
	});

	test('a token of other parameters', async () => {
		for (let n = 0; n < 3; n++) lake.aws.emit(record(n, { eventName: 'Twice' }));
		const page = await lookup({ ...named('Twice'), MaxResults: 1 }, GRANTOR);
		const { NextToken } = page;
		expect(NextToken).toBeDefined();
		expect((await refusal(lookup({ ...named('Paged'), NextToken }, GRANTOR))).name).toBe('InvalidNextTokenException');
		expect((await lookup({ ...named('Twice'), NextToken }, GRANTOR)).Events).toHaveLength(2);
	});

	test('who asks too often, by name', async () => {
		lake.aws.faults.set([{ service: 'cloudtrail', operation: 'LookupEvents', when: 'throttle', times: 1 }]);
		expect((await refusal(lookup())).name).toBe('ThrottlingException');
		lake.aws.faults.clear();
	});
});

describe('an event', () => {
	test('is shown to its account with what it is found by, and whole', async () => {
		const { Events = [] } = await lookup(named('StartQueryExecution'));
		expect(Events).toHaveLength(1);
		const [event] = Events;
		expect(event).toMatchObject({
			EventId: expect.stringMatching(/^[0-9a-f-]{36}$/),
			EventName: 'StartQueryExecution',
			EventSource: 'athena.amazonaws.com',
			ReadOnly: 'false',
			EventTime: expect.any(Date),
			Username: 'fairlead',
			Resources: [],
		});
		const whole = JSON.parse(event?.CloudTrailEvent ?? '') as Record<string, unknown>;
		expect(whole).toMatchObject({
			eventID: event?.EventId,
			recipientAccountId: RISK,
			responseElements: { queryExecutionId: execution },
			requestParameters: { queryString: '***OMITTED***', workGroup: WORK_GROUP },
		});
	});

	test('of data access stands in both accounts, each its own, the copy without a name', async () => {
		const { Events: own = [] } = await lookup(named('GetDataAccess'));
		const { Events: copies = [] } = await lookup(named('GetDataAccess'), BYSTANDER);
		expect([own.length, copies.length]).toEqual([1, 1]);
		const [mine, theirs] = [own, copies].map(([e]) => JSON.parse(e?.CloudTrailEvent ?? '') as Record<string, unknown>);
		expect(mine?.['sharedEventID']).toBe(theirs?.['sharedEventID']);
		expect(mine?.['eventID']).not.toBe(theirs?.['eventID']);
		expect(JSON.stringify(theirs)).not.toContain(RISK_ROLE);
		expect(mine).toMatchObject({
			requestParameters: { auditContext: { additionalAuditContext: `{queryId: ${execution}}` } },
		});
	});

	test.each([
		['EventSource', 'athena.amazonaws.com', 1],
		['EventSource', 'glue.amazonaws.com', 0],
		['ReadOnly', 'true', 1],
		['ResourceName', 'loans', 0],
	] as const)('is found by %s %s', async (AttributeKey, AttributeValue, count) => {
		const StartTime = new Date(Date.now() - 600_000);
		const { Events = [] } = await lookup({ LookupAttributes: [{ AttributeKey, AttributeValue }], StartTime });
		expect(Events.filter((e) => e.EventName !== 'AssumeRole')).toHaveLength(count);
	});

	test('is found within its time alone, both ends counted, and for 90 days', async () => {
		const at = new Date(Math.floor(Date.now() / 1000) * 1000 - 7_200_000);
		const old = new Date(Date.now() - 91 * 86_400_000).toISOString();
		lake.aws.emit(record(0, { eventName: 'Timed', eventTime: at.toISOString() }));
		lake.aws.emit(record(1, { eventName: 'Timed', eventTime: old }));
		const count = async (bounds: { StartTime?: Date; EndTime?: Date }) =>
			(await lookup({ ...named('Timed'), ...bounds }, GRANTOR)).Events?.length;
		const [before, after] = [-1000, 1000].map((ms) => new Date(at.getTime() + ms));
		expect(await count({})).toBe(1);
		expect(await count({ StartTime: at, EndTime: at })).toBe(1);
		expect(await count({ StartTime: after as Date })).toBe(0);
		expect(await count({ EndTime: before as Date })).toBe(0);
	});
});

test('pages are newest first, none twice and none left out, also of one second and while others come', async () => {
	for (let n = 0; n < 120; n++) lake.aws.emit(record(n));
	const client = await as(GRANTOR);
	const ids: (string | undefined)[] = [];
	const times: number[] = [];
	let pages = 0;
	for await (const { Events = [] } of paginateLookupEvents({ client, pageSize: 50 }, named('Paged'))) {
		ids.push(...Events.map((e) => e.EventId));
		times.push(...Events.map((e) => e.EventTime?.getTime() ?? 0));
		lake.aws.emit(record(-3 - 3 * pages, { eventID: `late-${pages}` }));
		pages += 1;
	}
	expect(pages).toBe(3);
	expect(new Set(ids).size).toBe(120);
	expect(ids.every((id) => id?.startsWith('event-'))).toBe(true);
	expect(times).toEqual(times.toSorted((a, b) => b - a));
});

test('what is lost or late is not there, and what came twice has one id', async () => {
	lake.aws.deliverEvents({ duplicate: 1, seed: 1 });
	lake.aws.emit(record(0, { eventName: 'Doubled' }));
	lake.aws.deliverEvents({ drop: 1, seed: 1 });
	lake.aws.emit(record(1, { eventName: 'Doubled' }));
	lake.aws.deliverEvents({ delayMs: 60_000 });
	lake.aws.emit(record(2, { eventName: 'Doubled' }));
	lake.aws.deliverEvents({});
	const { Events = [] } = await lookup(named('Doubled'), GRANTOR);
	expect(Events.map((e) => e.EventId)).toEqual(['event-0', 'event-0']);
});

test('a role that watches sees the executions of others in its account, and none of their results', async () => {
	const watcher = await lake.athena(WATCHER);
	const list = new ListQueryExecutionsCommand({ WorkGroup: WORK_GROUP });
	expect((await watcher.send(list)).QueryExecutionIds).toEqual([execution]);
	expect((await (await lake.athena(OTHER_ROLE)).send(list)).QueryExecutionIds).toEqual([]);
	const batch = new BatchGetQueryExecutionCommand({ QueryExecutionIds: [execution] });
	const { QueryExecutions = [] } = await watcher.send(batch);
	expect(QueryExecutions.map((e) => [e.QueryExecutionId, e.WorkGroup])).toEqual([[execution, WORK_GROUP]]);
	expect((await (await lake.athena(OTHER_ROLE)).send(batch)).QueryExecutions).toEqual([]);
	const QueryExecutionId = execution;
	for (const command of [
		new GetQueryExecutionCommand({ QueryExecutionId }),
		new GetQueryResultsCommand({ QueryExecutionId }),
	]) {
		expect((await refusal(watcher.send(command))).name).toBe('InvalidRequestException');
	}
});
