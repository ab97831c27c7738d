/** Requests that are tried out, changed, or asked for again. */
import { accessRequest, request } from '../examples.ts';

const columns = [
	{ name: 'loan_id', classification: 'internal' as const, personal: false },
	{ name: 'status', classification: 'confidential' as const, personal: false },
];
const [table] = request.tables;
const none = { columns: [], rows: 'none' as const, classification: null, personal: false };

/** What `POST /requests?dryRun=true` answers to the request of the day. */
export const dryRun = {
	product: request.product,
	contractVersion: request.contractVersion,
	principal: request.principal,
	consumerDomain: request.consumerDomain,
	template: request.template,
	purpose: request.purpose,
	legalBasis: 'GDPR 6(1)(c), Regulation (EU) 575/2013',
	tables: request.tables,
	beneficiaries: request.beneficiaries,
	duration: request.duration,
	justification: request.justification,
	route: request.route,
	autoApproval: null,
	preview: {
		principal: request.principal,
		product: request.product,
		exact: true,
		tables: request.tables.map((scope) => ({
			table: scope.table,
			before: null,
			after: { columns: scope.columns, rowFilter: scope.rowFilter },
			gains: { columns, rows: 'some' as const, classification: 'confidential' as const, personal: false },
			loses: none,
			with: [],
			hidden: 0,
			clash: null,
			flags: [],
		})),
	},
};

export const edit = { duration: 'P14D', justification: 'Review of loans in arrears, this quarter only' };
export const edited = {
	...request,
	...edit,
	lapsesAt: '2026-12-06T09:12:44.120Z',
	contentHash: '4d967a30111bf29f0eba01c448b375c1629b2fed01cdfcc3aed91f1b57d5dd5e',
};

export const renewal = { duration: 'P30D', justification: 'The review goes on' };

/** Two requests that are filed together. */
export const batchBody = {
	requests: [
		accessRequest,
		{
			...accessRequest,
			product: 'lending.accounts',
			tables: [{ table: 'accounts', columns: ['account_id', 'district_id'] }],
		},
	],
};
const batch = 'bat_01M7YD5PDNWQ3J8H2TB6Y0C4RZ';
export const batchAnswer = {
	batch,
	requests: [
		{ ...request, batch },
		{
			...request,
			id: 'req_01M7YD5PDPA7KQ52VDCBHN9T3M',
			product: 'lending.accounts',
			tables: [{ ...table, table: 'lending.accounts', columns: ['account_id', 'district_id'], rowFilter: null }],
			batch,
		},
	],
};
