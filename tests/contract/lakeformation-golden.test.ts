/** Names and texts of refusals that AWS's documents, or clients that read them, give word for word; each with its source. */
import {
	AddLFTagsToResourceCommand,
	CreateDataCellsFilterCommand,
	CreateLFTagCommand,
	GrantPermissionsCommand,
	type LakeFormationClient,
	ListPermissionsCommand,
	type Resource,
	RevokePermissionsCommand,
	UpdateDataCellsFilterCommand,
	UpdateLFTagCommand,
} from '@aws-sdk/client-lakeformation';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emptyLanding } from '#local/aws.ts';
import { createFilter, filterNamed, grant, permission, tableNamed } from '#tests/local/calls.ts';
import {
	BYSTANDER,
	GRANTOR,
	type Lake,
	LENDING,
	openLake,
	RISK,
	RISK_ROLE,
	refusal,
	TABLE,
} from '#tests/local/harness.ts';

let lake: Lake;
let admin: LakeFormationClient;
let bystander: LakeFormationClient;
beforeAll(async () => {
	lake = await openLake();
	admin = await lake.lakeformation(GRANTOR);
	bystander = await lake.lakeformation(BYSTANDER);
	await createFilter(admin);
	await grant(admin, tableNamed('payments'), ['DESCRIBE'], 'IAM_ALLOWED_PRINCIPALS');
	await admin.send(new CreateLFTagCommand({ TagKey: 'level', TagValues: ['open'] }));
	const LFTags = [{ TagKey: 'level', TagValues: ['open'] }];
	await admin.send(new AddLFTagsToResourceCommand({ Resource: tableNamed('loans'), LFTags }));
});
afterAll(async () => {
	await lake.close();
});

const loans = tableNamed('loans');
const inLink: Resource = { Table: { CatalogId: RISK, DatabaseName: 'lending', Name: 'loans' } };
const column: Resource = {
	TableWithColumns: { CatalogId: LENDING, DatabaseName: 'lending', Name: 'loans', ColumnNames: ['nosuch'] },
};
const location: Resource = { DataLocation: { CatalogId: LENDING, ResourceArn: 'arn:aws:s3:::elsewhere' } };
const send = (Resource: Resource, role = RISK_ROLE) =>
	admin.send(new GrantPermissionsCommand(permission(Resource, ['SELECT'], role)));
const revoke = (Resource: Resource) => admin.send(new RevokePermissionsCommand(permission(Resource)));
const rows = (FilterExpression: string) => {
	const TableData = { ...TABLE, Name: 'g', ColumnNames: ['loan_id'], RowFilter: { FilterExpression } };
	return admin.send(new CreateDataCellsFilterCommand({ TableData }));
};

type Case = {
	readonly what: string;
	readonly source: string;
	readonly call: () => Promise<unknown>;
	readonly name: string;
	/** Absent where no source gives it. */
	readonly text?: string;
};

