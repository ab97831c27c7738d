/** What the sample stage would deploy: every role's every statement, and how data is kept, encrypted and read. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FunctionName, neverOnRecords, uses } from '../../infra/actions.ts';
import { schema, type TableName } from '../../infra/schema.ts';
import { readSettings } from '../../infra/settings.ts';
import { evaluate, PLATFORM_ACCOUNT, type Resource, root, type Stack, secretOf } from './stack.ts';

type Statement = {
	readonly Effect: string;
	readonly Action: string | readonly string[];
	/** Only where others are denied all but these. */
	readonly NotAction?: string | readonly string[];
	readonly Resource: string | readonly string[];
	readonly Principal?: unknown;
	readonly Condition?: Record<string, Record<string, unknown>>;
};

const settings = readSettings(root, 'sample');
const functions: readonly FunctionName[] = ['api', 'sweep'];
let stack: Stack;

beforeAll(async () => {
	stack = await evaluate('sample');
});

const all = (type: string): Resource[] => stack.resources.filter((r) => r.type === type);
function one(type: string, name: string): Record<string, unknown> {
	const found = all(type).filter((r) => r.name === name);
	expect(found.map((r) => r.name)).toEqual([name]);
	return found[0]?.inputs ?? {};
}
const list = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value]) as readonly T[];
const statementsOf = (policy: unknown) =>
	(JSON.parse(policy as string) as { Statement: readonly Record<string, unknown>[] }).Statement.map(normal);

/** Statements of our own, and of the platform, whose policy documents spell their members otherwise. */
function normal(s: Record<string, unknown>): Statement {
	return {
		Effect: (s['Effect'] ?? s['effect'] ?? 'Allow') as string,
		Action: (s['Action'] ?? s['actions'] ?? []) as string[],
		...(s['NotAction'] === undefined ? {} : { NotAction: s['NotAction'] as string[] }),
		Resource: (s['Resource'] ?? s['resources']) as string[],
		Principal: s['Principal'] ?? s['principals'],
		...(s['Condition'] === undefined ? {} : { Condition: s['Condition'] as Record<string, Record<string, unknown>> }),
	};
}

const roles = () => all('aws:iam/role:Role');
const policiesOf = (role: Resource) =>
	(role.inputs['inlinePolicies'] as { policy: string }[]).flatMap(({ policy }) => statementsOf(policy));
const tableArn = (table: TableName) =>
	`arn:aws:dynamodb:eu-central-1:${PLATFORM_ACCOUNT}:${String(tableOf(table)['name'])}`;
const tableOf = (table: TableName) =>
	one('aws:dynamodb/table:Table', `${table.charAt(0).toUpperCase()}${table.slice(1)}Table`);

