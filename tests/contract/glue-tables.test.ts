/** Tables made, changed and dropped through Glue, as Lake Formation lets. */
import {
	BatchDeleteTableCommand,
	CreateDatabaseCommand,
	CreateTableCommand,
	DeleteTableCommand,
	GetTableCommand,
	GetTablesCommand,
	type GlueClient,
	type TableInput,
	UpdateTableCommand,
} from '@aws-sdk/client-glue';
import {
	CreateDataCellsFilterCommand,
	GrantPermissionsCommand,
	type Permission,
	PutDataLakeSettingsCommand,
	type Resource,
} from '@aws-sdk/client-lakeformation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { forgotten, onTable } from '#local/aws/glue.ts';
import { emptyState, permissionKey } from '#local/aws/state.ts';
import { emptyLanding } from '#local/aws.ts';
import {
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	landing,
	OTHER_ROLE,
	openLake,
	RISK_ROLE,
	refusal,
	rowsOf,
	TABLE,
} from '#tests/local/harness.ts';

const DatabaseName = 'lending';
const PARQUET = 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe';

let lake: Lake;
let owner: GlueClient;
let maker: GlueClient;
let reader: GlueClient;
beforeAll(async () => {
	lake = await openLake();
	await grant(BYSTANDER, { Database: { Name: 'lending' } }, ['CREATE_TABLE']);
	await open();
});
afterAll(async () => {
	await lake.close();
});

const open = async () => {
	[owner, maker, reader] = [await lake.glue(GRANTOR), await lake.glue(BYSTANDER), await lake.glue(RISK_ROLE)];
};
const grant = async (to: string, on: Resource, permissions: Permission[]) => {
	const client = await lake.lakeformation(GRANTOR);
	const Principal = { DataLakePrincipalIdentifier: to };
	await client.send(new GrantPermissionsCommand({ Principal, Resource: on, Permissions: permissions }));
};
const onTableOf = (Name: string) => ({ Table: { DatabaseName, Name } });

const described = (Name: string, Location: string, more: Partial<TableInput> = {}): TableInput => ({
	Name,
	TableType: 'EXTERNAL_TABLE',
	StorageDescriptor: {
		Location,
		Columns: [
			{ Name: 'Loan_ID', Type: 'bigint' },
			{ Name: 'status', Type: 'string', Comment: 'how it stands' },
		],
		SerdeInfo: { SerializationLibrary: PARQUET },
	},
	...more,
});
const make = (client: GlueClient, input: TableInput) =>
	client.send(new CreateTableCommand({ DatabaseName, TableInput: input }));
const update = (client: GlueClient, input: TableInput, VersionId?: string) =>
	client.send(new UpdateTableCommand({ DatabaseName, TableInput: input, VersionId }));
const drop = (client: GlueClient, Name: string) => client.send(new DeleteTableCommand({ DatabaseName, Name }));
const get = async (client: GlueClient, Name: string) =>
	(await client.send(new GetTableCommand({ DatabaseName, Name }))).Table;
const ABSENT = { name: 'EntityNotFoundException', typed: 'EntityNotFoundException', message: 'Entity Not Found' };
const lacks = (what: string) => ({
	name: 'AccessDeniedException',
	message: `Insufficient Lake Formation permission(s): Required ${what}`,
});

