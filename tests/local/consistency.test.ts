/** Late reads, at a clock that the test moves: what is late, what never is, and that a restart loses nothing. */
import { GetTableCommand } from '@aws-sdk/client-glue';
import { CreateRoleCommand } from '@aws-sdk/client-iam';
import {
	BatchGrantPermissionsCommand,
	CreateDataCellsFilterCommand,
	GetDataCellsFilterCommand,
	GrantPermissionsCommand,
	type LakeFormationClient,
	ListPermissionsCommand,
	RevokePermissionsCommand,
} from '@aws-sdk/client-lakeformation';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { GRANTOR, type Lake, openLake, RISK, RISK_ROLE, refusal, rowsOf, TABLE } from './harness.ts';

const LAG = 10_000;
let now: number;
let lake: Lake;
let client: LakeFormationClient;

beforeEach(async () => {
	now = Date.now();
	lake = await openLake({ clock: () => new Date(now) });
	client = await lake.lakeformation(GRANTOR);
});
afterEach(() => lake.close());

const filter = { ...TABLE, Name: 'f' };
const create = () =>
	client.send(
		new CreateDataCellsFilterCommand({
			TableData: { ...filter, ColumnNames: ['loan_id'], RowFilter: { FilterExpression: "status = 'B'" } },
		}),
	);
const right = {
	Principal: { DataLakePrincipalIdentifier: RISK_ROLE },
	Resource: { DataCellsFilter: filter },
	Permissions: ['SELECT' as const],
};
const listed = async () => {
	const answer = await client.send(new ListPermissionsCommand({ Resource: right.Resource }));
	return answer.PrincipalResourcePermissions?.length;
};

test('a filter just made is not found yet, cannot be made again, and is found later', async () => {
	lake.aws.consistency.set({ lagMs: LAG });
	await create();
	expect((await refusal(client.send(new GetDataCellsFilterCommand(filter)))).name).toBe('EntityNotFoundException');
	expect((await refusal(create())).name).toBe('AlreadyExistsException');
	now += LAG;
	expect((await client.send(new GetDataCellsFilterCommand(filter))).DataCellsFilter?.Name).toBe('f');
});

test('a permission that is revoked goes on being listed, though it cannot be revoked again', async () => {
	await create();
	await client.send(new GrantPermissionsCommand(right));
	expect(await listed()).toBe(1);
	lake.aws.consistency.set({ lakeformation: LAG });
	await client.send(new RevokePermissionsCommand(right));
	expect(await listed()).toBe(1);
	expect((await refusal(client.send(new RevokePermissionsCommand(right)))).message).toContain('No permissions revoked');
	now += LAG;
	expect(await listed()).toBe(0);
});

test('Athena enforces what was granted a while ago, listed already or not', async () => {
	const athena = await lake.athena(RISK_ROLE);
	const sql = 'SELECT * FROM lending.loans';
	await create();
	lake.aws.consistency.set({ athena: LAG });
	await client.send(new GrantPermissionsCommand(right));
	expect(await listed()).toBe(1);
	expect(typeof (await rowsOf(athena, sql))).toBe('string');
	now += LAG;
	expect(await rowsOf(athena, sql)).toEqual([['loan_id'], ['2']]);
	await client.send(new RevokePermissionsCommand(right));
	expect(await rowsOf(athena, sql)).toEqual([['loan_id'], ['2']]);
	now += LAG;
	expect(typeof (await rowsOf(athena, sql))).toBe('string');
});

test('Glue alone may be late: a table that was granted shows up later', async () => {
	const glue = await lake.glue(RISK_ROLE);
	const get = () =>
		glue.send(new GetTableCommand({ CatalogId: TABLE.TableCatalogId, DatabaseName: 'lending', Name: 'loans' }));
	await create();
	lake.aws.consistency.set({ glue: LAG });
	await client.send(new GrantPermissionsCommand(right));
	expect(await listed()).toBe(1);
	expect((await refusal(get())).name).toBe('EntityNotFoundException');
	now += LAG;
	expect((await get()).Table?.StorageDescriptor?.Columns?.map(({ Name }) => Name)).toEqual(['loan_id']);
});

test('a role just made is no principal yet, alone or in a batch', async () => {
	await create();
	const landed = lake.aws.lakeFormationState().permissions.length;
	lake.aws.consistency.set({ iam: LAG });
	const arn = `arn:aws:iam::${RISK}:role/new`;
	const AssumeRolePolicyDocument = JSON.stringify({
		Version: '2012-10-17',
		Statement: [{ Effect: 'Allow', Principal: { AWS: RISK_ROLE }, Action: 'sts:AssumeRole' }],
	});
	await lake.iam().send(new CreateRoleCommand({ RoleName: 'new', AssumeRolePolicyDocument }));
	const grant = { ...right, Principal: { DataLakePrincipalIdentifier: arn } };
	const invalid = { name: 'InvalidInputException', message: 'Invalid principal' };
	expect(await refusal(client.send(new GrantPermissionsCommand(grant)))).toMatchObject(invalid);
	const { Failures } = await client.send(
		new BatchGrantPermissionsCommand({
			Entries: [
				{ Id: 'new', ...grant },
				{ Id: 'old', ...right },
			],
		}),
	);
	expect(Failures?.map(({ RequestEntry, Error: error }) => [RequestEntry?.Id, error?.ErrorMessage])).toEqual([
		['new', 'Invalid principal'],
	]);
	now += LAG;
	await client.send(new GrantPermissionsCommand(grant));
	expect(lake.aws.lakeFormationState().permissions).toHaveLength(landed + 2);
});

test('what was acknowledged is kept over a restart, and seen at once then', async () => {
	lake.aws.consistency.set({ lagMs: LAG });
	await create();
	lake = await lake.restart();
	client = await lake.lakeformation(GRANTOR);
	expect((await client.send(new GetDataCellsFilterCommand(filter))).DataCellsFilter?.Name).toBe('f');
});

test('reads that are spread may see more first and less afterwards, and all once the lag is over', async () => {
	lake.aws.consistency.set({ lakeformation: LAG, spread: true, seed: 3 });
	await create();
	now += LAG / 2;
	const seen: boolean[] = [];
	for (let i = 0; i < 12; i++) {
		seen.push(
			await client.send(new GetDataCellsFilterCommand(filter)).then(
				() => true,
				() => false,
			),
		);
	}
	expect(seen.join()).toContain('true,false');
	now += LAG;
	await client.send(new GetDataCellsFilterCommand(filter));
});