describe('roles', () => {
	it('are the three that are known, each with statements', () => {
		expect(
			roles()
				.map((r) => r.name)
				.toSorted(),
		).toEqual(['SweepScheduleRole', 'apiRole', 'sweepRole']);
		expect(roles().every((r) => policiesOf(r).length > 0)).toBe(true);
	});

	it('trust one service each, and no account', () => {
		const trust = roles().map((r) => [r.name, statementsOf(r.inputs['assumeRolePolicy'])] as const);
		expect(Object.fromEntries(trust)).toEqual({
			apiRole: [expect.objectContaining({ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } })],
			sweepRole: [expect.objectContaining({ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } })],
			SweepScheduleRole: [
				expect.objectContaining({
					Principal: { Service: 'scheduler.amazonaws.com' },
					Condition: { StringEquals: { 'aws:SourceAccount': PLATFORM_ACCOUNT } },
				}),
			],
		});
		expect(JSON.stringify(stack.resources)).not.toMatch(/:root"/);
	});

	it('have no managed policy', () => {
		expect(roles().flatMap((r) => (r.inputs['managedPolicyArns'] as unknown[]) ?? [])).toEqual([]);
		expect(stack.resources.filter((r) => /iam\/.*(Policy|Attachment)$/.test(r.type))).toEqual([]);
	});

	it('allow no action by a wildcard, and nothing on everything', () => {
		const statements = roles().flatMap(policiesOf);
		expect(statements.filter((s) => list(s.Action).some((a) => a.includes('*')))).toEqual([]);
		expect(statements.filter((s) => list(s.Resource).some((r) => !/^arn:aws:[a-z]+:/.test(r)))).toEqual([]);
		expect(statements.filter((s) => s.Effect !== 'Allow')).toEqual([]);
	});

	it.each(functions)('%s: exactly the declared uses of tables, roles to assume, its own log', (name) => {
		const statements = policiesOf(roles().find((r) => r.name === `${name}Role`) as Resource);
		const expected = (Object.keys(schema) as TableName[]).flatMap((table) => {
			const { table: actions, index = [] } = uses[name][table];
			return [
				...(actions.length === 0 ? [] : [{ Action: actions, Resource: [tableArn(table)] }]),
				...(index.length === 0 ? [] : [{ Action: index, Resource: [`${tableArn(table)}/index/unsealed`] }]),
			];
		});
		const own = [
			...expected,
			{
				Action: ['sts:AssumeRole'],
				Resource: [
					'arn:aws:iam::*:role/fairlead-grantor',
					'arn:aws:iam::210000000004:role/fairlead-risk-*',
					'arn:aws:iam::210000000005:role/fairlead-marketing-*',
					'arn:aws:iam::210000000006:role/fairlead-governance-*',
				],
				Condition: { StringEquals: { 'aws:ResourceOrgID': settings.organization } },
			},
			{
				Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
				Resource: [`arn:aws:cloudwatch:eu-central-1:${PLATFORM_ACCOUNT}:/aws/lambda/fairlead-sample-${name}:*`],
			},
			...(name === 'sweep' ? [{ Action: ['sqs:SendMessage'], Resource: [queueArn()] }] : []),
		];
		expect(statements).toEqual(own.map((s) => expect.objectContaining({ Effect: 'Allow', ...s })));
	});

	it('the schedule may invoke the sweep and fill its dead-letter queue, and no more', () => {
		const statements = policiesOf(roles().find((r) => r.name === 'SweepScheduleRole') as Resource);
		expect(statements.map(({ Action, Resource }) => ({ Action, Resource }))).toEqual([
			{ Action: ['lambda:InvokeFunction'], Resource: [functionArn('sweep')] },
			{ Action: ['sqs:SendMessage'], Resource: [queueArn()] },
		]);
	});
});

function queueArn(): string {
	const { name } = one('aws:sqs/queue:Queue', 'DeadSweeps') as { name?: string };
	return `arn:aws:sqs:eu-central-1:${PLATFORM_ACCOUNT}:${name ?? 'DeadSweeps'}`;
}
const functionArn = (name: FunctionName) => `arn:aws:lambda:eu-central-1:${PLATFORM_ACCOUNT}:fairlead-sample-${name}`;

describe('the ledger and the payloads', () => {
	it.each(['ledger', 'payloads'] as const)('%s: nobody is allowed to change or delete an item', (table) => {
		const arn = tableArn(table);
		const onIt = roles()
			.flatMap(policiesOf)
			.filter((s) => list(s.Resource).some((r) => r.startsWith(arn)));
		expect(onIt.length).toBeGreaterThan(0);
		const actions = onIt.flatMap((s) => list(s.Action));
		expect(actions.filter((a) => (neverOnRecords as readonly string[]).includes(a))).toEqual([]);
		expect(actions).toContain('dynamodb:PartiQLInsert');
	});

	it.each(['Ledger', 'Payloads'])('%s: a resource policy denies it to everybody', (name) => {
		const { resourceArn, policy } = one('aws:dynamodb/resourcePolicy:ResourcePolicy', `${name}Kept`);
		expect(resourceArn).toBe(tableArn(name.toLowerCase() as TableName));
		expect(statementsOf(policy)).toEqual([
			{ Effect: 'Deny', Principal: '*', Action: neverOnRecords, Resource: resourceArn },
		]);
	});
});

describe('tables', () => {
	it.each(Object.entries(schema))('%s: kept, encrypted, keyed as everywhere', (name, wanted) => {
		const table = tableOf(name as TableName);
		const index = 'index' in wanted ? wanted.index : null;
		expect(table).toMatchObject({
			billingMode: 'PAY_PER_REQUEST',
			hashKey: wanted.hash,
			serverSideEncryption: { enabled: true },
			pointInTimeRecovery: { enabled: wanted.lasting },
			deletionProtectionEnabled: wanted.lasting,
			globalSecondaryIndexes:
				index === null
					? []
					: [
							{
								name: index.name,
								hashKey: index.hash,
								rangeKey: index.range,
								projectionType: 'INCLUDE',
								nonKeyAttributes: index.include,
							},
						],
		});
		expect(table['rangeKey']).toBe('range' in wanted ? wanted.range : undefined);
		expect(table['ttl']).toEqual('ttl' in wanted ? { attributeName: wanted.ttl, enabled: true } : undefined);
	});

	it('are all there are, and outlive the stack', () => {
		expect(all('aws:dynamodb/table:Table')).toHaveLength(Object.keys(schema).length);
		expect(stack.app['removal']).toBe('retain');
	});
});

