/** What lies in S3 is the account's that owns it: a table of another account over the same place reads nothing of it. */
import {
	CreateDatabaseCommand,
	CreatePartitionCommand,
	CreateTableCommand,
	DeleteTableCommand,
	GetTableCommand,
	type GlueClient,
} from '@aws-sdk/client-glue';
import { GrantPermissionsCommand, type Permission, RegisterResourceCommand } from '@aws-sdk/client-lakeformation';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emptyLanding } from '#local/aws.ts';
import {
	BROKER,
	GRANTOR,
	type Lake,
	LENDING,
	openLake,
	REGION,
	RISK,
	rowsOf,
	WORK_GROUP,
} from '#tests/local/harness.ts';

const KEEPER = `arn:aws:iam::${RISK}:role/keeper`;
const CSV = 'org.apache.hadoop.hive.serde2.OpenCSVSerde';

let lake: Lake;
let keeper: GlueClient;
beforeAll(async () => {
	lake = await openLake();
	await lake.aws.provision({
		...emptyLanding(REGION),
		accounts: [{ id: RISK, admins: [KEEPER], createTableDefaultPermissionsCleared: true }],
		roles: [{ arn: KEEPER, trusts: [BROKER] }],
		workGroups: [{ account: LENDING, name: WORK_GROUP }],
	});
	keeper = await lake.glue(KEEPER);
	const register = new RegisterResourceCommand({ ResourceArn: 'arn:aws:s3:::lake', UseServiceLinkedRole: true });
	await (await lake.lakeformation(KEEPER)).send(register);
	await keeper.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'mine' } }));
});
afterAll(() => lake.close());

const storage = (Location: string) => ({
	Location,
	Columns: [{ Name: 'loan_id', Type: 'bigint' }],
	SerdeInfo: { SerializationLibrary: CSV, Parameters: { separatorChar: ';', 'skip.header.line.count': '1' } },
});
const make = (Name: string, Location: string, more: object = {}) =>
	keeper.send(
		new CreateTableCommand({
			DatabaseName: 'mine',
			TableInput: { Name, StorageDescriptor: storage(Location), ...more },
		}),
	);
const count = async (table: string) =>
	(await rowsOf(await lake.athena(KEEPER), `SELECT count(*) FROM mine.${table}`)).slice(1);
const allow = async (Name: string, Permissions: Permission[]) => {
	const Resource = { Table: { DatabaseName: 'lending', Name } };
	const Principal = { DataLakePrincipalIdentifier: GRANTOR };
	await (await lake.lakeformation(GRANTOR)).send(new GrantPermissionsCommand({ Principal, Resource, Permissions }));
};

test('a table of one account over the data of another one is empty', async () => {
	await make('copied', 's3://lake/loans');
	expect(await count('copied')).toEqual([['0']]);
	await make('wider', 's3://lake');
	expect(await count('wider')).toEqual([['0']]);
});

test('so is a partition', async () => {
	await make('parted', 's3://lake', { PartitionKeys: [{ Name: 'year', Type: 'int' }] });
	const PartitionInput = { Values: ['2020'], StorageDescriptor: { Location: 's3://lake/loans' } };
	await keeper.send(new CreatePartitionCommand({ DatabaseName: 'mine', TableName: 'parted', PartitionInput }));
	expect(await count('parted')).toEqual([['0']]);
});

test('also after the owner dropped his table, who gets his data back by making it again', async () => {
	const owner = await lake.glue(GRANTOR);
	const named = { DatabaseName: 'lending', Name: 'loans' };
	const { StorageDescriptor } = (await owner.send(new GetTableCommand(named))).Table ?? {};
	await allow('loans', ['DROP']);
	await owner.send(new DeleteTableCommand(named));
	await make('inherited', 's3://lake/loans');
	expect(await count('inherited')).toEqual([['0']]);
	const database = { Database: { Name: 'lending' } };
	const Principal = { DataLakePrincipalIdentifier: GRANTOR };
	const grant = new GrantPermissionsCommand({ Principal, Resource: database, Permissions: ['CREATE_TABLE'] });
	await (await lake.lakeformation(GRANTOR)).send(grant);
	const TableInput = { Name: 'loans', StorageDescriptor };
	await owner.send(new CreateTableCommand({ DatabaseName: 'lending', TableInput }));
	await allow('loans', ['SELECT']);
	const rows = await rowsOf(await lake.athena(GRANTOR), 'SELECT count(*) FROM lending.loans');
	expect(rows.slice(1)).toEqual([['4']]);
});
