/** What histories are made of: small enough that its parts meet again and again. */
import type { Role } from '#core/context.ts';
import type { Handle } from '#local/people.ts';

export type Ask = {
	readonly product: string;
	/** Consuming domain. */
	readonly domain: string;
	readonly purposes: readonly string[];
	/** First the one that tells rows apart. */
	readonly columns: readonly (readonly string[])[];
	readonly filters: readonly (string | null)[];
	/** Who asks: members of the domain, and others. */
	readonly askers: readonly Handle[];
	/** Who else benefits, if not the one who asks. */
	readonly beneficiaries: readonly (readonly Handle[])[];
	/** Who approve, in order, as far as they may; one of them tries to count twice. */
	readonly approvers: readonly Handle[];
};

const RISK: readonly Handle[] = ['alice', 'alice', 'carl', 'carl', 'olgaAsConsumer', 'robot'];
const OF_RISK: readonly (readonly Handle[])[] = [['alice'], ['carl'], ['alice', 'carl'], ['carl', 'robot'], ['mia']];

export const asks: readonly Ask[] = [
	{
		product: 'lending.loans',
		domain: 'risk',
		purposes: ['credit-risk', 'credit-risk', 'model-validation'],
		columns: [
			['loan_id', 'status'],
			['loan_id', 'status', 'amount'],
			['loan_id', 'amount', 'duration'],
			['loan_id', 'status', 'amount', 'duration', 'collateral'],
		],
		filters: [
			null,
			"status = 'D'",
			"status IN ('B', 'D')",
			"status = 'A' AND duration >= 24",
			'amount > 100000',
			"NOT (amount > 100000) OR status LIKE 'C%'",
			'collateral IS NULL',
			'duration BETWEEN 12 AND 36',
		],
		askers: RISK,
		beneficiaries: OF_RISK,
		approvers: ['olga', 'olga', 'peter', 'nick', 'carl', 'robot'],
	},
	{
		product: 'customers.clients',
		domain: 'marketing',
		purposes: ['service-improvement', 'campaign-planning'],
		columns: [
			['client_id', 'district_id'],
			['client_id', 'birth_token'],
			['client_id', 'district_id', 'full_name'],
			['client_id', 'district_id', 'birth_number'],
		],
		filters: [null, 'district_id = 7', 'client_id < 2000', 'district_id IN (1, 7) AND client_id >= 100'],
		askers: ['mia', 'mia', 'mia', 'petra'],
		beneficiaries: [['mia'], ['mia', 'petra']],
		approvers: ['peter', 'peter', 'petra', 'paula', 'mia'],
	},
	{
		product: 'customers.districts',
		domain: 'risk',
		purposes: ['credit-risk', 'model-validation'],
		columns: [
			['district_id', 'region'],
			['district_id', 'name', 'inhabitants'],
		],
		filters: [null, 'inhabitants > 90000', "region <> 'Prague'"],
		askers: RISK,
		beneficiaries: OF_RISK,
		approvers: ['peter', 'petra'],
	},
	{
		product: 'payments.orders',
		domain: 'marketing',
		purposes: ['service-improvement'],
		columns: [
			['order_id', 'amount', 'k_symbol'],
			['order_id', 'account_to', 'k_symbol'],
		],
		filters: [null, 'amount >= 3000', "k_symbol = 'UVER'"],
		askers: ['mia'],
		beneficiaries: [['mia']],
		approvers: ['peter', 'mia'],
	},
	{
		product: 'lending.accounts',
		domain: 'risk',
		purposes: ['credit-risk', 'credit-risk', 'model-validation'],
		columns: [
			['account_id', 'district_id', 'opened_on'],
			['account_id', 'frequency'],
		],
		filters: [null, 'district_id = 1', 'district_id IN (1, 7) AND account_id < 3000'],
		askers: RISK,
		beneficiaries: OF_RISK,
		approvers: ['olga', 'olga', 'peter', 'nick', 'carl', 'robot'],
	},
];

export const durations = ['PT6H', 'P1D', 'P3D', 'P30D'];
export const shorter = ['PT1H', 'PT6H', 'P1D'];

/** Those who never may decide or change anything of others, whatever they hold now. */
export const strangers: readonly Handle[] = ['alice', 'carl', 'mia', 'nick', 'robot', 'ruth', 'stella', 'paula'];

