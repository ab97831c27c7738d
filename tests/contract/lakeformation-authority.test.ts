import {
	BatchGrantPermissionsCommand,
	type DataCellsFilter,
	DeleteDataCellsFilterCommand,
	GetDataCellsFilterCommand,
	GrantPermissionsCommand,
	type LakeFormationClient,
	ListDataCellsFilterCommand,
	type Permission,
	PutDataLakeSettingsCommand,
	type Resource,
	RevokePermissionsCommand,
	UpdateDataCellsFilterCommand,
} from '@aws-sdk/client-lakeformation';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyLanding } from '#local/aws.ts';
import { createFilter, filterNamed, grant, permission, tableNamed } from '#tests/local/calls.ts';
import {
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	OTHER_ROLE,
	openLake,
	REGION,
	RISK,
	RISK_ROLE,
	refusal,
	TABLE,
} from '#tests/local/harness.ts';

const EVERYBODY = 'IAM_ALLOWED_PRINCIPALS';
const loans = tableNamed('loans');
const lending: Resource = { Database: { CatalogId: LENDING, Name: 'lending' } };
const allTables: Resource = { Table: { CatalogId: LENDING, DatabaseName: 'lending', TableWildcard: {} } };
const columns = (...ColumnNames: string[]): Resource => ({
	TableWithColumns: { CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans', ColumnNames },
});
const allBut = (...ExcludedColumnNames: string[]): Resource => ({
	TableWithColumns: {
		CatalogId: LENDING,
		DatabaseName: 'lending',
		Name: 'loans',
		ColumnWildcard: { ExcludedColumnNames },
	},
});

let lake: Lake;
let admin: LakeFormationClient;
let bystander: LakeFormationClient;
beforeEach(async () => {
	lake = await openLake();
	admin = await lake.lakeformation(GRANTOR);
	bystander = await lake.lakeformation(BYSTANDER);
});
afterEach(async () => {
	await lake.close();
});

const handOver = (Resource: Resource, Permissions: Permission[], role = BYSTANDER) =>
	admin.send(
		new GrantPermissionsCommand({
			...permission(Resource, Permissions, role),
			PermissionsWithGrantOption: Permissions,
		}),
	);
const refusedTo = async (client: LakeFormationClient, ...args: Parameters<typeof permission>) =>
	(await refusal(grant(client, ...args))).name;
const held = () =>
	lake.aws.lakeFormationState().permissions.map(({ principal, permissions }) => [principal, permissions]);

describe('who holds a right with the grant option', () => {
	test('grants that right and no other, and without the option none', async () => {
		await grant(admin, loans, ['SELECT'], BYSTANDER);
		expect(await refusedTo(bystander, loans)).toBe('AccessDeniedException');
		await handOver(loans, ['SELECT']);
		expect(await refusedTo(bystander, loans, ['DESCRIBE'])).toBe('AccessDeniedException');
		expect(await refusedTo(bystander, tableNamed('payments'))).toBe('AccessDeniedException');
		expect(await refusedTo(bystander, allTables)).toBe('AccessDeniedException');
		await grant(bystander, loans);
		expect(held()).toContainEqual([RISK_ROLE, ['SELECT']]);
		await bystander.send(new RevokePermissionsCommand(permission(loans)));
		expect(held()).toEqual([[BYSTANDER, ['SELECT']]]);
	});

	test('on all tables, or Super, grants what lies within', async () => {
		await handOver(allTables, ['SELECT', 'DESCRIBE']);
		await grant(bystander, columns('loan_id'));
		expect(await refusedTo(bystander, lending, ['DESCRIBE'])).toBe('AccessDeniedException');
		await handOver(tableNamed('payments'), ['ALL']);
		await grant(bystander, tableNamed('payments'), ['INSERT'], OTHER_ROLE);
		expect(held()).toContainEqual([OTHER_ROLE, ['INSERT']]);
	});

	test('on some columns grants some of these only', async () => {
		await handOver(columns('loan_id', 'status'), ['SELECT']);
		expect(await refusedTo(bystander, loans)).toBe('AccessDeniedException');
		expect(await refusedTo(bystander, columns('loan_id', 'note'))).toBe('AccessDeniedException');
		await grant(bystander, columns('status'));
		expect(held()).toContainEqual([RISK_ROLE, ['SELECT']]);
	});

	test('from another account does not share onward', async () => {
		await handOver(loans, ['SELECT'], RISK_ROLE);
		const risk = await lake.lakeformation(RISK_ROLE);
		expect(await refusedTo(risk, loans, ['SELECT'], OTHER_ROLE)).toBe('AccessDeniedException');
	});
});

describe('a data cells filter', () => {
	const rows = { RowFilter: { FilterExpression: 'loan_id = 1' } };
	const make = (more: Partial<DataCellsFilter>) => createFilter(bystander, more);

	test('with rows is made by who may grant SELECT on all columns, one without rows by who may on its own', async () => {
		await grant(admin, loans, ['SELECT'], BYSTANDER);
		expect((await refusal(make({}))).typed).toBe('AccessDeniedException');
		await handOver(columns('loan_id', 'status'), ['SELECT']);
		expect((await refusal(make(rows))).typed).toBe('AccessDeniedException');
		expect((await refusal(make({ ColumnNames: ['loan_id', 'note'] }))).typed).toBe('AccessDeniedException');
		expect((await refusal(make({ ColumnNames: undefined, ColumnWildcard: {} }))).typed).toBe('AccessDeniedException');
		await make({});
		await grant(bystander, filterNamed());
		await handOver(loans, ['SELECT']);
		await make({ ...rows, Name: 'g' });
		await grant(bystander, filterNamed('g'), ['DESCRIBE']);
		expect(held()).toContainEqual([RISK_ROLE, ['DESCRIBE']]);
	});

	test('with rows, or with other columns, is neither handed on, replaced nor deleted by who may grant some columns', async () => {
		await createFilter(admin, { ...rows, Name: 'rows' });
		await createFilter(admin, { ColumnNames: ['note'], Name: 'note' });
		await handOver(columns('loan_id', 'status'), ['SELECT']);
		for (const name of ['rows', 'note']) {
			expect(await refusedTo(bystander, filterNamed(name))).toBe('AccessDeniedException');
			const TableData = { ...TABLE, Name: name, ColumnNames: ['loan_id'], RowFilter: { AllRowsWildcard: {} } };
			expect((await refusal(bystander.send(new UpdateDataCellsFilterCommand({ TableData })))).typed).toBe(
				'AccessDeniedException',
			);
			const gone = bystander.send(new DeleteDataCellsFilterCommand({ ...TABLE, Name: name }));
			expect((await refusal(gone)).typed).toBe('AccessDeniedException');
		}
	});

	test('is seen by who was granted DESCRIBE on it, and by nobody of another account', async () => {
		await createFilter(admin);
		await createFilter(admin, { Name: 'g' });
		const get = (client: LakeFormationClient) => client.send(new GetDataCellsFilterCommand({ ...TABLE, Name: 'f' }));
		expect((await refusal(get(bystander))).typed).toBe('AccessDeniedException');
		await grant(admin, filterNamed(), ['SELECT', 'DESCRIBE'], BYSTANDER);
		await grant(admin, filterNamed(), ['SELECT', 'DESCRIBE']);
		expect((await get(bystander)).DataCellsFilter?.Name).toBe('f');
		const Table = { CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans' };
		const listed = await bystander.send(new ListDataCellsFilterCommand({ Table }));
		expect(listed.DataCellsFilters?.map(({ Name }) => Name)).toEqual(['f']);
		expect((await refusal(bystander.send(new DeleteDataCellsFilterCommand({ ...TABLE, Name: 'f' })))).typed).toBe(
			'AccessDeniedException',
		);
		expect((await refusal(get(await lake.lakeformation(RISK_ROLE)))).typed).toBe('AccessDeniedException');
	});
});

describe('a principal who may write', () => {
	test.each<Permission>(['ALTER', 'DROP', 'DELETE', 'INSERT', 'ALL'])(
		'with %s gets no list of columns',
		async (name) => {
			await grant(admin, loans, [name], BYSTANDER);
			expect(await refusedTo(admin, columns('loan_id'), ['SELECT'], BYSTANDER)).toBe('InvalidInputException');
			await grant(admin, columns('loan_id'), ['SELECT'], RISK_ROLE);
		},
	);

	test('is not made of one who has a list of columns', async () => {
		await grant(admin, columns('loan_id'));
		expect(await refusedTo(admin, loans, ['INSERT'])).toBe('InvalidInputException');
		await grant(admin, loans, ['DESCRIBE']);
		await grant(admin, loans, ['INSERT'], OTHER_ROLE);
	});
});

describe('a grant to another account', () => {
	// LFDG/troubleshooting, LFDG/cross-account-prereqs.
	const illegal = {
		name: 'AccessDeniedException',
		message: 'Insufficient Lake Formation permissions: Illegal combination',
	};

	test.each<[string, Resource]>([
		['the table', loans],
		['all tables', allTables],
		['the database', lending],
	])('is refused while everybody holds something on %s', async (_name, resource) => {
		await createFilter(admin);
		await grant(admin, resource, ['DESCRIBE'], EVERYBODY);
		for (const wanted of [loans, columns('loan_id'), filterNamed()]) {
			const { name, message } = await refusal(grant(admin, wanted));
			expect({ name, message }).toEqual({ name: illegal.name, message: illegal.message });
		}
		await grant(admin, filterNamed(), ['SELECT'], BYSTANDER);
		await admin.send(new RevokePermissionsCommand(permission(resource, ['DESCRIBE'], EVERYBODY)));
		await grant(admin, filterNamed());
	});

	test('has an include list if it has columns, and neither DROP nor Super if it is on a database', async () => {
		expect(await refusedTo(admin, allBut('note'))).toBe('InvalidInputException');
		await grant(admin, allBut('note'), ['SELECT'], BYSTANDER);
		for (const name of ['DROP', 'ALL'] as const) {
			expect(await refusedTo(admin, lending, [name])).toBe('InvalidInputException');
			await grant(admin, lending, [name], BYSTANDER);
		}
		await grant(admin, lending, ['DESCRIBE']);
	});

	test('needs version 3 of sharing', async () => {
		const settings = (CROSS_ACCOUNT_VERSION: string) => ({
			DataLakeSettings: {
				DataLakeAdmins: [{ DataLakePrincipalIdentifier: GRANTOR }],
				Parameters: { CROSS_ACCOUNT_VERSION },
			},
		});
		await admin.send(new PutDataLakeSettingsCommand(settings('2')));
		expect(await refusedTo(admin, loans)).toBe('InvalidInputException');
		await grant(admin, loans, ['SELECT'], BYSTANDER);
		await admin.send(new PutDataLakeSettingsCommand(settings('3')));
		await grant(admin, loans);
	});
});

describe('a resource link', () => {
	const KEEPER = `arn:aws:iam::${RISK}:role/keeper`;
	const link: Resource = { Database: { CatalogId: RISK, Name: 'lending' } };
	let keeper: LakeFormationClient;
	beforeEach(async () => {
		await lake.aws.provision({
			...emptyLanding(REGION),
			accounts: [{ id: RISK, admins: [KEEPER], createTableDefaultPermissionsCleared: true }],
			roles: [{ arn: KEEPER, trusts: [`arn:aws:iam::210000000000:role/fairlead-broker`] }],
		});
		keeper = await lake.lakeformation(KEEPER);
	});

	test('is described or dropped, never more, and only within its account', async () => {
		expect(await refusedTo(keeper, link, ['CREATE_TABLE'])).toBe('InvalidInputException');
		expect(await refusedTo(keeper, link, ['DESCRIBE'], BYSTANDER)).toBe('InvalidInputException');
		await grant(keeper, link, ['DESCRIBE', 'DROP']);
	});

	test('gives nothing on what it leads to', async () => {
		await grant(keeper, link, ['DESCRIBE', 'DROP']);
		expect(await refusedTo(keeper, loans)).toBe('AccessDeniedException');
		expect(lake.aws.lakeFormationState().permissions.map(({ resource }) => resource.account)).toEqual([RISK]);
	});
});

describe('a list of columns', () => {
	test('is refused beside a right to write on all tables, and the other way round', async () => {
		await grant(admin, allTables, ['INSERT'], BYSTANDER);
		expect(await refusedTo(admin, columns('loan_id'), ['SELECT'], BYSTANDER)).toBe('InvalidInputException');
		await grant(admin, columns('loan_id'));
		for (const name of ['INSERT', 'ALL'] as Permission[])
			expect(await refusedTo(admin, allTables, [name])).toBe('InvalidInputException');
		const Permissions: Permission[] = ['DESCRIBE'];
		const writing = { ...permission(loans, Permissions), PermissionsWithGrantOption: ['INSERT' as const] };
		expect((await refusal(admin.send(new GrantPermissionsCommand(writing)))).name).toBe('InvalidInputException');
		await grant(admin, allTables, ['SELECT']);
		await grant(admin, tableNamed('payments'), ['INSERT']);
	});

	test('stays beside another one, and SELECT is not taken from Super', async () => {
		await grant(admin, columns('loan_id'));
		await grant(admin, columns('status'));
		expect(held()).toEqual([
			[RISK_ROLE, ['SELECT']],
			[RISK_ROLE, ['SELECT']],
		]);
		await grant(admin, tableNamed('payments'), ['ALL'], BYSTANDER);
		const revoke = new RevokePermissionsCommand(permission(tableNamed('payments'), ['SELECT'], BYSTANDER));
		expect((await refusal(admin.send(revoke))).message).toContain('No permissions revoked');
	});
});

describe('CatalogId', () => {
	const Resource = { Table: { DatabaseName: 'lending', Name: 'loans' } };

	test('stands for the catalog that the resource does not name', async () => {
		const foreign = await lake.lakeformation(RISK_ROLE);
		const asked = { CatalogId: LENDING, ...permission(Resource) };
		expect((await refusal(foreign.send(new GrantPermissionsCommand(asked)))).name).toBe('AccessDeniedException');
		await admin.send(new GrantPermissionsCommand(asked));
		const batch = { CatalogId: LENDING, Entries: [{ Id: '1', ...permission(Resource, ['DESCRIBE']) }] };
		expect((await admin.send(new BatchGrantPermissionsCommand(batch))).Failures).toEqual([]);
		expect(held()).toEqual([[RISK_ROLE, ['DESCRIBE', 'SELECT']]]);
	});

	test('of another account is refused like a resource there', async () => {
		const asked = { CatalogId: RISK, ...permission(Resource) };
		expect((await refusal(admin.send(new GrantPermissionsCommand(asked)))).name).toBe('AccessDeniedException');
	});
});
