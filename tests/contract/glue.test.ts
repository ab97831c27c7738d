import {
	GetDatabaseCommand,
	GetDatabasesCommand,
	GetTableCommand,
	GetTablesCommand,
	type GlueClient,
} from '@aws-sdk/client-glue';
import { CreateDataCellsFilterCommand, GrantPermissionsCommand } from '@aws-sdk/client-lakeformation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emptyLanding } from '#local/aws.ts';
import {
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	OTHER_ROLE,
	openLake,
	RISK_ROLE,
	refusal,
	TABLE,
} from '#tests/local/harness.ts';

let lake: Lake;
let owner: GlueClient;
let consumer: GlueClient;
beforeAll(async () => {
	lake = await openLake();
	owner = await lake.glue(GRANTOR);
	consumer = await lake.glue(RISK_ROLE);
	const lakeformation = await lake.lakeformation(GRANTOR);
	await lakeformation.send(
		new CreateDataCellsFilterCommand({
			TableData: { ...TABLE, Name: 'f', ColumnNames: ['status', 'loan_id'], RowFilter: { AllRowsWildcard: {} } },
		}),
	);
	await lakeformation.send(
		new GrantPermissionsCommand({
			Principal: { DataLakePrincipalIdentifier: RISK_ROLE },
			Resource: { DataCellsFilter: { ...TABLE, Name: 'f' } },
			Permissions: ['SELECT'],
		}),
	);
});
afterAll(async () => {
	await lake.close();
});

const columns = async (client: GlueClient, Name: string, CatalogId?: string) => {
	const { Table } = await client.send(new GetTableCommand({ CatalogId, DatabaseName: 'lending', Name }));
	return Table?.StorageDescriptor?.Columns?.map((column) => column.Name);
};

describe('GetTable', () => {
	test.each([
		['a table that is not there', 'nosuch', RISK_ROLE],
		['a table without any permission', 'loans', OTHER_ROLE],
		['a table of its own account without any permission', 'loans', BYSTANDER],
	])('answers EntityNotFoundException for %s', async (_name, table, role) => {
		const client = await lake.glue(role);
		expect(await refusal(columns(client, table))).toEqual({
			name: 'EntityNotFoundException',
			typed: 'EntityNotFoundException',
			message: 'Entity Not Found',
		});
	});

	test('shows a consumer the granted columns only, in table order, through the resource link and by catalog', async () => {
		expect(await columns(consumer, 'loans')).toEqual(['loan_id', 'status']);
		expect(await columns(consumer, 'loans', LENDING)).toEqual(['loan_id', 'status']);
	});

	test('shows an administrator every column, its type, and whether the location is registered', async () => {
		const { Table } = await owner.send(new GetTableCommand({ DatabaseName: 'lending', Name: 'loans' }));
		expect(Table?.StorageDescriptor?.Columns?.map(({ Name, Type }) => `${Name} ${Type}`)).toEqual([
			'loan_id bigint',
			'amount decimal(10,2)',
			'status varchar(1)',
			'note string',
			'granted_on date',
		]);
		expect(Table).toMatchObject({ CatalogId: LENDING, IsRegisteredWithLakeFormation: true });
		const loose = await owner.send(new GetTableCommand({ DatabaseName: 'lending', Name: 'loose' }));
		expect(loose.Table?.IsRegisteredWithLakeFormation).toBe(false);
	});
});

describe('lists', () => {
	test('hold the tables that the caller may see, page by page, and never tell registration', async () => {
		const seen = await consumer.send(new GetTablesCommand({ DatabaseName: 'lending' }));
		expect(seen.TableList?.map(({ Name }) => Name)).toEqual(['loans']);
		const first = await owner.send(new GetTablesCommand({ DatabaseName: 'lending', MaxResults: 2 }));
		const rest = await owner.send(new GetTablesCommand({ DatabaseName: 'lending', NextToken: first.NextToken }));
		expect([...(first.TableList ?? []), ...(rest.TableList ?? [])].map(({ Name }) => Name)).toEqual([
			'loans',
			'payments',
			'loose',
		]);
		expect(first.TableList?.[0]?.IsRegisteredWithLakeFormation).toBe(false);
		expect(rest.NextToken).toBeUndefined();
	});

	test('hold the databases of the catalog; a resource link names its target', async () => {
		const { DatabaseList } = await consumer.send(new GetDatabasesCommand({}));
		expect(DatabaseList?.map(({ Name, TargetDatabase }) => [Name, TargetDatabase])).toEqual([
			['lending', { CatalogId: LENDING, DatabaseName: 'lending' }],
		]);
	});
});

describe('GetDatabase', () => {
	test('answers EntityNotFoundException for a database that the caller may not see', async () => {
		const bystander = await lake.glue(BYSTANDER);
		expect((await refusal(bystander.send(new GetDatabaseCommand({ Name: 'lending' })))).typed).toBe(
			'EntityNotFoundException',
		);
		expect((await refusal(owner.send(new GetDatabaseCommand({ Name: 'nosuch' })))).typed).toBe(
			'EntityNotFoundException',
		);
	});

	test('is implied by any permission on one of its tables', async () => {
		const { Database } = await consumer.send(new GetDatabaseCommand({ CatalogId: LENDING, Name: 'lending' }));
		expect(Database).toMatchObject({ Name: 'lending', CatalogId: LENDING });
	});
});

describe('a view', () => {
	const text = '/* Presto View: e30= */';
	beforeAll(async () => {
		await lake.aws.provision({
			...emptyLanding('eu-central-1'),
			views: [{ account: LENDING, database: 'lending', name: 'arrears', columns: [{ name: 'a', type: 'int' }], text }],
		});
	});

	test('is a table of type VIRTUAL_VIEW with its definition, and without a location', async () => {
		const expected = {
			Name: 'arrears',
			TableType: 'VIRTUAL_VIEW',
			ViewOriginalText: text,
			ViewExpandedText: '/* Presto View */',
			IsRegisteredWithLakeFormation: false,
			Parameters: { presto_view: 'true' },
			StorageDescriptor: { Location: '', Columns: [{ Name: 'a', Type: 'int' }] },
		};
		const command = new GetTableCommand({ DatabaseName: 'lending', Name: 'ARREARS' });
		expect((await owner.send(command)).Table).toMatchObject(expected);
		const { TableList } = await owner.send(new GetTablesCommand({ DatabaseName: 'lending' }));
		expect(TableList?.find(({ Name }) => Name === 'arrears')).toMatchObject(expected);
	});

	test('is not there for who may not see it', async () => {
		const command = new GetTableCommand({ DatabaseName: 'lending', Name: 'arrears' });
		expect((await refusal(consumer.send(command))).name).toBe('EntityNotFoundException');
	});
});
