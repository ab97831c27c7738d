/** The story's own look at AWS: Lake Formation as the grantor, Athena as the principal. Real SDK clients. */
import {
	AthenaClient,
	GetQueryExecutionCommand,
	GetQueryResultsCommand,
	StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { LakeFormationClient, ListDataCellsFilterCommand, ListPermissionsCommand } from '@aws-sdk/client-lakeformation';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import type { ContractTable } from '#core/contract.ts';
import { type Bank, REGION } from '#local/bank.ts';
import type { Table } from './world.ts';

export function lakeFormation(bank: Bank, account: string) {
	const client = new LakeFormationClient({
		region: REGION,
		endpoint: bank.aws.endpoint,
		credentials: fromTemporaryCredentials({
			params: { RoleArn: `arn:aws:iam::${account}:role/fairlead-grantor`, RoleSessionName: 'story' },
			masterCredentials: bank.broker,
			clientConfig: { region: REGION, endpoint: bank.aws.endpoint },
		}),
	});
	const named = (t: ContractTable) => ({ CatalogId: t.account, DatabaseName: t.database, Name: t.name });
	return {
		async filters(table: ContractTable) {
			const answer = await client.send(new ListDataCellsFilterCommand({ Table: named(table) }));
			return answer.DataCellsFilters ?? [];
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

export type RawAnswer = { readonly state: string; readonly reason: string; readonly table: Table | null };

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
	const { QueryExecutionId } = await athena.send(
		new StartQueryExecutionCommand({ QueryString: sql, WorkGroup: workGroup }),
	);
	for (;;) {
		const { QueryExecution: e } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId }));
		const state = e?.Status?.State ?? '';
		if (state === 'FAILED' || state === 'CANCELLED') {
			return { state, reason: e?.Status?.StateChangeReason ?? '', table: null };
		}
		if (state === 'SUCCEEDED') break;
		await new Promise((resolve) => setTimeout(resolve, 25));
	}
	const { ResultSet } = await athena.send(new GetQueryResultsCommand({ QueryExecutionId }));
	const [header, ...rows] = (ResultSet?.Rows ?? []).map((r) => (r.Data ?? []).map((d) => d.VarCharValue ?? null));
	return { state: 'SUCCEEDED', reason: '', table: { columns: (header ?? []).map(String), rows } };
}
