import {
	type DataCellsFilter,
	DeleteDataCellsFilterCommand,
	DescribeResourceCommand,
	GetDataCellsFilterCommand,
	GetDataLakeSettingsCommand,
	type LakeFormationClient,
	ListDataCellsFilterCommand,
	PutDataLakeSettingsCommand,
	RegisterResourceCommand,
	UpdateDataCellsFilterCommand,
} from '@aws-sdk/client-lakeformation';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFilter } from '#tests/local/calls.ts';
import { BYSTANDER, GRANTOR, type Lake, LENDING, openLake, RISK_ROLE, refusal, TABLE } from '#tests/local/harness.ts';

let lake: Lake;
let admin: LakeFormationClient;
beforeEach(async () => {
	lake = await openLake();
	admin = await lake.lakeformation(GRANTOR);
});
afterEach(async () => {
	await lake.close();
});

const create = (more: Partial<DataCellsFilter>, client = admin) => createFilter(client, more);

describe('a data cells filter', () => {
	test.each<[string, Partial<DataCellsFilter>]>([
		['both columns and a wildcard', { ColumnWildcard: {} }],
		['neither columns nor a wildcard', { ColumnNames: undefined }],
		['both an expression and the wildcard', { RowFilter: { FilterExpression: 'loan_id = 1', AllRowsWildcard: {} } }],
		['neither an expression nor the wildcard', { RowFilter: {} }],
		['no row filter at all', { RowFilter: undefined }],
		['a column that is not there', { ColumnNames: ['loan_id', 'nosuch'] }],
		[
			'an excluded column that is not there',
			{ ColumnNames: undefined, ColumnWildcard: { ExcludedColumnNames: ['nosuch'] } },
		],
		['a name of two lines', { Name: 'a\nb' }],
		['an expression over 2047 characters', { RowFilter: { FilterExpression: `status = '${'x'.repeat(2040)}'` } }],
		['a function', { RowFilter: { FilterExpression: "lower(status) = 'b'" } }],
		['a column against a column', { RowFilter: { FilterExpression: 'amount = loan_id' } }],
		['a sub-query', { RowFilter: { FilterExpression: 'loan_id IN (SELECT 1)' } }],
		['a column that is not there in the expression', { RowFilter: { FilterExpression: 'nosuch = 1' } }],
		['a date column in the expression', { RowFilter: { FilterExpression: "granted_on = '2020-01-01'" } }],
		['a constant of another type', { RowFilter: { FilterExpression: "loan_id = 'one'" } }],
	])('is refused with %s', async (_name, more) => {
		expect(await refusal(create(more))).toMatchObject({
			name: 'InvalidInputException',
			typed: 'InvalidInputException',
		});
		expect(lake.aws.lakeFormationState().filters).toEqual([]);
	});

	test('is refused for a table or database that is not there', async () => {
		expect((await refusal(create({ TableName: 'nosuch' }))).typed).toBe('EntityNotFoundException');
		expect((await refusal(create({ DatabaseName: 'nosuch' }))).typed).toBe('EntityNotFoundException');
	});

	test('is refused to everybody but an administrator of the account that owns the table', async () => {
		for (const role of [BYSTANDER, RISK_ROLE]) {
			const client = await lake.lakeformation(role);
			expect((await refusal(create({}, client))).typed).toBe('AccessDeniedException');
			const get = client.send(new GetDataCellsFilterCommand({ ...TABLE, Name: 'f' }));
			expect((await refusal(get)).typed).toBe('AccessDeniedException');
			expect((await refusal(client.send(new DeleteDataCellsFilterCommand({ ...TABLE, Name: 'f' })))).typed).toBe(
				'AccessDeniedException',
			);
		}
	});

	test('is made once, read back as it was given, and gone after it is deleted', async () => {
		await create({ RowFilter: { FilterExpression: "status IN ('B', 'D')" } });
		expect((await refusal(create({}))).typed).toBe('AlreadyExistsException');
		const read = await admin.send(new GetDataCellsFilterCommand({ ...TABLE, Name: 'f' }));
		expect(read.DataCellsFilter).toEqual({
			...TABLE,
			Name: 'f',
			ColumnNames: ['loan_id'],
			RowFilter: { FilterExpression: "status IN ('B', 'D')" },
			VersionId: '1',
		});
		await admin.send(new DeleteDataCellsFilterCommand({ ...TABLE, Name: 'f' }));
		expect((await refusal(admin.send(new GetDataCellsFilterCommand({ ...TABLE, Name: 'f' })))).typed).toBe(
			'EntityNotFoundException',
		);
		expect((await refusal(admin.send(new DeleteDataCellsFilterCommand({ ...TABLE, Name: 'f' })))).typed).toBe(
			'EntityNotFoundException',
		);
	});

	test('made again under its name has another version', async () => {
		await create({});
		await admin.send(new DeleteDataCellsFilterCommand({ ...TABLE, Name: 'f' }));
		await create({});
		const read = await admin.send(new GetDataCellsFilterCommand({ ...TABLE, Name: 'f' }));
		expect(read.DataCellsFilter?.VersionId).toBe('2');
	});

	test('cannot be updated in place here', async () => {
		await create({});
		const update = admin.send(
			new UpdateDataCellsFilterCommand({
				TableData: { ...TABLE, Name: 'f', ColumnNames: ['status'], RowFilter: { AllRowsWildcard: {} } },
			}),
		);
		expect((await refusal(update)).name).toBe('UnknownOperationException');
	});

	test('is listed by table, page by page', async () => {
		for (const Name of ['a', 'b', 'c']) await create({ Name });
		const Table = { CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans' };
		const first = await admin.send(new ListDataCellsFilterCommand({ Table, MaxResults: 2 }));
		const second = await admin.send(
			new ListDataCellsFilterCommand({ Table, MaxResults: 2, NextToken: first.NextToken }),
		);
		expect([...(first.DataCellsFilters ?? []), ...(second.DataCellsFilters ?? [])].map(({ Name }) => Name)).toEqual([
			'a',
			'b',
			'c',
		]);
		const other = await admin.send(new ListDataCellsFilterCommand({ Table: { ...Table, Name: 'payments' } }));
		expect(other.DataCellsFilters).toEqual([]);
		const missing = admin.send(new ListDataCellsFilterCommand({ Table: { ...Table, Name: 'nosuch' } }));
		expect((await refusal(missing)).typed).toBe('EntityNotFoundException');
	});
});

describe('settings and locations', () => {
	test('only an administrator changes the settings, and the change decides who is one', async () => {
		const bystander = await lake.lakeformation(BYSTANDER);
		const DataLakeSettings = { DataLakeAdmins: [{ DataLakePrincipalIdentifier: BYSTANDER }] };
		expect((await refusal(bystander.send(new PutDataLakeSettingsCommand({ DataLakeSettings })))).name).toBe(
			'AccessDeniedException',
		);
		await admin.send(new PutDataLakeSettingsCommand({ DataLakeSettings }));
		expect((await refusal(create({}))).name).toBe('AccessDeniedException');
		await create({}, bystander);
		const read = await bystander.send(new GetDataLakeSettingsCommand({}));
		expect(read.DataLakeSettings).toMatchObject({ ...DataLakeSettings, CreateTableDefaultPermissions: [] });
	});

	test('a location is registered once and described; another account does not see it', async () => {
		const ResourceArn = 'arn:aws:s3:::lake/new';
		expect((await refusal(admin.send(new DescribeResourceCommand({ ResourceArn })))).typed).toBe(
			'EntityNotFoundException',
		);
		await admin.send(new RegisterResourceCommand({ ResourceArn, UseServiceLinkedRole: true }));
		expect(
			(await refusal(admin.send(new RegisterResourceCommand({ ResourceArn, UseServiceLinkedRole: true })))).typed,
		).toBe('AlreadyExistsException');
		const { ResourceInfo } = await admin.send(new DescribeResourceCommand({ ResourceArn }));
		expect(ResourceInfo).toMatchObject({ ResourceArn, HybridAccessEnabled: false });
		const foreign = await lake.lakeformation(RISK_ROLE);
		expect((await refusal(foreign.send(new DescribeResourceCommand({ ResourceArn })))).typed).toBe(
			'EntityNotFoundException',
		);
	});
});
