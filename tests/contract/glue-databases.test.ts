/** Databases and resource links. Texts of refusals: Terraform provider issue 49953, data.all issue 1053 (seen on AWS). */
import {
	CreateDatabaseCommand,
	CreateTableCommand,
	DeleteDatabaseCommand,
	GetDatabaseCommand,
	GetDatabasesCommand,
	GetTableCommand,
	type GlueClient,
	UpdateDatabaseCommand,
} from '@aws-sdk/client-glue';
import { GrantPermissionsCommand, type Permission, type Resource } from '@aws-sdk/client-lakeformation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emptyLanding } from '#local/aws.ts';
import {
	BROKER,
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	OTHER_ROLE,
	openLake,
	RISK,
	RISK_ROLE,
	refusal,
	rowsOf,
} from '#tests/local/harness.ts';

const CONSUMER = `arn:aws:iam::${RISK}:role/fairlead-consumer`;
const TARGET = { CatalogId: LENDING, DatabaseName: 'lending' };

let lake: Lake;
let consumer: GlueClient;
let owner: GlueClient;
beforeAll(async () => {
	lake = await openLake();
	await lake.aws.provision({
		...emptyLanding('eu-central-1'),
		roles: [{ arn: CONSUMER, trusts: [BROKER] }],
		permissions: [
			{
				principal: CONSUMER,
				resource: { kind: 'catalog', account: RISK },
				permissions: ['CREATE_DATABASE'],
				grantable: [],
			},
		],
	});
	consumer = await lake.glue(CONSUMER);
	owner = await lake.glue(GRANTOR);
});
afterAll(async () => {
	await lake.close();
});

const make = (client: GlueClient, Name: string, more: object = {}) =>
	client.send(new CreateDatabaseCommand({ DatabaseInput: { Name, ...more } }));
const link = (Name: string) => make(consumer, Name, { TargetDatabase: TARGET });
const get = (client: GlueClient, Name: string, CatalogId?: string) =>
	client.send(new GetDatabaseCommand({ Name, CatalogId }));
const drop = (client: GlueClient, Name: string) => client.send(new DeleteDatabaseCommand({ Name }));
const names = async (client: GlueClient, ResourceShareType?: 'ALL' | 'FOREIGN') => {
	const { DatabaseList } = await client.send(new GetDatabasesCommand({ ResourceShareType }));
	return DatabaseList?.map(({ Name }) => Name);
};
const grant = async (by: string, to: string, on: Resource, permissions: Permission[]) => {
	const client = await lake.lakeformation(by);
	await client.send(
		new GrantPermissionsCommand({
			Principal: { DataLakePrincipalIdentifier: to },
			Resource: on,
			Permissions: permissions,
		}),
	);
};
const ABSENT = { name: 'EntityNotFoundException', typed: 'EntityNotFoundException', message: 'Entity Not Found' };

describe('CreateDatabase', () => {
	test('is refused to who does not hold CREATE_DATABASE on the catalog, with no answer to what is there', async () => {
		const bystander = await lake.glue(BYSTANDER);
		const message = 'Insufficient Lake Formation permission(s): Required Create Database on Catalog';
		for (const name of ['fresh', 'lending']) {
			expect(await refusal(make(bystander, name))).toMatchObject({ name: 'AccessDeniedException', message });
		}
		expect(await refusal(make(consumer, 'x', { TargetDatabase: { ...TARGET, Region: 'us-east-1' } }))).toMatchObject({
			name: 'InvalidInputException',
		});
	});

	test('refuses a name that a database or a link has, whatever its case', async () => {
		await link('taken');
		for (const name of ['taken', 'TAKEN']) {
			expect(await refusal(link(name))).toEqual({
				name: 'AlreadyExistsException',
				typed: 'AlreadyExistsException',
				message: 'Database already exists.',
			});
		}
		expect((await refusal(make(owner, 'Lending'))).typed).toBe('AlreadyExistsException');
	});

	test.each([
		['no name', { Name: '' }],
		['a name that is too long', { Name: 'n'.repeat(256) }],
		['a line break in the name', { Name: 'a\nb' }],
		['a link that is also a place', { Name: 'x', TargetDatabase: TARGET, LocationUri: 's3://lake/x' }],
		['a federated database', { Name: 'x', FederatedDatabase: { ConnectionName: 'c' } }],
	])('refuses %s', async (_name, DatabaseInput) => {
		const call = consumer.send(new CreateDatabaseCommand({ DatabaseInput }));
		expect((await refusal(call)).name).toBe('InvalidInputException');
	});

	test('keeps the name in lower case and everything else as it was given, over a restart too', async () => {
		await make(owner, 'Vault', { Description: 'd', LocationUri: 's3://lake/vault', Parameters: { a: 'b' } });
		lake = await lake.restart();
		[owner, consumer] = [await lake.glue(GRANTOR), await lake.glue(CONSUMER)];
		const { Database } = await get(owner, 'VAULT');
		expect(Database).toMatchObject({
			Name: 'vault',
			CatalogId: LENDING,
			Description: 'd',
			LocationUri: 's3://lake/vault',
			Parameters: { a: 'b' },
			CreateTableDefaultPermissions: [],
		});
		expect(Math.abs(Date.now() - (Database?.CreateTime?.getTime() ?? 0))).toBeLessThan(3_600_000);
	});
});

