/**
 * Where the log over the ledger lies, and the key that signs it. Two buckets: one that keeps each object under lock for
 * years, against everybody (S3 User Guide, Object Lock, compliance mode), for what never changes; one for what comes and
 * goes: the checkpoint, partial tiles, staging. The private key never leaves KMS; only the sealer signs with it, and only
 * as the log needs it.
 */
import { vkeyOf } from '../verifier/note.ts';
import type { FunctionName } from './actions.ts';
import type { StageSettings } from './settings.ts';

export type LedgerLog = {
	readonly fixed: aws.s3.Bucket;
	readonly moving: aws.s3.Bucket;
	readonly key: aws.kms.Key;
	/** What every function is told of it. */
	readonly environment: Record<'FAIRLEAD_LEDGER_LOG' | 'FAIRLEAD_LEDGER_VKEY', $util.Input<string>>;
	/** What the sealer is told besides. */
	readonly sealing: Readonly<Record<string, $util.Input<string>>>;
};

export function makeLedgerLog(settings: StageSettings): LedgerLog {
	const { accountId } = aws.getCallerIdentityOutput();
	const fixed = makeBucket('Log', $interpolate`${$app.name}-${$app.stage}-log-${accountId}`, true);
	const moving = makeBucket('LogMoving', $interpolate`${$app.name}-${$app.stage}-moving-${accountId}`, false);
	new aws.s3.BucketObjectLockConfiguration(
		'LogLock',
		{
			bucket: fixed.bucket,
			rule: { defaultRetention: { mode: 'COMPLIANCE', years: settings.logLockYears } },
		},
		{ retainOnDelete: true },
	);
	expire(moving);
	const key = makeKey(accountId);
	const { publicKey } = aws.kms.getPublicKeyOutput({ keyId: key.keyId });
	return {
		fixed,
		moving,
		key,
		environment: {
			FAIRLEAD_LEDGER_LOG: $interpolate`s3://${fixed.bucket} s3://${moving.bucket}`,
			FAIRLEAD_LEDGER_VKEY: publicKey.apply((der) => vkeyOf(settings.logOrigin, rawKey(der))),
		},
		sealing: { FAIRLEAD_LEDGER_KEY: key.arn, ...witnessSettings(settings) },
	};
}

function witnessSettings({ logWitnesses = [], logWitnessQuorum: quorum }: StageSettings) {
	if (logWitnesses.length === 0) return {};
	return {
		FAIRLEAD_LEDGER_WITNESSES: logWitnesses.map(({ url, vkey }) => `${url} ${vkey}`).join(' '),
		...(quorum === undefined ? {} : { FAIRLEAD_LEDGER_WITNESS_QUORUM: String(quorum) }),
	};
}

/** The last 32 bytes of its SubjectPublicKeyInfo (RFC 8410). */
const rawKey = (der: string) => new Uint8Array(Buffer.from(der, 'base64').subarray(-32));

function makeBucket(name: string, bucketName: $util.Input<string>, locked: boolean): aws.s3.Bucket {
	const kept = { retainOnDelete: true };
	const bucket = new aws.s3.Bucket(name, { bucket: bucketName, forceDestroy: false, objectLockEnabled: locked }, kept);
	const on = { bucket: bucket.bucket };
	new aws.s3.BucketVersioning(`${name}Versions`, { ...on, versioningConfiguration: { status: 'Enabled' } }, kept);
	const closed = new aws.s3.BucketPublicAccessBlock(
		`${name}Closed`,
		{ ...on, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
		kept,
	);
	new aws.s3.BucketOwnershipControls(`${name}Owner`, { ...on, rule: { objectOwnership: 'BucketOwnerEnforced' } }, kept);
	new aws.s3.BucketServerSideEncryptionConfiguration(
		`${name}Encryption`,
		{ ...on, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }] },
		kept,
	);
	new aws.s3.BucketPolicy(
		`${name}Policy`,
		{ ...on, policy: bucketPolicy(bucket.arn, locked) },
		{ ...kept, dependsOn: [closed] },
	);
	return bucket;
}

/**
 * A lock keeps versions: nothing of it keeps another one from being put on top. So whoever puts something must ask that
 * nothing be there (S3 User Guide, "Enforce conditional writes").
 */
function bucketPolicy(arn: $util.Output<string>, locked: boolean) {
	const objects = $interpolate`${arn}/*`;
	const deny = { Effect: 'Deny', Principal: '*' };
	const once = { Sid: 'WrittenOnce', ...deny, Action: 's3:PutObject', Resource: objects };
	return $jsonStringify({
		Version: '2012-10-17',
		Statement: [
			{
				Sid: 'EncryptedTransport',
				...deny,
				Action: 's3:*',
				Resource: [arn, objects],
				Condition: { Bool: { 'aws:SecureTransport': 'false' } },
			},
			...(locked ? [{ ...once, Condition: { Null: { 's3:if-none-match': 'true' } } }] : []),
		],
	});
}

/** What was taken away or replaced, and partial tiles once the full one is there for long. */
function expire({ bucket }: aws.s3.Bucket): void {
	new aws.s3.BucketLifecycleConfiguration(
		'LogMovingExpiry',
		{
			bucket,
			rules: [
				{
					id: 'expire',
					status: 'Enabled',
					filter: { prefix: '' },
					noncurrentVersionExpiration: { noncurrentDays: 30 },
					abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
				},
			],
		},
		{ retainOnDelete: true },
	);
}

/**
 * The account administers the key by its own policies, which is what makes it usable at all; signing is denied to
 * everybody but the sealer, and by any algorithm but that of signed notes (KMS Developer Guide, key policies).
 */
function makeKey(accountId: $util.Output<string>): aws.kms.Key {
	const sealer: FunctionName = 'seal';
	const role = $interpolate`arn:aws:iam::${accountId}:role/${$app.name}-${$app.stage}-${sealer}`;
	const onIt = { Resource: '*' };
	const denySigning = { Effect: 'Deny', Principal: '*', Action: 'kms:Sign', ...onIt };
	const algorithm = { 'kms:SigningAlgorithm': 'ED25519_SHA_512' };
	const policy = $jsonStringify({
		Version: '2012-10-17',
		Statement: [
			{ Sid: 'Account', Effect: 'Allow', Principal: { AWS: accountId }, Action: 'kms:*', ...onIt },
			{ Sid: 'SealerAlone', ...denySigning, Condition: { ArnNotEquals: { 'aws:PrincipalArn': role } } },
			{ Sid: 'NotesAlone', ...denySigning, Condition: { StringNotEquals: algorithm } },
		],
	});
	const description = `Fairlead ${$app.stage}: signs the checkpoints of the log`;
	return new aws.kms.Key(
		'LogKey',
		{
			description,
			customerMasterKeySpec: 'ECC_NIST_EDWARDS25519',
			keyUsage: 'SIGN_VERIFY',
			deletionWindowInDays: 30,
			policy,
		},
		{ retainOnDelete: true },
	);
}
