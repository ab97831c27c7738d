/**
 * One day in the mesh, told once: the same loans, the same analyst and the same ids in every example of the OpenAPI
 * document. Tests hold each of them to its schema.
 */
import { accessTemplate } from './examples/templates.ts';

const risk = 'arn:aws:iam::210000000004:role/fairlead-risk-credit-risk';
const alice = 'per_01M7YD5NARXN1ZSR2WXKYS90BM';
const at = '2026-11-21T06:37:19.363Z';
const hash = '86655d37eea5eee910c37c9856bd8837ad07e9078d24e67ae19e67e3b3c3b638';

export const me = {
	issuer: 'https://id.bank.example',
	subject: 'u-7f3a91c4',
	person: alice,
	roles: [{ domain: 'risk', role: 'consumer' as const }],
	principals: [{ domain: 'risk', arn: risk, purpose: 'credit-risk' }],
};

export const purposes = {
	purposes: [
		{
			id: 'credit-risk',
			name: 'Credit risk measurement',
			legalBasis: 'GDPR 6(1)(c), Regulation (EU) 575/2013',
			retention: 'P7Y',
		},
	],
};

export const registration = {
	name: 'Risk',
	account: '210000000004',
	members: [
		{ issuer: 'https://id.bank.example', subject: 'u-7f3a91c4', roles: ['consumer' as const] },
		{
			issuer: 'https://id.bank.example',
			subject: 'u-3e8a70bd',
			actsFor: { issuer: 'https://id.bank.example', subject: 'u-7f3a91c4' },
			service: true,
			roles: ['consumer' as const],
		},
	],
	principals: [{ arn: risk, purpose: 'credit-risk' }],
	catalogs: [{ account: '210000000009', databases: ['risk_models'] }],
	attributes: { jurisdiction: 'CZ', 'line-of-business': 'UVER' },
};

export const domain = {
	id: 'risk',
	name: 'Risk',
	account: '210000000004',
	members: [
		{ person: alice, roles: ['consumer' as const] },
		{ person: 'per_01M7YD5NB0EMW8T2F6Q4KZP7HS', of: alice, service: true, roles: ['consumer' as const] },
	],
	principals: [{ arn: risk, purpose: 'credit-risk' }],
	catalogs: [{ account: '210000000009', databases: ['risk_models'] }],
	attributes: { jurisdiction: 'CZ', 'line-of-business': 'UVER' },
	version: 1,
};

export const productSummary = {
	id: 'lending.loans',
	domain: 'lending',
	displayName: 'Loans',
	description: 'Loans granted by the bank, one row per loan, with the state of repayment.',
	owner: 'Lending data',
	version: '1.0.0',
	status: 'active',
	createDate: at,
	sourceCodeLocation: 'https://git.bank.example/lending/loans',
	classification: 'confidential',
	personal: false,
	purposes: ['credit-risk', 'model-validation'],
};

export const product = {
	...productSummary,
	contract: {
		product: 'lending.loans',
		domain: 'lending',
		name: 'loans',
		version: '1.0.0',
		status: 'active',
		title: 'Loans',
		description: productSummary.description,
		purposes: ['credit-risk', 'model-validation'],
		residency: ['CZ'],
		owner: 'Lending data',
		accessTemplates: [accessTemplate],
		tables: [
			{
				name: 'loans',
				account: '210000000001',
				database: 'lending',
				view: false,
				columns: [
					{
						name: 'loan_id',
						type: 'bigint',
						classification: 'internal' as const,
						personal: false,
						partition: false,
						required: true,
						description: 'Number of the loan',
					},
				],
				location: 's3://sample-bank/loans.csv',
				rowScope: [{ column: 'line', attribute: 'line-of-business' }],
			},
		],
		classification: 'confidential' as const,
		personal: false,
		sourceCodeLocation: 'https://git.bank.example/lending/loans',
	},
};

export const versions = {
	versions: [
		{
			version: '1.0.0',
			publishedAt: at,
			hash: 'd70c845ccc7327a45bf9ceb5c0d890b63534818286269ae4457bf920b1b116c3',
			leaf: '0710cb04c756fe375a3e29236eefef84d3bf6d6c7ffe7c2e02d5d66bf5996961',
		},
	],
};