describe('CreateTable', () => {
	test('is refused without CREATE_TABLE, to an administrator too, and where there is no such database', async () => {
		const denied = lacks('Create Table on lending');
		expect(await refusal(make(owner, described('fresh', 's3://other/fresh')))).toMatchObject(denied);
		const nowhere = new CreateTableCommand({ DatabaseName: 'nosuch', TableInput: described('a', 's3://other/a') });
		expect(await refusal(maker.send(nowhere))).toMatchObject({ name: 'EntityNotFoundException' });
		expect(await refusal(make(reader, described('fresh', 's3://other/fresh')))).toMatchObject(denied);
	});

	test('is refused in a registered location to who holds no data location permission', async () => {
		const input = described('derived', 's3://lake/loans/derived');
		expect((await refusal(make(maker, input))).name).toBe('AccessDeniedException');
		await grant(BYSTANDER, { DataLocation: { ResourceArn: 'arn:aws:s3:::lake/loans' } }, ['DATA_LOCATION_ACCESS']);
		await make(maker, input);
		expect((await get(maker, 'derived'))?.IsRegisteredWithLakeFormation).toBe(true);
	});

	const storage = described('x', 's3://other/x').StorageDescriptor;
	test.each([
		['no columns', { Name: 'x', StorageDescriptor: { ...storage, Columns: [] } }],
		['no location', { Name: 'x', StorageDescriptor: { ...storage, Location: undefined } }],
		['a location elsewhere than in S3', { Name: 'x', StorageDescriptor: { ...storage, Location: 'hdfs://x' } }],
		[
			'a column named twice',
			{ ...described('x', 's3://other/x'), PartitionKeys: [{ Name: 'STATUS', Type: 'string' }] },
		],
		['a format that cannot be read', { Name: 'x', StorageDescriptor: { ...storage, SerdeInfo: {} } }],
		['a link to another table', { Name: 'x', TargetTable: { CatalogId: LENDING, DatabaseName, Name: 'loans' } }],
		['buckets', { Name: 'x', StorageDescriptor: { ...storage, BucketColumns: ['loan_id'] } }],
	])('refuses %s', async (_name, input) => {
		expect((await refusal(make(maker, input))).name).toBe('InvalidInputException');
	});

	test('keeps names in lower case, and gives its maker everything and nobody else anything', async () => {
		const Parameters = { owner: 'risk', 'spark.sql.sources.schema.part.0': '{}' };
		await make(maker, described('Scores', 's3://other/scores', { Description: 'd', Parameters }));
		expect(await refusal(make(maker, described('SCORES', 's3://other/scores')))).toMatchObject({
			name: 'AlreadyExistsException',
			message: 'Table already exists.',
		});
		const table = await get(maker, 'sCores');
		expect(table).toMatchObject({
			Name: 'scores',
			Description: 'd',
			CatalogId: LENDING,
			TableType: 'EXTERNAL_TABLE',
			PartitionKeys: [],
			Parameters: { ...Parameters, classification: 'parquet', EXTERNAL: 'TRUE' },
			IsRegisteredWithLakeFormation: false,
			StorageDescriptor: {
				Location: 's3://other/scores',
				Columns: [
					{ Name: 'loan_id', Type: 'bigint' },
					{ Name: 'status', Type: 'string', Comment: 'how it stands' },
				],
			},
		});
		expect(await refusal(get(reader, 'scores'))).toEqual(ABSENT);
		const held = lake.aws
			.lakeFormationState()
			.permissions.find(({ resource }) => resource.kind === 'table' && resource.table === 'scores');
		expect(held).toMatchObject({ principal: BYSTANDER });
		expect(held?.grantable).toContain('SELECT');
	});

	test('grants a new table what the account grants by default, from the database’s making on', async () => {
		const admin = await lake.lakeformation(GRANTOR);
		const Principal = { DataLakePrincipalIdentifier: 'IAM_ALLOWED_PRINCIPALS' };
		const settings = (CreateTableDefaultPermissions: { Principal: typeof Principal; Permissions: Permission[] }[]) =>
			admin.send(
				new PutDataLakeSettingsCommand({
					DataLakeSettings: {
						DataLakeAdmins: [{ DataLakePrincipalIdentifier: GRANTOR }],
						CreateTableDefaultPermissions,
						Parameters: { CROSS_ACCOUNT_VERSION: '4' },
					},
				}),
			);
		await settings([{ Principal, Permissions: ['ALL'] }]);
		await make(maker, described('later', 's3://other/later'));
		const open = (name: string) =>
			lake.aws
				.lakeFormationState()
				.permissions.some(
					({ principal, resource }) =>
						principal === 'IAM_ALLOWED_PRINCIPALS' && resource.kind === 'table' && resource.table === name,
				);
		expect(open('later')).toBe(false);
		await lake.aws.provision({ ...emptyLanding('eu-central-1'), databases: [{ account: LENDING, name: 'open' }] });
		await settings([]);
		await grant(BYSTANDER, { Database: { Name: 'open' } }, ['CREATE_TABLE']);
		const TableInput = described('loose_one', 's3://other/loose_one');
		await maker.send(new CreateTableCommand({ DatabaseName: 'open', TableInput }));
		expect(open('loose_one')).toBe(true);
	});

	test('makes a view as Athena does', async () => {
		const TableInput = {
			Name: 'v',
			TableType: 'VIRTUAL_VIEW',
			ViewOriginalText: '/* Presto View: e30= */',
			StorageDescriptor: { Columns: [{ Name: 'a', Type: 'int' }] },
		};
		expect((await refusal(make(maker, { ...TableInput, ViewOriginalText: undefined }))).name).toBe(
			'InvalidInputException',
		);
		await make(maker, TableInput);
		expect(await get(maker, 'v')).toMatchObject({
			TableType: 'VIRTUAL_VIEW',
			ViewOriginalText: TableInput.ViewOriginalText,
		});
		await drop(maker, 'v');
		expect(await refusal(get(maker, 'v'))).toEqual(ABSENT);
	});
});

