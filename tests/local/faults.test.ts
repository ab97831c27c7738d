/** Faults come over the real wire: what a client of AWS would see, and what stands afterwards. */
import { CreateTableCommand, DynamoDBClient, ExecuteStatementCommand, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { GetDatabaseCommand, GlueClient } from '@aws-sdk/client-glue';
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import {
	BatchGrantPermissionsCommand,
	BatchRevokePermissionsCommand,
	CreateDataCellsFilterCommand,
	DeleteDataCellsFilterCommand,
	GrantPermissionsCommand,
	LakeFormationClient,
	RevokePermissionsCommand,
} from '@aws-sdk/client-lakeformation';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { BROKER, GRANTOR, type Lake, OTHER_ROLE, openLake, RISK_ROLE, refusal, TABLE } from './harness.ts';

let lake: Lake;
let client: LakeFormationClient;
beforeAll(async () => {
	lake = await openLake();
	client = await lake.lakeformation(GRANTOR);
	await lake.dynamodb.send(
		new CreateTableCommand({
			TableName: 'entries',
			BillingMode: 'PAY_PER_REQUEST',
			AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
			KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
		}),
	);
});
afterEach(() => {
	lake.aws.faults.clear();
	lake.aws.faults.excludeChanges(null);
});
afterAll(() => lake.close());

const names = () =>
	lake.aws
		.lakeFormationState()
		.filters.map(({ name }) => name)
		.toSorted();
/** On the table: the landing zone grants on other things. */
const holders = () =>
	lake.aws
		.lakeFormationState()
		.permissions.filter(({ resource }) => resource.kind === 'table')
		.map(({ principal }) => principal);
const create = (Name: string, options?: { abortSignal: AbortSignal }) =>
	client.send(
		new CreateDataCellsFilterCommand({
			TableData: { ...TABLE, Name, ColumnNames: ['loan_id'], RowFilter: { AllRowsWildcard: {} } },
		}),
		options,
	);
const table = { Table: { CatalogId: TABLE.TableCatalogId, DatabaseName: TABLE.DatabaseName, Name: TABLE.TableName } };
const right = (principal: string) => ({
	Principal: { DataLakePrincipalIdentifier: principal },
	Resource: table,
	Permissions: ['DESCRIBE' as const],
});
const filters = { service: 'lakeformation', operation: 'CreateDataCellsFilter' } as const;

test('a refusal before leaves nothing done and is an internal failure unless named', async () => {
	lake.aws.faults.set([{ ...filters, when: 'before' }]);
	expect((await refusal(create('before'))).name).toBe('InternalFailure');
	const named = { name: 'OperationTimeoutException', message: 'slow' };
	lake.aws.faults.set([{ ...filters, when: 'before', error: named }]);
	expect(await refusal(create('before'))).toMatchObject({ ...named, typed: 'OperationTimeoutException' });
	expect(names()).not.toContain('before');
});

test('a failure after, and a lost answer, leave it done; a lost request leaves it undone', async () => {
	lake.aws.faults.set([{ ...filters, when: 'after' }]);
	expect((await refusal(create('after'))).name).toBe('InternalFailure');
	lake.aws.faults.set([{ ...filters, when: 'drop' }]);
	expect((await refusal(create('drop'))).message).toMatch(/socket hang up|ECONNRESET/);
	lake.aws.faults.set([{ ...filters, when: 'lose' }]);
	expect((await refusal(create('lose'))).message).toMatch(/socket hang up|ECONNRESET/);
	expect(names()).toEqual(['after', 'drop']);
});

test('a call that is refused anyway meets its fault all the same', async () => {
	await create('taken');
	expect((await refusal(create('taken'))).name).toBe('AlreadyExistsException');
	lake.aws.faults.set([{ ...filters, when: 'after' }]);
	expect((await refusal(create('taken'))).name).toBe('InternalFailure');
	lake.aws.faults.set([{ ...filters, when: 'drop' }]);
	expect((await refusal(create('taken'))).message).toMatch(/socket hang up|ECONNRESET/);
	for (const when of ['hang-after', 'delay'] as const) {
		lake.aws.faults.set([{ ...filters, when, ms: 60_000 }]);
		const late = refusal(create('taken'));
		const soon = new Promise((resolve) => setTimeout(resolve, 200, 'no answer yet'));
		expect(await Promise.race([late, soon])).toBe('no answer yet');
		lake.aws.faults.clear();
		const { name, message } = await late;
		if (when === 'delay') expect(name).toBe('AlreadyExistsException');
		else expect(message).toMatch(/socket hang up|ECONNRESET/);
	}
	await client.send(new DeleteDataCellsFilterCommand({ ...TABLE, Name: 'taken' }));
});

test('what hangs is not answered until the rules are cleared; done or not, as the rule says', async () => {
	lake.aws.faults.set([
		{ ...filters, when: 'hang', match: (input) => JSON.stringify(input).includes('hung') },
		{ ...filters, when: 'hang-after' },
	]);
	const abort = new AbortController();
	const hung = refusal(create('hung', { abortSignal: abort.signal }));
	const left = refusal(create('left'));
	await expect.poll(names).toContain('left');
	abort.abort();
	expect((await hung).name).toBe('AbortError');
	await expect(Promise.race([left, Promise.resolve('no answer yet')])).resolves.toBe('no answer yet');
	lake.aws.faults.clear();
	expect((await left).message).toMatch(/socket hang up|ECONNRESET/);
	expect(names()).not.toContain('hung');
});

test('a server closes although requests hang', async () => {
	const other = await openLake();
	other.aws.faults.set([{ service: '*', operation: '*', when: 'hang' }]);
	const hanging = refusal(new STSClient(other.settings(other.broker)).send(new GetCallerIdentityCommand({})));
	await new Promise((resolve) => setTimeout(resolve, 30));
	await other.close();
	expect((await hanging).message).toMatch(/socket hang up|ECONNRESET|ECONNREFUSED/);
});

test('each service throttles in its own words', async () => {
	lake.aws.faults.set([{ service: '*', operation: '*', when: 'throttle' }]);
	const settings = lake.settings(lake.broker);
	const answers = await Promise.all(
		[
			create('throttled'),
			new GlueClient(settings).send(new GetDatabaseCommand({ Name: 'lending' })),
			new IAMClient(settings).send(new GetRoleCommand({ RoleName: 'x' })),
			new STSClient(settings).send(new GetCallerIdentityCommand({})),
			new DynamoDBClient(settings).send(new GetItemCommand({ TableName: 'entries', Key: { pk: { S: 'a' } } })),
		].map(refusal),
	);
	expect(answers.map(({ name }) => name)).toEqual([
		'InvalidInputException',
		'ThrottlingException',
		'Throttling',
		'Throttling',
		'ThrottlingException',
	]);
	expect(answers[0]?.message).toBe('Rate exceeded');
});

describe('what is counted', () => {
	test('requests: so many pass, so many are hit, the rest passes', async () => {
		lake.aws.faults.set([{ ...filters, when: 'before', skip: 1, times: 1 }]);
		await create('first');
		await refusal(create('second'));
		await create('third');
		expect(names()).toEqual(expect.arrayContaining(['first', 'third']));
		expect(names()).not.toContain('second');
	});

	test("calls: all retries of one are hit, the next call isn't", async () => {
		const retrying = new LakeFormationClient({ ...lake.settings(await lake.assume(GRANTOR)), maxAttempts: 3 });
		const seen: string[] = [];
		const stop = lake.aws.faults.watch(({ operation, id }) => seen.push(`${operation} ${id}`));
		lake.aws.faults.set([
			{ service: 'lakeformation', operation: 'GrantPermissions', when: 'after', times: 1, per: 'call' },
		]);
		const grant = () => retrying.send(new GrantPermissionsCommand(right(OTHER_ROLE)));
		expect((await refusal(grant())).name).toBe('InternalFailure');
		expect(seen).toHaveLength(3);
		expect(new Set(seen).size).toBe(1);
		await grant();
		stop();
		await retrying.send(new RevokePermissionsCommand(right(OTHER_ROLE)));
		expect(seen).toHaveLength(4);
	});

	test('dice fall the same way for the same seed, and both ways', async () => {
		const pattern = async () => {
			lake.aws.faults.set([{ service: 'sts', operation: '*', when: 'before', probability: 0.5 }], 7);
			const sts = new STSClient(lake.settings(lake.broker));
			const outcomes: boolean[] = [];
			for (let i = 0; i < 20; i++) {
				outcomes.push(
					await sts.send(new GetCallerIdentityCommand({})).then(
						() => true,
						() => false,
					),
				);
			}
			return outcomes;
		};
		const first = await pattern();
		expect(new Set(first)).toEqual(new Set([true, false]));
		expect(await pattern()).toEqual(first);
	});

	test("one principal's requests only", async () => {
		lake.aws.faults.set([{ service: '*', operation: '*', when: 'before', principal: GRANTOR }]);
		await refusal(create('not'));
		await new STSClient(lake.settings(lake.broker)).send(new GetCallerIdentityCommand({}));
		expect(BROKER).not.toBe(GRANTOR);
	});
});

test('DynamoDB: an insert that was done and lost is a duplicate when sent again', async () => {
	const insert = new ExecuteStatementCommand({
		Statement: `INSERT INTO "entries" VALUE {'pk': ?}`,
		Parameters: [{ S: 'one' }],
	});
	lake.aws.faults.set([{ service: 'dynamodb', operation: 'ExecuteStatement', when: 'after', times: 1 }]);
	expect((await refusal(lake.dynamodb.send(insert))).name).toBe('InternalFailure');
	expect((await refusal(lake.dynamodb.send(insert))).typed).toBe('DuplicateItemException');
});

describe('batches', () => {
	const grants = () =>
		client.send(
			new BatchGrantPermissionsCommand({
				Entries: [RISK_ROLE, OTHER_ROLE].map((principal) => ({ Id: principal, ...right(principal) })),
			}),
		);
	const ofOther = (entry: unknown) => JSON.stringify(entry).includes(OTHER_ROLE);
	const error = { name: 'InternalServiceException', message: 'not this one' };
	const revokeAll = () =>
		client.send(
			new BatchRevokePermissionsCommand({
				Entries: [RISK_ROLE, OTHER_ROLE].map((principal) => ({ Id: principal, ...right(principal) })),
			}),
		);

	test.each([
		['before', [RISK_ROLE]],
		['after', [RISK_ROLE, OTHER_ROLE]],
	] as const)('one entry fails %s, told beside those that were served', async (when, held) => {
		lake.aws.faults.set([
			{ service: 'lakeformation', operation: 'BatchGrantPermissions', when, error, entry: ofOther },
		]);
		const { Failures } = await grants();
		expect(Failures).toEqual([
			{
				RequestEntry: expect.objectContaining({ Id: OTHER_ROLE }),
				Error: { ErrorCode: error.name, ErrorMessage: error.message },
			},
		]);
		expect(holders().toSorted()).toEqual([...held].toSorted());
		lake.aws.faults.clear();
		await revokeAll();
		expect(holders()).toEqual([]);
	});
});

test('changes of one table exclude each other where that is switched on; the same client may go on', async () => {
	lake.aws.faults.excludeChanges(60_000);
	await client.send(new GrantPermissionsCommand(right(RISK_ROLE)));
	const refused = await refusal(client.send(new GrantPermissionsCommand(right(OTHER_ROLE))));
	expect(refused).toMatchObject({ name: 'ConcurrentModificationException', typed: 'ConcurrentModificationException' });
	expect(refused.message).toContain('Please retry in a short while');
	lake.aws.faults.excludeChanges(0);
	await client.send(new GrantPermissionsCommand(right(OTHER_ROLE)));
	lake.aws.faults.excludeChanges(null);
	const outcomes = await Promise.allSettled(
		[RISK_ROLE, OTHER_ROLE].map((principal) => client.send(new RevokePermissionsCommand(right(principal)))),
	);
	expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
});
