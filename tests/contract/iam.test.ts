/** Roles as IAM tells and changes them. Codes: service model; texts: IAM as its callers report it. */
import {
	CreateRoleCommand,
	DeleteRoleCommand,
	GetRoleCommand,
	IAMClient,
	ListAttachedRolePoliciesCommand,
	ListRolesCommand,
	paginateListRoles,
	UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { GrantPermissionsCommand } from '@aws-sdk/client-lakeformation';
import { AssumeRoleCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
	BROKER,
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	OTHER_ROLE,
	openLake,
	PLATFORM,
	RISK,
	RISK_ROLE,
	refusal,
} from '#tests/local/harness.ts';

let lake: Lake;
let iam: IAMClient;
beforeAll(async () => {
	lake = await openLake();
	iam = lake.iam();
});
afterAll(async () => {
	await lake.close();
});

const NAME = 'fairlead-risk-credit-risk';
const policyOf = async (RoleName: string) => {
	const { Role } = await iam.send(new GetRoleCommand({ RoleName }));
	return JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''));
};
const allow = (AWS: string | string[], more: object = {}) => ({
	Effect: 'Allow',
	Principal: { AWS },
	Action: 'sts:AssumeRole',
	...more,
});
const policy = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
const trust = (RoleName: string, PolicyDocument: string) =>
	iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
const assume = (role: string, more: object = {}) =>
	new STSClient(lake.settings(lake.broker)).send(
		new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'fairlead', ...more }),
	);

describe('refused', () => {
	test('a role that is not there, or is another account’s', async () => {
		for (const RoleName of ['nobody', 'fairlead-grantor']) {
			expect(await refusal(iam.send(new GetRoleCommand({ RoleName })))).toEqual({
				name: 'NoSuchEntityException',
				typed: 'NoSuchEntityException',
				message: `The role with name ${RoleName} cannot be found.`,
			});
		}
		expect((await refusal(trust('nobody', policy(allow(BROKER))))).typed).toBe('NoSuchEntityException');
		expect((await refusal(iam.send(new DeleteRoleCommand({ RoleName: 'nobody' })))).typed).toBe(
			'NoSuchEntityException',
		);
	});

	test('a name that is taken, whatever its case', async () => {
		const AssumeRolePolicyDocument = policy(allow(BROKER));
		const call = iam.send(new CreateRoleCommand({ RoleName: NAME.toUpperCase(), AssumeRolePolicyDocument }));
		expect(await refusal(call)).toMatchObject({
			typed: 'EntityAlreadyExistsException',
			message: `Role with name ${NAME.toUpperCase()} already exists.`,
		});
	});

	test('a change by an ordinary role of the account, which would make itself anybody there', async () => {
		const ordinary = new IAMClient(lake.settings(await lake.assume(OTHER_ROLE)));
		const PolicyDocument = policy(allow(OTHER_ROLE));
		for (const [action, call] of [
			['UpdateAssumeRolePolicy', new UpdateAssumeRolePolicyCommand({ RoleName: NAME, PolicyDocument })],
			['DeleteRole', new DeleteRoleCommand({ RoleName: NAME })],
			['CreateRole', new CreateRoleCommand({ RoleName: NAME, AssumeRolePolicyDocument: PolicyDocument })],
		] as const) {
			const refused = await refusal(ordinary.send(call as UpdateAssumeRolePolicyCommand));
			expect(refused.name).toBe('AccessDenied');
			expect(refused.message).toContain(`is not authorized to perform: iam:${action} on resource: ${RISK_ROLE}`);
		}
		expect((await ordinary.send(new GetRoleCommand({ RoleName: NAME }))).Role?.Arn).toBe(RISK_ROLE);
	});

	test.each([
		['no JSON', '{'],
		['no statement', '{"Version":"2012-10-17","Statement":[]}'],
		['no principal', policy({ Effect: 'Allow', Action: 'sts:AssumeRole' })],
		['a principal that is none', policy(allow('anna'))],
		['an element that cannot be evaluated', policy(allow(BROKER, { NotAction: 'sts:*' }))],
	])('a trust policy with %s', async (_name, document) => {
		expect((await refusal(trust(NAME, document))).typed).toBe('MalformedPolicyDocumentException');
	});

	test('what is not kept: policies of a role are neither listed as empty nor otherwise', async () => {
		const call = iam.send(new ListAttachedRolePoliciesCommand({ RoleName: NAME }));
		expect((await refusal(call)).name).toBe('InvalidAction');
		expect((await refusal(iam.send(new GetRoleCommand({ RoleName: 'a b' })))).name).toBe('ValidationError');
	});
});

describe('GetRole', () => {
	test('tells a role with its trust policy, to clients of any Region', async () => {
		const elsewhere = new IAMClient({ ...lake.settings(await lake.assume(OTHER_ROLE)), region: 'us-east-1' });
		const { Role } = await elsewhere.send(new GetRoleCommand({ RoleName: NAME }));
		expect(Role).toMatchObject({ Path: '/', RoleName: NAME, Arn: RISK_ROLE });
		expect(Role?.RoleId).toMatch(/^AROA\w{17}$/);
		expect(Role?.CreateDate).toBeInstanceOf(Date);
		expect(Role?.AssumeRolePolicyDocument).toMatch(/^%7B[\w%.~-]*%7D$/);
		expect((await policyOf(NAME)).Statement).toEqual([
			{ Effect: 'Allow', Principal: { AWS: [BROKER] }, Action: ['sts:AssumeRole', 'sts:TagSession'] },
		]);
	});
});

