/** Steps 7 to 9: exactly the granted cells, by the broker and past it. */
import assert from 'node:assert/strict';
import type { Row } from '#local/lake.ts';
import { ACCOUNTS, COLUMNS, LOANS } from './access.ts';
import { rawAthena } from './aws.ts';
import { pick, sameRows, sum } from './compare.ts';
import {
	contractOf,
	expectProblem,
	principalOf,
	query,
	rawRows,
	type Step,
	seenAs,
	startQuery,
	type World,
} from './world.ts';

const granted = (row: Row) => row['status'] === 'B' || row['status'] === 'D';

/** Granted columns in the order of the table: what `SELECT *` gives under Lake Formation. */
function inTableOrder(world: World): string[] {
	const columns = contractOf(world, LOANS).tables[0]?.columns.map((c) => c.name) ?? [];
	return columns.filter((c) => COLUMNS.includes(c));
}

export const queryExact: Step = {
	name: 'query-exact',
	tells: 'queries see exactly the granted cells: compared with brute force over the raw files',
	async run(world) {
		const all = await rawRows(world, LOANS);
		const loans = all.filter(granted);
		const accounts = await rawRows(world, ACCOUNTS);
		const columns = inTableOrder(world);
		const star = await query(world, 'SELECT * FROM lending.loans');
		world.show(star.curl);
		sameRows(star, columns, pick(loans, columns));
		sameRows(await query(world, 'SELECT count(*) AS n FROM lending.loans'), ['n'], [[loans.length]]);
		await aggregate(world, loans);
		await join(world, loans, accounts);
		await subQueries(world, loans, accounts);
		world.say(`${loans.length} of ${all.length} rows, ${columns.length} columns`);
	},
};

async function aggregate(world: World, loans: readonly Row[]): Promise<void> {
	const sql =
		'SELECT status, count(*) AS n, sum(amount) AS total, max(amount) AS most FROM lending.loans GROUP BY status ORDER BY status';
	const groups = ['B', 'D'].map((status) => loans.filter((l) => l['status'] === status)).filter((g) => g.length > 0);
	const most = (rows: readonly Row[]) => Math.max(...rows.map((r) => Number(r['amount'])));
	const expected = groups.map((g) => [g[0]?.['status'], g.length, sum(g, 'amount'), most(g)]);
	sameRows(await query(world, sql), ['status', 'n', 'total', 'most'], expected);
}

async function join(world: World, loans: readonly Row[], accounts: readonly Row[]): Promise<void> {
	const sql =
		'SELECT l.loan_id, a.district_id FROM lending.loans l JOIN lending.accounts a ON l.account_id = a.account_id';
	const district = new Map(accounts.map((a) => [a['account_id'], a['district_id']]));
	const expected = loans
		.filter((l) => district.has(l['account_id']))
		.map((l) => [l['loan_id'], district.get(l['account_id'])]);
	sameRows(await query(world, sql), ['loan_id', 'district_id'], expected);
}

async function subQueries(world: World, loans: readonly Row[], accounts: readonly Row[]): Promise<void> {
	const near = new Set(accounts.filter((a) => Number(a['district_id']) <= 10).map((a) => a['account_id']));
	const inList =
		'SELECT loan_id FROM lending.loans WHERE account_id IN (SELECT account_id FROM lending.accounts WHERE district_id <= 10)';
	const expected = loans.filter((l) => near.has(l['account_id'])).map((l) => [l['loan_id']]);
	sameRows(await query(world, inList), ['loan_id'], expected);
	const average = sum(loans, 'amount') / loans.length;
	const scalar = 'SELECT count(*) AS n FROM lending.loans WHERE amount > (SELECT avg(amount) FROM lending.loans)';
	sameRows(await query(world, scalar), ['n'], [[loans.filter((l) => Number(l['amount']) > average).length]]);
}

export const refusedColumn: Step = {
	name: 'refused-column',
	tells: 'a column that was not granted is refused wherever it stands; an unknown one is not found',
	async run(world) {
		const places = [
			'SELECT duration FROM lending.loans',
			'SELECT loan_id FROM lending.loans WHERE duration > 12',
			'SELECT loan_id FROM lending.loans ORDER BY duration',
			'SELECT loan_id FROM lending.loans WHERE amount > (SELECT max(duration) FROM lending.loans)',
			'SELECT count(*) FROM lending.loans GROUP BY duration',
			'SELECT x.d FROM (SELECT l.duration AS d FROM lending.loans l) x',
		];
		for (const sql of places) {
			const answer = await startQuery(world, sql);
			world.show(answer.curl);
			const problem = expectProblem(answer, 403, 'column-not-granted');
			assert.deepEqual([problem['product'], problem['name']], [LOANS, 'duration'], sql);
			assert.equal(problem['owner'], contractOf(world, LOANS).owner);
		}
		expectProblem(await startQuery(world, 'SELECT nosuch FROM lending.loans'), 422, 'column-not-found');
		world.say(`${places.length} places refused`);
	},
};

export const refusedJoin: Step = {
	name: 'refused-join',
	tells: 'a table without a grant is refused, with the product to ask for',
	async run(world) {
		const sql = 'SELECT count(*) FROM lending.loans l JOIN payments.transactions t ON t.account_id = l.account_id';
		const problem = expectProblem(await startQuery(world, sql), 403, 'table-not-granted');
		assert.equal(problem['product'], 'payments.transactions');
		world.say(problem.detail);
	},
};

export const rawAthenaSameCells: Step = {
	name: 'raw-athena-same-cells',
	tells: "raw SQL sent to Athena with the principal's own keys sees the same cells and no other",
	async run(world) {
		const principal = principalOf(world, 'risk', 'credit-risk');
		const raw = (sql: string) => rawAthena(world.bank, principal, 'fairlead-risk', sql);
		const lending = await seenAs(world, principal, LOANS);
		const columns = inTableOrder(world);
		const loans = (await rawRows(world, LOANS)).filter(granted);
		const star = await raw(`SELECT * FROM ${lending}.loans`);
		assert.ok(star.table, star.reason);
		world.show(star.curl);
		sameRows(star.table, columns, pick(loans, columns));
		const hidden = await raw(`SELECT duration FROM ${lending}.loans`);
		assert.equal(hidden.state, 'FAILED');
		assert.match(hidden.reason, /^COLUMN_NOT_FOUND/);
		assert.equal((await raw('SELECT * FROM payments.transactions')).state, 'FAILED');
		world.say(`${star.table.rows.length} rows; the hidden column: ${hidden.reason.slice(0, 60)}…`);
	},
};
