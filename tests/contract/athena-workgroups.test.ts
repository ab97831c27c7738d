/** Names, texts and numbers: aws-facts section 3, "Results and workgroups" and "API details" ([M] measured, [D] documented). */
import { randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import {
	type AthenaClient,
	CreateWorkGroupCommand,
	DeleteWorkGroupCommand,
	GetQueryExecutionCommand,
	GetWorkGroupCommand,
	ListQueryExecutionsCommand,
	ListWorkGroupsCommand,
	paginateListWorkGroups,
	type StartQueryExecutionInput,
	UpdateWorkGroupCommand,
	type UpdateWorkGroupInput,
	type WorkGroupConfiguration,
} from '@aws-sdk/client-athena';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endless, grant, startQuery, tableNamed } from '#tests/local/calls.ts';
import {
	ended,
	GRANTOR,
	type Lake,
	OTHER_ROLE,
	openLake,
	RISK_ROLE,
	refusal,
	runQuery,
	WORK_GROUP,
} from '#tests/local/harness.ts';

let lake: Lake;
let athena: AthenaClient;
beforeAll(async () => {
	lake = await openLake();
	athena = await lake.athena(RISK_ROLE);
	await grant(await lake.lakeformation(GRANTOR), tableNamed('payments'));
});
afterAll(() => lake.close());

const create = (Name: string, Configuration: WorkGroupConfiguration = {}, client = athena) =>
	client.send(new CreateWorkGroupCommand({ Name, Configuration }));
const update = (WorkGroup: string, changes: Omit<UpdateWorkGroupInput, 'WorkGroup'>) =>
	athena.send(new UpdateWorkGroupCommand({ WorkGroup, ...changes }));
const get = async (WorkGroup: string) => (await athena.send(new GetWorkGroupCommand({ WorkGroup }))).WorkGroup;
const remove = (WorkGroup: string, RecursiveDeleteOption?: boolean) =>
	athena.send(new DeleteWorkGroupCommand({ WorkGroup, RecursiveDeleteOption }));
const start = (WorkGroup: string, more: Partial<StartQueryExecutionInput> = {}) =>
	startQuery(athena, { QueryString: 'SELECT 1 AS one', WorkGroup, ...more });
const at = (OutputLocation: string) => ({ ResultConfiguration: { OutputLocation } });
const message = async (call: Promise<unknown>) => (await refusal(call)).message;

describe('refused', () => {
	test.each<[string, () => Promise<unknown>, string | RegExp]>([
		['a name that is taken', () => create(WORK_GROUP), 'WorkGroup is already created'],
		['the name primary', () => create('primary'), 'WorkGroup is already created'],
		['a name with a blank', () => create('a b'), /Value at 'name' .* regular expression pattern/],
		['a name of 129 characters', () => create('x'.repeat(129)), /Value at 'name'/],
		[
			'a limit below 10 MB',
			() => create('small', { BytesScannedCutoffPerQuery: 9_999_999 }),
			/greater than or equal to 10000000$/,
		],
		['a location that is not in S3', () => create('here', at('/tmp')), 'outputLocation is not a valid S3 path.'],
		[
			'a location beside managed results',
			() => create('both', { ...at('s3://results/'), ManagedQueryResultsConfiguration: { Enabled: true } }),
			/managed query results/,
		],
		[
			'a setting that would be ignored',
			() => create('role', { ExecutionRole: RISK_ROLE }),
			'ExecutionRole is not supported by the embedded Athena',
		],
		['a change of a group that is not there', () => update('nosuch', {}), 'WorkGroup is not found.'],
		['to read one that is not there', () => get('nosuch'), 'WorkGroup is not found.'],
		['to delete one that is not there', () => remove('nosuch'), 'WorkGroup is not found.'],
		['to delete primary', () => remove('primary', true), /primary/],
		[
			'a page of none',
			() => athena.send(new ListWorkGroupsCommand({ MaxResults: 0 })),
			"1 validation error detected: Value at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1",
		],
		[
			'a page of 51',
			() => athena.send(new ListWorkGroupsCommand({ MaxResults: 51 })),
			"1 validation error detected: Value at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 50",
		],
		[
			'a token that is none of ours',
			() => athena.send(new ListWorkGroupsCommand({ NextToken: 'nonsense' })),
			'The nextPageToken is malformed: nonsense',
		],
	])('is %s', async (_name, call, text) => {
		const refused = await refusal(call());
		expect(refused.name).toBe('InvalidRequestException');
		expect(refused.message).toMatch(text);
	});

	test('changes nothing', async () => {
		const before = await athena.send(new ListWorkGroupsCommand({}));
		await refusal(update(WORK_GROUP, { Description: 'new', ConfigurationUpdates: { BytesScannedCutoffPerQuery: 1 } }));
		const after = await athena.send(new ListWorkGroupsCommand({}));
		expect(after.WorkGroups).toEqual(before.WorkGroups);
	});
});

