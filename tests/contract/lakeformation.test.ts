import {
	type DataCellsFilter,
	type DataLakeSettings,
	DeleteDataCellsFilterCommand,
	GetDataCellsFilterCommand,
	GetDataLakeSettingsCommand,
	type LakeFormationClient,
	ListDataCellsFilterCommand,
	PutDataLakeSettingsCommand,
	UpdateDataCellsFilterCommand,
} from '@aws-sdk/client-lakeformation';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyLanding } from '#local/aws.ts';
import { createFilter } from '#tests/local/calls.ts';
import {
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	openLake,
	REGION,
	RISK_ROLE,
	refusal,
	TABLE,
} from '#tests/local/harness.ts';

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
const update = (more: Partial<DataCellsFilter>, client = admin) => {
	const TableData = { ...TABLE, Name: 'f', ColumnNames: ['loan_id'], RowFilter: { AllRowsWildcard: {} }, ...more };
	return client.send(new UpdateDataCellsFilterCommand({ TableData }));
};

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

	test('that is updated is replaced whole and has another version', async () => {
		await create({ RowFilter: { FilterExpression: 'loan_id = 1' } });
		await update({ ColumnNames: undefined, ColumnWildcard: { ExcludedColumnNames: ['note'] } });
		const read = await admin.send(new GetDataCellsFilterCommand({ ...TABLE, Name: 'f' }));
		expect(read.DataCellsFilter).toEqual({
			...TABLE,
			Name: 'f',
			ColumnWildcard: { ExcludedColumnNames: ['note'] },
			RowFilter: { AllRowsWildcard: {} },
			VersionId: '2',
		});
	});

	test('is not updated where it is not, not by others, not to what a new one may not be, not from an old version', async () => {
		expect((await refusal(update({}))).typed).toBe('EntityNotFoundException');
		await create({});
		const bystander = await lake.lakeformation(BYSTANDER);
		expect((await refusal(update({}, bystander))).typed).toBe('AccessDeniedException');
		expect((await refusal(update({ ColumnNames: ['nosuch'] }))).typed).toBe('InvalidInputException');
		await update({ VersionId: '1' });
		// LFDG/troubleshooting; that the version is what is compared is assumed (VERSION_IS_A_LOCK).
		expect(await refusal(update({ VersionId: '1' }))).toMatchObject({
			typed: 'ConcurrentModificationException',
			message: 'Please retry in a short while',
		});
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

describe('settings', () => {
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

	test('there are at most 30 administrators, and a version of sharing that exists', async () => {
		const principals = (count: number) =>
			Array.from({ length: count }, (_, i) => ({ DataLakePrincipalIdentifier: `${GRANTOR}${i}` }));
		const put = (DataLakeSettings: DataLakeSettings) =>
			admin.send(new PutDataLakeSettingsCommand({ DataLakeSettings }));
		expect((await refusal(put({ DataLakeAdmins: principals(31) }))).name).toBe('InvalidInputException');
		expect((await refusal(put({ ReadOnlyAdmins: principals(31) }))).name).toBe('InvalidInputException');
		expect((await refusal(put({ Parameters: { CROSS_ACCOUNT_VERSION: '9' } }))).name).toBe('InvalidInputException');
		const roles = principals(29).map((each) => ({ arn: each.DataLakePrincipalIdentifier, trusts: [] }));
		await lake.aws.provision({ ...emptyLanding(REGION), roles });
		const DataLakeAdmins = [{ DataLakePrincipalIdentifier: GRANTOR }, ...principals(29)];
		await put({ DataLakeAdmins, Parameters: { CROSS_ACCOUNT_VERSION: '3' } });
		const read = await admin.send(new GetDataLakeSettingsCommand({}));
		expect(read.DataLakeSettings).toMatchObject({ DataLakeAdmins, Parameters: { CROSS_ACCOUNT_VERSION: '3' } });
	});

	test('nobody is made an administrator but a role of the account', async () => {
		const before = (await admin.send(new GetDataLakeSettingsCommand({}))).DataLakeSettings;
		const user = `arn:aws:iam::${LENDING}:user/anna`;
		for (const nobody of [RISK_ROLE, `${GRANTOR}-nobody`, user, 'IAM_ALLOWED_PRINCIPALS']) {
			const DataLakeAdmins = [GRANTOR, nobody].map((each) => ({ DataLakePrincipalIdentifier: each }));
			for (const DataLakeSettings of [{ DataLakeAdmins }, { ReadOnlyAdmins: DataLakeAdmins }]) {
				const put = admin.send(new PutDataLakeSettingsCommand({ DataLakeSettings }));
				expect((await refusal(put)).name).toBe('InvalidInputException');
			}
		}
		expect((await admin.send(new GetDataLakeSettingsCommand({}))).DataLakeSettings).toEqual(before);
	});

	test('what a read-only administrator sees he does not change', async () => {
		await create({});
		const DataLakeAdmins = [{ DataLakePrincipalIdentifier: GRANTOR }];
		const ReadOnlyAdmins = [{ DataLakePrincipalIdentifier: BYSTANDER }];
		await admin.send(new PutDataLakeSettingsCommand({ DataLakeSettings: { DataLakeAdmins, ReadOnlyAdmins } }));
		const bystander = await lake.lakeformation(BYSTANDER);
		const read = await bystander.send(new GetDataCellsFilterCommand({ ...TABLE, Name: 'f' }));
		expect(read.DataCellsFilter?.Name).toBe('f');
		expect((await refusal(create({ Name: 'g' }, bystander))).typed).toBe('AccessDeniedException');
		expect((await refusal(bystander.send(new DeleteDataCellsFilterCommand({ ...TABLE, Name: 'f' })))).typed).toBe(
			'AccessDeniedException',
		);
	});
});
