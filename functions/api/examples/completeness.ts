/** A day on which one query went past Fairlead. */
const leaf = '3f6bd0a1c24e5978f0b1de6a7c2945e8816f0d3ba92c7be45d1f08a6e7c3b952';

export const asked = { day: '2026-03-01' };

export const day = {
	day: '2026-03-01',
	state: 'findings' as const,
	checkedAt: '2026-03-02T03:00:07.000Z',
	leaf,
	accounts: 6,
	unreadAccounts: 0,
	counts: {
		matched: 412,
		ownDomain: 9,
		bypassing: 3,
		refused: 1,
		ungoverned: 57,
		elsewhere: 20,
		unreadable: 0,
		bypasses: 1,
		orphaned: 0,
	},
};

const loans = { account: '210000000001', table: 'lending.loans', products: ['lending.loans'] };

export const findings = {
	day,
	unread: [],
	unknownProducts: [],
	ownDomain: [{ ...loans, principal: 'arn:aws:iam::210000000001:role/lending-etl', reads: 9 }],
	unreadable: [],
	orphaned: [],
};

export const bypass = {
	account: '210000000004',
	domain: 'risk',
	at: '2026-03-01T10:12:41.000Z',
	principal: 'arn:aws:iam::210000000004:role/fairlead-risk-credit-risk',
	principalId: 'AROAEXAMPLEEXAMPLE01',
	who: 'quarter-end',
	service: 'ATHENA',
	query: '2c5c02f4-9b0d-4f0e-9b52-8a2b1a6c6f10',
	event: '7f0d4d50-7a55-4a0e-8a0e-5b5d0d1c9e0a',
	flow: null,
	reasons: ['unknown-query' as const, 'started-directly' as const],
	tables: [loans],
	moreTables: false,
	leaf,
};