describe('work groups', () => {
	test("are those of the caller's account, primary among them, by name and page by page", async () => {
		await create('aaa');
		const names = (await athena.send(new ListWorkGroupsCommand({}))).WorkGroups?.map(({ Name }) => Name);
		expect(names).toEqual(['aaa', WORK_GROUP, 'primary']);
		const paged: (string | undefined)[] = [];
		for await (const page of paginateListWorkGroups({ client: athena, pageSize: 1 }, {}))
			paged.push(...(page.WorkGroups ?? []).map(({ Name }) => Name));
		expect(paged).toEqual(names);
		const producer = await lake.athena(GRANTOR);
		expect((await producer.send(new ListWorkGroupsCommand({}))).WorkGroups?.map(({ Name }) => Name)).toEqual([
			'primary',
		]);
		expect(await message(producer.send(new GetWorkGroupCommand({ WorkGroup: WORK_GROUP })))).toBe(
			'WorkGroup is not found.',
		);
		await remove('aaa');
	});

	test('show the settings of primary as measured, and no description where there is none', async () => {
		const primary = await get('primary');
		expect(primary).toEqual({
			Name: 'primary',
			State: 'ENABLED',
			CreationTime: expect.any(Date) as Date,
			Configuration: {
				EnableMinimumEncryptionConfiguration: false,
				EnforceWorkGroupConfiguration: false,
				EngineVersion: { SelectedEngineVersion: 'AUTO', EffectiveEngineVersion: 'Athena engine version 3' },
				PublishCloudWatchMetricsEnabled: false,
				RequesterPaysEnabled: false,
				ResultConfiguration: {},
			},
		});
		const listed = (await athena.send(new ListWorkGroupsCommand({}))).WorkGroups?.find(
			({ Name }) => Name === 'primary',
		);
		expect(listed?.Description).toBe('');
	});

	test('of the landing zone keep their results with Athena and let no client choose another place', async () => {
		expect((await get(WORK_GROUP))?.Configuration).toMatchObject({
			EnforceWorkGroupConfiguration: true,
			ManagedQueryResultsConfiguration: { Enabled: true },
		});
	});

	test('are changed member by member, and stay changed after a restart', async () => {
		const own = await openLake();
		const client = await own.athena(RISK_ROLE);
		await create('reports', { ...at('s3://results/a/'), BytesScannedCutoffPerQuery: 20_000_000 }, client);
		await client.send(
			new UpdateWorkGroupCommand({
				WorkGroup: 'reports',
				Description: 'monthly',
				State: 'DISABLED',
				ConfigurationUpdates: {
					EnforceWorkGroupConfiguration: true,
					RemoveBytesScannedCutoffPerQuery: true,
					ResultConfigurationUpdates: { OutputLocation: 's3://results/b/' },
				},
			}),
		);
		const again = await own.restart();
		const after = await (await again.athena(RISK_ROLE)).send(new GetWorkGroupCommand({ WorkGroup: 'reports' }));
		expect(after.WorkGroup).toMatchObject({
			Description: 'monthly',
			State: 'DISABLED',
			Configuration: {
				EnforceWorkGroupConfiguration: true,
				ResultConfiguration: { OutputLocation: 's3://results/b/' },
			},
		});
		expect(after.WorkGroup?.Configuration).not.toHaveProperty('BytesScannedCutoffPerQuery');
		await again.close();
	});
});