export const contractYaml = `apiVersion: v3.1.0
kind: DataContract
id: urn:contract:lending:loans
name: Loans
version: 1.0.0
status: active
domain: lending
dataProduct: loans
# then description, team, servers, schema, slaProperties and customProperties of the Open Data Contract Standard
`;

export const contractJson = {
	apiVersion: 'v3.1.0',
	kind: 'DataContract',
	id: 'urn:contract:lending:loans',
	name: 'Loans',
	version: '1.0.0',
	status: 'active',
	domain: 'lending',
	dataProduct: 'loans',
};

const scope = { table: 'lending.loans', columns: ['loan_id', 'status'], rowFilter: `"status" = 'D'` };

export const accessRequest = {
	product: 'lending.loans',
	tables: [{ table: 'loans', columns: ['loan_id', 'status'], rowFilter: "status = 'D'" }],
	purpose: 'credit-risk',
	principal: risk,
	duration: 'P30D',
	justification: 'Review of loans in arrears',
};

export const request = {
	id: 'req_01M7YD5PDNN5AS78V66SC2NX1W',
	product: 'lending.loans',
	contractVersion: '1.0.0',
	principal: risk,
	consumerDomain: 'risk',
	purpose: 'credit-risk',
	tables: [scope],
	requester: alice,
	beneficiaries: [alice],
	duration: 'P30D',
	asked: null,
	justification: 'Review of loans in arrears',
	state: 'pending' as const,
	route: ['owner' as const],
	awaiting: ['owner' as const],
	delegated: [],
	createdAt: at,
	lapsesAt: '2026-12-05T06:37:19.363Z',
	remindedAt: null,
	contentHash: hash,
	grant: null,
	renews: null,
	batch: null,
	template: null,
	breakGlass: null,
};

export const grant = {
	id: 'grt_01M7YD5PMRP0ZNXB91CVA8E467',
	request: request.id,
	product: 'lending.loans',
	contractVersion: '1.0.0',
	principal: risk,
	consumerDomain: 'risk',
	purpose: 'credit-risk',
	beneficiaries: [alice],
	tables: [{ ...scope, account: '210000000001', filter: 'fl_9dda2161cc0e48c81d5d81ef_1', reason: null, missing: null }],
	from: at,
	until: '2026-12-21T06:37:19.363Z',
	state: 'granted' as const,
	breakGlass: null,
	heldBy: [],
	notices: [],
};

export const decided = {
	decision: 'dec_01M7YD5PMRSJA7MM515HCGXY4G',
	request: { ...request, state: 'approved' as const, awaiting: [], lapsesAt: null, grant: grant.id },
	grant,
};

export const query = {
	id: 'qry_01M7YD5PTCHJWG42636KPYQYQE',
	state: 'running' as const,
	reason: null,
	principal: risk,
	purpose: 'credit-risk',
	tables: [{ product: 'lending.loans', table: 'lending.loans', columns: ['status'] }],
	grants: [grant.id],
	submittedAt: at,
	execution: null,
	bytesScanned: null,
	rowsDelivered: null,
};

export const queryBody = {
	sql: 'SELECT status, count(*) AS loans FROM lending.loans GROUP BY status',
	principal: risk,
};

const status = { table: 'lending.loans/loans', column: 'status' };

const loans = { namespace: 'arn:aws:glue:eu-central-1:210000000001', name: 'table/lending/loans' };
const plain = { description: '', masking: false };

const facet = {
	_producer: 'https://fairlead.example',
	_schemaURL:
		'https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet',
};

const statusField = {
	inputFields: [
		{
			...loans,
			field: 'status',
			transformations: [{ type: 'DIRECT' as const, subtype: 'IDENTITY' as const, ...plain }],
		},
	],
};

const statusOutput = { name: 'status', sources: [{ ...status, kind: 'identity' as const }], indirect: [] };

