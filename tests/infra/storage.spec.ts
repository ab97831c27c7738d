/** Where the sample stage would keep files: the log over the ledger, and results of queries. */
import { describe, expect, it } from 'vitest';
import { PLATFORM_ACCOUNT, sampleStack, secretOf } from './stack.ts';
import { statementsOf } from './statements.ts';

const { all, one, settings, stack } = sampleStack();

describe('the log', () => {
	const on = (type: string, name: string) => one(`aws:s3/${type}`, name);

	it('keeps what never changes under lock, against everybody, and lets nothing be put on top of it', () => {
		expect(on('bucket:Bucket', 'Log')).toMatchObject({ objectLockEnabled: true, forceDestroy: false });
		expect(on('bucketObjectLockConfiguration:BucketObjectLockConfiguration', 'LogLock')['rule']).toEqual({
			defaultRetention: { mode: 'COMPLIANCE', years: settings.logLockYears },
		});
		const statements = statementsOf(on('bucketPolicy:BucketPolicy', 'LogPolicy')['policy']);
		expect(statements).toContainEqual(
			expect.objectContaining({
				Effect: 'Deny',
				Principal: '*',
				Action: 's3:PutObject',
				Condition: { Null: { 's3:if-none-match': 'true' } },
			}),
		);
	});

	it.each(['Log', 'LogMoving'])('%s is closed, versioned, encrypted and outlives the stack', (name) => {
		expect(on('bucketPublicAccessBlock:BucketPublicAccessBlock', `${name}Closed`)).toMatchObject({
			blockPublicAcls: true,
			blockPublicPolicy: true,
			ignorePublicAcls: true,
			restrictPublicBuckets: true,
		});
		expect(on('bucketVersioning:BucketVersioning', `${name}Versions`)['versioningConfiguration']).toEqual({
			status: 'Enabled',
		});
		const encryption = 'bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration';
		expect(on(encryption, `${name}Encryption`)['rules']).toMatchObject([
			{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } },
		]);
		expect(statementsOf(on('bucketPolicy:BucketPolicy', `${name}Policy`)['policy'])[0]).toMatchObject({
			Effect: 'Deny',
			Condition: { Bool: { 'aws:SecureTransport': 'false' } },
		});
	});

	it('is signed by an Ed25519 key that nobody but the sealer may use, and for nothing but notes', () => {
		const key = one('aws:kms/key:Key', 'LogKey');
		expect(key).toMatchObject({ customerMasterKeySpec: 'ECC_NIST_EDWARDS25519', keyUsage: 'SIGN_VERIFY' });
		const [, ...denials] = statementsOf(key['policy']);
		expect(
			denials.map(({ Effect, Principal, Action, Condition }) => ({ Effect, Principal, Action, Condition })),
		).toEqual(
			[
				{ ArnNotEquals: { 'aws:PrincipalArn': `arn:aws:iam::${PLATFORM_ACCOUNT}:role/fairlead-sample-seal` } },
				{ StringNotEquals: { 'kms:SigningAlgorithm': 'ED25519_SHA_512' } },
			].map((Condition) => ({ Effect: 'Deny', Principal: '*', Action: 'kms:Sign', Condition })),
		);
	});

	it('has its name and place told to every function, and to whoever deploys', () => {
		const { variables } = secretOf(one('aws:lambda/function:Function', 'apiFunctionFunction')['environment']) as {
			variables: Record<string, string>;
		};
		expect(variables['FAIRLEAD_LEDGER_LOG']).toMatch(
			/^s3:\/\/fairlead-sample-log-\d+ s3:\/\/fairlead-sample-moving-\d+$/,
		);
		expect(variables['FAIRLEAD_LEDGER_VKEY']).toMatch(new RegExp(`^${settings.logOrigin}\\+[0-9a-f]{8}\\+`));
		expect(stack().outputs['verifierKey']).toBe(variables['FAIRLEAD_LEDGER_VKEY']);
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