describe('GetTable', () => {
	test('hides from a partial grantee the properties that tell the other columns, and never a partition key', async () => {
		const PartitionKeys = [{ Name: 'year', Type: 'int' }];
		const Parameters = { 'spark.sql.sources.schema.numParts': '1', note: 'n' };
		await make(maker, described('parted', 's3://other/parted', { PartitionKeys, Parameters }));
		const lakeformation = await lake.lakeformation(GRANTOR);
		await lakeformation.send(
			new CreateDataCellsFilterCommand({
				TableData: {
					...TABLE,
					TableName: 'parted',
					Name: 'f',
					ColumnNames: ['status'],
					RowFilter: { AllRowsWildcard: {} },
				},
			}),
		);
		await grant(RISK_ROLE, { DataCellsFilter: { ...TABLE, TableName: 'parted', Name: 'f' } }, ['SELECT']);
		const seen = await get(reader, 'parted');
		expect(seen?.StorageDescriptor?.Columns?.map(({ Name }) => Name)).toEqual(['status']);
		expect(seen?.PartitionKeys).toEqual(PartitionKeys);
		expect(seen?.Parameters).toMatchObject({ note: 'n' });
		expect(seen?.Parameters).not.toHaveProperty(['spark.sql.sources.schema.numParts']);
		const whole = await get(owner, 'parted');
		expect(whole?.StorageDescriptor?.Columns?.map(({ Name }) => Name)).toEqual(['loan_id', 'status']);
		expect(whole?.Parameters).toMatchObject(Parameters);
	});

	test.each([
		['as of a time', new GetTableCommand({ DatabaseName, Name: 'loans', QueryAsOfTime: new Date() })],
		['by an expression', new GetTablesCommand({ DatabaseName, Expression: 'l.*' })],
	])('is not answered %s, which would have no effect', async (_name, command) => {
		expect((await refusal(owner.send(command as GetTableCommand))).name).toBe('InvalidInputException');
	});
});

describe('UpdateTable', () => {
	test('needs ALTER, and answers as if there were none about what is not seen', async () => {
		const input = described('loans', 's3://lake/loans');
		expect(await refusal(update(owner, input))).toMatchObject(lacks('Alter on loans'));
		expect(await refusal(update(reader, input))).toEqual(ABSENT);
		expect(await refusal(update(maker, described('nosuch', 's3://other/x')))).toEqual(ABSENT);
	});

	test('replaces the definition and counts versions; an old version is refused', async () => {
		const before = await get(maker, 'scores');
		const Columns = [{ Name: 'score', Type: 'double' }];
		const input = described('scores', 's3://other/scores');
		await update(maker, { ...input, StorageDescriptor: { ...input.StorageDescriptor, Columns } }, before?.VersionId);
		const after = await get(maker, 'scores');
		expect(after?.StorageDescriptor?.Columns).toEqual(Columns);
		expect(after?.Description).toBeUndefined();
		expect(after?.VersionId).not.toBe(before?.VersionId);
		expect(after?.CreateTime).toEqual(before?.CreateTime);
		expect(await refusal(update(maker, input, before?.VersionId))).toMatchObject({
			name: 'ConcurrentModificationException',
			message: 'Update table failed due to concurrent modifications.',
		});
	});
});