/** Roles that come and go. Who acts for somebody does so wherever he is a member. */
export const offices: readonly { readonly domain: string; readonly who: Handle; readonly role: Role }[] = [
	{ domain: 'lending', who: 'olga', role: 'owner' },
	{ domain: 'lending', who: 'peter', role: 'owner' },
	{ domain: 'lending', who: 'carl', role: 'owner' },
	{ domain: 'lending', who: 'nick', role: 'owner' },
	{ domain: 'lending', who: 'robot', role: 'owner' },
	{ domain: 'customers', who: 'petra', role: 'owner' },
	{ domain: 'customers', who: 'peter', role: 'privacy-officer' },
	{ domain: 'customers', who: 'paula', role: 'privacy-officer' },
	{ domain: 'customers', who: 'mia', role: 'owner' },
	{ domain: 'payments', who: 'mia', role: 'owner' },
	{ domain: 'risk', who: 'alice', role: 'consumer' },
	{ domain: 'risk', who: 'carl', role: 'consumer' },
	{ domain: 'marketing', who: 'petra', role: 'consumer' },
	{ domain: 'risk', who: 'ruth', role: 'risk-officer' },
	{ domain: 'risk', who: 'ruth', role: 'consumer' },
	{ domain: 'risk', who: 'carl', role: 'risk-officer' },
	{ domain: 'risk', who: 'robot', role: 'risk-officer' },
	{ domain: 'lending', who: 'ruth', role: 'owner' },
];

/** Who let others decide in their place, and whom: among them those who may not, and may not be. */
export const givers: readonly { readonly who: Handle; readonly domain: string; readonly role: Role }[] = [
	{ who: 'olga', domain: 'lending', role: 'owner' },
	{ who: 'olga', domain: 'lending', role: 'owner' },
	{ who: 'peter', domain: 'customers', role: 'owner' },
	{ who: 'petra', domain: 'customers', role: 'owner' },
	{ who: 'paula', domain: 'customers', role: 'privacy-officer' },
	{ who: 'carl', domain: 'lending', role: 'owner' },
	{ who: 'nick', domain: 'lending', role: 'owner' },
	{ who: 'robot', domain: 'lending', role: 'owner' },
	{ who: 'stella', domain: 'customers', role: 'owner' },
];
export const standIns: readonly Handle[] = [
	'oscar',
	'oscar',
	'stella',
	'paula',
	'carl',
	'mia',
	'ruth',
	'alice',
	'peter',
	'petra',
	'robot',
	'nick',
	'olgaAsConsumer',
];

/** Who takes access in emergencies; two of them may, sometimes others. */
export const hasty: readonly Handle[] = [
	'ruth',
	'ruth',
	'ruth',
	'carl',
	'carl',
	'alice',
	'robot',
	'olgaAsConsumer',
	'mia',
];
export const hours = ['PT1H', 'PT4H', 'PT8H', 'PT8H', 'PT9H', 'P1D'];

/** Templates that contracts come to have; null takes it away. */
export const templates: readonly { readonly product: string; readonly id: string; readonly template: object | null }[] =
	[
		{
			product: 'lending.accounts',
			id: 'branches',
			template: { tables: [{ table: 'accounts', columns: ['account_id', 'frequency'], rowFilter: 'district_id = 1' }] },
		},
		{ product: 'lending.accounts', id: 'branches', template: null },
		{
			product: 'lending.loans',
			id: 'debts',
			template: {
				tables: [{ table: 'loans', columns: ['loan_id', 'status'], rowFilter: "status IN ('B', 'D')" }],
				purpose: 'credit-risk',
				duration: 'P3D',
			},
		},
		{
			product: 'lending.loans',
			id: 'debts',
			template: { tables: [{ table: 'loans', columns: ['loan_id', 'amount'] }], duration: 'P1D' },
		},
	];

/** The person behind, where a registration says so. */
export const guises: Readonly<Partial<Record<Handle, { readonly actsFor: Handle; readonly service?: true }>>> = {
	robot: { actsFor: 'alice', service: true },
	olgaAsConsumer: { actsFor: 'olga' },
	nick: { actsFor: 'alice' },
};

/** Columns that contracts come to keep more closely. */
export const raised: readonly { readonly product: string; readonly column: string; readonly to: string }[] = [
	{ product: 'lending.loans', column: 'status', to: 'restricted' },
	{ product: 'lending.loans', column: 'collateral', to: 'restricted' },
	{ product: 'customers.clients', column: 'district_id', to: 'confidential' },
	{ product: 'customers.districts', column: 'inhabitants', to: 'internal' },
];
