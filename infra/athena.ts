/**
 * Per consuming domain, in its own account: a work group and the bucket of its results.
 *
 * Queries run as a principal of that account, so the work group must be there. Lake Formation does not govern result
 * files (Athena User Guide, lf-athena-limitations), and a permission to read one is a permission to read rows: the
 * bucket's policy denies objects to every role but those named as the domain's principals are, which
 * `accounts/principal.yaml` lets only Fairlead assume. A name is all that it goes by: whoever may make or change roles of
 * such a name in the account, or this policy, can read results; and the principals of one domain share the bucket.
 */
import { type Consumer, principalRoles, resultBucketOf, type StageSettings, workGroupOf } from './settings.ts';

type Place = { readonly name: string; readonly opts: { readonly provider: aws.Provider } };

export function makeWorkGroup(settings: StageSettings, consumer: Consumer): aws.athena.Workgroup {
	const name = `${consumer.domain}Results`;
	const provider = new aws.Provider(`${consumer.domain}Account`, {
		region: settings.region as aws.Region,
		allowedAccountIds: [consumer.account],
		assumeRoles: [{ roleArn: `arn:aws:iam::${consumer.account}:role/${settings.deployerRole}` }],
	});
	const place = { name, opts: { provider } };
	const key = makeKey(place, workGroupOf(settings, consumer));
	const bucket = makeBucket(place, { settings, consumer, key });
	return new aws.athena.Workgroup(
		`${consumer.domain}WorkGroup`,
		{
			name: workGroupOf(settings, consumer),
			description: `Fairlead ${$app.stage}: queries of ${consumer.domain}`,
			configuration: {
				enforceWorkgroupConfiguration: true,
				publishCloudwatchMetricsEnabled: true,
				bytesScannedCutoffPerQuery: settings.maxBytesScanned,
				requesterPaysEnabled: false,
				// Cell filters need version 3.
				engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
				resultConfiguration: {
					outputLocation: $interpolate`s3://${bucket.bucket}/`,
					expectedBucketOwner: consumer.account,
					encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKeyArn: key.arn },
				},
			},
		},
		place.opts,
	);
}

/** The alias is what the principals' policies name. */
function makeKey({ name, opts }: Place, alias: string): aws.kms.Key {
	const key = new aws.kms.Key(
		`${name}Key`,
		{ description: `${alias}: query results`, enableKeyRotation: true, deletionWindowInDays: 30 },
		// The bucket outlives the stack, and is nothing without its key.
		{ ...opts, retainOnDelete: true },
	);
	new aws.kms.Alias(`${name}Alias`, { name: `alias/${alias}`, targetKeyId: key.keyId }, opts);
	return key;
}

type BucketParts = { readonly settings: StageSettings; readonly consumer: Consumer; readonly key: aws.kms.Key };

function makeBucket({ name, opts }: Place, { settings, consumer, key }: BucketParts): aws.s3.Bucket {
	const bucket = new aws.s3.Bucket(name, { bucket: resultBucketOf(settings, consumer), forceDestroy: false }, opts);
	const on = { bucket: bucket.bucket };
	const closed = new aws.s3.BucketPublicAccessBlock(
		`${name}Closed`,
		{ ...on, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
		opts,
	);
	new aws.s3.BucketOwnershipControls(`${name}Owner`, { ...on, rule: { objectOwnership: 'BucketOwnerEnforced' } }, opts);
	new aws.s3.BucketServerSideEncryptionConfiguration(
		`${name}Encryption`,
		{
			...on,
			rules: [
				{
					applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: key.arn },
					bucketKeyEnabled: true,
				},
			],
		},
		opts,
	);
	new aws.s3.BucketLifecycleConfiguration(
		`${name}Expiry`,
		{
			...on,
			rules: [
				{
					id: 'expire',
					status: 'Enabled',
					filter: { prefix: '' },
					expiration: { days: settings.resultDays },
					abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
				},
			],
		},
		opts,
	);
	new aws.s3.BucketPolicy(
		`${name}Policy`,
		{ ...on, policy: bucketPolicy(bucket.arn, settings, consumer) },
		{ ...opts, dependsOn: [closed] },
	);
	return bucket;
}

function bucketPolicy(arn: $util.Output<string>, settings: StageSettings, consumer: Consumer) {
	const objects = $interpolate`${arn}/*`;
	const principals = `arn:aws:iam::${consumer.account}:role/${principalRoles(settings, consumer)}`;
	return $jsonStringify({
		Version: '2012-10-17',
		Statement: [
			{
				Sid: 'EncryptedTransport',
				Effect: 'Deny',
				Principal: '*',
				Action: 's3:*',
				Resource: [arn, objects],
				Condition: { Bool: { 'aws:SecureTransport': 'false' } },
			},
			{
				Sid: 'PrincipalsOnly',
				Effect: 'Deny',
				Principal: '*',
				// Whatever S3 may yet learn to do with an object; who only deletes learns nothing.
				NotAction: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
				Resource: objects,
				Condition: { StringNotLike: { 'aws:PrincipalArn': principals } },
			},
		],
	});
}