describe('a resource link', () => {
	test('is there for its maker alone until he grants DESCRIBE on it, and for no other account ever', async () => {
		await link('fl_lending');
		const principal = await lake.glue(RISK_ROLE);
		expect(await refusal(get(principal, 'fl_lending'))).toEqual(ABSENT);
		expect(await names(principal)).not.toContain('fl_lending');
		expect((await get(consumer, 'fl_lending')).Database).toMatchObject({ CatalogId: RISK, TargetDatabase: TARGET });
		await grant(CONSUMER, RISK_ROLE, { Database: { CatalogId: RISK, Name: 'fl_lending' } }, ['DESCRIBE']);
		expect((await get(principal, 'fl_lending')).Database).toMatchObject({ Name: 'fl_lending', TargetDatabase: TARGET });
		expect(await names(principal)).toContain('fl_lending');
		expect(await refusal(get(owner, 'fl_lending', RISK))).toEqual(ABSENT);
	});

	test('opens nothing of what it leads to', async () => {
		const principal = await lake.glue(RISK_ROLE);
		const table = new GetTableCommand({ DatabaseName: 'fl_lending', Name: 'loans' });
		expect(await refusal(principal.send(table))).toEqual(ABSENT);
		expect((await get(principal, 'fl_lending')).Database?.LocationUri).toBeUndefined();
	});

	test('is not followed by who lacks DESCRIBE on it, to Glue and in queries, even if the target was granted', async () => {
		await grant(GRANTOR, OTHER_ROLE, { Table: { DatabaseName: 'lending', Name: 'loans' } }, ['SELECT']);
		const glue = await lake.glue(OTHER_ROLE);
		const athena = await lake.athena(OTHER_ROLE);
		const table = new GetTableCommand({ DatabaseName: 'fl_lending', Name: 'loans' });
		const count = 'SELECT count(*) FROM fl_lending.loans';
		expect(await refusal(glue.send(table))).toEqual(ABSENT);
		expect(typeof (await rowsOf(athena, count))).toBe('string');
		await grant(CONSUMER, OTHER_ROLE, { Database: { CatalogId: RISK, Name: 'fl_lending' } }, ['DESCRIBE']);
		expect((await glue.send(table)).Table).toMatchObject({ DatabaseName: 'lending', CatalogId: LENDING });
		expect((await rowsOf(athena, count))[1]).toEqual(['4']);
	});

	test('is made whether or not its target is there', async () => {
		await make(consumer, 'dangling', { TargetDatabase: { CatalogId: LENDING, DatabaseName: 'nosuch' } });
		expect((await get(consumer, 'dangling')).Database?.TargetDatabase?.DatabaseName).toBe('nosuch');
		const table = new GetTableCommand({ DatabaseName: 'dangling', Name: 'loans' });
		expect(await refusal(consumer.send(table))).toEqual(ABSENT);
	});

	test('is dropped by its maker or who holds DROP on it, and its target stays', async () => {
		const principal = await lake.glue(RISK_ROLE);
		expect(await refusal(drop(principal, 'fl_lending'))).toMatchObject({
			name: 'AccessDeniedException',
			message: 'Insufficient Lake Formation permission(s): Required Drop on fl_lending',
		});
		await grant(CONSUMER, RISK_ROLE, { Database: { CatalogId: RISK, Name: 'fl_lending' } }, ['DROP']);
		await drop(principal, 'fl_lending');
		expect(await refusal(get(consumer, 'fl_lending'))).toEqual(ABSENT);
		expect(await refusal(drop(consumer, 'fl_lending'))).toEqual(ABSENT);
		expect((await get(owner, 'lending')).Database?.Name).toBe('lending');
	});
});

