/** What other accounts deploy: exactly the actions that Fairlead uses there, for Fairlead's functions alone. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { consumerUses, type FunctionName, grantorUses, principalUses, sharingUses } from '../../infra/actions.ts';
import { principalRoles, readSettings, resultBucketOf, workGroupOf } from '../../infra/settings.ts';
import { root } from './stack.ts';

type Statement = {
	Sid: string;
	Effect: string;
	Action: string | string[];
	Resource: unknown;
	Principal?: unknown;
	Condition?: unknown;
};
type Role = {
	Properties: {
		RoleName: unknown;
		AssumeRolePolicyDocument: { Statement: Statement[] };
		Policies: { PolicyDocument: { Statement: Statement[] } }[];
		ManagedPolicyArns?: unknown;
	};
};

const roleIn = (file: string, name: string): Role => {
	const template = parse(readFileSync(path.join(root, 'infra/accounts', file), 'utf8')) as {
		Resources: Record<string, unknown>;
	};
	return template.Resources[name] as Role;
};
const grantor = roleIn('grantor.yaml', 'Grantor').Properties;
const consumer = roleIn('consumer.yaml', 'Consumer').Properties;
const principal = roleIn('principal.yaml', 'Principal').Properties;

const statementsOf = ({ Policies }: Role['Properties']) => Policies.flatMap((p) => p.PolicyDocument.Statement);
const actionsOf = (role: Role['Properties'], ...sids: string[]) =>
	statementsOf(role)
		.filter((s) => sids.includes(s.Sid))
		.flatMap((s) => s.Action)
		.toSorted();
const union = (uses: Record<string, readonly string[]>) => [...new Set(Object.values(uses).flat())].toSorted();

describe.each([
	['grantor', grantor, grantorUses],
	['consumer', consumer, consumerUses],
	['principal', principal, principalUses],
])('%s', (_, role, uses: Record<FunctionName, readonly string[]>) => {
	it("trusts the roles of Fairlead's functions that do something as it, no account and no service", () => {
		const users = (Object.keys(uses) as FunctionName[]).filter((name) => uses[name].length > 0);
		const trust = role.AssumeRolePolicyDocument.Statement;
		const arn = (name: string) => ({
			'Fn::Sub': `arn:\${AWS::Partition}:iam::\${FairleadAccount}:role/fairlead-\${FairleadStage}-${name}`,
		});
		expect(trust).toEqual([
			{
				Sid: 'FairleadOnly',
				Effect: 'Allow',
				Principal: { AWS: users.map(arn) },
				Action: 'sts:AssumeRole',
			},
		]);
	});

	it('has no wildcard among its actions and no managed policy', () => {
		const actions = statementsOf(role).flatMap((s) => s.Action);
		expect(actions.length).toBeGreaterThan(5);
		expect(actions.filter((a) => a.includes('*'))).toEqual([]);
		expect(role.ManagedPolicyArns).toBeUndefined();
	});
});

describe('grantor', () => {
	it('may do exactly what Fairlead does as it, and what Lake Formation does for it to share', () => {
		const sharing = Object.values(sharingUses).flatMap(({ actions }) => actions);
		expect(
			statementsOf(grantor)
				.flatMap((s) => s.Action)
				.toSorted(),
		).toEqual(union({ ...grantorUses, sharing }));
		for (const [sid, { actions, reason }] of Object.entries(sharingUses)) {
			expect(actionsOf(grantor, sid)).toEqual(actions);
			expect(reason.length).toBeGreaterThan(10);
		}
	});

	it('touches no resource share but those that Lake Formation makes', () => {
		const changing = statementsOf(grantor).filter((s) => [s.Action].flat().some((a) => /^ram:(?!Get|List)/.test(a)));
		expect(changing.map((s) => [s.Sid, s.Condition])).toEqual([
			[
				'CreateShares',
				{ StringLikeIfExists: { 'ram:RequestedResourceType': ['glue:Catalog', 'glue:Database', 'glue:Table'] } },
			],
			['KeepShares', { StringLike: { 'ram:ResourceShareName': 'LakeFormation*' } }],
			[
				'ShareByLakeFormation',
				{
					ArnLike: {
						'ram:PermissionArn': { 'Fn::Sub': 'arn:${AWS::Partition}:ram::aws:permission/AWSRAMLFEnabled*' },
					},
				},
			],
		]);
	});

	it('cannot read a row', () => {
		const actions = statementsOf(grantor).flatMap((s) => s.Action);
		expect(actions.filter((a) => /GetDataAccess|^s3:|^athena:/.test(a))).toEqual([]);
	});
});

describe('consumer', () => {
	it('may do exactly what Fairlead does as it', () => {
		expect(
			statementsOf(consumer)
				.flatMap((s) => s.Action)
				.toSorted(),
		).toEqual(union(consumerUses));
	});

	it('makes and removes databases named as links are, and nothing else', () => {
		const glue = statementsOf(consumer).filter((s) => [s.Action].flat().some((a) => /Create|Delete/.test(a)));
		expect(glue).toHaveLength(1);
		const resources = glue.flatMap((s) => s.Resource as { 'Fn::Sub': string }[]);
		const places = resources.map((r) => r['Fn::Sub'].split(':').at(-1));
		expect(places).toEqual(['catalog', 'database/fl_*', 'table/fl_*/*', 'userDefinedFunction/fl_*/*']);
	});

	it('cannot read a row, and of roles sees those named as principals are', () => {
		const actions = statementsOf(consumer).flatMap((s) => s.Action);
		expect(actions.filter((a) => /GetDataAccess|^s3:|^athena:|GetTable/.test(a))).toEqual([
			// Which queries there were; none of what they gave.
			'athena:ListWorkGroups',
			'athena:BatchGetQueryExecution',
			'athena:ListQueryExecutions',
		]);
		const iam = statementsOf(consumer).filter((s) => [s.Action].flat().some((a) => a.startsWith('iam:')));
		expect(iam.map((s) => [s.Action, s.Resource])).toEqual([
			['iam:GetRole', { 'Fn::Sub': 'arn:${AWS::Partition}:iam::${AWS::AccountId}:role/${Prefix}*' }],
		]);
	});
});

describe('principal', () => {
	it('may do exactly what Fairlead does as it in the work group', () => {
		expect(actionsOf(principal, 'WorkGroup')).toEqual(union(principalUses));
	});

	it('reaches no bucket but that of the results', () => {
		const s3 = statementsOf(principal).filter((s) => [s.Action].flat().some((a) => a.startsWith('s3:')));
		const bucket = 'arn:${AWS::Partition}:s3:::${Prefix}${Domain}-${AWS::AccountId}';
		expect(s3.map((s) => s.Resource)).toEqual([{ 'Fn::Sub': bucket }, { 'Fn::Sub': `${bucket}/*` }]);
	});

	it('has the names that the stack gives: role, work group, bucket', () => {
		const settings = readSettings(root, 'sample');
		const consumer = settings.consumers[0] as { domain: string; account: string };
		const values: Record<string, string> = {
			Prefix: settings.prefix,
			Domain: consumer.domain,
			Purpose: 'credit-risk',
			'AWS::AccountId': consumer.account,
		};
		const filled = (text: string) => text.replaceAll(/\$\{([^}]+)\}/g, (all, name: string) => values[name] ?? all);
		const role = filled((principal.RoleName as { 'Fn::Sub': string })['Fn::Sub']);
		expect(role).toMatch(new RegExp(`^${principalRoles(settings, consumer).replace('*', '.+')}$`));
		const text = filled(JSON.stringify(statementsOf(principal)));
		expect(text).toContain(`:workgroup/${workGroupOf(settings, consumer)}"`);
		expect(text).toContain(`:s3:::${resultBucketOf(settings, consumer)}/*"`);
		expect(text).toContain(`"alias/${workGroupOf(settings, consumer)}"`);
	});
});
