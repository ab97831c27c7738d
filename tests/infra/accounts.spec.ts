/** What other accounts deploy: exactly the actions that Fairlead uses there, for Fairlead's two functions alone. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { grantorUses, principalUses } from '../../infra/actions.ts';
import { principalRoles, readSettings, resultBucketOf, workGroupOf } from '../../infra/settings.ts';
import { root } from './stack.ts';

type Statement = { Sid: string; Effect: string; Action: string | string[]; Resource: unknown; Principal?: unknown };
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
const principal = roleIn('principal.yaml', 'Principal').Properties;

const statementsOf = ({ Policies }: Role['Properties']) => Policies.flatMap((p) => p.PolicyDocument.Statement);
const actionsOf = (role: Role['Properties'], ...sids: string[]) =>
	statementsOf(role)
		.filter((s) => sids.includes(s.Sid))
		.flatMap((s) => s.Action)
		.toSorted();
const union = (uses: Record<string, readonly string[]>) => [...new Set(Object.values(uses).flat())].toSorted();

describe.each([
	['grantor', grantor],
	['principal', principal],
])('%s', (_, role) => {
	it("trusts the roles of Fairlead's functions, no account and no service", () => {
		const trust = role.AssumeRolePolicyDocument.Statement;
		const arn = (name: string) => ({
			'Fn::Sub': `arn:\${AWS::Partition}:iam::\${FairleadAccount}:role/fairlead-\${FairleadStage}-${name}`,
		});
		expect(trust).toEqual([
			{
				Sid: 'FairleadOnly',
				Effect: 'Allow',
				Principal: { AWS: [arn('api'), arn('sweep')] },
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
	it('may do exactly what Fairlead does as it', () => {
		expect(
			statementsOf(grantor)
				.flatMap((s) => s.Action)
				.toSorted(),
		).toEqual(union(grantorUses));
	});

	it('cannot read a row', () => {
		const actions = statementsOf(grantor).flatMap((s) => s.Action);
		expect(actions.filter((a) => /GetDataAccess|^s3:|^athena:/.test(a))).toEqual([]);
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
