/**
 * A small lake for the tests of the embedded AWS: two producing accounts, one consuming account with two
 * principals, and real SDK clients as any of their roles. Every lake has a folder of its own.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
	AthenaClient,
	GetQueryExecutionCommand,
	GetQueryResultsCommand,
	type QueryExecution,
	type Row,
	StartQueryExecutionCommand,
	type StartQueryExecutionInput,
} from '@aws-sdk/client-athena';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GlueClient } from '@aws-sdk/client-glue';
import { IAMClient } from '@aws-sdk/client-iam';
import { LakeFormationClient } from '@aws-sdk/client-lakeformation';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { type AwsOptions, type LandingInput, type LocalAws, startAws } from '#local/aws.ts';

export const REGION = 'eu-central-1';
export const PLATFORM = '210000000000';
export const LENDING = '210000000001';
export const RISK = '210000000004';
export const BROKER = `arn:aws:iam::${PLATFORM}:role/fairlead-broker`;
export const GRANTOR = `arn:aws:iam::${LENDING}:role/fairlead-grantor`;
/** A role of the producing account that is nothing but that. */
export const BYSTANDER = `arn:aws:iam::${LENDING}:role/bystander`;
export const RISK_ROLE = `arn:aws:iam::${RISK}:role/fairlead-risk-credit-risk`;
export const OTHER_ROLE = `arn:aws:iam::${RISK}:role/fairlead-risk-fraud`;
export const WORK_GROUP = 'fairlead-risk';
export const TABLE = { TableCatalogId: LENDING, DatabaseName: 'lending', TableName: 'loans' };

/** NULL, the empty string, quotes, a line break, separators of Unicode. */
export const LOANS = [
	'loan_id;amount;status;note;granted_on',
	'1;10.50;A;"says ""no""";2020-01-01',
	'2;20.00;B;"";2020-01-02',
	'3;30.25;D;;2020-01-03',
	'4;1;;"two\nlines \u2028 here";',
	'',
].join('\n');

const COLUMNS = [
	{ name: 'loan_id', type: 'bigint' },
	{ name: 'amount', type: 'decimal(10,2)' },
	{ name: 'status', type: 'varchar(1)' },
	{ name: 'note', type: 'string', comment: 'free text' },
	{ name: 'granted_on', type: 'date' },
];

export function landing(folder: string): LandingInput {
	const csv = { kind: 'csv' as const, delimiter: ';', header: true, quote: '"' };
	const table = (name: string, registered: boolean) => ({
		account: LENDING,
		database: 'lending',
		name,
		location: `s3://lake/${name}`,
		columns: COLUMNS,
		format: csv,
		files: [path.join(folder, 'loans.csv')],
		registered,
	});
	return {
		region: REGION,
		accounts: [LENDING, RISK].map((id) => ({
			id,
			admins: id === LENDING ? [GRANTOR] : [],
			createTableDefaultPermissionsCleared: true as const,
		})),
		roles: [GRANTOR, BYSTANDER, RISK_ROLE, OTHER_ROLE].map((arn) => ({ arn, trusts: [BROKER] })),
		databases: [{ account: LENDING, name: 'lending' }],
		links: [{ account: RISK, name: 'lending', target: { account: LENDING, database: 'lending' } }],
		tables: [table('loans', true), table('payments', true), table('loose', false)],
		workGroups: [{ account: RISK, name: WORK_GROUP }],
	};
}

export type Keys = { accessKeyId: string; secretAccessKey: string; sessionToken?: string };

export type Lake = {
	readonly folder: string;
	readonly aws: LocalAws;
	/** Settings of a client with these keys; no retries, so that a refusal is seen once. */
	readonly settings: (credentials: Keys) => { region: string; endpoint: string; maxAttempts: 1; credentials: Keys };
	readonly broker: Keys;
	readonly assume: (role: string, seconds?: number) => Promise<Keys>;
	readonly dynamodb: DynamoDBClient;
	readonly lakeformation: (role: string) => Promise<LakeFormationClient>;
	/** As the platform team of the consuming account, which has keys of its own. */
	readonly iam: () => IAMClient;
	readonly glue: (role: string) => Promise<GlueClient>;
	readonly athena: (role: string) => Promise<AthenaClient>;
	/** Closes, lets `meanwhile` change the folder, and opens again. */
	readonly restart: (meanwhile?: () => void) => Promise<Lake>;
	readonly close: () => Promise<void>;
};

