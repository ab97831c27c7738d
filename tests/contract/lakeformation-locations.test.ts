import { GetTableCommand } from '@aws-sdk/client-glue';
import {
	CreateLakeFormationOptInCommand,
	DeleteLakeFormationOptInCommand,
	DeregisterResourceCommand,
	DescribeResourceCommand,
	GetEffectivePermissionsForPathCommand,
	type LakeFormationClient,
	ListLakeFormationOptInsCommand,
	ListResourcesCommand,
	RegisterResourceCommand,
	type Resource,
	UpdateResourceCommand,
} from '@aws-sdk/client-lakeformation';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createFilter, filterNamed, grant, tableNamed } from '#tests/local/calls.ts';
import {
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	OTHER_ROLE,
	openLake,
	RISK_ROLE,
	refusal,
	rowsOf,
} from '#tests/local/harness.ts';

const NEW = 'arn:aws:s3:::lake/new';
const LOANS = 'arn:aws:s3:::lake/loans';
const EVERYBODY = 'IAM_ALLOWED_PRINCIPALS';
const database: Resource = { Database: { CatalogId: LENDING, Name: 'lending' } };
const loans = tableNamed('loans');

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

const register = (ResourceArn: string, more: object = {}, client = admin) =>
	client.send(new RegisterResourceCommand({ ResourceArn, UseServiceLinkedRole: true, ...more }));
const describeLocation = (ResourceArn: string, client = admin) =>
	client.send(new DescribeResourceCommand({ ResourceArn }));
const update = (HybridAccessEnabled?: boolean, client = admin) =>
	client.send(new UpdateResourceCommand({ ResourceArn: LOANS, RoleArn: GRANTOR, HybridAccessEnabled }));
/** The landing zone registers with the service-linked role, which has to be undone first. */
const registerAnew = async (HybridAccessEnabled: boolean) => {
	await admin.send(new DeregisterResourceCommand({ ResourceArn: LOANS }));
	await register(LOANS, { UseServiceLinkedRole: false, RoleArn: GRANTOR, HybridAccessEnabled });
};
const principal = (DataLakePrincipalIdentifier: string) => ({ Principal: { DataLakePrincipalIdentifier } });
const optIn = (role: string, Resource: Resource, client = admin) =>
	client.send(new CreateLakeFormationOptInCommand({ ...principal(role), Resource }));
const optOut = (role: string, Resource: Resource, client = admin) =>
	client.send(new DeleteLakeFormationOptInCommand({ ...principal(role), Resource }));