describe('UpdateDatabase', () => {
	test('is refused to an administrator until he grants himself ALTER; then it replaces the definition', async () => {
		const update = (DatabaseInput: { Name: string; Description?: string }) =>
			owner.send(new UpdateDatabaseCommand({ Name: 'lending', DatabaseInput }));
		expect((await refusal(update({ Name: 'lending' }))).message).toBe(
			'Insufficient Lake Formation permission(s): Required Alter on lending',
		);
		await grant(GRANTOR, GRANTOR, { Database: { Name: 'lending' } }, ['ALTER']);
		expect((await refusal(update({ Name: 'renamed' }))).name).toBe('InvalidInputException');
		await update({ Name: 'lending', Description: 'loans and payments' });
		expect((await get(owner, 'lending')).Database?.Description).toBe('loans and payments');
	});
});

describe('DeleteDatabase', () => {
	test('is refused to an administrator who did not make the database', async () => {
		expect((await refusal(drop(owner, 'lending'))).message).toBe(
			'Insufficient Lake Formation permission(s): Required Drop on lending',
		);
		expect(await refusal(drop(owner, 'nosuch'))).toEqual(ABSENT);
	});

	test('takes the tables along and leaves the data: a table over it again has its rows, and its old readers', async () => {
		const { Table } = await owner.send(new GetTableCommand({ DatabaseName: 'lending', Name: 'loans' }));
		const { StorageDescriptor } = Table ?? {};
		const made = Table?.CreateTime?.getTime() ?? 0;
		await grant(GRANTOR, GRANTOR, { Database: { Name: 'lending' } }, ['DROP']);
		await drop(owner, 'lending');
		const athena = await lake.athena(OTHER_ROLE);
		const count = 'SELECT count(*) FROM lending.loans';
		expect(typeof (await rowsOf(athena, count))).toBe('string');
		await make(owner, 'lending');
		const TableInput = { Name: 'loans', StorageDescriptor };
		await owner.send(new CreateTableCommand({ DatabaseName: 'lending', TableInput }));
		const again = await owner.send(new GetTableCommand({ DatabaseName: 'lending', Name: 'loans' }));
		expect(again.Table?.StorageDescriptor).toEqual(StorageDescriptor);
		expect(again.Table?.CreateTime?.getTime()).toBeGreaterThan(made);
		expect((await rowsOf(athena, count))[1]).toEqual(['4']);
	});
});

test('GetDatabases adds what other accounts share when it is asked to', async () => {
	const principal = await lake.glue(OTHER_ROLE);
	expect(await names(principal, 'FOREIGN')).toEqual(['lending']);
	expect(await names(principal, 'ALL')).toEqual(expect.arrayContaining(['lending']));
	expect(await names(consumer, 'FOREIGN')).toEqual([]);
});

test('a database without tables is there for who was granted all of them, and for nobody else without a right', async () => {
	await make(owner, 'empty');
	const bystander = await lake.glue(BYSTANDER);
	expect(await refusal(get(bystander, 'empty'))).toEqual(ABSENT);
	await grant(GRANTOR, BYSTANDER, { Table: { DatabaseName: 'empty', TableWildcard: {} } }, ['SELECT']);
	expect((await get(bystander, 'empty')).Database?.Name).toBe('empty');
});
