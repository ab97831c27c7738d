import { GetDatabasesCommand, GlueClient } from '@aws-sdk/client-glue';
import { CreateRoleCommand } from '@aws-sdk/client-iam';
import {
	AssumeRoleCommand,
	type AssumeRoleCommandInput,
	GetCallerIdentityCommand,
	STSClient,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
	BROKER,
	GRANTOR,
	type Keys,
	type Lake,
	LENDING,
	openLake,
	PLATFORM,
	RISK_ROLE,
	refusal,
} from '#tests/local/harness.ts';

let lake: Lake;
beforeAll(async () => {
	lake = await openLake();
});
afterAll(async () => {
	await lake.close();
});

const sts = (keys: Keys) => new STSClient(lake.settings(keys));
const assume = (input: Partial<AssumeRoleCommandInput>, keys = lake.broker) =>
	sts(keys).send(new AssumeRoleCommand({ RoleArn: GRANTOR, RoleSessionName: 'fairlead', ...input }));

const policy = (Action: readonly string[]) =>
	JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] });
const keysOf = async (call: ReturnType<typeof assume>): Promise<Keys> => {
	const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = (await call).Credentials ?? {};
	return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
};

describe('AssumeRole', () => {
	test('is denied by name to whom the role does not trust, and for a role that is not there', async () => {
		const session = await lake.assume(RISK_ROLE);
		const message = `User: arn:aws:sts::210000000004:assumed-role/fairlead-risk-credit-risk/fairlead is not authorized to perform: sts:AssumeRole on resource: ${GRANTOR}`;
		expect(await refusal(assume({}, session))).toMatchObject({ name: 'AccessDenied', message });
		const nobody = `arn:aws:iam::${LENDING}:role/nobody`;
		expect((await refusal(assume({ RoleArn: nobody }))).name).toBe('AccessDenied');
		const stranger = lake.aws.issueKey(`arn:aws:iam::${PLATFORM}:role/stranger`);
		expect((await refusal(assume({}, stranger))).name).toBe('AccessDenied');
	});

	test.each([
		['a session shorter than 15 minutes', { DurationSeconds: 899 }],
		['a session longer than 12 hours', { DurationSeconds: 43_201 }],
		['more than an hour for a role that assumes a role', { DurationSeconds: 3601 }],
		['a session name with a space', { RoleSessionName: 'a b' }],
		['a session policy that says nothing', { Policy: '{}' }],
		['a session policy that is no JSON', { Policy: '{' }],
		['a session policy that it could not keep', { Policy: policy(['glue:*']) }],
		['a session policy that is too long', { Policy: policy(Array.from({ length: 120 }, () => 'glue:GetDatabases')) }],
		['managed session policies, which would have no effect', { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/Look' }] }],
		['a source identity, which would have no effect', { SourceIdentity: 'anna' }],
	])('refuses %s', async (_name, input) => {
		expect((await refusal(assume(input))).name).toBe('ValidationError');
	});

	test('gives keys that are the role, until they expire', async () => {
		const answer = await assume({ DurationSeconds: 900, RoleSessionName: 'some.body@x' });
		expect(answer.AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${LENDING}:assumed-role/fairlead-grantor/some.body@x`);
		const left = (answer.Credentials?.Expiration?.getTime() ?? 0) - Date.now();
		expect(left).toBeGreaterThan(800_000);
		expect(left).toBeLessThanOrEqual(900_000);
		const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = answer.Credentials ?? {};
		const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
		const who = await sts(keys).send(new GetCallerIdentityCommand({}));
		expect(who).toMatchObject({
			Account: LENDING,
			Arn: answer.AssumedRoleUser?.Arn,
			UserId: answer.AssumedRoleUser?.AssumedRoleId,
		});
	});
});

test('a session that was limited by a policy may do that alone, whatever its role may', async () => {
	const limited = await keysOf(assume({ Policy: policy(['glue:GetTables']) }));
	const message =
		/assumed-role\/fairlead-grantor\/fairlead is not authorized to perform: glue:GetDatabases because no session policy/;
	const databases = (keys: Keys) => new GlueClient(lake.settings(keys)).send(new GetDatabasesCommand({}));
	expect(await refusal(databases(limited))).toMatchObject({
		name: 'AccessDeniedException',
		message: expect.stringMatching(message),
	});
	expect((await refusal(assume({}, limited))).name).toBe('AccessDenied');
	expect((await sts(limited).send(new GetCallerIdentityCommand({}))).Account).toBe(LENDING);
	const allowed = await keysOf(assume({ Policy: policy(['glue:GetDatabases']) }));
	expect((await databases(allowed)).DatabaseList?.length).toBeGreaterThan(0);
});

test('GetCallerIdentity names the identity of a long-lived key', async () => {
	const who = await sts(lake.broker).send(new GetCallerIdentityCommand({}));
	expect(who.Arn).toBe(`arn:aws:sts::${PLATFORM}:assumed-role/${BROKER.split('/')[1]}/local`);
	const user = lake.aws.issueKey(`arn:aws:iam::${PLATFORM}:user/operator`);
	const operator = await sts(user).send(new GetCallerIdentityCommand({}));
	expect(operator.Arn).toBe(`arn:aws:iam::${PLATFORM}:user/operator`);
});

describe('session tags', () => {
	const team = [{ Key: 'Team', Value: 'risk' }];
	test.each([
		['a key twice, in another case', { Tags: [...team, { Key: 'team', Value: 'other' }] }, 'InvalidParameterValue'],
		['a key handed on that is not sent', { Tags: team, TransitiveTagKeys: ['flow'] }, 'InvalidParameterValue'],
		['an empty key', { Tags: [{ Key: '', Value: 'x' }] }, 'ValidationError'],
		['a value with a sign that tags do not take', { Tags: [{ Key: 'team', Value: '<' }] }, 'ValidationError'],
		[
			'more than fifty',
			{ Tags: Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: '' })) },
			'ValidationError',
		],
	])('are refused with %s', async (_name, input, name) => {
		expect((await refusal(assume(input))).name).toBe(name);
	});

	/** A role whose trust admits `from` only with this tag of the session. */
	const roleFor = async (RoleName: string, from: string, tagged: Record<string, string>) => {
		const statement = { Effect: 'Allow', Principal: { AWS: from }, Action: ['sts:AssumeRole', 'sts:TagSession'] };
		const Statement = [{ ...statement, Condition: { StringEquals: tagged } }];
		const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
		const { Role } = await lake.iam().send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
		return Role?.Arn ?? '';
	};
	test('stay with the session; a further role has those only that are handed on, and cannot set them anew', async () => {
		const flow = { Key: 'flow', Value: 'f-1' };
		const first = await roleFor('by-team', RISK_ROLE, { 'aws:PrincipalTag/team': 'risk' });
		const second = await roleFor('by-flow', first, { 'aws:PrincipalTag/Flow': 'f-1' });
		const third = await roleFor('by-team-again', first, { 'aws:PrincipalTag/team': 'risk' });
		const plain = await keysOf(assume({ RoleArn: RISK_ROLE }));
		expect((await refusal(assume({ RoleArn: first }, plain))).name).toBe('AccessDenied');
		const tags = { Tags: [...team, flow], TransitiveTagKeys: ['flow'] };
		const tagged = await keysOf(assume({ RoleArn: RISK_ROLE, ...tags }));
		const inner = await keysOf(assume({ RoleArn: first }, tagged));
		await assume({ RoleArn: second }, inner);
		expect((await refusal(assume({ RoleArn: third }, inner))).name).toBe('AccessDenied');
		const anew = { RoleArn: second, Tags: [{ Key: 'FLOW', Value: 'f-2' }] };
		expect((await refusal(assume(anew, inner))).name).toBe('InvalidParameterValue');
	});
});

test('keys of a session are refused from the second that they expire on', async () => {
	let now = new Date('2026-03-01T08:00:00Z');
	const dated = await openLake({ clock: () => now });
	const at = (keys: Keys) => ({ ...dated.settings(keys), systemClockOffset: now.getTime() - Date.now() });
	const broker = new STSClient(at(dated.broker));
	const command = new AssumeRoleCommand({ RoleArn: GRANTOR, RoleSessionName: 'fairlead', DurationSeconds: 900 });
	const { Credentials } = await broker.send(command);
	expect(Credentials?.Expiration).toEqual(new Date('2026-03-01T08:15:00Z'));
	const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {};
	const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
	const who = () => new STSClient(at(keys)).send(new GetCallerIdentityCommand({}));
	now = new Date('2026-03-01T08:14:59Z');
	expect((await who()).Account).toBe(LENDING);
	now = new Date('2026-03-01T08:15:00Z');
	expect((await refusal(who())).name).toBe('ExpiredToken');
	const glue = new GlueClient(at(keys));
	expect((await refusal(glue.send(new GetDatabasesCommand({})))).name).toBe('ExpiredTokenException');
	await dated.close();
});
