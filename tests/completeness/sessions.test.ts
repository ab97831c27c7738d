/** What a session in another account may do while a day is checked: to look, and nothing else that its role may. */
import { LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { GetDatabasesCommand, GlueClient } from '@aws-sdk/client-glue';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REGION } from '#local/bank.ts';
import { type TestBank, testBank } from '#tests/fixtures.ts';
import { consumerUses, grantorUses } from '../../infra/actions.ts';
import { check, LENDING, RISK, tomorrow } from './world.ts';

let test: TestBank;
type Asked = { role: string; policy: string };
const asked: Asked[] = [];

beforeAll(async () => {
	test = await testBank();
	const stop = test.bank.aws.faults.watch(({ service, operation, input }) => {
		if (service !== 'sts' || operation !== 'AssumeRole') return;
		const { RoleArn = '', Policy = '' } = input as Record<string, string>;
		asked.push({ role: RoleArn, policy: Policy });
	});
	expect(await check(tomorrow(test.bank))).toMatchObject({ incomplete: 0, left: 0 });
	stop();
});
afterAll(() => test.close());

type Policy = { Statement: { Effect: string; Action: string[]; Resource: string }[] };
const actionsOf = (role: string) => {
	const policies = asked.filter((a) => a.role.endsWith(`/${role}`)).map(({ policy }) => JSON.parse(policy) as Policy);
	return [...new Set(policies.flatMap(({ Statement }) => Statement.flatMap(({ Action }) => Action)))].toSorted();
};

it('each role is assumed with a policy that leaves what the function is declared to do with it, and no more', async () => {
	expect(asked.length).toBeGreaterThan(5);
	expect(asked.every(({ policy }) => policy !== '')).toBe(true);
	expect(actionsOf('fairlead-consumer')).toEqual([...consumerUses.completeness].toSorted());
	// Here each account has principals, and is looked at as the role of consumers.
	const { cloudtrail } = test.bank.platform.aws;
	const look = new LookupEventsCommand({ MaxResults: 1 });
	const stop = test.bank.aws.faults.watch(({ service, input }) => {
		const { RoleArn = '', Policy = '' } = input as Record<string, string>;
		if (service === 'sts') asked.push({ role: RoleArn, policy: Policy });
	});
	await cloudtrail(LENDING).send(look);
	stop();
	expect(actionsOf('fairlead-grantor')).toEqual([...grantorUses.completeness]);
});

it('with such a session nothing else can be done, though the role may', async () => {
	const { endpoint } = test.bank.aws;
	const settings = { region: REGION, endpoint, credentials: test.bank.broker };
	const RoleArn = `arn:aws:iam::${RISK}:role/fairlead-consumer`;
	const glueWith = async (Policy?: string) => {
		const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'fairlead', Policy });
		const { Credentials: c } = await new STSClient(settings).send(command);
		const credentials = {
			accessKeyId: c?.AccessKeyId ?? '',
			secretAccessKey: c?.SecretAccessKey ?? '',
			sessionToken: c?.SessionToken ?? '',
		};
		return new GlueClient({ ...settings, credentials });
	};
	const list = new GetDatabasesCommand({});
	expect((await (await glueWith()).send(list)).DatabaseList).toBeDefined();
	const sent = asked.find(({ role }) => role === RoleArn)?.policy;
	await expect((await glueWith(sent)).send(list)).rejects.toMatchObject({ name: 'AccessDeniedException' });
});