describe('a query', () => {
	test('is not taken by a group that is disabled, and is again when it is enabled', async () => {
		await create('switched', at('s3://results/'));
		await update('switched', { State: 'DISABLED' });
		expect(await message(start('switched'))).toBe('WorkGroup is disabled');
		await update('switched', { State: 'ENABLED' });
		expect((await start('switched')).QueryExecutionId).toMatch(/./);
	});

	test('needs a place for its results: its own, or that of its group, which may override it', async () => {
		await create('open');
		expect(await message(start('open'))).toMatch(/^No output location provided/);
		const own = await start('open', at('s3://mine/x/'));
		await create('closed', { ...at('s3://theirs/y'), EnforceWorkGroupConfiguration: true });
		const overridden = await start('closed', at('s3://mine/x/'));
		await create('default', at('s3://theirs/z'));
		const fallback = await start('default');
		const place = async (id: string | undefined) =>
			(await ended(athena, id)).ResultConfiguration?.OutputLocation?.replace(id ?? '', '<id>');
		expect(await place(own.QueryExecutionId)).toBe('s3://mine/x/<id>.csv');
		expect(await place(overridden.QueryExecutionId)).toBe('s3://theirs/y/<id>.csv');
		expect(await place(fallback.QueryExecutionId)).toBe('s3://theirs/z/<id>.csv');
		const managed = await start(WORK_GROUP, at('s3://mine/x/'));
		const { ResultConfiguration } = await ended(athena, managed.QueryExecutionId);
		expect(ResultConfiguration).toEqual({});
	});

	test('that would read more than its group allows is cancelled; one below runs', async () => {
		await create('capped', { ...at('s3://results/'), BytesScannedCutoffPerQuery: 10_000_000 });
		const sql = 'SELECT count(*) AS n FROM lending.payments';
		const below = await runQuery(athena, sql, { WorkGroup: 'capped' });
		expect(below.Status?.State).toBe('SUCCEEDED');
		const line = `1;1;A;${'x'.repeat(1000)};\n`;
		writeFileSync(path.join(lake.folder, 'loans.csv'), `loan_id;amount;status;note;granted_on\n${line.repeat(10_000)}`);
		const above = await runQuery(athena, sql, { WorkGroup: 'capped' });
		expect(above.Status).toMatchObject({ State: 'CANCELLED', StateChangeReason: 'Bytes scanned limit was exceeded' });
		expect(above.Status?.AthenaError).toBeUndefined();
		const uncapped = await runQuery(athena, sql);
		expect(uncapped.Status?.State).toBe('SUCCEEDED');
	});
});

describe('deleting', () => {
	test('needs to be told so where there are executions, which then are gone with it, also running ones', async () => {
		await create('doomed', at('s3://results/'));
		const done = await runQuery(athena, 'SELECT 1 AS one', { WorkGroup: 'doomed' });
		const ClientRequestToken = randomUUID();
		const running = await start('doomed', { QueryString: endless('lending.payments'), ClientRequestToken });
		expect(await message(remove('doomed'))).toBe('WorkGroup doomed is not empty');
		await remove('doomed', true);
		for (const QueryExecutionId of [done.QueryExecutionId, running.QueryExecutionId]) {
			expect(await message(athena.send(new GetQueryExecutionCommand({ QueryExecutionId })))).toBe(
				`QueryExecution ${QueryExecutionId} was not found`,
			);
		}
		expect(await message(athena.send(new ListQueryExecutionsCommand({ WorkGroup: 'doomed' })))).toBe(
			'WorkGroup is not found.',
		);
		await create('doomed', at('s3://results/'));
		const other = await lake.athena(OTHER_ROLE);
		const { QueryExecutionIds } = await other.send(new ListQueryExecutionsCommand({ WorkGroup: 'doomed' }));
		expect(QueryExecutionIds).toEqual([]);
		const anew = await start('doomed', { ClientRequestToken });
		expect(anew.QueryExecutionId).not.toBe(running.QueryExecutionId);
	});

	test('leaves no execution behind that was started meanwhile', async () => {
		const ends: string[] = [];
		for (let round = 0; round < 8; round++) {
			await create('racing', at('s3://results/'));
			const deletion = remove('racing').then(
				() => 'deleted',
				(error: Error) => error.message,
			);
			const starts = Array.from({ length: 6 }, () =>
				start('racing').then(
					() => 'started',
					(error: Error) => error.message,
				),
			);
			const [end, ...answers] = await Promise.all([deletion, ...starts]);
			ends.push(end);
			if (end === 'deleted') expect(new Set(answers)).toEqual(new Set(['WorkGroup is not found.']));
			else {
				expect(end).toBe('WorkGroup racing is not empty');
				await remove('racing', true);
			}
		}
		expect(ends).toContain('deleted');
	});
});
