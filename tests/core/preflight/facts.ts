/** A table where everything is right, and a principal that only Fairlead may be: each test spoils one thing. */

import type { Right } from '#core/lakeformation.ts';
import type { PrincipalFacts, TableFacts } from '#core/preflight/facts.ts';
import type { GlueFacts } from '#core/preflight/glue.ts';

export const ACCOUNT = '210000000001';
export const CONSUMER = '210000000004';
export const ROLE = `arn:aws:iam::${CONSUMER}:role/fairlead-risk-credit-risk`;
export const GRANTOR = `arn:aws:iam::${ACCOUNT}:role/fairlead-grantor`;
export const OTHER = `arn:aws:iam::${ACCOUNT}:role/etl`;
export const FAIRLEAD = 'arn:aws:iam::210000000000:role/fairlead-broker';
export const table = { account: ACCOUNT, database: 'lending', table: 'loans' };
export const scope = { columns: ['loan_id', 'status'], rowFilter: null };
export const reader = { principal: ROLE, scope };

const glue: GlueFacts = {
	made: '2026-01-01T00:00:00.000Z',
	location: 's3://lake/lending/loans/',
	types: new Map([
		['loan_id', 'bigint'],
		['status', 'varchar(1)'],
	]),
	partitionKeys: [],
	registered: true,
	view: false,
};

export const glueWith = (spoilt: Partial<GlueFacts>) => ({ value: { ...glue, ...spoilt } });

export const right: TableFacts = {
	table,
	glue: { value: glue },
	rights: { value: [] },
	registrations: { value: [{ arn: 'arn:aws:s3:::lake/lending', hybrid: false }] },
	optIns: { value: [] },
	tags: { value: { database: [], table: [], columns: [] } },
};

export const rightPrincipal: PrincipalFacts = {
	principal: ROLE,
	trusted: { value: [FAIRLEAD] },
	describers: { value: null },
};

export function held(
	principal: string,
	permissions: readonly string[],
	on: Right['on'] = { kind: 'table', table },
): Right {
	return { principal, on, permissions, grantable: [], since: null, by: null };
}
