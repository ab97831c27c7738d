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
		['a session policy, which would have no effect', { Policy: '{}' }],
		['session tags, which would have no effect', { Tags: [{ Key: 'team', Value: 'risk' }] }],
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

test('GetCallerIdentity names the identity of a long-lived key', async () => {
	const who = await sts(lake.broker).send(new GetCallerIdentityCommand({}));
	expect(who.Arn).toBe(`arn:aws:sts::${PLATFORM}:assumed-role/${BROKER.split('/')[1]}/local`);
	const user = lake.aws.issueKey(`arn:aws:iam::${PLATFORM}:user/operator`);
	const operator = await sts(user).send(new GetCallerIdentityCommand({}));
	expect(operator.Arn).toBe(`arn:aws:iam::${PLATFORM}:user/operator`);
});
