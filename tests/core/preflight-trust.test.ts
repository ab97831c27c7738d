/** Trust policies, read as widely as they could be meant (IAM User Guide, "AWS JSON policy elements: Principal"). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admitted, manyOf } from '#core/preflight/trust.ts';

const ROLE = 'arn:aws:iam::210000000000:role/fairlead-broker';
const policy = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements });
const allow = (more: object) => ({ Effect: 'Allow', Principal: { AWS: ROLE }, Action: 'sts:AssumeRole', ...more });
const onlyRole = { ArnEquals: { 'aws:PrincipalArn': ROLE } };

describe('a trust policy', () => {
	it.each([
		['one role', allow({}), [ROLE]],
		['several, of several kinds', allow({ Principal: { AWS: [ROLE, '1'], Service: 'a.b' } }), ['1', 'a.b', ROLE]],
		['anybody', allow({ Principal: '*' }), ['*']],
		['anybody, as an account', allow({ Principal: { AWS: '*' } }), ['*']],
		['everybody but one', { Effect: 'Allow', NotPrincipal: { AWS: ROLE }, Action: 'sts:AssumeRole' }, ['*']],
		['every action of STS', allow({ Action: 'sts:*' }), [ROLE]],
		['actions by pattern, in any case', allow({ Action: ['STS:Assume*'] }), [ROLE]],
		['every action but one', { Effect: 'Allow', Principal: { AWS: ROLE }, NotAction: 'sts:TagSession' }, [ROLE]],
		['a web identity', allow({ Action: 'sts:AssumeRoleWithWebIdentity', Principal: { Federated: 'idp' } }), ['idp']],
		['tagging only', allow({ Action: 'sts:TagSession' }), []],
		['a refusal', allow({ Effect: 'Deny' }), []],
		['anybody who is a certain role', allow({ Principal: '*', Condition: onlyRole }), [ROLE]],
		['an account, of it a certain role', allow({ Principal: { AWS: '210000000000' }, Condition: onlyRole }), [ROLE]],
		[
			'anybody with a certain external id',
			allow({ Principal: '*', Condition: { StringEquals: { 'sts:ExternalId': 'x' } } }),
			['*'],
		],
		[
			'anybody without a role',
			allow({ Principal: '*', Condition: { ArnEqualsIfExists: { 'aws:PrincipalArn': ROLE } } }),
			['*'],
		],
		[
			'anybody but a certain role',
			allow({ Principal: '*', Condition: { ArnNotEquals: { 'aws:PrincipalArn': ROLE } } }),
			['*'],
		],
	])('admits %s', (_, statement, expected) => {
		expect(admitted(policy(statement))).toEqual(expected);
	});

	it('with several statements admits whom any of them admits', () => {
		const both = policy(allow({ Effect: 'Deny', Principal: '*' }), allow({}), allow({ Principal: { AWS: 'x' } }));
		expect(admitted(both)).toEqual([ROLE, 'x']);
		expect(admitted(JSON.stringify({ Statement: allow({}) }))).toEqual([ROLE]);
	});

	it('names identity providers and services, whatever a condition says of roles', () => {
		const named = { Federated: 'arn:aws:iam::210000000000:saml-provider/bank', Service: '*' };
		expect(admitted(policy(allow({ Principal: named, Condition: onlyRole })))).toEqual(['*', named.Federated]);
	});

	it('is read in a time that grows with its length, whatever its patterns are', () => {
		for (const length of [1e3, 1e5]) {
			expect(admitted(policy(allow({ Action: `s${'*'.repeat(length)}x` })))).toEqual([]);
			expect(admitted(policy(allow({ Action: `${'s*'.repeat(length)}x` })))).toEqual([]);
			expect(admitted(policy(allow({ Action: `sts:${'*'.repeat(length)}` })))).toEqual([ROLE]);
		}
	});

	it.each([
		['sts:AssumeRole', true],
		['sts:assume????', true],
		['sts:assume?????', false],
		['*e', true],
		['**role', true],
		['*:*role', true],
		['sts:Assum*Rol', false],
		['sts:a.*', false],
		['s*s:*', true],
		['', false],
		['?', false],
		['*', true],
	])('with the action %s admits: %s', (Action, expected) => {
		const alone = admitted(policy(allow({ Action }))).length > 0;
		expect(alone).toBe(expected);
	});

	it('that cannot be read may admit anybody', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
				expect(admitted(text)).toEqual(['*']);
			}),
		);
	});
});

describe('an identifier', () => {
	it.each([
		['*', '*'],
		['arn:*', '*'],
		['arn:aws:*', '*'],
		['arn:aws:iam::*:role/*', '*'],
		['arn:aws:iam::2*:role/fairlead-broker', '*'],
		['arn:aws:iam::21000000000?:role/fairlead-broker', '*'],
		['arn:*:iam::210000000000:role/fairlead-broker', '*'],
		['arn:aws:iam::${aws:PrincipalAccount}:role/fairlead-broker', '*'],
		['210000000000', '210000000000'],
		['arn:aws:iam::210000000000:root', '210000000000'],
		['arn:aws-cn:iam::210000000000:root', '210000000000'],
		['arn:aws:iam::210000000000:*', '210000000000'],
		['arn:aws:iam::210000000000:role/*', '210000000000'],
		['arn:aws:iam::210000000000:role/fairlead-broke?', '210000000000'],
		['arn:aws:iam::210000000000:role/${aws:username}', '210000000000'],
		['arn:aws:sts::210000000000:assumed-role/fairlead-broker/*', '210000000000'],
		['arn:aws:iam::210000000000:saml-provider/bank', '210000000000'],
		['arn:aws:iam::210000000000:oidc-provider/idp.example', '210000000000'],
		['lambda.amazonaws.com', '*'],
		['accounts.google.com', '*'],
		['210000000000:role/fairlead-broker', '*'],
		['', '*'],
		[ROLE, null],
		['arn:aws:iam::210000000000:role/path/to/fairlead-broker', null],
		['arn:aws:iam::210000000000:user/alice', null],
		['arn:aws:sts::210000000000:assumed-role/fairlead-broker/session', null],
		['AROAEXAMPLE0123456789', null],
	])('%s stands for %s', (identifier, many) => {
		expect(manyOf(identifier)).toBe(many);
	});

	it('is many as soon as any sign of it is a wildcard, or begins a variable', () => {
		const one = fc.constantFrom(ROLE, 'arn:aws:iam::210000000000:user/alice', 'AROAEXAMPLE0123456789');
		fc.assert(
			fc.property(one, fc.nat(), fc.constantFrom('*', '?', '${'), fc.nat({ max: 1 }), (text, n, sign, instead) => {
				const at = n % text.length;
				expect(manyOf(`${text.slice(0, at)}${sign}${text.slice(at + instead)}`)).not.toBeNull();
			}),
		);
	});
});