export async function openLake(options: Partial<AwsOptions> = {}): Promise<Lake> {
	const folder = mkdtempSync(path.join(tmpdir(), 'fairlead-aws-'));
	writeFileSync(path.join(folder, 'loans.csv'), LOANS);
	return await open(folder, options);
}

async function open(folder: string, options: Partial<AwsOptions>): Promise<Lake> {
	const aws = await startAws({ dataDir: path.join(folder, 'data'), region: REGION, ...options });
	await aws.provision(landing(folder));
	const broker = aws.issueKey(BROKER);
	const settings = (credentials: Keys) => ({
		region: REGION,
		endpoint: aws.endpoint,
		maxAttempts: 1 as const,
		credentials,
	});
	const assume = async (role: string, seconds = 3600) => {
		const sts = new STSClient(settings(broker));
		const answer = await sts.send(
			new AssumeRoleCommand({ RoleArn: role, RoleSessionName: 'fairlead', DurationSeconds: seconds }),
		);
		const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = answer.Credentials ?? {};
		return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken };
	};
	return {
		folder,
		aws,
		settings,
		broker,
		assume,
		dynamodb: new DynamoDBClient(settings(broker)),
		lakeformation: async (role) => new LakeFormationClient(settings(await assume(role))),
		iam: () => new IAMClient(settings(aws.issueKey(`arn:aws:iam::${RISK}:user/platform`))),
		glue: async (role) => new GlueClient(settings(await assume(role))),
		athena: async (role) => new AthenaClient(settings(await assume(role))),
		async restart(meanwhile) {
			await aws.close();
			meanwhile?.();
			return await open(folder, options);
		},
		async close() {
			await aws.close();
			rmSync(folder, { recursive: true, force: true });
		},
	};
}

/** Starts a query and waits for its end. */
export async function runQuery(
	client: AthenaClient,
	sql: string,
	more: Partial<StartQueryExecutionInput> = {},
): Promise<QueryExecution> {
	const { QueryExecutionId } = await client.send(
		new StartQueryExecutionCommand({
			QueryString: sql,
			WorkGroup: WORK_GROUP,
			ClientRequestToken: randomUUID(),
			...more,
		}),
	);
	return await ended(client, QueryExecutionId);
}

export async function ended(client: AthenaClient, id: string | undefined): Promise<QueryExecution> {
	for (;;) {
		const { QueryExecution: execution } = await client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }));
		const state = execution?.Status?.State;
		if (execution !== undefined && state !== 'QUEUED' && state !== 'RUNNING') return execution;
		await new Promise((resolve) => setTimeout(resolve, 15));
	}
}

export function cells(rows: readonly Row[] | undefined): (string | null)[][] {
	return (rows ?? []).map((row) => (row.Data ?? []).map((cell) => cell.VarCharValue ?? null));
}

/** The header and the rows of a query that succeeds; otherwise why it failed. */
export async function rowsOf(client: AthenaClient, sql: string): Promise<(string | null)[][] | string> {
	const execution = await runQuery(client, sql);
	if (execution.Status?.State !== 'SUCCEEDED') return execution.Status?.StateChangeReason ?? 'no reason';
	const id = execution.QueryExecutionId;
	const answer = await client.send(new GetQueryResultsCommand({ QueryExecutionId: id }));
	return cells(answer.ResultSet?.Rows);
}

/** The name and message of what a call is refused with. */
export async function refusal(call: Promise<unknown>): Promise<{ name: string; message: string; typed: string }> {
	try {
		await call;
	} catch (error) {
		if (error instanceof Error) return { name: error.name, message: error.message, typed: error.constructor.name };
		throw error;
	}
	throw new Error('the call was not refused');
}