describe('functions', () => {
	it.each(functions)('%s: its own bundle, role, log and key; no setting missing', (name) => {
		const made = one('aws:lambda/function:Function', `${name}FunctionFunction`);
		expect(made).toMatchObject({
			name: `fairlead-sample-${name}`,
			handler: 'index.handler',
			role: `arn:aws:iam::${PLATFORM_ACCOUNT}:role/fairlead-sample-${name}`,
			kmsKeyArn: expect.stringMatching(/^arn:aws:kms:/),
			packageType: 'Zip',
			loggingConfig: { logGroup: `/aws/lambda/fairlead-sample-${name}`, logFormat: 'JSON' },
		});
		const { variables } = secretOf(made['environment']) as { variables: Record<string, string> };
		const names = Object.keys(variables).filter((n) => n.startsWith('FAIRLEAD_'));
		expect(names.toSorted()).toEqual(settingNames(name).toSorted());
		expect(variables['FAIRLEAD_URL']).toBe('https://fairlead.bank.example');
	});

	it('are two, and none has an address of its own', () => {
		expect(all('aws:lambda/function:Function')).toHaveLength(2);
		expect(all('aws:lambda/functionUrl:FunctionUrl')).toEqual([]);
	});

	it('have an encryption key that rotates', () => {
		const keys = all('aws:kms/key:Key');
		expect(keys).toHaveLength(1 + settings.consumers.length);
		expect(keys.every((k) => k.inputs['enableKeyRotation'] === true)).toBe(true);
	});
});

/** Every name that a function asks for; what has a default that no deployment should change is left out. */
function settingNames(name: FunctionName): string[] {
	const source = readFileSync(path.join(root, 'functions/platform.ts'), 'utf8');
	const names = [...source.matchAll(/^\t(FAIRLEAD_[A-Z_]+):/gm)].map(([, name = '']) => name);
	const left = ['FAIRLEAD_RETRY_MS', 'FAIRLEAD_TOKEN_MAX_AGE_SECONDS', 'FAIRLEAD_LOG_FILE'];
	// The sweep reads no SQL, and has no thread for it.
	if (name === 'sweep') left.push('FAIRLEAD_PARSER');
	return [...new Set(names)].filter((setting) => !left.includes(setting));
}

describe('the API', () => {
	it('is throttled, logged without path or query, and has no second door', () => {
		const stage = one('aws:apigatewayv2/stage:Stage', 'GatewayStage');
		expect(stage['defaultRouteSettings']).toEqual({ throttlingRateLimit: 200, throttlingBurstLimit: 400 });
		const { destinationArn, format } = stage['accessLogSettings'] as Record<string, string>;
		expect(destinationArn).toMatch(/^arn:aws:cloudwatch:.*vendedlogs/);
		expect(format).toContain('$context.requestId');
		expect(format).not.toMatch(/\$context\.(path|requestOverride|authorizer|.*header)/i);
		const api = one('aws:apigatewayv2/api:Api', 'GatewayApi');
		expect(api['disableExecuteApiEndpoint']).toBe(true);
		expect(api['corsConfiguration']).toEqual({});
	});

	it('sends every address to the one function, which only API Gateway may invoke', () => {
		expect(all('aws:apigatewayv2/route:Route').map((r) => r.inputs['routeKey'])).toEqual(['$default']);
		expect(all('aws:lambda/permission:Permission').map((r) => r.inputs)).toEqual([
			expect.objectContaining({ principal: 'apigateway.amazonaws.com', sourceArn: expect.stringMatching(/\/\*$/) }),
		]);
	});
});

