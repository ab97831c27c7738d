/** What the sample stage would deploy: every role's every statement, and how data is kept, encrypted and read. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { eraserDeletes, type FunctionName, logUses, neverOnRecords, sealerUpdates, uses } from '../../infra/actions.ts';
import { schema, type TableName } from '../../infra/schema.ts';
import { PLATFORM_ACCOUNT, type Resource, root, sampleStack, secretOf } from './stack.ts';
import { list, statementsOf } from './statements.ts';

const { all, one, settings, stack } = sampleStack();
const functions: readonly FunctionName[] = ['api', 'sweep', 'reconcile', 'seal', 'erase', 'completeness'];
const queues = {
	sweep: 'DeadSweeps',
	reconcile: 'DeadReconciliations',
	seal: 'DeadSeals',
	erase: 'DeadErasures',
	completeness: 'DeadCompleteness',
};
/** `rate` is how often, `silence` the minutes without a pass after which somebody is told. */
const scheduled = [
	{ name: 'sweep', title: 'Sweep', rate: 'rate(1 minute)', timeout: 600, silence: 10 },
	{ name: 'reconcile', title: 'Reconcile', rate: 'rate(15 minutes)', timeout: 900, silence: 60 },
	{ name: 'seal', title: 'Seal', rate: 'rate(1 minute)', timeout: 180, silence: 10 },
	{ name: 'erase', title: 'Erase', rate: 'rate(1 minute)', timeout: 180, silence: 60 },
	{ name: 'completeness', title: 'Completeness', rate: 'rate(6 hours)', timeout: 900, silence: 1440 },
] as const;
const roles = () => all('aws:iam/role:Role');
const policiesOf = (role: Resource) =>
	(role.inputs['inlinePolicies'] as { policy: string }[]).flatMap(({ policy }) => statementsOf(policy));
const tableArn = (table: TableName) =>
	`arn:aws:dynamodb:eu-central-1:${PLATFORM_ACCOUNT}:${String(tableOf(table)['name'])}`;
const tableOf = (table: TableName) =>
	one('aws:dynamodb/table:Table', `${table.charAt(0).toUpperCase()}${table.slice(1)}Table`);