/** What `POST /queries` answers to `queryBody` as a dry run. */
export const plan = {
	runs: true,
	principal: risk,
	purpose: 'credit-risk',
	tables: [
		{
			product: 'lending.loans',
			table: 'lending.loans',
			columns: [{ name: 'status', uses: ['select', 'group'], granted: true }],
			rowFilter: `"status" = 'D'`,
			grants: [grant.id],
			until: grant.until,
		},
	],
	missing: [],
	sql:
		'SELECT "loans"."status" AS "status", count(*) AS "loans" ' +
		'FROM (SELECT "status" FROM "fl_210000000001_lending"."loans" WHERE "status" = \'D\') AS "loans" GROUP BY "loans"."status"',
	outputs: [statusOutput, { name: 'loans', sources: [], indirect: [] }],
	rows: [{ ...status, use: 'group' as const }],
	columnLineage: {
		...facet,
		fields: { status: statusField, loans: { inputFields: [] } },
		dataset: [
			{
				...loans,
				field: 'status',
				transformations: [{ type: 'INDIRECT' as const, subtype: 'GROUP_BY' as const, ...plain }],
			},
		],
	},
};

export const foreignSql = { sql: 'SELECT status FROM loans', database: 'lending' };

/** What `POST /lineage` answers to `foreignSql`. */
export const lineage = {
	known: true as const,
	tables: [{ product: 'lending.loans', table: 'lending.loans', columns: [{ name: 'status', uses: ['select'] }] }],
	outputs: [statusOutput],
	rows: [],
	columnLineage: { ...facet, fields: { status: statusField }, dataset: [] },
};

export const completed = {
	...query,
	state: 'completed' as const,
	execution: '195284f8-d7d2-4cc2-bccb-b04424a1bd63',
	bytesScanned: 23_900,
	rowsDelivered: 1,
};

export const results = {
	columns: [
		{ name: 'status', type: 'varchar' },
		{ name: 'loans', type: 'bigint' },
	],
	rows: [['D', '38']],
	nextPageToken: null,
};

export const ledgerEntry = {
	stream: 'A#product#lending.loans',
	version: 1,
	leaf: '58700c90e74db3a1d552bb957b06cc1a25d3685c55672a3c6d06e4c3886e2d6b',
	bytes: 'eyJhY3RvciI6InBlcl8wMU03WUQ1TjgyVE5GTUI2VkFaVFowVlBNOSJ9',
};

export const report = {
	id: 'rep_01M7YD5Q1S0C7BB8RV5X9S5R3K',
	kind: 'flows' as const,
	product: 'lending.loans',
	from: '2026-10-21T06:37:19.363Z',
	until: at,
	requestedAt: at,
	view: { all: true, consumerDomains: [] },
	leaf: hash,
};

export const reportContent = { report, rows: [] };
export const reportCsv = 'flow,state\n';

export const reconciliation = {
	whole: true,
	tally: { tables: 1, checked: 2, repaired: 1, alerted: 0, failed: 0 },
	findings: [
		{
			account: '210000000001',
			table: 'lending.loans',
			kind: 'missing-permission' as const,
			principal: risk,
			filter: 'fl_3f0c1b7a9d2e4c5f6a7b8c9d_2',
			permissions: ['SELECT'],
			outcome: 'repaired' as const,
		},
	],
};

export const unapproved = {
	product: 'lending.loans',
	account: '210000000001',
	table: 'lending.loans',
	principal: 'arn:aws:iam::210000000001:role/nightly-etl',
	permissions: ['SELECT'],
	grantable: [],
	on: 'table' as const,
	columns: null,
	excluded: [],
	rows: null,
	since: at,
	by: 'arn:aws:iam::210000000001:role/lake-admin',
};

export const examination = {
	checkedAt: at,
	examined: { products: 1, tables: 1, principals: 1, accounts: 1 },
	counts: { blocks: 0, warns: 1, drift: 0 },
	findings: [
		{
			check: 'writer' as const,
			severity: 'warns' as const,
			where: {
				account: '210000000001',
				database: 'lending',
				table: 'loans',
				principal: 'arn:aws:iam::210000000001:role/nightly-etl',
			},
			found: 'arn:aws:iam::210000000001:role/nightly-etl holds INSERT on lending.loans',
			why: 'For a principal that may ALTER, INSERT, DELETE or DROP, a filter on columns has no effect.',
			fix: 'If it needs not write here, revoke what it holds. Never register it as a principal.',
		},
	],
	drift: [],
};