const cases: readonly Case[] = [
	{
		what: 'a resource that names nothing',
		source: 'LFDG/logging-using-cloudtrail',
		call: () => admin.send(new ListPermissionsCommand({ Resource: {} })),
		name: 'InvalidInputException',
		text: 'Resource must have one of the have either the catalog, table or database field populated.',
	},
	{
		what: 'a principal without a resource',
		source: 'moto, copied from AWS',
		call: () => admin.send(new ListPermissionsCommand({ Principal: { DataLakePrincipalIdentifier: RISK_ROLE } })),
		name: 'InvalidInputException',
		text: 'Resource is mandatory if Principal is set in the input.',
	},
	{
		what: 'a caller who may not grant',
		source: 'terraform-provider-aws, lakeformation',
		call: () => bystander.send(new GrantPermissionsCommand(permission(loans))),
		name: 'AccessDeniedException',
		text: 'Resource does not exist or requester is not authorized to access requested permissions',
	},
	{
		what: 'a caller who may not grant on what is not there',
		source: 'terraform-provider-aws, lakeformation',
		call: () => bystander.send(new GrantPermissionsCommand(permission(tableNamed('nosuch')))),
		name: 'AccessDeniedException',
		text: 'Resource does not exist or requester is not authorized to access requested permissions',
	},
	{
		what: 'a role that IAM does not know',
		source: 'terraform-provider-aws, lakeformation/permissions.go',
		call: () => send(loans, `${RISK_ROLE}-nobody`),
		name: 'InvalidInputException',
		text: 'Invalid principal',
	},
	{
		what: 'a column that is not there',
		source: 'terraform-provider-aws, data.all',
		call: () => send(column),
		name: 'InvalidInputException',
		text: 'cannot grant/revoke permission on non-existent column',
	},
	{
		what: 'a location that nobody registered',
		source: 'terraform-provider-aws, lakeformation/permissions.go',
		call: () => admin.send(new GrantPermissionsCommand(permission(location, ['DATA_LOCATION_ACCESS'], BYSTANDER))),
		name: 'InvalidInputException',
		text: 'register the S3 path',
	},
	{
		what: 'a grant to another account beside everybody',
		source: 'LFDG/troubleshooting',
		call: () => send(tableNamed('payments')),
		name: 'AccessDeniedException',
		text: 'Insufficient Lake Formation permissions: Illegal combination',
	},
	{
		what: 'a revoke of nothing',
		source: 'terraform-provider-aws, data.all',
		call: () => revoke(loans),
		name: 'InvalidInputException',
		text: 'No permissions revoked. Grantee has no permissions',
	},
	{
		what: 'a revoke of nothing, as others word it',
		source: 'data.all',
		call: () => revoke(filterNamed()),
		name: 'InvalidInputException',
		text: 'Grantee has no permissions and no grantable permissions on resource',
	},
	{
		what: 'a revoke on a filter that is not there',
		source: 'terraform-provider-aws, lakeformation/permissions.go',
		call: () => revoke(filterNamed('nosuch')),
		name: 'InvalidInputException',
		text: 'Cell Filter not found',
	},
	{
		what: 'an update from an old version',
		source: 'LFDG/troubleshooting; service model',
		call: () => {
			const TableData = { ...TABLE, Name: 'f', ColumnNames: ['note'], RowFilter: { AllRowsWildcard: {} } };
			return admin.send(new UpdateDataCellsFilterCommand({ TableData: { ...TableData, VersionId: '77' } }));
		},
		name: 'ConcurrentModificationException',
		text: 'Please retry in a short while',
	},
	{
		what: 'taking away a value of an LF-Tag in use',
		source: 'service model, UpdateLFTag',
		call: () => admin.send(new UpdateLFTagCommand({ TagKey: 'level', TagValuesToDelete: ['open'] })),
		name: 'InvalidInputException',
		text: 'Update not allowed',
	},
	...[
		['a function in a row filter', "lower(status) = 'a'"],
		['a column against a column', 'loan_id = amount'],
		['arithmetic', 'loan_id + 1 = 2'],
		['a date column', "granted_on > '2020-01-01'"],
	].map(([what = '', expression = '']) => ({
		what,
		source: 'LFDG/partiql-support, which gives no text',
		call: () => rows(expression),
		name: 'InvalidInputException',
	})),
];

describe('the refusal of', () => {
	test.each(cases)('$what is as $source has it', async ({ call, name, text }) => {
		const refused = await refusal(call());
		expect(refused.name).toBe(name);
		if (text !== undefined) expect(refused.message).toContain(text);
	});
});

test('a table in a resource link is no resource: the link is told to be one', async () => {
	// terraform-provider-aws issue 46951.
	const KEEPER = `arn:aws:iam::${RISK}:role/keeper`;
	await lake.aws.provision({
		...emptyLanding('eu-central-1'),
		accounts: [{ id: RISK, admins: [KEEPER], createTableDefaultPermissionsCleared: true }],
		roles: [{ arn: KEEPER, trusts: ['arn:aws:iam::210000000000:role/fairlead-broker'] }],
	});
	const keeper = await lake.lakeformation(KEEPER);
	expect(await refusal(keeper.send(new ListPermissionsCommand({ Resource: inLink })))).toMatchObject({
		name: 'InvalidInputException',
		message: 'Database cannot be a link for this operation when called on a table',
	});
});
