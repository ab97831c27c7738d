/** The story's own look at AWS: Lake Formation and Glue as who reads an account as its administrator, Athena as the principal. Real SDK clients. */
import { randomUUID } from 'node:crypto';
import {
	AthenaClient,
	GetQueryExecutionCommand,
	GetQueryResultsCommand,
	StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { GlueClient, paginateGetDatabases } from '@aws-sdk/client-glue';
import { LakeFormationClient, ListDataCellsFilterCommand, ListPermissionsCommand } from '@aws-sdk/client-lakeformation';
import { AssumeRoleCommand, type Credentials, STSClient } from '@aws-sdk/client-sts';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { ContractTable } from '#core/contract.ts';
import { type Bank, REGION } from '#local/bank.ts';
import type { Table } from './world.ts';

function asAdministrator(bank: Bank, account: string) {
	const at = { region: REGION, endpoint: bank.aws.endpoint };
	const params = { RoleArn: `arn:aws:iam::${account}:role/fairlead-grantor`, RoleSessionName: 'story' };
	return { ...at, credentials: fromTemporaryCredentials({ params, masterCredentials: bank.broker, clientConfig: at }) };
}

/** Every resource link in an account's catalog, and the database that it leads to. */
export async function linksIn(bank: Bank, account: string) {
	const found: { readonly name: string; readonly account: string; readonly database: string }[] = [];
	const client = new GlueClient(asAdministrator(bank, account));
	for await (const { DatabaseList } of paginateGetDatabases({ client }, { CatalogId: account })) {
		for (const { Name = '', TargetDatabase: target } of DatabaseList ?? []) {
			if (target === undefined) continue;
			found.push({ name: Name, account: target.CatalogId ?? '', database: target.DatabaseName ?? '' });
		}
	}
	return found;
}

export function lakeFormation(bank: Bank, account: string) {
	const client = new LakeFormationClient(asAdministrator(bank, account));
	const named = (t: ContractTable) => ({ CatalogId: t.account, DatabaseName: t.database, Name: t.name });
	return {
		async filters(table: ContractTable) {
			const answer = await client.send(new ListDataCellsFilterCommand({ Table: named(table) }));
			return answer.DataCellsFilters ?? [];
		},
		/** Whoever holds anything on the table, its columns or a filter of it. */
		async rights(table: ContractTable) {
			const on = { Resource: { Table: named(table) }, IncludeRelated: 'TRUE' };
			const answer = await client.send(new ListPermissionsCommand(on));
			return (answer.PrincipalResourcePermissions ?? []).map((p) => p.Principal?.DataLakePrincipalIdentifier);
		},
		async holders(table: ContractTable, filter: string) {
			const DataCellsFilter = {
				TableCatalogId: table.account,
				DatabaseName: table.database,
				TableName: table.name,
				Name: filter,
			};
			const answer = await client.send(new ListPermissionsCommand({ Resource: { DataCellsFilter } }));
			return (answer.PrincipalResourcePermissions ?? []).map((p) => ({
				principal: p.Principal?.DataLakePrincipalIdentifier,
				permissions: p.Permissions,
			}));
		},
	};
}

export type RawAnswer = {
	readonly state: string;
	readonly reason: string;
	readonly table: Table | null;
	/** Sends the same text again; the keys are the embedded AWS's own and good for an hour. */
	readonly curl: string;
};

/** Sends a text straight to Athena with the principal's own STS keys, past the broker. */
export async function rawAthena(bank: Bank, principal: string, workGroup: string, sql: string): Promise<RawAnswer> {
	const at = { region: REGION, endpoint: bank.aws.endpoint };
	const sts = new STSClient({ ...at, credentials: bank.broker });
	const { Credentials: keys } = await sts.send(new AssumeRoleCommand({ RoleArn: principal, RoleSessionName: 'story' }));
	const athena = new AthenaClient({
		...at,
		credentials: {
			accessKeyId: keys?.AccessKeyId ?? '',
			secretAccessKey: keys?.SecretAccessKey ?? '',
			sessionToken: keys?.SessionToken ?? '',
		},
	});
	const curl = athenaCurl(bank.aws.endpoint, keys, { QueryString: sql, WorkGroup: workGroup });
	const { QueryExecutionId } = await athena.send(
		new StartQueryExecutionCommand({ QueryString: sql, WorkGroup: workGroup }),
	);
	for (;;) {
		const { QueryExecution: e } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
		const state = e?.Status?.State ?? '';
		if (state === 'FAILED' || state === 'CANCELLED') {
			return { state, reason: e?.Status?.StateChangeReason ?? '', table: null, curl };
		}
		if (state === 'SUCCEEDED') break;
		await new Promise((resolve) => setTimeout(resolve, 25));
	}
	const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }));
	const [header, ...rows] = (ResultSet?.Rows ?? []).map((r) => (r.Data ?? []).map((d) => d.VarCharValue ?? null));
	return { state: 'SUCCEEDED', reason: '', table: { columns: (header ?? []).map(String), rows }, curl };
}

/** curl signs as AWS clients do (its option --aws-sigv4). */
function athenaCurl(
	endpoint: string,
	keys: Credentials | undefined,
	input: { QueryString: string; WorkGroup: string },
): string {
	const body = JSON.stringify({ ...input, ClientRequestToken: randomUUID() });
	return [
		`curl -s -X POST '${endpoint}/' --aws-sigv4 'aws:amz:${REGION}:athena'`,
		`--user '${keys?.AccessKeyId}:${keys?.SecretAccessKey}' -H 'x-amz-security-token: ${keys?.SessionToken}'`,
		`-H 'x-amz-target: AmazonAthena.StartQueryExecution' -H 'content-type: application/x-amz-json-1.1'`,
		`--data-binary '${body.replaceAll("'", `'\\''`)}'`,
	].join(' ');
}
