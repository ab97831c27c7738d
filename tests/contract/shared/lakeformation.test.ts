/** The bookkeeping of rights in Lake Formation, as far as moto keeps it too: no filter, no enforcement. */
import {
	AddLFTagsToResourceCommand,
	BatchGrantPermissionsCommand,
	BatchRevokePermissionsCommand,
	CreateLFTagCommand,
	DeleteLFTagCommand,
	DeregisterResourceCommand,
	DescribeResourceCommand,
	GetDataLakeSettingsCommand,
	GetLFTagCommand,
	GetResourceLFTagsCommand,
	ListDataCellsFilterCommand,
	ListLFTagsCommand,
	ListPermissionsCommand,
	type ListPermissionsCommandInput,
	ListResourcesCommand,
	type Permission,
	PutDataLakeSettingsCommand,
	RegisterResourceCommand,
	RemoveLFTagsFromResourceCommand,
	type Resource,
	UpdateLFTagCommand,
} from '@aws-sdk/client-lakeformation';
import { afterEach, beforeEach, describe, expect } from 'vitest';
import * as calls from '#tests/local/calls.ts';
import { tableNamed } from '#tests/local/calls.ts';
import { BYSTANDER, GRANTOR, LENDING, OTHER_ROLE, RISK_ROLE, refusal, TABLE } from '#tests/local/harness.ts';
import { type Lane, openLane, shared } from './lane.ts';

let lane: Lane;
beforeEach(async () => {
	lane = await openLane();
});
afterEach(async () => {
	await lane.close();
});