const columnsSeen = async (role: string) => {
	const glue = await lake.glue(role);
	const found = glue.send(new GetTableCommand({ CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans' }));
	return await found.then(({ Table }) => Table?.StorageDescriptor?.Columns?.length).catch(() => 'nothing');
};

describe('a location', () => {
	test.each<[string, string, object]>([
		['with neither a role nor the service-linked one', NEW, { UseServiceLinkedRole: undefined }],
		['with both', NEW, { RoleArn: GRANTOR }],
		['that is not in S3', 'arn:aws:kinesis:::stream', {}],
		['whose path is longer than 700 characters', `${NEW}/${'x'.repeat(700)}`, {}],
		['that is federated', NEW, { WithFederation: true }],
	])('is not registered %s', async (_name, arn, more) => {
		expect((await refusal(register(arn, more))).name).toBe('InvalidInputException');
	});

	test('is registered, changed and let go by an administrator only', async () => {
		for (const call of [
			() => register(NEW, {}, bystander),
			() => update(true, bystander),
			() => bystander.send(new DeregisterResourceCommand({ ResourceArn: LOANS })),
		]) {
			expect((await refusal(call())).name).toBe('AccessDeniedException');
		}
	});

	test('is registered once and described; another account does not see it', async () => {
		expect((await refusal(describeLocation(NEW))).typed).toBe('EntityNotFoundException');
		await register(NEW);
		expect((await refusal(register(NEW))).typed).toBe('AlreadyExistsException');
		expect((await describeLocation(NEW)).ResourceInfo).toMatchObject({ ResourceArn: NEW, HybridAccessEnabled: false });
		const foreign = await lake.lakeformation(RISK_ROLE);
		expect((await refusal(describeLocation(NEW, foreign))).typed).toBe('EntityNotFoundException');
	});

	test('keeps what an update does not name', async () => {
		await registerAnew(true);
		await update();
		expect((await describeLocation(LOANS)).ResourceInfo).toMatchObject({ RoleArn: GRANTOR, HybridAccessEnabled: true });
		await update(false);
		expect((await describeLocation(LOANS)).ResourceInfo?.HybridAccessEnabled).toBe(false);
	});

	test('registered with the service-linked role is not changed, but registered anew', async () => {
		expect((await refusal(update(true))).name).toBe('InvalidInputException');
		expect((await describeLocation(LOANS)).ResourceInfo?.HybridAccessEnabled).toBe(false);
		await registerAnew(false);
		await update(true);
		expect((await describeLocation(LOANS)).ResourceInfo?.HybridAccessEnabled).toBe(true);
	});

	test('is listed with the others, page by page and by conditions', async () => {
		const first = await admin.send(new ListResourcesCommand({ MaxResults: 1 }));
		const second = await admin.send(new ListResourcesCommand({ MaxResults: 1, NextToken: first.NextToken }));
		const arns = [first, second].flatMap((page) => page.ResourceInfoList?.map(({ ResourceArn }) => ResourceArn));
		expect(arns).toEqual([LOANS, 'arn:aws:s3:::lake/payments']);
		const of = async (ComparisonOperator: 'EQ' | 'NE' | 'CONTAINS' | 'BEGINS_WITH', value: string) => {
			const condition = { Field: 'RESOURCE_ARN' as const, ComparisonOperator, StringValueList: [value] };
			const found = await admin.send(new ListResourcesCommand({ FilterConditionList: [condition] }));
			return found.ResourceInfoList?.map(({ ResourceArn }) => ResourceArn);
		};
		expect(await of('EQ', LOANS)).toEqual([LOANS]);
		expect(await of('NE', LOANS)).toEqual(['arn:aws:s3:::lake/payments']);
		expect(await of('CONTAINS', 'pay')).toEqual(['arn:aws:s3:::lake/payments']);
		expect(await of('BEGINS_WITH', NEW)).toEqual([]);
	});

	test('that is let go is not read through Lake Formation any more', async () => {
		await grant(admin, loans);
		const athena = await lake.athena(RISK_ROLE);
		expect(await rowsOf(athena, 'SELECT count(*) FROM lending.loans')).toEqual([['_col0'], ['4']]);
		await admin.send(new DeregisterResourceCommand({ ResourceArn: LOANS }));
		expect(await rowsOf(athena, 'SELECT count(*) FROM lending.loans')).toContain('Permission denied on S3 path');
		const again = admin.send(new DeregisterResourceCommand({ ResourceArn: LOANS }));
		expect((await refusal(again)).typed).toBe('EntityNotFoundException');
	});
});

describe('an opt-in', () => {
	test('is made by an administrator only, for what exists, and on databases and tables only', async () => {
		expect((await refusal(optIn(RISK_ROLE, loans, bystander))).name).toBe('AccessDeniedException');
		expect((await refusal(optOut(RISK_ROLE, loans, bystander))).name).toBe('AccessDeniedException');
		expect((await refusal(optIn(RISK_ROLE, tableNamed('nosuch')))).typed).toBe('EntityNotFoundException');
		expect((await refusal(optIn(`${RISK_ROLE}-nobody`, loans))).message).toBe('Invalid principal');
		const byTag = { LFTag: { CatalogId: LENDING, TagKey: 'level', TagValues: ['open'] } };
		expect((await refusal(optIn(RISK_ROLE, byTag))).typed).toBe('InvalidInputException');
		expect((await refusal(optOut(RISK_ROLE, loans))).typed).toBe('EntityNotFoundException');
	});

	test('is listed by resource and principal until it is taken back', async () => {
		await optIn(RISK_ROLE, loans);
		await optIn(OTHER_ROLE, database);
		const listed = async (input: object) => {
			const found = await admin.send(new ListLakeFormationOptInsCommand(input));
			return found.LakeFormationOptInsInfoList?.map((entry) => entry.Principal?.DataLakePrincipalIdentifier);
		};
		expect(await listed({})).toEqual([RISK_ROLE, OTHER_ROLE]);
		expect(await listed({ Resource: loans })).toEqual([RISK_ROLE]);
		expect(await listed(principal(OTHER_ROLE))).toEqual([OTHER_ROLE]);
		await optOut(RISK_ROLE, loans);
		expect(await listed({})).toEqual([OTHER_ROLE]);
		expect((await refusal(bystander.send(new ListLakeFormationOptInsCommand({})))).name).toBe('AccessDeniedException');
	});
});

describe('in hybrid mode', () => {
	beforeEach(async () => {
		await createFilter(admin);
		await grant(admin, filterNamed(), ['SELECT'], BYSTANDER);
		await registerAnew(true);
	});

	test('who did not opt in reads nothing, whatever he was granted', async () => {
		expect(await columnsSeen(BYSTANDER)).toBe('nothing');
	});

	test('who did not opt in reads everything that everybody may', async () => {
		await grant(admin, loans, ['ALL'], EVERYBODY);
		expect(await columnsSeen(BYSTANDER)).toBe(5);
	});

	test.each([
		['table', loans],
		['database', database],
	])('who opted in on the %s reads what he was granted, whatever everybody may', async (_name, resource) => {
		await grant(admin, loans, ['ALL'], EVERYBODY);
		await optIn(BYSTANDER, resource);
		expect(await columnsSeen(BYSTANDER)).toBe(1);
		await optOut(BYSTANDER, resource);
		expect(await columnsSeen(BYSTANDER)).toBe(5);
	});

	test('an opt-in on another table changes nothing', async () => {
		await grant(admin, loans, ['ALL'], EVERYBODY);
		await optIn(BYSTANDER, tableNamed('payments'));
		expect(await columnsSeen(BYSTANDER)).toBe(5);
	});

	test('a principal of another account needs the opt-in too', async () => {
		await grant(admin, filterNamed());
		expect(await columnsSeen(RISK_ROLE)).toBe('nothing');
		await optIn(RISK_ROLE, loans);
		expect(await columnsSeen(RISK_ROLE)).toBe(1);
	});
});

test('without hybrid mode what everybody may is not taken back by an opt-in', async () => {
	await grant(admin, loans, ['ALL'], EVERYBODY);
	await optIn(BYSTANDER, loans);
	expect(await columnsSeen(BYSTANDER)).toBe(5);
});

describe('the permissions for a path', () => {
	const forPath = (ResourceArn: string, client = admin) =>
		client.send(new GetEffectivePermissionsForPathCommand({ CatalogId: LENDING, ResourceArn }));

	test('are for administrators', async () => {
		expect((await refusal(forPath(LOANS, bystander))).name).toBe('AccessDeniedException');
		expect((await refusal(forPath('lake/loans'))).name).toBe('InvalidInputException');
	});

	test('are those on the tables that lie there', async () => {
		await grant(admin, loans, ['DESCRIBE']);
		await grant(admin, tableNamed('payments'), ['DESCRIBE'], OTHER_ROLE);
		const whose = async (path: string) =>
			(await forPath(path)).Permissions?.map((entry) => entry.Principal?.DataLakePrincipalIdentifier);
		expect(await whose(LOANS)).toEqual([RISK_ROLE]);
		expect(await whose('arn:aws:s3:::lake')).toEqual([RISK_ROLE, OTHER_ROLE]);
		expect(await whose('arn:aws:s3:::lake/loan')).toEqual([]);
	});
});