describe('roles', () => {
	it('are the eleven that are known, each with statements', () => {
		expect(
			roles()
				.map((r) => r.name)
				.toSorted(),
		).toEqual([
			'CompletenessScheduleRole',
			'EraseScheduleRole',
			'ReconcileScheduleRole',
			'SealScheduleRole',
			'SweepScheduleRole',
			'apiRole',
			'completenessRole',
			'eraseRole',
			'reconcileRole',
			'sealRole',
			'sweepRole',
		]);
		expect(roles().every((r) => policiesOf(r).length > 0)).toBe(true);
	});

	it('trust one service each, and no account', () => {
		const trust = roles().map((r) => [r.name, statementsOf(r.inputs['assumeRolePolicy'])] as const);
		const lambda = [expect.objectContaining({ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' } })];
		const scheduler = [
			expect.objectContaining({
				Principal: { Service: 'scheduler.amazonaws.com' },
				Condition: { StringEquals: { 'aws:SourceAccount': PLATFORM_ACCOUNT } },
			}),
		];
		expect(Object.fromEntries(trust)).toEqual({
			apiRole: lambda,
			sweepRole: lambda,
			reconcileRole: lambda,
			sealRole: lambda,
			SealScheduleRole: scheduler,
			eraseRole: lambda,
			EraseScheduleRole: scheduler,
			completenessRole: lambda,
			CompletenessScheduleRole: scheduler,
			SweepScheduleRole: scheduler,
			ReconcileScheduleRole: scheduler,
		});
		expect(JSON.stringify(stack().resources)).not.toMatch(/:root"/);
	});

	it('have no managed policy', () => {
		expect(roles().flatMap((r) => (r.inputs['managedPolicyArns'] as unknown[]) ?? [])).toEqual([]);
		expect(stack().resources.filter((r) => /iam\/.*(Policy|Attachment)$/.test(r.type))).toEqual([]);
	});

	it('allow no action by a wildcard, and nothing on everything', () => {
		const statements = roles().flatMap(policiesOf);
		expect(statements.filter((s) => list(s.Action).some((a) => a.includes('*')))).toEqual([]);
		expect(statements.filter((s) => list(s.Resource).some((r) => !/^arn:aws:[a-z0-9]+:/.test(r)))).toEqual([]);
		expect(statements.filter((s) => s.Effect !== 'Allow')).toEqual([]);
	});

	it.each(functions)('%s: exactly the declared uses of tables, roles to assume, its own log', (name) => {
		const statements = policiesOf(roles().find((r) => r.name === `${name}Role`) as Resource);
		const expected = (Object.keys(schema) as TableName[]).flatMap((table) => {
			const { table: actions, index = [] } = uses[name][table];
			return [
				...(actions.length === 0 ? [] : [{ Action: actions, Resource: [tableArn(table)] }]),
				...(index.length === 0 ? [] : [{ Action: index, Resource: [`${tableArn(table)}/index/unsealed`] }]),
				...(name === 'seal' && table === 'ledger'
					? Object.values(sealerUpdates).map((Condition) => ({
							Action: ['dynamodb:UpdateItem'],
							Resource: [tableArn(table)],
							Condition,
						}))
					: []),
				...(name === 'erase' && table === 'payloads'
					? [{ Action: ['dynamodb:DeleteItem'], Resource: [tableArn(table)], Condition: eraserDeletes }]
					: []),
			];
		});
		const [fixed, moving] = [bucketArn('log'), bucketArn('moving')];
		const onLog = [
			{
				Action: name === 'seal' ? ['s3:GetObject', 's3:PutObject'] : ['s3:GetObject'],
				Resource: [`${fixed}/*`, `${moving}/*`],
			},
			{ Action: ['s3:ListBucket'], Resource: [fixed, moving] },
			...(name === 'seal'
				? [
						{ Action: ['s3:DeleteObject'], Resource: [`${moving}/staging/*`, `${moving}/tile/*`] },
						{ Action: logUses.seal.key, Resource: [expect.stringMatching(/^arn:aws:kms:/)] },
					]
				: []),
		];
		const assuming = {
			Action: ['sts:AssumeRole'],
			Resource: [
				'arn:aws:iam::*:role/fairlead-grantor',
				'arn:aws:iam::210000000004:role/fairlead-consumer',
				'arn:aws:iam::210000000004:role/fairlead-risk-*',
				'arn:aws:iam::210000000005:role/fairlead-consumer',
				'arn:aws:iam::210000000005:role/fairlead-marketing-*',
				'arn:aws:iam::210000000006:role/fairlead-consumer',
				'arn:aws:iam::210000000006:role/fairlead-governance-*',
				// Reconciliation does nothing as a principal.
			].filter((role) => !['reconcile', 'completeness'].includes(name) || !role.endsWith('-*')),
			Condition: { StringEquals: { 'aws:ResourceOrgID': settings.organization } },
		};
		const own = [
			...expected,
			...onLog,
			// The sealer and the eraser have nothing to do in any other account.
			...(name === 'seal' || name === 'erase' ? [] : [assuming]),
			{
				Action: ['logs:CreateLogStream', 'logs:PutLogEvents'],
				Resource: [`arn:aws:cloudwatch:eu-central-1:${PLATFORM_ACCOUNT}:/aws/lambda/fairlead-sample-${name}:*`],
			},
			...(name === 'api' ? [] : [{ Action: ['sqs:SendMessage'], Resource: [queueArn(queues[name])] }]),
		];
		expect(statements).toEqual(own.map((s) => expect.objectContaining({ Effect: 'Allow', ...s })));
	});

	it.each(scheduled)(
		'the schedule may invoke the $name and fill its dead-letter queue, and no more',
		({ name, title }) => {
			const statements = policiesOf(roles().find((r) => r.name === `${title}ScheduleRole`) as Resource);
			expect(statements.map(({ Action, Resource }) => ({ Action, Resource }))).toEqual([
				{ Action: ['lambda:InvokeFunction'], Resource: [functionArn(name)] },
				{ Action: ['sqs:SendMessage'], Resource: [queueArn(queues[name])] },
			]);
		},
	);
});

function queueArn(queue: string): string {
	const { name } = one('aws:sqs/queue:Queue', queue) as { name?: string };
	return `arn:aws:sqs:eu-central-1:${PLATFORM_ACCOUNT}:${name ?? queue}`;
}
const bucketArn = (part: string) =>
	`arn:aws:s3:eu-central-1:${PLATFORM_ACCOUNT}:${part === 'log' ? 'Log' : 'LogMoving'}`;
const functionArn = (name: FunctionName) => `arn:aws:lambda:eu-central-1:${PLATFORM_ACCOUNT}:fairlead-sample-${name}`;

describe('the ledger and the payloads', () => {
	it.each(['ledger', 'payloads'] as const)('%s: nobody is allowed to change or delete an item', (table) => {
		const arn = tableArn(table);
		const onIt = roles()
			.flatMap(policiesOf)
			.filter((s) => list(s.Resource).some((r) => r.startsWith(arn)))
			// The sealer's, bounded to its marks and its head, and the eraser's, to payloads of entries.
			.filter((s) => s.Condition?.['Null'] === undefined);
		expect(onIt.length).toBeGreaterThan(0);
		const actions = onIt.flatMap((s) => list(s.Action));
		expect(actions.filter((a) => (neverOnRecords as readonly string[]).includes(a))).toEqual([]);
		expect(actions).toContain('dynamodb:PartiQLInsert');
	});

	it.each([
		['Ledger', 'seal', 'dynamodb:UpdateItem'],
		['Payloads', 'erase', 'dynamodb:DeleteItem'],
	])('%s: a resource policy denies it to everybody, but to %s %s', (name, alone, allowed) => {
		const { resourceArn, policy } = one('aws:dynamodb/resourcePolicy:ResourcePolicy', `${name}Kept`);
		expect(resourceArn).toBe(tableArn(name.toLowerCase() as TableName));
		const deny = { Effect: 'Deny', Principal: '*', Resource: resourceArn };
		const but = (action: string) => neverOnRecords.filter((a) => a !== action);
		const role = `arn:aws:iam::${PLATFORM_ACCOUNT}:role/fairlead-sample-${alone}`;
		expect(statementsOf(policy)).toEqual([
			{ ...deny, Action: but(allowed) },
			{ ...deny, Action: [allowed], Condition: { ArnNotEquals: { 'aws:PrincipalArn': role } } },
		]);
	});

	it('payloads are deleted by the eraser alone, those of entries, which it cannot read', () => {
		const on = roles().flatMap((role) =>
			policiesOf(role)
				.filter((s) => list(s.Resource).some((r) => r.startsWith(tableArn('payloads'))))
				.map((s) => ({ role: role.name, Action: list(s.Action), Condition: s.Condition })),
		);
		const erasing = { role: 'eraseRole', Action: ['dynamodb:DeleteItem'], Condition: eraserDeletes };
		expect(on.filter((s) => s.Action.some((a) => /Delete|BatchWrite|Update|PutItem|\*/.test(a)))).toEqual([erasing]);
		expect(on.filter((s) => s.role === 'eraseRole')).toEqual([erasing]);
		expect(eraserDeletes['ForAllValues:StringLike']['dynamodb:LeadingKeys']).toEqual(['P#*']);
	});

	it('the ledger is updated by the sealer alone, its marks and its head, and nothing in it is deleted by anybody', () => {
		const on = roles().flatMap((role) =>
			policiesOf(role)
				.filter((s) => list(s.Resource).some((r) => r.startsWith(tableArn('ledger'))))
				.map((s) => ({ role: role.name, ...s })),
		);
		const updating = on.filter((s) => list(s.Action).includes('dynamodb:UpdateItem'));
		expect(updating.map(({ role, Action, Condition }) => ({ role, Action, Condition }))).toEqual(
			Object.values(sealerUpdates).map((Condition) => ({
				role: 'sealRole',
				Action: ['dynamodb:UpdateItem'],
				Condition,
			})),
		);
		const forbidden = /Delete|PutItem|BatchWrite|PartiQLUpdate|\*/;
		expect(on.flatMap((s) => list(s.Action)).filter((action) => forbidden.test(action))).toEqual([]);
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
		expect(stack().app['removal']).toBe('retain');
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
		// Every role that Fairlead runs as, so that a principal's trust in anybody else is seen.
		const own = roles().flatMap((r) => (r.name.includes('Schedule') ? [] : [String(r.inputs['name'])]));
		expect((variables['FAIRLEAD_OWN_ROLES'] ?? '').split(' ').toSorted()).toEqual(
			own.map((role) => `arn:aws:iam::${PLATFORM_ACCOUNT}:role/${role}`).toSorted(),
		);
	});

	it('are six, and none has an address of its own', () => {
		expect(all('aws:lambda/function:Function')).toHaveLength(6);
		expect(all('aws:lambda/functionUrl:FunctionUrl')).toEqual([]);
	});

	it('have an encryption key that rotates', () => {
		// What signs the log keeps its name, and so its key.
		const keys = all('aws:kms/key:Key').filter((k) => k.inputs['keyUsage'] !== 'SIGN_VERIFY');
		expect(keys).toHaveLength(1 + settings.consumers.length);
		expect(keys.every((k) => k.inputs['enableKeyRotation'] === true)).toBe(true);
	});
});

/** Every name that a function asks for; what has a default that no deployment should change is left out. */
function settingNames(name: FunctionName): string[] {
	const source = readFileSync(path.join(root, 'functions/platform.ts'), 'utf8');
	const names = [...source.matchAll(/^\t(FAIRLEAD_[A-Z_]+):/gm)].map(([, name = '']) => name);
	const left = ['FAIRLEAD_RETRY_MS', 'FAIRLEAD_TOKEN_MAX_AGE_SECONDS', 'FAIRLEAD_LOG_FILE', 'FAIRLEAD_SEALED_WAIT_MS'];
	// Only the sealer signs.
	if (name !== 'seal') left.push('FAIRLEAD_LEDGER_KEY');
	// Only the API reads SQL, and has a thread for it.
	if (name !== 'api') left.push('FAIRLEAD_PARSER');
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

describe.each(scheduled)('the $name', ({ name, title, rate, timeout, silence }) => {
	it('runs by the clock, one at a time, and what it gives up is kept and told', () => {
		const dead = queueArn(queues[name]);
		const schedule = one('aws:scheduler/schedule:Schedule', `${title}ScheduleSchedule`);
		expect(schedule).toMatchObject({
			scheduleExpression: rate,
			state: 'ENABLED',
			target: { arn: functionArn(name), deadLetterConfig: { arn: dead } },
		});
		const made = one('aws:lambda/function:Function', `${name}FunctionFunction`);
		expect(made).toMatchObject({ reservedConcurrentExecutions: 1, timeout });
		expect(one('aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig', `${title}Events`)).toMatchObject({
			maximumRetryAttempts: 0,
			destinationConfig: { onFailure: { destination: dead } },
		});
		expect(one('aws:sqs/queue:Queue', queues[name])['sqsManagedSseEnabled']).toBe(true);
	});

	it('is missed when it is silent', () => {
		const alarm = one('aws:cloudwatch/metricAlarm:MetricAlarm', `${title}Silent`);
		expect(alarm).toMatchObject({
			dimensions: { FunctionName: `fairlead-sample-${name}` },
			period: 60 * silence,
			threshold: 1,
		});
	});
});