const database: Resource = { Database: { CatalogId: LENDING, Name: 'lending' } };
const loans = tableNamed('loans');
const someColumns: Resource = {
	TableWithColumns: { CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans', ColumnNames: ['loan_id'] },
};
const allTables: Resource = { Table: { CatalogId: LENDING, DatabaseName: 'lending', TableWildcard: {} } };
const location = 'arn:aws:s3:::lake/loans';

type Row = { readonly principal: string; readonly resource: string; readonly can: string; readonly grantable: string };

const grant = (resource: Resource, permissions: Permission[] = ['SELECT'], role = RISK_ROLE) =>
	calls.grant(lane.admin, resource, permissions, role);
const revoke = (resource: Resource, permissions: Permission[] = ['SELECT'], role = RISK_ROLE) =>
	calls.revoke(lane.admin, resource, permissions, role);

/**
 * Rows of the two consuming roles alone: what administrators hold by themselves is not bookkeeping. AWS may show one right
 * in several rows, and SELECT on a table as SELECT on all its columns (service model, ListPermissions): that is the same.
 */
async function rows(input: ListPermissionsCommandInput): Promise<Row[]> {
	const found = await calls.listPermissions(lane.admin, input);
	const folded = new Map<string, { can: string[]; grantable: string[] }>();
	for (const row of found) {
		const key = JSON.stringify([row.Principal?.DataLakePrincipalIdentifier, kindOf(row.Resource)]);
		const { can, grantable } = folded.get(key) ?? { can: [], grantable: [] };
		folded.set(key, {
			can: [...can, ...(row.Permissions ?? [])],
			grantable: [...grantable, ...(row.PermissionsWithGrantOption ?? [])],
		});
	}
	return [...folded]
		.map(([key, { can, grantable }]) => {
			const [principal = '', resource = ''] = JSON.parse(key) as string[];
			return { principal, resource, can: can.toSorted().join(), grantable: grantable.toSorted().join() };
		})
		.filter(({ principal }) => [RISK_ROLE, OTHER_ROLE].includes(principal));
}

function kindOf(resource: Resource | undefined): string {
	const all = resource?.TableWithColumns?.ColumnWildcard;
	if (all !== undefined && (all.ExcludedColumnNames ?? []).length === 0) return 'Table';
	return Object.keys(resource ?? {}).join();
}

const mine = (resource: string, can: string, grantable = ''): Row => ({
	principal: RISK_ROLE,
	resource,
	can,
	grantable,
});

describe('a right', () => {
	shared('is listed by its resource, with who holds it', async () => {
		await grant(loans, ['SELECT', 'DESCRIBE']);
		expect(await rows({ Resource: loans })).toEqual([mine('Table', 'DESCRIBE,SELECT')]);
	});

	shared('on a database is none on its tables in the list', async () => {
		await grant(database, ['DESCRIBE']);
		expect(await rows({ Resource: database })).toEqual([mine('Database', 'DESCRIBE')]);
		expect(await rows({ Resource: loans })).toEqual([]);
	});

	shared('on all tables is listed by that wildcard', async () => {
		await grant(allTables, ['DESCRIBE']);
		expect(await rows({ Resource: allTables })).toEqual([mine('Table', 'DESCRIBE')]);
	});

	shared('on a location is listed by its ARN', async () => {
		const resource = { DataLocation: { CatalogId: LENDING, ResourceArn: location } };
		await lane.admin
			.send(new RegisterResourceCommand({ ResourceArn: location, UseServiceLinkedRole: true }))
			.catch(() => {});
		await grant(resource, ['DATA_LOCATION_ACCESS']);
		expect(await rows({ Resource: resource })).toEqual([mine('DataLocation', 'DATA_LOCATION_ACCESS')]);
	});

	shared('given again joins what is there', async () => {
		await grant(loans, ['DESCRIBE']);
		await grant(loans, ['SELECT']);
		await grant(loans, ['SELECT']);
		expect(await rows({ Resource: loans })).toEqual([mine('Table', 'DESCRIBE,SELECT')]);
	});

	shared('of one principal is not that of another', async () => {
		await grant(loans, ['SELECT'], RISK_ROLE);
		await grant(loans, ['DESCRIBE'], OTHER_ROLE);
		await revoke(loans, ['SELECT'], RISK_ROLE);
		expect(await rows({ Resource: loans })).toEqual([
			{ principal: OTHER_ROLE, resource: 'Table', can: 'DESCRIBE', grantable: '' },
		]);
	});

	shared('on one table is not listed by another', async () => {
		await grant(loans);
		expect(await rows({ Resource: tableNamed('payments') })).toEqual([]);
	});

	shared('is listed by its principal on its resource', async () => {
		await grant(loans);
		await grant(loans, ['SELECT'], OTHER_ROLE);
		const Principal = { DataLakePrincipalIdentifier: RISK_ROLE };
		expect(await rows({ Principal, Resource: loans })).toEqual([mine('Table', 'SELECT')]);
	});

	shared('revoked in part leaves the rest, and revoked whole leaves nothing', async () => {
		await grant(loans, ['SELECT', 'DESCRIBE']);
		await revoke(loans, ['SELECT']);
		expect(await rows({ Resource: loans })).toEqual([mine('Table', 'DESCRIBE')]);
		await revoke(loans, ['DESCRIBE']);
		expect(await rows({ Resource: loans })).toEqual([]);
	});

	shared('that was never granted cannot be revoked', async () => {
		expect((await refusal(revoke(loans))).name).toBe('InvalidInputException');
	});

	shared('on a table that is not there cannot be granted', async () => {
		expect((await refusal(grant(tableNamed('nosuch')))).name).toBe('EntityNotFoundException');
	});

	shared('on some columns of a table is listed by the table', async () => {
		await grant(someColumns);
		expect(await rows({ Resource: loans })).toEqual([mine('TableWithColumns', 'SELECT')]);
	});
});

describe('a batch', () => {
	const entry = (Id: string, resource: Resource, more: object = {}) => ({ Id, ...calls.permission(resource), ...more });

	shared('grants and revokes each of its entries', async () => {
		const Entries = [entry('1', loans), entry('2', tableNamed('payments'))];
		const granted = await lane.admin.send(new BatchGrantPermissionsCommand({ Entries }));
		expect(granted.Failures ?? []).toEqual([]);
		for (const name of ['loans', 'payments']) {
			expect(await rows({ Resource: tableNamed(name) })).toEqual([mine('Table', 'SELECT')]);
		}
		const revoked = await lane.admin.send(new BatchRevokePermissionsCommand({ Entries }));
		expect(revoked.Failures ?? []).toEqual([]);
		expect(await rows({ Resource: loans })).toEqual([]);
	});

	shared('carries the grant option of its entries', async () => {
		const Entries = [entry('1', loans, { PermissionsWithGrantOption: ['SELECT'] })];
		await lane.admin.send(new BatchGrantPermissionsCommand({ Entries }));
		expect(await rows({ Resource: loans })).toEqual([mine('Table', 'SELECT', 'SELECT')]);
	});

	shared('tells of an entry that could not be granted, and grants the others', async () => {
		const Entries = [entry('good', loans), entry('bad', tableNamed('nosuch'))];
		const { Failures } = await lane.admin.send(new BatchGrantPermissionsCommand({ Entries }));
		expect(Failures?.map((failure) => [failure.RequestEntry?.Id, failure.Error?.ErrorCode])).toEqual([
			['bad', 'EntityNotFoundException'],
		]);
		expect(await rows({ Resource: loans })).toEqual([mine('Table', 'SELECT')]);
	});
});

describe('a list of rights', () => {
	const list = (input: ListPermissionsCommandInput) => lane.admin.send(new ListPermissionsCommand(input));

	shared('is refused for a principal without a resource', async () => {
		const refused = await refusal(list({ Principal: { DataLakePrincipalIdentifier: RISK_ROLE } }));
		expect(refused.name).toBe('InvalidInputException');
		expect(refused.message).toContain('Resource is mandatory if Principal is set in the input.');
	});

	shared('is refused by some columns of a table', async () => {
		expect((await refusal(list({ Resource: someColumns }))).name).toBe('InvalidInputException');
	});

	shared('ends where it is told to, and goes on from there', async () => {
		await grant(loans);
		await grant(loans, ['SELECT'], OTHER_ROLE);
		const first = await list({ Resource: loans, MaxResults: 1 });
		expect(first.PrincipalResourcePermissions).toHaveLength(1);
		const second = await list({ Resource: loans, MaxResults: 1, NextToken: first.NextToken });
		const found = [first, second].flatMap((page) => page.PrincipalResourcePermissions ?? []);
		expect(new Set(found.map((row) => row.Principal?.DataLakePrincipalIdentifier)).size).toBe(2);
	});

	shared('of filters of a table without any is empty', async () => {
		const Table = { CatalogId: LENDING, DatabaseName: TABLE.DatabaseName, Name: TABLE.TableName };
		expect((await lane.admin.send(new ListDataCellsFilterCommand({ Table }))).DataCellsFilters).toEqual([]);
	});
});

describe('the settings', () => {
	shared('are what was put last', async () => {
		const admins = [{ DataLakePrincipalIdentifier: GRANTOR }, { DataLakePrincipalIdentifier: BYSTANDER }];
		const DataLakeSettings = {
			DataLakeAdmins: admins,
			CreateDatabaseDefaultPermissions: [],
			CreateTableDefaultPermissions: [],
		};
		await lane.admin.send(new PutDataLakeSettingsCommand({ DataLakeSettings }));
		const read = await lane.admin.send(new GetDataLakeSettingsCommand({}));
		expect(read.DataLakeSettings).toMatchObject(DataLakeSettings);
	});
});

describe('a location', () => {
	const ResourceArn = 'arn:aws:s3:::lake/elsewhere';
	const RoleArn = `arn:aws:iam::${LENDING}:role/registration`;
	const register = () => lane.admin.send(new RegisterResourceCommand({ ResourceArn, RoleArn }));
	const listed = async () =>
		(await lane.admin.send(new ListResourcesCommand({}))).ResourceInfoList?.map((r) => r.ResourceArn);

	shared('that nobody registered is neither described nor deregistered', async () => {
		expect((await refusal(lane.admin.send(new DescribeResourceCommand({ ResourceArn })))).name).toBe(
			'EntityNotFoundException',
		);
		expect((await refusal(lane.admin.send(new DeregisterResourceCommand({ ResourceArn })))).name).toBe(
			'EntityNotFoundException',
		);
	});

	shared('is registered once, described and listed', async () => {
		await register();
		expect((await refusal(register())).name).toBe('AlreadyExistsException');
		const { ResourceInfo } = await lane.admin.send(new DescribeResourceCommand({ ResourceArn }));
		expect(ResourceInfo).toMatchObject({ ResourceArn, RoleArn });
		expect(await listed()).toContain(ResourceArn);
	});

	shared('that was deregistered is gone, and may be registered again', async () => {
		await register();
		await lane.admin.send(new DeregisterResourceCommand({ ResourceArn }));
		expect(await listed()).not.toContain(ResourceArn);
		await register();
		expect(await listed()).toContain(ResourceArn);
	});
});

describe('an LF-Tag', () => {
	const TagKey = 'sensitivity';
	const tag = { TagKey, TagValues: ['high'] };
	const create = () => lane.admin.send(new CreateLFTagCommand({ TagKey, TagValues: ['low', 'high'] }));
	const values = async () => (await lane.admin.send(new GetLFTagCommand({ TagKey }))).TagValues?.toSorted();
	const onLoans = async () =>
		(await lane.admin.send(new GetResourceLFTagsCommand({ Resource: loans }))).LFTagsOnTable ?? [];

	shared('is read as it was made, and listed', async () => {
		await create();
		expect(await values()).toEqual(['high', 'low']);
		const { LFTags } = await lane.admin.send(new ListLFTagsCommand({}));
		expect(LFTags?.map((each) => each.TagKey)).toEqual([TagKey]);
	});

	shared('gains and loses values', async () => {
		await create();
		await lane.admin.send(new UpdateLFTagCommand({ TagKey, TagValuesToAdd: ['none'], TagValuesToDelete: ['low'] }));
		expect(await values()).toEqual(['high', 'none']);
	});

	shared('on a table is told of the table until it is removed', async () => {
		await create();
		const LFTags = [tag];
		const added = await lane.admin.send(new AddLFTagsToResourceCommand({ Resource: loans, LFTags }));
		expect(added.Failures ?? []).toEqual([]);
		expect((await onLoans()).map((each) => [each.TagKey, each.TagValues])).toEqual([[TagKey, ['high']]]);
		await lane.admin.send(new RemoveLFTagsFromResourceCommand({ Resource: loans, LFTags }));
		expect(await onLoans()).toEqual([]);
	});

	shared('that is not there is a failure of its own', async () => {
		const added = await lane.admin.send(new AddLFTagsToResourceCommand({ Resource: loans, LFTags: [tag] }));
		expect(added.Failures?.map((failure) => failure.Error?.ErrorCode)).toEqual(['EntityNotFoundException']);
	});

	shared('that was deleted is on no table any more', async () => {
		await create();
		await lane.admin.send(new AddLFTagsToResourceCommand({ Resource: loans, LFTags: [tag] }));
		await lane.admin.send(new DeleteLFTagCommand({ TagKey }));
		expect(await onLoans()).toEqual([]);
		expect((await lane.admin.send(new ListLFTagsCommand({}))).LFTags ?? []).toEqual([]);
	});
});
