/** Short forms of the calls that the tests of Lake Formation and Athena make, with real clients. */
import { randomUUID } from 'node:crypto';
import { type AthenaClient, StartQueryExecutionCommand, type StartQueryExecutionInput } from '@aws-sdk/client-athena';
import {
	CreateDataCellsFilterCommand,
	type DataCellsFilter,
	GrantPermissionsCommand,
	type LakeFormationClient,
	ListPermissionsCommand,
	type ListPermissionsCommandInput,
	type Permission,
	type Resource,
	RevokePermissionsCommand,
} from '@aws-sdk/client-lakeformation';
import { LENDING, RISK_ROLE, TABLE, WORK_GROUP } from './harness.ts';

export const filterNamed = (Name = 'f'): Resource => ({ DataCellsFilter: { ...TABLE, Name } });

export const tableNamed = (Name: string): Resource => ({
	Table: { CatalogId: LENDING, DatabaseName: 'lending', Name },
});

export function createFilter(client: LakeFormationClient, more: Partial<DataCellsFilter> = {}) {
	const TableData = { ...TABLE, Name: 'f', ColumnNames: ['loan_id'], RowFilter: { AllRowsWildcard: {} }, ...more };
	return client.send(new CreateDataCellsFilterCommand({ TableData }));
}

export function permission(resource: Resource, permissions: Permission[] = ['SELECT'], role = RISK_ROLE) {
	return { Principal: { DataLakePrincipalIdentifier: role }, Resource: resource, Permissions: permissions };
}

export function grant(client: LakeFormationClient, ...args: Parameters<typeof permission>) {
	return client.send(new GrantPermissionsCommand(permission(...args)));
}

export function revoke(client: LakeFormationClient, ...args: Parameters<typeof permission>) {
	return client.send(new RevokePermissionsCommand(permission(...args)));
}

export async function listPermissions(client: LakeFormationClient, input: ListPermissionsCommandInput) {
	return (await client.send(new ListPermissionsCommand(input))).PrincipalResourcePermissions ?? [];
}

export function startQuery(client: AthenaClient, input: Partial<StartQueryExecutionInput> = {}) {
	return client.send(
		new StartQueryExecutionCommand({
			QueryString: 'SELECT loan_id FROM lending.loans',
			WorkGroup: WORK_GROUP,
			ClientRequestToken: randomUUID(),
			...input,
		}),
	);
}

/** Runs far longer than any test. */
export function endless(table = 'lending.loans'): string {
	return `SELECT count(*) FROM ${Array.from({ length: 24 }, (_, i) => `${table} a${i}`).join(' CROSS JOIN ')}`;
}
