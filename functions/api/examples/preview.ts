/** What the owner of the loans is shown before she decides on the request of examples.ts, and what that grant adds. */
import { grant, request } from '../examples.ts';

const [scope] = request.tables;
const seen = { columns: [...(scope?.columns ?? [])], rowFilter: scope?.rowFilter ?? null };
const status = { name: 'status', classification: 'confidential' as const, personal: false };
const loanId = { name: 'loan_id', classification: 'internal' as const, personal: false };
const everything = {
	columns: [loanId, status],
	classification: 'confidential' as const,
	personal: false,
};
const nothing = { columns: [], rows: 'none' as const, classification: null, personal: false };

const of = { principal: request.principal, product: request.product, exact: true };
const alone = { table: scope?.table ?? '', with: [], hidden: 0, clash: null, flags: [] };

export const requestPreview = {
	...of,
	tables: [{ ...alone, before: null, after: seen, gains: { ...everything, rows: 'some' as const }, loses: nothing }],
	counts: { path: `/api/v1/requests/${request.id}/counts` },
};

export const grantPreview = {
	...of,
	principal: grant.principal,
	tables: [{ ...alone, before: seen, after: null, gains: nothing, loses: { ...everything, rows: 'all' as const } }],
};