describe('the sweep', () => {
	it('runs each minute, one at a time, and what it gives up is kept and told', () => {
		const schedule = one('aws:scheduler/schedule:Schedule', 'SweepScheduleSchedule');
		expect(schedule).toMatchObject({
			scheduleExpression: 'rate(1 minute)',
			state: 'ENABLED',
			target: { arn: functionArn('sweep'), deadLetterConfig: { arn: queueArn() } },
		});
		const made = one('aws:lambda/function:Function', 'sweepFunctionFunction');
		expect(made['reservedConcurrentExecutions']).toBe(1);
		expect(one('aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig', 'SweepEvents')).toMatchObject({
			maximumRetryAttempts: 0,
			destinationConfig: { onFailure: { destination: queueArn() } },
		});
		expect(one('aws:sqs/queue:Queue', 'DeadSweeps')['sqsManagedSseEnabled']).toBe(true);
	});

	it('has alarms on failure, on silence and on its dead-letter queue, which reach somebody', () => {
		const alarms = all('aws:cloudwatch/metricAlarm:MetricAlarm');
		const watched = alarms.map((a) => [a.name, [a.inputs['metricName'], a.inputs['treatMissingData']]]);
		expect(Object.fromEntries(watched)).toEqual({
			ApiFaults: ['5xx', 'notBreaching'],
			SweepFails: ['Errors', 'notBreaching'],
			SweepGivenUp: ['ApproximateNumberOfMessagesVisible', 'notBreaching'],
			SweepSilent: ['Invocations', 'breaching'],
		});
		expect(alarms.every((a) => (a.inputs['alarmActions'] as string[])[0]?.startsWith('arn:aws:sns:'))).toBe(true);
		expect(one('aws:sns/topicSubscription:TopicSubscription', 'AlarmsMail')['endpoint']).toBe(settings.alarmEmail);
	});
});

describe.each(settings.consumers)('work group of $domain', ({ domain, account }) => {
	it('is enforced, bounded and made in the account of the domain', () => {
		const group = all('aws:athena/workgroup:Workgroup').find((r) => r.name === `${domain}WorkGroup`);
		expect(group?.provider).toContain(`${domain}Account`);
		expect(one('pulumi:providers:aws', `${domain}Account`)).toMatchObject({
			allowedAccountIds: JSON.stringify([account]),
			assumeRoles: JSON.stringify([{ roleArn: `arn:aws:iam::${account}:role/fairlead-deployer` }]),
		});
		expect(group?.inputs).toMatchObject({
			name: `fairlead-${domain}`,
			configuration: {
				enforceWorkgroupConfiguration: true,
				requesterPaysEnabled: false,
				bytesScannedCutoffPerQuery: settings.maxBytesScanned,
				resultConfiguration: {
					outputLocation: `s3://fairlead-${domain}-${account}/`,
					expectedBucketOwner: account,
					encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKeyArn: expect.stringMatching(/^arn:aws:kms:/) },
				},
			},
		});
	});

	it('keeps results encrypted, closed and short', () => {
		const on = (type: string, part: string) => one(`aws:s3/${type}`, `${domain}Results${part}`);
		expect(on('bucketPublicAccessBlock:BucketPublicAccessBlock', 'Closed')).toMatchObject({
			blockPublicAcls: true,
			blockPublicPolicy: true,
			ignorePublicAcls: true,
			restrictPublicBuckets: true,
		});
		expect(
			on('bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration', 'Encryption')['rules'],
		).toMatchObject([{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms' } }]);
		expect(on('bucketLifecycleConfiguration:BucketLifecycleConfiguration', 'Expiry')['rules']).toMatchObject([
			{ status: 'Enabled', expiration: { days: settings.resultDays } },
		]);
		expect(on('bucketOwnershipControls:BucketOwnershipControls', 'Owner')['rule']).toEqual({
			objectOwnership: 'BucketOwnerEnforced',
		});
	});

	it('lets only the principals of the domain touch a result', () => {
		const statements = statementsOf(one('aws:s3/bucketPolicy:BucketPolicy', `${domain}ResultsPolicy`)['policy']);
		expect(statements.every((s) => s.Effect === 'Deny' && s.Principal === '*')).toBe(true);
		expect(statements.find((s) => s.NotAction !== undefined)).toMatchObject({
			NotAction: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
			Condition: {
				StringNotLike: { 'aws:PrincipalArn': `arn:aws:iam::${account}:role/fairlead-${domain}-*` },
			},
		});
	});
});
