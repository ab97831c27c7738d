/** Views for a test bank: in Glue as Athena would have made them, and published by the owner of lending. */
import { expect } from 'vitest';
import { parse, stringify } from 'yaml';
import { emptyLanding } from '#local/aws.ts';
import type { Answer } from '#local/story/client.ts';
import type { TestBank } from '#tests/fixtures.ts';

const LENDING_ACCOUNT = '210000000001';

type Column = { readonly name: string; readonly type: string };

/** `schema`: the one in which it was made; null where its definition has none. */
export type ViewMade = {
	readonly name: string;
	readonly sql: string;
	readonly columns: readonly Column[];
	readonly schema?: string | null;
};

export const column = (name: string, type = 'bigint'): Column => ({ name, type });

/** What Athena keeps in Glue as ViewOriginalText. */
export function prestoView({ sql, columns, schema = 'lending' }: Omit<ViewMade, 'name'>): string {
	const stored = {
		originalSql: sql,
		catalog: 'awsdatacatalog',
		...(schema === null ? {} : { schema }),
		columns,
		owner: '210000000001',
		runAsInvoker: false,
	};
	return `/* Presto View: ${Buffer.from(JSON.stringify(stored)).toString('base64')} */`;
}

/** Makes or replaces a view in Glue; `text` is kept in place of what Athena would keep. */
export function land({ bank }: TestBank, view: ViewMade, text: string = prestoView(view)): Promise<void> {
	const { name, columns } = view;
	return bank.aws.provision({
		...emptyLanding('eu-central-1'),
		views: [{ account: LENDING_ACCOUNT, database: 'lending', name, columns: [...columns], text }],
	});
}

type Part = Record<string, unknown>;

/** A contract like that of lending.loans, of one view or table of these columns. */
export function contractOf(
	{ world }: TestBank,
	{ name, columns }: Omit<ViewMade, 'sql'>,
	physicalType = 'view',
	database = 'lending',
): Part {
	const loans = parse(world.contracts.find((c) => c.contract.product === 'lending.loans')?.text ?? '') as Part;
	const properties = columns.map((c) => ({
		name: c.name,
		logicalType: 'string',
		physicalType: c.type,
		classification: 'confidential',
		description: 'Of the view',
		customProperties: [{ property: 'regulatoryClass', value: 'none' }],
	}));
	return {
		...loans,
		id: `urn:fairlead:sample:lending.${name}`,
		dataProduct: name,
		servers: (loans['servers'] as Part[]).map((server) => ({ ...server, database })),
		schema: [{ name, logicalType: 'object', physicalType, properties }],
	};
}

export function publish({ world }: TestBank, document: Part): Promise<Answer> {
	const path = `/api/v1/dataproducts/lending.${String(document['dataProduct'])}`;
	return world.call({ who: 'olga', method: 'PUT', path, body: stringify(document) });
}

/** A view in Glue that is a data product of its own. */
export async function publishedView(test: TestBank, view: ViewMade): Promise<void> {
	await land(test, view);
	const answer = await publish(test, contractOf(test, view));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
}

/** A product of lending that nobody is granted: a table of another database of its account. */
export async function publishedFees(test: TestBank): Promise<void> {
	const fees = { account: LENDING_ACCOUNT, database: 'backoffice', name: 'fees', columns: [column('fee_id')] };
	const stored = {
		location: 's3://sample-bank/fees/',
		format: { kind: 'parquet' as const },
		files: [],
		registered: true,
	};
	await test.bank.aws.provision({
		...emptyLanding('eu-central-1'),
		databases: [{ account: LENDING_ACCOUNT, name: 'backoffice' }],
		tables: [{ ...fees, ...stored }],
	});
	const answer = await publish(test, contractOf(test, fees, 'table', 'backoffice'));
	expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 201 });
}

export const loanId = column('loan_id');

/** Over tables of the sample bank, of which the tests grant some columns and not others. */
export const views = {
	arrears: {
		name: 'arrears',
		sql: 'SELECT loan_id, status FROM loans WHERE account_id > 0',
		columns: [loanId, column('status', 'varchar')],
	},
	districts: {
		name: 'districts',
		sql: 'SELECT l.loan_id, a.district_id FROM loans l JOIN lending.accounts a ON a.account_id = l.account_id',
		columns: [loanId, column('district_id', 'int')],
	},
	of_view: { name: 'of_view', sql: 'SELECT * FROM arrears', columns: [loanId, column('status', 'varchar')] },
	own_common: {
		name: 'own_common',
		sql: 'WITH loans AS (SELECT max(loan_id) AS loan_id FROM loans) SELECT loan_id FROM loans',
		columns: [loanId],
	},
	elsewhere: {
		name: 'elsewhere',
		sql: 'SELECT fee_id FROM fees',
		schema: 'backoffice',
		columns: [column('fee_id')],
	},
	half: {
		name: 'half',
		sql: 'SELECT l.loan_id FROM loans l JOIN backoffice.fees f ON f.fee_id = l.loan_id',
		columns: [loanId],
	},
	durations: {
		name: 'durations',
		sql: 'SELECT loan_id, duration FROM loans',
		columns: [loanId, column('duration', 'int')],
	},
	by_duration: { name: 'by_duration', sql: 'SELECT loan_id FROM loans WHERE duration = 12', columns: [loanId] },
	all_accounts: {
		name: 'all_accounts',
		sql: 'SELECT * FROM accounts',
		columns: [
			column('account_id'),
			column('district_id', 'int'),
			column('frequency', 'varchar'),
			column('opened_on', 'date'),
		],
	},
	over_raw: { name: 'over_raw', sql: 'SELECT x FROM lending.secret_raw', columns: [column('x')] },
	over_over_raw: { name: 'over_over_raw', sql: 'SELECT x FROM over_raw', columns: [column('x')] },
	loop: { name: 'loop', sql: 'SELECT loan_id FROM pool', columns: [loanId] },
	pool: { name: 'pool', sql: 'SELECT loan_id FROM loop', columns: [loanId] },
	altered: { name: 'altered', sql: 'SELECT loan_id FROM loans', columns: [loanId] },
} satisfies Record<string, ViewMade>;
