import { GetTableCommand } from '@aws-sdk/client-glue';
import {
	BatchGrantPermissionsCommand,
	BatchRevokePermissionsCommand,
	type DataCellsFilter,
	DeleteDataCellsFilterCommand,
	GrantPermissionsCommand,
	type LakeFormationClient,
	ListPermissionsCommand,
	type ListPermissionsCommandInput,
	type Permission,
	RevokePermissionsCommand,
} from '@aws-sdk/client-lakeformation';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as calls from '#tests/local/calls.ts';
import { createFilter, filterNamed, permission, tableNamed } from '#tests/local/calls.ts';
import {
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	OTHER_ROLE,
	openLake,
	RISK,
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

const create = (more: Partial<DataCellsFilter>) => createFilter(admin, more);
const filter = filterNamed;
const loans = tableNamed('loans');
const grant = (...args: Parameters<typeof permission>) => calls.grant(admin, ...args);
const revoke = (...args: Parameters<typeof permission>) => calls.revoke(admin, ...args);
const listed = (input: ListPermissionsCommandInput) => calls.listPermissions(admin, input);

describe('a grant', () => {
	test('is refused on a filter, table, column or database that is not there', async () => {
		expect((await refusal(grant(filter('nosuch')))).typed).toBe('EntityNotFoundException');
		expect(
			(await refusal(grant({ Table: { CatalogId: LENDING, DatabaseName: 'lending', Name: 'nosuch' } }))).typed,
		).toBe('EntityNotFoundException');
		expect((await refusal(grant({ Database: { CatalogId: LENDING, Name: 'nosuch' } }, ['DESCRIBE']))).typed).toBe(
			'EntityNotFoundException',
		);
		const columns = {
			TableWithColumns: { CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans', ColumnNames: ['nosuch'] },
		};
		expect(await refusal(grant(columns))).toMatchObject({
			typed: 'InvalidInputException',
			message: 'cannot grant/revoke permission on non-existent column.',
		});
	});

	test('on a filter is SELECT or DESCRIBE and nothing else', async () => {
		await create({});
		for (const permission of ['ALL', 'INSERT', 'ALTER', 'DROP', 'DELETE'] as const) {
			expect((await refusal(grant(filter(), [permission]))).typed).toBe('InvalidInputException');
		}
		await grant(filter(), ['SELECT', 'DESCRIBE']);
		expect(lake.aws.lakeFormationState().permissions[0]?.permissions).toEqual(['DESCRIBE', 'SELECT']);
	});

	test('is refused to a principal that does not exist, and from a caller who is not an administrator', async () => {
		await create({});
		const nobody = refusal(grant(filter(), ['SELECT'], `arn:aws:iam::${RISK}:role/nobody`));
		expect(await nobody).toMatchObject({ typed: 'InvalidInputException', message: 'Invalid principal' });
		const bystander = await lake.lakeformation(BYSTANDER);
		const refused = await refusal(bystander.send(new GrantPermissionsCommand(permission(filter()))));
		expect(refused.name).toBe('AccessDeniedException');
		expect(refused.message).toContain('requester is not authorized to access requested permissions');
	});

	test('without one resource, or with an unknown permission, is refused', async () => {
		expect((await refusal(grant({}))).message).toContain('Resource must have one of');
		expect((await refusal(grant({ ...filter(), ...loans }))).typed).toBe('InvalidInputException');
		expect((await refusal(grant(loans, ['READ' as Permission]))).typed).toBe('InvalidInputException');
	});

	test('through a resource link is refused: permissions belong to the target', async () => {
		const settings = { Table: { CatalogId: RISK, DatabaseName: 'lending', Name: 'loans' } };
		expect((await refusal(grant(settings))).typed).toBe('AccessDeniedException');
	});

	test('merges into what the principal holds and is not an error when repeated', async () => {
		await grant(loans, ['DESCRIBE']);
		await grant(loans, ['SELECT']);
		await grant(loans, ['SELECT']);
		expect(lake.aws.lakeFormationState().permissions.map(({ permissions }) => permissions)).toEqual([
			['DESCRIBE', 'SELECT'],
		]);
	});

	test('to IAM_ALLOWED_PRINCIPALS reaches everybody of the account that owns the table and nobody else', async () => {
		await grant(loans, ['ALL'], 'IAM_ALLOWED_PRINCIPALS');
		const seen = async (role: string) => {
			const answer = (await lake.glue(role)).send(
				new GetTableCommand({ CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans' }),
			);
			return await answer.then(() => true).catch(() => false);
		};
		expect(await seen(BYSTANDER)).toBe(true);
		expect(await seen(RISK_ROLE)).toBe(false);
	});

	test('is refused beyond 100 filters for one principal on one table', async () => {
		const entries = Array.from({ length: 101 }, (_, i) => `f${i}`);
		await Promise.all(entries.map((Name) => create({ Name })));
		for (const name of entries.slice(0, 100)) await grant(filter(name));
		expect((await refusal(grant(filter('f100')))).name).toBe('ResourceNumberLimitExceededException');
		await grant(filter('f100'), ['SELECT'], OTHER_ROLE);
	});
});

describe('a revoke', () => {
	test('of what is not there fails with the texts that clients look for', async () => {
		await create({});
		expect(await refusal(revoke(filter()))).toMatchObject({
			typed: 'InvalidInputException',
			message: 'No permissions revoked. Grantee has no permissions and no grantable permissions on resource',
		});
		expect(await refusal(revoke(filter('nosuch')))).toMatchObject({
			typed: 'InvalidInputException',
			message: 'Cell Filter not found',
		});
	});

	test('takes what it names, and a right to grant only when it names that', async () => {
		const both = { ...permission(loans, ['SELECT', 'DESCRIBE']), PermissionsWithGrantOption: ['SELECT' as const] };
		await admin.send(new GrantPermissionsCommand(both));
		await revoke(loans, ['SELECT', 'DESCRIBE']);
		expect(lake.aws.lakeFormationState().permissions).toMatchObject([{ permissions: [], grantable: ['SELECT'] }]);
		await admin.send(
			new RevokePermissionsCommand({ ...permission(loans, ['SELECT']), PermissionsWithGrantOption: ['SELECT'] }),
		);
		expect(lake.aws.lakeFormationState().permissions).toEqual([]);
	});
});

describe('a batch', () => {
	const entry = (Id: string, name: string) => ({ Id, ...permission(filter(name)) });

	test('applies what it can and tells the rest, with HTTP 200', async () => {
		await create({ Name: 'a' });
		await create({ Name: 'b' });
		const answer = await admin.send(
			new BatchGrantPermissionsCommand({ Entries: [entry('1', 'a'), entry('2', 'nosuch'), entry('3', 'b')] }),
		);
		expect(answer.$metadata.httpStatusCode).toBe(200);
		expect(answer.Failures?.map(({ RequestEntry, Error }) => [RequestEntry?.Id, Error?.ErrorCode])).toEqual([
			['2', 'EntityNotFoundException'],
		]);
		expect(lake.aws.lakeFormationState().permissions).toHaveLength(2);
		const revoked = await admin.send(
			new BatchRevokePermissionsCommand({ Entries: [entry('1', 'a'), entry('2', 'a')] }),
		);
		expect(revoked.Failures?.map(({ RequestEntry, Error }) => [RequestEntry?.Id, Error?.ErrorCode])).toEqual([
			['2', 'InvalidInputException'],
		]);
		expect(lake.aws.lakeFormationState().permissions).toHaveLength(1);
	});

	test('is refused with more than 20 entries or the same Id twice', async () => {
		const many = Array.from({ length: 21 }, (_, i) => entry(String(i), 'a'));
		expect((await refusal(admin.send(new BatchGrantPermissionsCommand({ Entries: many })))).typed).toBe(
			'InvalidInputException',
		);
		const twice = [entry('1', 'a'), entry('1', 'b')];
		expect((await refusal(admin.send(new BatchRevokePermissionsCommand({ Entries: twice })))).typed).toBe(
			'InvalidInputException',
		);
	});
});

describe('ListPermissions', () => {
	beforeEach(async () => {
		await create({});
		await grant(filter());
		await grant(loans, ['SELECT', 'DESCRIBE'], OTHER_ROLE);
	});

	test('refuses a principal without a resource, an empty resource, columns, and a principal with related', async () => {
		const Principal = { DataLakePrincipalIdentifier: RISK_ROLE };
		expect((await refusal(listed({ Principal }))).message).toBe(
			'Resource is mandatory if Principal is set in the input.',
		);
		expect((await refusal(listed({ Resource: {} }))).typed).toBe('InvalidInputException');
		const columns = { TableWithColumns: { DatabaseName: 'lending', Name: 'loans', ColumnWildcard: {} } };
		expect((await refusal(listed({ Resource: columns }))).typed).toBe('InvalidInputException');
		expect((await refusal(listed({ Resource: loans, Principal, IncludeRelated: 'TRUE' }))).typed).toBe(
			'InvalidInputException',
		);
	});

	test('by filter shows its grants; with a principal of another account it shows none', async () => {
		const found = await listed({ Resource: filter() });
		expect(found.map(({ Principal, Permissions }) => [Principal?.DataLakePrincipalIdentifier, Permissions])).toEqual([
			[RISK_ROLE, ['SELECT']],
		]);
		expect(found[0]?.Resource).toEqual(filter());
		expect(await listed({ Resource: filter(), Principal: { DataLakePrincipalIdentifier: RISK_ROLE } })).toEqual([]);
	});

	test('by table splits SELECT from the rest and shows filters only when asked for related ones', async () => {
		const plain = await listed({ Resource: loans });
		expect(plain.map(({ Resource, Permissions }) => [Object.keys(Resource ?? {})[0], Permissions])).toEqual([
			['TableWithColumns', ['SELECT']],
			['Table', ['DESCRIBE']],
		]);
		const related = await listed({ Resource: loans, IncludeRelated: 'TRUE' });
		expect(related.map(({ Resource }) => Object.keys(Resource ?? {})[0])).toEqual([
			'DataCellsFilter',
			'TableWithColumns',
			'Table',
		]);
	});

	test('pages, and shows others only what they hold themselves', async () => {
		const first = await admin.send(new ListPermissionsCommand({ MaxResults: 2 }));
		const rest = await admin.send(new ListPermissionsCommand({ MaxResults: 2, NextToken: first.NextToken }));
		expect(first.PrincipalResourcePermissions).toHaveLength(2);
		expect(rest.PrincipalResourcePermissions).toHaveLength(1);
		expect(rest.NextToken).toBeUndefined();
		expect((await refusal(listed({ NextToken: 'nonsense' }))).typed).toBe('InvalidInputException');
		const bystander = await lake.lakeformation(BYSTANDER);
		expect((await bystander.send(new ListPermissionsCommand({}))).PrincipalResourcePermissions).toEqual([]);
		const foreign = await lake.lakeformation(RISK_ROLE);
		expect((await refusal(foreign.send(new ListPermissionsCommand({ Resource: loans })))).name).toBe(
			'AccessDeniedException',
		);
	});

	test('what was listed can be revoked as it was listed', async () => {
		for (const { Principal, Resource, Permissions } of await listed({ Resource: loans, IncludeRelated: 'TRUE' })) {
			await admin.send(new RevokePermissionsCommand({ Principal, Resource, Permissions }));
		}
		expect(lake.aws.lakeFormationState().permissions).toEqual([]);
	});

	test('a deleted filter leaves no permission behind', async () => {
		await admin.send(new DeleteDataCellsFilterCommand({ ...TABLE, Name: 'f' }));
		expect(lake.aws.lakeFormationState().permissions.map(({ principal }) => principal)).toEqual([OTHER_ROLE]);
	});
});
