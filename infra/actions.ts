/**
 * Every AWS action that Fairlead uses, by function and by what it is used on. The roles of the stack are made from this
 * table and from nothing else; `tests/infra-actions.test.ts` derives the same lists from the SDK commands that each
 * bundle holds, and watches which table each is sent to. So an action that the code does not use cannot be granted, and
 * one that it uses cannot be missing.
 */
import type { TableName } from './schema.ts';

export type FunctionName = 'api' | 'sweep';

/** What a function does with its own credentials. `index` is the table's global secondary index. */
export type Uses = Record<TableName, { readonly table: readonly string[]; readonly index?: readonly string[] }>;

/**
 * The ledger is written by PartiQL INSERT alone, which cannot replace an item (DynamoDB Developer Guide,
 * ql-reference.insert). Nobody has UpdateItem, DeleteItem, PutItem or BatchWriteItem on it or on the payloads.
 */
export const uses: Record<FunctionName, Uses> = {
	api: {
		ledger: { table: ['dynamodb:PartiQLInsert', 'dynamodb:Query', 'dynamodb:Scan'] },
		payloads: { table: ['dynamodb:GetItem', 'dynamodb:PartiQLInsert'] },
		projections: { table: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'] },
		calls: { table: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'] },
	},
	sweep: {
		ledger: { table: ['dynamodb:PartiQLInsert', 'dynamodb:Query'], index: ['dynamodb:Query'] },
		payloads: { table: ['dynamodb:GetItem', 'dynamodb:PartiQLInsert'] },
		projections: { table: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'] },
		calls: { table: [] },
	},
};

/** Done in producing accounts, as the grantor role there (`infra/accounts/grantor.yaml`). */
const granting = [
	'glue:GetTable',
	'lakeformation:CreateDataCellsFilter',
	'lakeformation:DeleteDataCellsFilter',
	'lakeformation:GetDataCellsFilter',
	'lakeformation:GrantPermissions',
	'lakeformation:ListDataCellsFilter',
	'lakeformation:ListPermissions',
	'lakeformation:RevokePermissions',
];
export const grantorUses: Record<FunctionName, readonly string[]> = { api: granting, sweep: granting };

/** Done in consuming accounts, as a principal of the domain (`infra/accounts/principal.yaml`). Results are the API's. */
export const principalUses: Record<FunctionName, readonly string[]> = {
	api: [
		'athena:GetQueryExecution',
		'athena:GetQueryResults',
		'athena:StartQueryExecution',
		'athena:StopQueryExecution',
	],
	sweep: ['athena:GetQueryExecution', 'athena:StartQueryExecution', 'athena:StopQueryExecution'],
};

/** Used through a library: no command of ours names them. */
export const libraryUses: readonly { readonly action: string; readonly library: string; readonly reason: string }[] = [
	{
		action: 'sts:AssumeRole',
		library: '@aws-sdk/credential-providers',
		reason: 'fromTemporaryCredentials: the grantor of a producing account, a principal of a consuming one',
	},
];

/** What no statement of any role may allow on the ledger or the payloads; their resource policies deny it to everybody. */
export const neverOnRecords = [
	'dynamodb:BatchWriteItem',
	'dynamodb:DeleteItem',
	'dynamodb:PartiQLDelete',
	'dynamodb:PartiQLUpdate',
	'dynamodb:PutItem',
	'dynamodb:UpdateItem',
	'dynamodb:UpdateTimeToLive',
] as const;
