/**
 * The only place that makes AWS clients. On a laptop and on AWS they differ in endpoint and credentials alone.
 * Grants are made as the grantor role of the account that owns the table; resource links as the role that a consuming
 * account has for that; queries run as the consumer's principal.
 */
import { AthenaClient } from '@aws-sdk/client-athena';
import { CloudTrailClient } from '@aws-sdk/client-cloudtrail';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GlueClient } from '@aws-sdk/client-glue';
import { IAMClient } from '@aws-sdk/client-iam';
import { LakeFormationClient } from '@aws-sdk/client-lakeformation';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';

export type AwsSettings = {
	readonly region: string;
	/** One address for every service, when it is not AWS itself. */
	readonly endpoint?: string;
	/** Fairlead's own credentials; without them the SDK's default chain is used. */
	readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
	/** Name of the role that Fairlead assumes in each producing account to grant and read back. */
	readonly grantorRole: string;
	/** Name of the role that Fairlead assumes in each consuming account to make resource links and to look around. */
	readonly consumerRole: string;
};

export type Aws = {
	readonly dynamodb: DynamoDBClient;
	/** Lake Formation as the grantor role of this account. */
	readonly lakeformation: (account: string) => LakeFormationClient;
	/** Glue as the grantor role of this account. */
	readonly glue: (account: string) => GlueClient;
	/** CloudTrail as the grantor role of this account. */
	readonly cloudtrail: (account: string) => CloudTrailClient;
	/** ARNs of the roles that the clients of an account act as. */
	readonly roleIn: Readonly<Record<'grantor' | 'consumer', (account: string) => string>>;
	/** As Fairlead's role in a consuming account. */
	readonly consumer: {
		readonly lakeformation: (account: string) => LakeFormationClient;
		readonly glue: (account: string) => GlueClient;
		readonly iam: (account: string) => IAMClient;
		readonly athena: (account: string) => AthenaClient;
		readonly cloudtrail: (account: string) => CloudTrailClient;
	};
	/** Athena as this principal: the identity that Lake Formation evaluates. */
	readonly athena: (principal: string) => AthenaClient;
};

/**
 * What is done as each role to look at what AWS saw. Its sessions are limited to that: whoever gets hold of one can neither
 * grant nor make anything, whatever the role may do. infra/actions.ts has the same for what runs by the clock.
 */
export const watching = {
	cloudtrail: ['cloudtrail:LookupEvents'],
	athena: ['athena:BatchGetQueryExecution', 'athena:ListQueryExecutions', 'athena:ListWorkGroups'],
} as const;

const ATTEMPTS = 4;
const CONNECTION_MS = 5000;
const REQUEST_MS = 20_000;
/** What a call takes at the longest, whose every attempt hangs; without the pauses in between. */
export const SLOWEST_CALL_MS = ATTEMPTS * (CONNECTION_MS + REQUEST_MS);

/** Clients are made on first use and kept: their temporary credentials refresh by themselves. */
export function makeAws(settings: AwsSettings): Aws {
	const base = {
		region: settings.region,
		...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
		maxAttempts: ATTEMPTS,
		// A call that hangs must not hold up what waits for it; AWS answers each of these within seconds.
		requestHandler: { connectionTimeout: CONNECTION_MS, requestTimeout: REQUEST_MS, throwOnRequestTimeout: true },
	};
	const own = settings.credentials === undefined ? {} : { credentials: settings.credentials };
	const as = (roleArn: string, only?: readonly string[]) => ({
		...base,
		credentials: fromTemporaryCredentials({
			params: {
				RoleArn: roleArn,
				RoleSessionName: 'fairlead',
				DurationSeconds: 3600,
				...(only === undefined ? {} : { Policy: sessionPolicy(only) }),
			},
			...(settings.credentials === undefined ? {} : { masterCredentials: settings.credentials }),
			clientConfig: base,
		}),
	});
	const grantor = (account: string) => `arn:aws:iam::${account}:role/${settings.grantorRole}`;
	const consumer = (account: string) => `arn:aws:iam::${account}:role/${settings.consumerRole}`;
	return {
		dynamodb: new DynamoDBClient({ ...base, ...own }),
		roleIn: { grantor, consumer },
		lakeformation: memo((account) => new LakeFormationClient(as(grantor(account)))),
		glue: memo((account) => new GlueClient(as(grantor(account)))),
		cloudtrail: memo((account) => new CloudTrailClient(as(grantor(account), watching.cloudtrail))),
		consumer: {
			lakeformation: memo((account) => new LakeFormationClient(as(consumer(account)))),
			glue: memo((account) => new GlueClient(as(consumer(account)))),
			iam: memo((account) => new IAMClient(as(consumer(account)))),
			athena: memo((account) => new AthenaClient(as(consumer(account), watching.athena))),
			cloudtrail: memo((account) => new CloudTrailClient(as(consumer(account), watching.cloudtrail))),
		},
		athena: memo((principal) => new AthenaClient(as(principal))),
	};
}

/** A session may do what this and the policies of its role allow (IAM user guide, "Session policies"). */
function sessionPolicy(actions: readonly string[]): string {
	return JSON.stringify({
		Version: '2012-10-17',
		Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
	});
}

function memo<T>(make: (key: string) => T): (key: string) => T {
	const made = new Map<string, T>();
	return (key) => {
		const known = made.get(key);
		if (known !== undefined) return known;
		const fresh = make(key);
		made.set(key, fresh);
		return fresh;
	};
}
