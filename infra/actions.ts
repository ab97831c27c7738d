/**
 * Every AWS action that Fairlead uses, by function and by what it is used on. The roles of the stack are made from this
 * table and from nothing else; `tests/infra-actions.test.ts` derives the same lists from the SDK commands that each
 * bundle holds, and watches which table each is sent to. So an action that the code does not use cannot be granted, and
 * one that it uses cannot be missing.
 */
import type { TableName } from './schema.ts';

export type FunctionName = 'api' | 'sweep' | 'reconcile' | 'seal' | 'erase' | 'completeness';

/** What a function does with its own credentials. `index` is the table's global secondary index. */
export type Uses = Record<TableName, { readonly table: readonly string[]; readonly index?: readonly string[] }>;

/**
 * The ledger is written by PartiQL INSERT alone, which cannot replace an item (DynamoDB Developer Guide,
 * ql-reference.insert). Nobody has UpdateItem, DeleteItem, PutItem or BatchWriteItem on it or on the payloads, but the
 * sealer for its marks and its head ({@link sealerUpdates}) and the eraser for payloads of entries ({@link eraserDeletes}).
 */
export const uses: Record<FunctionName, Uses> = {
	api: {
		ledger: {
			table: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PartiQLInsert', 'dynamodb:Query', 'dynamodb:Scan'],
			index: ['dynamodb:Query'],
		},
		payloads: { table: ['dynamodb:GetItem', 'dynamodb:PartiQLInsert'] },
		projections: {
			table: ['dynamodb:BatchGetItem', 'dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
		},
		calls: { table: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem'] },
	},
	sweep: {
		ledger: { table: ['dynamodb:PartiQLInsert', 'dynamodb:Query'], index: ['dynamodb:Query'] },
		payloads: { table: ['dynamodb:GetItem', 'dynamodb:PartiQLInsert'] },
		projections: { table: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'] },
		calls: { table: [] },
	},
	reconcile: {
		ledger: { table: ['dynamodb:PartiQLInsert', 'dynamodb:Query'] },
		payloads: { table: ['dynamodb:GetItem', 'dynamodb:PartiQLInsert'] },
		projections: { table: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'] },
		calls: { table: [] },
	},
	seal: {
		ledger: {
			table: ['dynamodb:BatchGetItem', 'dynamodb:GetItem', 'dynamodb:PartiQLInsert', 'dynamodb:Query'],
			index: ['dynamodb:Query'],
		},
		payloads: { table: [] },
		projections: { table: ['dynamodb:BatchGetItem', 'dynamodb:DeleteItem', 'dynamodb:PutItem'] },
		calls: { table: [] },
	},
	erase: {
		ledger: { table: ['dynamodb:PartiQLInsert', 'dynamodb:Query'] },
		payloads: { table: [] },
		projections: { table: ['dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'] },
		calls: { table: [] },
	},
	completeness: {
		ledger: { table: ['dynamodb:PartiQLInsert', 'dynamodb:Query'] },
		payloads: { table: ['dynamodb:GetItem', 'dynamodb:PartiQLInsert'] },
		projections: {
			table: ['dynamodb:BatchGetItem', 'dynamodb:DeleteItem', 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
		},
		calls: { table: [] },
	},
};

/**
 * On which keys the eraser alone may delete: payloads of entries, not documents (`D#`) nor who somebody is (`I#`, `N#`). It
 * reads none: what it deletes is given back to it.
 */
export const eraserDeletes = {
	'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['P#*'] },
	Null: { 'dynamodb:LeadingKeys': 'false' },
} as const;

/**
 * What the sealer alone may update in the ledger: the marks of an entry, and its own item. `h` stands in a condition of the
 * marks and not among what is set; IAM does not tell these apart. Who changed it would be found out, for the bytes stay
 * (DynamoDB Developer Guide, "Using IAM policy conditions for fine-grained access control").
 */
export const sealerUpdates = {
	Marks: {
		'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['pk', 'sk', 'u', 'ut', 'li', 'h'] },
		StringEqualsIfExists: { 'dynamodb:ReturnValues': ['NONE'] },
		Null: { 'dynamodb:Attributes': 'false' },
	},
	Head: {
		'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['L#*'] },
		Null: { 'dynamodb:LeadingKeys': 'false' },
	},
} as const;

/** On the files of the log, and with its key. Whoever has the code to read them may: they hold nothing but the ledger. */
export const logUses: Record<FunctionName, { readonly objects: readonly string[]; readonly key: readonly string[] }> = {
	api: { objects: ['s3:GetObject'], key: [] },
	sweep: { objects: ['s3:GetObject'], key: [] },
	reconcile: { objects: ['s3:GetObject'], key: [] },
	seal: { objects: ['s3:DeleteObject', 's3:GetObject', 's3:ListBucket', 's3:PutObject'], key: ['kms:Sign'] },
	erase: { objects: ['s3:GetObject'], key: [] },
	completeness: { objects: ['s3:GetObject'], key: [] },
};

/** Done in accounts whose catalogs hold shared tables, as the grantor role there (`infra/accounts/grantor.yaml`). */
const granting = [
	'glue:GetTable',
	'lakeformation:BatchGrantPermissions',
	'lakeformation:BatchRevokePermissions',
	'lakeformation:CreateDataCellsFilter',
	'lakeformation:DeleteDataCellsFilter',
	'lakeformation:GetDataCellsFilter',
	'lakeformation:GetDataLakeSettings',
	'lakeformation:GetResourceLFTags',
	'lakeformation:ListDataCellsFilter',
	'lakeformation:ListLakeFormationOptIns',
	'lakeformation:ListPermissions',
	'lakeformation:ListResources',
];
export const grantorUses: Record<FunctionName, readonly string[]> = {
	// The doctor looks at what new databases and tables start with, too; a day is checked on demand.
	api: [...granting, 'glue:GetDatabase', 'cloudtrail:LookupEvents'],
	sweep: granting,
	reconcile: granting,
	seal: [],
	erase: [],
	completeness: ['cloudtrail:LookupEvents'],
};

/** Done in consuming accounts, as Fairlead's own role there (`infra/accounts/consumer.yaml`): resource links. */
const linking = [
	'glue:CreateDatabase',
	'glue:DeleteDatabase',
	'glue:GetDatabase',
	'glue:GetDatabases',
	'iam:GetRole',
	'lakeformation:BatchGrantPermissions',
	'lakeformation:BatchRevokePermissions',
	'lakeformation:ListPermissions',
];
/** What was read there, as AWS saw it: who asked for which data, and which queries there were. No result of any. */
const watching = [
	'athena:BatchGetQueryExecution',
	'athena:ListQueryExecutions',
	'athena:ListWorkGroups',
	'cloudtrail:LookupEvents',
];
export const consumerUses: Record<FunctionName, readonly string[]> = {
	// The doctor looks whether the role sees what others hold.
	api: [...linking, 'lakeformation:GetDataLakeSettings', ...watching],
	sweep: linking,
	reconcile: linking,
	seal: [],
	erase: [],
	completeness: watching,
};

/** Done in consuming accounts, as a principal of the domain (`infra/accounts/principal.yaml`). Results are the API's. */
export const principalUses: Record<FunctionName, readonly string[]> = {
	api: [
		'athena:GetQueryExecution',
		'athena:GetQueryResults',
		'athena:StartQueryExecution',
		'athena:StopQueryExecution',
	],
	sweep: ['athena:GetQueryExecution', 'athena:StartQueryExecution', 'athena:StopQueryExecution'],
	reconcile: [],
	seal: [],
	erase: [],
	completeness: [],
};

/** Used through a library: no command of ours names them. */
export const libraryUses: readonly { readonly action: string; readonly library: string; readonly reason: string }[] = [
	{
		action: 'sts:AssumeRole',
		library: '@aws-sdk/credential-providers',
		reason: 'fromTemporaryCredentials: the grantor of a catalog account, our role or a principal of a consuming one',
	},
];

/**
 * Done by Lake Formation for whoever grants, with the rights of the grantor role: no command of ours names them. A grant to
 * a role of another account makes and keeps resource shares of AWS RAM, and may write the resource policy of the catalog.
 *
 * Assumed, for lack of an account: all of what the managed policy AWSLakeFormationCrossAccountManager allows, and nothing
 * else, which is what AWS asks of a grantor that shares (Lake Formation Developer Guide, cross-account-prereqs and
 * cross-account-share-prerequisites). Its wildcards are written out, so that what is new in it is not given by itself.
 */
export const sharingUses: Readonly<
	Record<SharingSid, { readonly actions: readonly string[]; readonly reason: string }>
> = {
	CreateShares: { actions: ['ram:CreateResourceShare'], reason: 'the first grant on a table to another account' },
	KeepShares: {
		actions: [
			'ram:AssociateResourceShare',
			'ram:DeleteResourceShare',
			'ram:DisassociateResourceShare',
			'ram:GetResourceShares',
			'ram:UpdateResourceShare',
		],
		reason: 'later grants and revokes; the shares are named LakeFormation-V<version>-<id>',
	},
	ShareByLakeFormation: {
		actions: ['ram:AssociateResourceSharePermission'],
		reason: 'from CROSS_ACCOUNT_VERSION 3 on, a share has a permission of its own for each kind of resource',
	},
	ReadShares: {
		actions: [
			'organizations:DescribeAccount',
			'organizations:DescribeOrganization',
			'ram:GetPermission',
			'ram:GetResourcePolicies',
			'ram:GetResourceShareAssociations',
			'ram:GetResourceShareInvitations',
			'ram:ListPermissions',
			'ram:ListPrincipals',
			'ram:ListResourceSharePermissions',
			'ram:ListResources',
		],
		reason: 'which shares there are, and whether the other account is of the same organization',
	},
	CatalogPolicy: {
		actions: ['glue:DeleteResourcePolicy', 'glue:PutResourcePolicy'],
		reason: 'the policy by which Glue lets the other account in, where Lake Formation then decides',
	},
};
type SharingSid = 'CreateShares' | 'KeepShares' | 'ShareByLakeFormation' | 'ReadShares' | 'CatalogPolicy';

/** What no statement of any role may allow on the ledger or the payloads, what the sealer and the eraser do apart; their resource policies deny it. */
export const neverOnRecords = [
	'dynamodb:BatchWriteItem',
	'dynamodb:DeleteItem',
	'dynamodb:PartiQLDelete',
	'dynamodb:PartiQLUpdate',
	'dynamodb:PutItem',
	'dynamodb:UpdateItem',
	'dynamodb:UpdateTimeToLive',
] as const;
