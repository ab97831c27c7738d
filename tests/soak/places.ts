/** The tables and principals that a soak works on: three purposes of one domain, tables of two catalogs. */
import type { Row } from '#local/lake.ts';
import { principalOf, rawRows, type World } from '#local/story/world.ts';
import type { Place, Predicate } from './model.ts';

const all: Predicate = { text: null, holds: () => true };
const is = (column: string, ...values: string[]): Predicate => ({
	text: `${column} IN (${values.map((value) => `'${value}'`).join(', ')})`,
	holds: (row: Row) => values.includes(row[column] ?? ''),
});
const above = (column: string, bound: number): Predicate => ({
	text: `${column} > ${bound}`,
	holds: (row: Row) => row[column] !== null && Number(row[column]) > bound,
});

type Shape = Pick<Place, 'product' | 'owner' | 'key' | 'columns' | 'predicates'>;

const LOANS: Shape = {
	product: 'lending.loans',
	owner: 'olga',
	key: 'loan_id',
	columns: [
		['loan_id', 'status', 'amount'],
		['loan_id', 'status', 'amount', 'account_id'],
		['loan_id', 'status', 'amount', 'duration', 'collateral'],
	],
	predicates: [all, is('status', 'B', 'D'), is('status', 'D'), above('amount', 100_000)],
};
const ACCOUNTS: Shape = {
	product: 'lending.accounts',
	owner: 'olga',
	key: 'account_id',
	columns: [
		['account_id', 'district_id'],
		['account_id', 'district_id', 'frequency'],
	],
	predicates: [all, above('district_id', 20), above('district_id', 40)],
};
const CARDS: Shape = {
	product: 'payments.cards',
	owner: 'peter',
	key: 'card_id',
	columns: [
		['card_id', 'type'],
		['card_id', 'type', 'disp_id'],
	],
	predicates: [all, is('type', 'gold'), is('type', 'classic', 'junior')],
};

/** The account whose Glue catalog has a database. */
const CATALOG: Readonly<Record<string, string>> = { lending: '210000000001', payments: '210000000009' };

export async function placesOf(world: World): Promise<readonly Place[]> {
	const wanted: readonly (readonly [Shape, string])[] = [
		[LOANS, 'credit-risk'],
		[LOANS, 'model-validation'],
		[ACCOUNTS, 'credit-risk'],
		[ACCOUNTS, 'model-validation'],
		[CARDS, 'fraud-detection'],
	];
	return await Promise.all(
		wanted.map(async ([shape, purpose]) => {
			const [database = '', table = ''] = shape.product.split('.');
			return {
				...shape,
				table,
				sql: shape.product,
				ref: { account: CATALOG[database] ?? '', database, table },
				purpose,
				principal: principalOf(world, 'risk', purpose),
				rows: await rawRows(world, shape.product),
			};
		}),
	);
}