test('ListRoles tells the roles of the account, page by page', async () => {
	const arns: (string | undefined)[] = [];
	for await (const page of paginateListRoles({ client: iam, pageSize: 1 }, {})) {
		expect(page.Roles).toHaveLength(1);
		arns.push(...(page.Roles ?? []).map(({ Arn }) => Arn));
	}
	expect(arns).toEqual([RISK_ROLE, OTHER_ROLE]);
	expect((await iam.send(new ListRolesCommand({ PathPrefix: '/service/' }))).Roles).toEqual([]);
});

describe('a trust policy that was changed', () => {
	const admits = (document: string, more: object = {}) =>
		trust(NAME, document)
			.then(() => assume(RISK_ROLE, more))
			.then(
				() => true,
				(error: Error) => (error.name === 'AccessDenied' ? false : Promise.reject(error)),
			);
	const external = (id: string) => ({ Condition: { StringEquals: { 'sts:ExternalId': id } } });

	test.each([
		['the caller', policy(allow(BROKER)), {}, true],
		['the caller’s account', policy(allow(`arn:aws:iam::${PLATFORM}:root`)), {}, true],
		['the account by its number', policy(allow(PLATFORM)), {}, true],
		['everybody', policy(allow('*')), {}, true],
		['everybody, without saying as what', policy({ ...allow(BROKER), Principal: '*' }), {}, true],
		['somebody else', policy(allow(GRANTOR)), {}, false],
		['another account', policy(allow(`arn:aws:iam::${LENDING}:root`)), {}, false],
		['a service only', policy({ ...allow(BROKER), Principal: { Service: 'lambda.amazonaws.com' } }), {}, false],
		['the caller, who is denied too', policy(allow(BROKER), { ...allow('*'), Effect: 'Deny' }), {}, false],
		['the caller for another action', policy({ ...allow(BROKER), Action: 'sts:TagSession' }), {}, false],
		['the caller with this external id', policy(allow(BROKER, external('abc'))), { ExternalId: 'abc' }, true],
		['the caller with another external id', policy(allow(BROKER, external('abc'))), { ExternalId: 'abd' }, false],
		['the caller with an external id, without one', policy(allow(BROKER, external('abc'))), {}, false],
		['on a condition that is not understood', policy(allow(BROKER, { Condition: { Bool: { x: 'true' } } })), {}, false],
		[
			'the caller, denied on a condition that is not understood',
			policy(allow(BROKER), { ...allow('*'), Effect: 'Deny', Condition: { Bool: { x: 'true' } } }),
			{},
			false,
		],
		[
			'everybody of this ARN',
			policy(allow('*', { Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/fairlead-*' } } })),
			{},
			true,
		],
		['the caller, but not his tags', policy(allow(BROKER)), { Tags: [{ Key: 'flow', Value: '1' }] }, false],
		[
			'the caller with his tags',
			policy(allow(BROKER), { ...allow(BROKER), Action: 'sts:Tag*' }),
			{ Tags: [{ Key: 'flow', Value: '1' }] },
			true,
		],
	])('and names %s', async (_name, document, more, expected) => {
		expect(await admits(document, more)).toBe(expected);
		expect(await policyOf(NAME)).toEqual(JSON.parse(document));
	});
});

describe('a role', () => {
	const RoleName = 'fairlead-risk-audit';
	const arn = `arn:aws:iam::${RISK}:role/${RoleName}`;
	const grant = async () => {
		const lakeformation = await lake.lakeformation(GRANTOR);
		await lakeformation.send(
			new GrantPermissionsCommand({
				Principal: { DataLakePrincipalIdentifier: arn },
				Resource: { Table: { DatabaseName: 'lending', Name: 'loans' } },
				Permissions: ['DESCRIBE'],
			}),
		);
	};

	test('is no principal before it is made; then it is, also after a restart, until it is removed, with its sessions', async () => {
		expect((await refusal(grant())).message).toBe('Invalid principal');
		const AssumeRolePolicyDocument = policy(allow(BROKER));
		const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
		expect(Role?.Arn).toBe(arn);
		lake = await lake.restart();
		iam = lake.iam();
		await grant();
		const session = new STSClient(lake.settings(await lake.assume(arn)));
		expect((await session.send(new GetCallerIdentityCommand({}))).Account).toBe(RISK);
		await iam.send(new DeleteRoleCommand({ RoleName }));
		expect((await refusal(session.send(new GetCallerIdentityCommand({})))).name).toBe('InvalidClientTokenId');
		expect((await refusal(assume(arn))).name).toBe('AccessDenied');
		const left = lake.aws.lakeFormationState().permissions.filter(({ principal }) => principal === arn);
		expect(left).toHaveLength(1);
	});
});

test('a data lake administrator manages roles, of his own account only', async () => {
	const admin = new IAMClient(lake.settings(await lake.assume(GRANTOR)));
	const { Roles } = await admin.send(new ListRolesCommand({}));
	expect(Roles?.map(({ Arn }) => Arn)).toEqual([GRANTOR, BYSTANDER]);
	expect((await refusal(admin.send(new DeleteRoleCommand({ RoleName: NAME })))).typed).toBe('NoSuchEntityException');
	await admin.send(new DeleteRoleCommand({ RoleName: 'bystander' }));
	expect((await refusal(lake.assume(BYSTANDER))).name).toBe('AccessDenied');
});
