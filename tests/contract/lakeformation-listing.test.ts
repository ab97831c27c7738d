import {
	GrantPermissionsCommand,
	type LakeFormationClient,
	type ListPermissionsCommandInput,
	type Resource,
} from '@aws-sdk/client-lakeformation';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFilter, filterNamed, grant, listPermissions, permission, tableNamed } from '#tests/local/calls.ts';
import { BYSTANDER, GRANTOR, type Lake, LENDING, openLake, RISK_ROLE, refusal } from '#tests/local/harness.ts';

const EVERYBODY = 'IAM_ALLOWED_PRINCIPALS';
const loans = tableNamed('loans');
const lending: Resource = { Database: { CatalogId: LENDING, Name: 'lending' } };
const allTables: Resource = { Table: { CatalogId: LENDING, DatabaseName: 'lending', TableWildcard: {} } };

let lake: Lake;
let admin: LakeFormationClient;
beforeEach(async () => {
	lake = await openLake();
	admin = await lake.lakeformation(GRANTOR);
});
afterEach(async () => {
	await lake.close();
});

const listed = async (input: ListPermissionsCommandInput) =>
	(await listPermissions(admin, input)).map(({ Principal, Resource, Permissions }) => [
		Principal?.DataLakePrincipalIdentifier,
		Object.keys(Resource ?? {})[0],
		Permissions,
	]);
const of = (DataLakePrincipalIdentifier: string, Resource: Resource) =>
	listed({ Principal: { DataLakePrincipalIdentifier }, Resource });

// Service model, ListPermissions; terraform-provider-aws issue 44574.
describe('listing by principal and resource', () => {
	test('tells what the principal may do, also through all tables and everybody; by resource alone what was granted on it', async () => {
		await grant(admin, allTables, ['DESCRIBE'], BYSTANDER);
		await grant(admin, loans, ['INSERT'], EVERYBODY);
		expect(await of(BYSTANDER, loans)).toEqual([
			[BYSTANDER, 'Table', ['DESCRIBE']],
			[BYSTANDER, 'Table', ['INSERT']],
		]);
		expect(await listed({ Resource: loans })).toEqual([[EVERYBODY, 'Table', ['INSERT']]]);
	});

	test('does not tell everybody of another account, nor a filter on the table', async () => {
		await createFilter(admin);
		await grant(admin, filterNamed());
		await grant(admin, loans, ['INSERT'], EVERYBODY);
		expect(await of(RISK_ROLE, loans)).toEqual([]);
	});

	test('tells an administrator what he may without a grant', async () => {
		expect(await of(GRANTOR, loans)).toEqual([[GRANTOR, 'Table', ['DESCRIBE']]]);
		expect(await of(GRANTOR, lending)).toEqual([[GRANTOR, 'Database', ['DESCRIBE']]]);
		expect(await listed({ Resource: loans })).toEqual([]);
	});
});

test('a kind of resource is listed by its type', async () => {
	await createFilter(admin);
	await grant(admin, filterNamed());
	await grant(admin, lending, ['DESCRIBE']);
	await grant(admin, { Catalog: { Id: LENDING } }, ['CREATE_DATABASE'], BYSTANDER);
	expect(await listed({ ResourceType: 'DATABASE' })).toEqual([[RISK_ROLE, 'Database', ['DESCRIBE']]]);
	expect(await listed({ ResourceType: 'TABLE' })).toEqual([[RISK_ROLE, 'DataCellsFilter', ['SELECT']]]);
	expect(await listed({ ResourceType: 'CATALOG' })).toEqual([[BYSTANDER, 'Catalog', ['CREATE_DATABASE']]]);
	expect(await listed({ ResourceType: 'LF_TAG' })).toEqual([]);
});

test('what is not supported here is refused and changes nothing', async () => {
	const Condition = { Expression: 'context.iam.principalTags.hasTag("department")' };
	const conditional = admin.send(new GrantPermissionsCommand({ ...permission(loans), Condition }));
	expect((await refusal(conditional)).typed).toBe('InvalidInputException');
	for (const principal of [LENDING, `${LENDING}:IAMPrincipals`, 'arn:aws:identitystore:::user/1']) {
		const refused = await refusal(grant(admin, loans, ['SELECT'], principal));
		expect(refused).toMatchObject({ typed: 'InvalidInputException' });
		// Not the text that asks for another try.
		expect(refused.message).not.toContain('Invalid principal');
	}
	expect((await refusal(grant(admin, { LFTagExpression: { Name: 'e' } }))).typed).toBe('InvalidInputException');
	expect(lake.aws.lakeFormationState().permissions).toEqual([]);
});