describe('DeleteTable', () => {
	test('needs DROP, of an administrator too, and tells nobody of what he may not see', async () => {
		expect(await refusal(drop(owner, 'payments'))).toMatchObject(lacks('Drop on payments'));
		expect(await refusal(drop(reader, 'payments'))).toEqual(ABSENT);
		expect(await refusal(drop(maker, 'nosuch'))).toEqual(ABSENT);
	});

	test('leaves data and grants: a table of that name again is another one, open to the same readers', async () => {
		await grant(OTHER_ROLE, onTableOf('payments'), ['SELECT']);
		await grant(BYSTANDER, onTableOf('payments'), ['DROP']);
		await grant(BYSTANDER, { DataLocation: { ResourceArn: 'arn:aws:s3:::lake/payments' } }, ['DATA_LOCATION_ACCESS']);
		const before = await get(owner, 'payments');
		const athena = await lake.athena(OTHER_ROLE);
		const count = 'SELECT count(*) FROM lending.payments';
		await drop(maker, 'payments');
		expect(typeof (await rowsOf(athena, count))).toBe('string');
		await make(maker, { Name: 'payments', StorageDescriptor: before?.StorageDescriptor });
		expect((await rowsOf(athena, count))[1]).toEqual(['4']);
		const made = (await get(owner, 'payments'))?.CreateTime;
		expect(made?.getTime()).toBeGreaterThan(before?.CreateTime?.getTime() ?? Number.POSITIVE_INFINITY);
		lake = await lake.restart();
		await open();
		expect((await get(owner, 'payments'))?.CreateTime).toEqual(made);
	});

	test('in a batch tells each that was not deleted', async () => {
		const command = new BatchDeleteTableCommand({ DatabaseName, TablesToDelete: ['later', 'nosuch', 'loans'] });
		const { Errors } = await maker.send(command);
		expect(Errors?.map(({ TableName, ErrorDetail }) => [TableName, ErrorDetail?.ErrorCode])).toEqual([
			['nosuch', 'EntityNotFoundException'],
			['loans', 'EntityNotFoundException'],
		]);
		expect(await refusal(get(maker, 'later'))).toEqual(ABSENT);
		expect((await get(owner, 'loans'))?.Name).toBe('loans');
	});
});

test('a drop that takes grants along leaves none on the table and all on the others', () => {
	const of = (table: string) => ({ account: LENDING, database: 'lending', table });
	const held = (table: string) => ({
		principal: RISK_ROLE,
		resource: { kind: 'columns' as const, ...of(table), columns: ['a'], excluded: [] },
		permissions: ['SELECT'],
		grantable: [],
		updated: 0,
		updatedBy: GRANTOR,
	});
	const filter = { ...of('loans'), name: 'f', columns: ['a'], excluded: [], expression: null, version: '1' };
	const state = {
		...emptyState('eu-central-1'),
		permissions: new Map(['loans', 'cards'].map((name) => [permissionKey(held(name)), held(name)])),
		filters: new Map([['f', filter]]),
	};
	expect(forgotten(state, onTable(of('loans')), 'stays')).toEqual(state);
	const left = forgotten(state, onTable(of('loans')), 'goes');
	expect([...left.permissions.values()]).toEqual([held('cards')]);
	expect(left.filters.size).toBe(0);
});

test('an account holds 10,000 databases at most', async () => {
	const full = await openLake();
	const databases = Array.from({ length: 10_000 }, (_, n) => ({ account: LENDING, name: `d${n}` }));
	await full.aws.provision({ ...landing(full.folder), databases });
	const client = await full.glue(GRANTOR);
	const call = client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'one_more' } }));
	expect((await refusal(call)).typed).toBe('ResourceNumberLimitExceededException');
	await full.close();
});
