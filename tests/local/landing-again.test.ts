/** The landing zone is made again at every start; what was acknowledged since stands. */
import { DeleteWorkGroupCommand, ListWorkGroupsCommand, UpdateWorkGroupCommand } from '@aws-sdk/client-athena';
import { DeleteTableCommand, GetTableCommand, GetTablesCommand, UpdateTableCommand } from '@aws-sdk/client-glue';
import { DeleteRoleCommand, ListRolesCommand, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import {
	DeregisterResourceCommand,
	GrantPermissionsCommand,
	ListResourcesCommand,
} from '@aws-sdk/client-lakeformation';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { emptyLanding } from '#local/aws.ts';
import { BYSTANDER, GRANTOR, type Lake, LENDING, landing, openLake, REGION, RISK_ROLE, refusal } from './harness.ts';

let lake: Lake;
beforeEach(async () => {
	lake = await openLake();
	await provisionMore();
});
afterEach(() => lake.close());

const provisionMore = () =>
	lake.aws.provision({
		...emptyLanding(REGION),
		workGroups: ['kept', 'gone'].map((name) => ({ account: LENDING, name })),
	});
const principal = (arn: string) => ({ DataLakePrincipalIdentifier: arn });

/** Everything that a landing zone names, changed or taken away over the wire. */
async function change(): Promise<void> {
	const PolicyDocument = JSON.stringify({
		Version: '2012-10-17',
		Statement: [{ Effect: 'Allow', Principal: { AWS: GRANTOR }, Action: 'sts:AssumeRole' }],
	});
	await lake.iam().send(new UpdateAssumeRolePolicyCommand({ RoleName: 'fairlead-risk-credit-risk', PolicyDocument }));
	await lake.iam().send(new DeleteRoleCommand({ RoleName: 'fairlead-risk-fraud' }));
	const admin = await lake.lakeformation(GRANTOR);
	await admin.send(new DeregisterResourceCommand({ ResourceArn: 'arn:aws:s3:::lake/payments' }));
	const named = (Name: string) => ({ DatabaseName: 'lending', Name });
	for (const [Name, right] of [
		['loans', 'ALTER'],
		['loose', 'DROP'],
	] as const) {
		const Principal = principal(GRANTOR);
		await admin.send(
			new GrantPermissionsCommand({ Principal, Resource: { Table: named(Name) }, Permissions: [right] }),
		);
	}
	const glue = await lake.glue(GRANTOR);
	const { StorageDescriptor } = (await glue.send(new GetTableCommand(named('loans')))).Table ?? {};
	const TableInput = { Name: 'loans', Description: 'updated', StorageDescriptor };
	await glue.send(new UpdateTableCommand({ DatabaseName: 'lending', TableInput }));
	await glue.send(new DeleteTableCommand(named('loose')));
	const athena = await lake.athena(BYSTANDER);
	await athena.send(new UpdateWorkGroupCommand({ WorkGroup: 'kept', State: 'DISABLED' }));
	await athena.send(new DeleteWorkGroupCommand({ WorkGroup: 'gone' }));
}

/** What is there, as its owners see it. */
async function there() {
	const owner = await lake.glue(GRANTOR);
	const { TableList } = await owner.send(new GetTablesCommand({ DatabaseName: 'lending' }));
	const { ResourceInfoList } = await (await lake.lakeformation(GRANTOR)).send(new ListResourcesCommand({}));
	const { WorkGroups } = await (await lake.athena(BYSTANDER)).send(new ListWorkGroupsCommand({}));
	return {
		assumed: (await refusal(lake.assume(RISK_ROLE))).name,
		roles: (await lake.iam().send(new ListRolesCommand({}))).Roles?.map(({ Arn }) => Arn),
		tables: TableList?.map(({ Name, Description }) => [Name, Description]),
		locations: ResourceInfoList?.map(({ ResourceArn }) => ResourceArn),
		workGroups: WorkGroups?.map(({ Name, State }) => [Name, State]),
	};
}

const changed = {
	assumed: 'AccessDenied',
	roles: [RISK_ROLE],
	tables: [
		['loans', 'updated'],
		['payments', undefined],
	],
	locations: ['arn:aws:s3:::lake/loans'],
	workGroups: [
		['kept', 'DISABLED'],
		['primary', 'ENABLED'],
	],
};

test('a change stands when the landing zone is made again, in this process and the next', async () => {
	await change();
	await provisionMore();
	await lake.aws.provision(landing(lake.folder));
	expect(await there()).toEqual(changed);
	lake = await lake.restart();
	await provisionMore();
	expect(await there()).toEqual(changed);
});

test('what its author changed is applied', async () => {
	await change();
	const zone = landing(lake.folder);
	const tables = zone.tables.map((table) => ({ ...table, description: 'by its author' }));
	const roles = zone.roles.map((role) => ({ ...role, trusts: [...role.trusts, BYSTANDER] }));
	await lake.aws.provision({ ...zone, tables, roles });
	await lake.assume(RISK_ROLE);
	const applied = (await (await lake.glue(GRANTOR)).send(new GetTablesCommand({ DatabaseName: 'lending' }))).TableList;
	expect(applied?.map(({ Description }) => Description)).toEqual(Array(3).fill('by its author'));
});
