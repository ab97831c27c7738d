/** Partitions of tables, seen by who sees the table and changed by who may alter it. */
import {
	BatchCreatePartitionCommand,
	BatchDeletePartitionCommand,
	BatchGetPartitionCommand,
	CreatePartitionCommand,
	CreateTableCommand,
	DeletePartitionCommand,
	GetPartitionCommand,
	GetPartitionsCommand,
	GetTableCommand,
	type GlueClient,
	paginateGetPartitions,
} from '@aws-sdk/client-glue';
import {
	CreateDataCellsFilterCommand,
	GrantPermissionsCommand,
	type Permission,
	type Resource,
} from '@aws-sdk/client-lakeformation';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emptyLanding } from '#local/aws.ts';
import {
	BYSTANDER,
	GRANTOR,
	type Lake,
	landing,
	OTHER_ROLE,
	openLake,
	REGION,
	RISK_ROLE,
	refusal,
	rowsOf,
	TABLE,
} from '#tests/local/harness.ts';

const DatabaseName = 'lending';
const SerdeInfo = { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' };

let lake: Lake;
let owner: GlueClient;
let maker: GlueClient;
let reader: GlueClient;
beforeAll(async () => {
	lake = await openLake();
	const lakeformation = await lake.lakeformation(GRANTOR);
	await allow(BYSTANDER, { Database: { Name: DatabaseName } }, 'CREATE_TABLE');
	[owner, maker, reader] = [await lake.glue(GRANTOR), await lake.glue(BYSTANDER), await lake.glue(RISK_ROLE)];
	for (const [Name, PartitionKeys] of [['parted', [{ Name: 'year', Type: 'int' }]] as const, ['whole', []] as const]) {
		const Columns = [
			{ Name: 'loan_id', Type: 'bigint' },
			{ Name: 'status', Type: 'string' },
		];
		const StorageDescriptor = { Location: `s3://other/${Name}`, Columns, SerdeInfo };
		const TableInput = { Name, StorageDescriptor, PartitionKeys: [...PartitionKeys] };
		await maker.send(new CreateTableCommand({ DatabaseName, TableInput }));
	}
	const filter = { ...TABLE, TableName: 'parted', Name: 'f' };
	const TableData = { ...filter, ColumnNames: ['status'], RowFilter: { AllRowsWildcard: {} } };
	await lakeformation.send(new CreateDataCellsFilterCommand({ TableData }));
	await allow(RISK_ROLE, { DataCellsFilter: filter }, 'SELECT');
});
afterAll(async () => {
	await lake.close();
});

const allow = async (to: string, on: Resource, permission: Permission) => {
	const lakeformation = await lake.lakeformation(GRANTOR);
	const Principal = { DataLakePrincipalIdentifier: to };
	await lakeformation.send(new GrantPermissionsCommand({ Principal, Resource: on, Permissions: [permission] }));
};
const ABSENT = { name: 'EntityNotFoundException', typed: 'EntityNotFoundException', message: 'Entity Not Found' };
const lacks = (what: string) => ({
	name: 'AccessDeniedException',
	message: `Insufficient Lake Formation permission(s): Required ${what}`,
});

const at = { DatabaseName, TableName: 'parted' };
const partition = (year: string, Location = `s3://other/parted/year=${year}`) => ({
	Values: [year],
	StorageDescriptor: { Location },
});
const add = (client: GlueClient, year: string, Location?: string) =>
	client.send(new CreatePartitionCommand({ ...at, PartitionInput: partition(year, Location) }));
const list = async (client: GlueClient, more: object = {}) => {
	const years: string[] = [];
	for await (const page of paginateGetPartitions({ client, pageSize: 2 }, { ...at, ...more })) {
		expect(page.Partitions?.length).toBeLessThanOrEqual(2);
		years.push(...(page.Partitions ?? []).flatMap(({ Values }) => Values ?? []));
	}
	return years;
};

test('are made by who holds ALTER, where he may put data, with a value for each key, once', async () => {
	expect(await refusal(add(owner, '2020'))).toMatchObject(lacks('Alter on parted'));
	expect(await refusal(add(reader, '2020'))).toMatchObject(lacks('Alter on parted'));
	expect((await refusal(add(maker, '2020', 'hdfs://elsewhere/2020'))).name).toBe('InvalidInputException');
	expect((await refusal(add(maker, '2020', 's3://lake/loans/2020'))).name).toBe('AccessDeniedException');
	const two = { ...partition('2020'), Values: ['2020', '1'] };
	const command = new CreatePartitionCommand({ ...at, PartitionInput: two });
	expect((await refusal(maker.send(command))).name).toBe('InvalidInputException');
	const unparted = new CreatePartitionCommand({ ...at, TableName: 'whole', PartitionInput: partition('2020') });
	expect((await refusal(maker.send(unparted))).name).toBe('InvalidInputException');
	await add(maker, '2020');
	expect(await refusal(add(maker, '2020'))).toMatchObject({
		name: 'AlreadyExistsException',
		message: 'Partition already exists.',
	});
});

test('are made in batches that tell what failed, and listed page by page and by segment', async () => {
	const PartitionInputList = ['2019', '2020', '2021', '2022'].map((year) => partition(year));
	const { Errors } = await maker.send(new BatchCreatePartitionCommand({ ...at, PartitionInputList }));
	expect(Errors).toEqual([
		{ PartitionValues: ['2020'], ErrorDetail: expect.objectContaining({ ErrorCode: 'AlreadyExistsException' }) },
	]);
	expect(await list(owner)).toEqual(['2020', '2019', '2021', '2022']);
	const segments = [0, 1, 2].map((SegmentNumber) => list(owner, { Segment: { SegmentNumber, TotalSegments: 3 } }));
	expect((await Promise.all(segments)).flat().toSorted()).toEqual(['2019', '2020', '2021', '2022']);
});

test('are seen by who sees the table, with the columns that he sees', async () => {
	const command = new GetPartitionCommand({ ...at, PartitionValues: ['2019'] });
	const { Partition } = await reader.send(command);
	expect(Partition).toMatchObject({
		Values: ['2019'],
		TableName: 'parted',
		StorageDescriptor: { Location: 's3://other/parted/year=2019', Columns: [{ Name: 'status', Type: 'string' }] },
	});
	expect(Partition?.CreationTime).toBeInstanceOf(Date);
	const { Partitions } = await reader.send(new GetPartitionsCommand({ ...at, ExcludeColumnSchema: true }));
	expect(Partitions?.[0]?.StorageDescriptor?.Columns).toBeUndefined();
	const stranger = await lake.glue(OTHER_ROLE);
	expect(await refusal(stranger.send(command))).toEqual(ABSENT);
	expect(await refusal(stranger.send(new GetPartitionsCommand(at)))).toEqual(ABSENT);
});

test('are not chosen by an expression, which would have no effect', async () => {
	const call = owner.send(new GetPartitionsCommand({ ...at, Expression: "year = '2020'" }));
	expect(await refusal(call)).toMatchObject({
		name: 'InvalidInputException',
		message: 'Expression is not supported by the embedded Glue',
	});
});

test('are read in batches, those that are not there left out, and dropped', async () => {
	const PartitionsToGet = [{ Values: ['2021'] }, { Values: ['1999'] }];
	const answer = await owner.send(new BatchGetPartitionCommand({ ...at, PartitionsToGet }));
	expect(answer.Partitions?.map(({ Values }) => Values)).toEqual([['2021']]);
	const gone = (year: string) => new DeletePartitionCommand({ ...at, PartitionValues: [year] });
	expect((await refusal(maker.send(gone('1999')))).typed).toBe('EntityNotFoundException');
	expect(await refusal(owner.send(gone('2021')))).toMatchObject(lacks('Alter on parted'));
	await maker.send(gone('2021'));
	const PartitionsToDelete = [{ Values: ['2019'] }, { Values: ['2021'] }];
	const { Errors } = await maker.send(new BatchDeletePartitionCommand({ ...at, PartitionsToDelete }));
	expect(Errors?.map(({ PartitionValues }) => PartitionValues)).toEqual([['2021']]);
	expect(await list(owner)).toEqual(['2020', '2022']);
});

test('made over files that are there are read by queries, with their values as columns', async () => {
	const csv = 'org.apache.hadoop.hive.serde2.OpenCSVSerde';
	const read = await owner.send(new GetTableCommand({ DatabaseName, Name: 'payments' }));
	expect(read.Table?.StorageDescriptor?.SerdeInfo?.SerializationLibrary).toBe(csv);
	await allow(BYSTANDER, { DataLocation: { ResourceArn: 'arn:aws:s3:::lake/payments' } }, 'DATA_LOCATION_ACCESS');
	const StorageDescriptor = read.Table?.StorageDescriptor;
	const PartitionKeys = [{ Name: 'year', Type: 'int' }];
	const TableInput = { Name: 'by_year', StorageDescriptor, PartitionKeys };
	await maker.send(new CreateTableCommand({ DatabaseName, TableInput }));
	await allow(RISK_ROLE, { Table: { DatabaseName, Name: 'by_year' } }, 'SELECT');
	const athena = await lake.athena(RISK_ROLE);
	const sql = 'SELECT year, count(*) FROM lending.by_year GROUP BY year';
	expect(await rowsOf(athena, sql)).toHaveLength(1);
	const Location = 's3://lake/payments/year=2020';
	const [seed] = landing(lake.folder).tables;
	if (seed === undefined) throw new Error('the landing zone has no table');
	const tables = [{ ...seed, name: 'seed', location: Location, registered: false }];
	await lake.aws.provision({ ...emptyLanding(REGION), tables });
	const PartitionInput = { Values: ['2020'], StorageDescriptor: { Location } };
	await maker.send(new CreatePartitionCommand({ DatabaseName, TableName: 'by_year', PartitionInput }));
	expect((await rowsOf(athena, sql)).slice(1)).toEqual([['2020', '4']]);
});

test('stay over a restart, on tables of the landing zone too', async () => {
	const years = async () => {
		const { Partitions } = await owner.send(new GetPartitionsCommand({ DatabaseName, TableName: 'landed' }));
		return Partitions?.map(({ Values }) => Values);
	};
	const [seed] = landing(lake.folder).tables;
	if (seed === undefined) throw new Error('the landing zone has no table');
	const columns = [...seed.columns, { name: 'year', type: 'int' }];
	const partition = (year: string) => ({ values: [year], location: `s3://lake/landed/${year}`, files: [] });
	const table = { ...seed, name: 'landed', location: 's3://lake/landed', columns, partitionKeys: ['year'], files: [] };
	const tables = [{ ...table, partitions: [partition('2019')] }];
	await lake.aws.provision({ ...emptyLanding(REGION), tables });
	await allow(BYSTANDER, { Table: { DatabaseName, Name: 'landed' } }, 'ALTER');
	await allow(BYSTANDER, { DataLocation: { ResourceArn: 'arn:aws:s3:::lake/landed' } }, 'DATA_LOCATION_ACCESS');
	const PartitionInput = { Values: ['2020'], StorageDescriptor: { Location: 's3://lake/landed/2020' } };
	await maker.send(new CreatePartitionCommand({ DatabaseName, TableName: 'landed', PartitionInput }));
	lake = await lake.restart();
	owner = await lake.glue(GRANTOR);
	await lake.aws.provision({ ...emptyLanding(REGION), tables });
	expect(await years()).toEqual([['2019'], ['2020']]);
});
