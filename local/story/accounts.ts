/** The steps that look at where things are: three accounts in one query, and nothing left in any of them afterwards. */
import assert from 'node:assert/strict';
import * as Grants from '#core/grants.ts';
import * as Query from '#core/query.ts';
import { lakeFormation, linksIn, rawAthena } from './aws.ts';
import { pick, sameRows } from './compare.ts';
import {
	approve,
	ask,
	contractOf,
	domainOf,
	expectBody,
	principalOf,
	query,
	rawRows,
	type Step,
	seenAs,
	type World,
} from './world.ts';

const TRANSACTIONS = 'payments.transactions';
const COLUMNS = ['trans_id', 'account_id', 'amount'];
const LEAST = 20_000;
const SQL = 'SELECT * FROM payments.transactions';

export const threeAccounts: Step = {
	name: 'three-accounts',
	tells:
		"payments has its tables in the central catalog: the grant is made there, a resource link in the consumer's account",
	async run(world) {
		const principal = principalOf(world, 'risk', 'credit-risk');
		const { producer, catalog, consumer } = accountsOf(world, principal);
		assert.equal(new Set([producer, catalog, consumer]).size, 3);
		assert.ok(!(await linksIn(world.bank, consumer)).some((l) => l.account === catalog), 'a link before any grant');
		const rowFilter = `amount >= ${LEAST}`;
		const asked = await ask(world, {
			product: TRANSACTIONS,
			columns: COLUMNS,
			rowFilter,
			purpose: 'credit-risk',
			duration: 'P30D',
		});
		const { id } = await approve(world, asked);
		const read = await world.call({ who: 'alice', path: `/api/v1/grants/${id}` });
		const grant = expectBody(read, 200, Grants.GrantView);
		assert.deepEqual([grant.state, grant.tables[0]?.account], ['granted', catalog]);
		const link = await seenAs(world, principal, TRANSACTIONS);
		const plan = await world.call({
			who: 'alice',
			method: 'POST',
			path: '/api/v1/queries',
			body: { sql: SQL, principal, dryRun: true },
		});
		assert.match(expectBody(plan, 200, Query.QueryPlan).sql ?? '', new RegExp(`\\b${link}\\b`));
		const [seen, all] = await sameCells(world, principal, link);
		world.show(plan.curl);
		world.say(`files in ${producer}, table in ${catalog}, read in ${consumer} as ${link}: ${seen} of ${all} rows`);
	},
};

/** The accounts of the data, of its table, and of who reads it. */
function accountsOf(world: World, principal: string) {
	const producer = world.domains.find((d) => d.id === domainOf(TRANSACTIONS))?.account;
	const catalog = contractOf(world, TRANSACTIONS).tables[0]?.account;
	const consumer = principal.split(':')[4];
	assert.ok(producer !== undefined && catalog !== undefined && consumer !== undefined);
	return { producer, catalog, consumer };
}

/** By the broker and past it: the rows that were granted, of how many. */
async function sameCells(world: World, principal: string, link: string): Promise<[number, number]> {
	const all = await rawRows(world, TRANSACTIONS);
	const granted = pick(
		all.filter((row) => Number(row['amount']) >= LEAST),
		COLUMNS,
	);
	assert.ok(granted.length > 0 && granted.length < all.length);
	const past = `SELECT count(*) AS n, sum(trans_id) AS ids FROM ${link}.transactions`;
	const { table, reason } = await rawAthena(world.bank, principal, 'fairlead-risk', past);
	assert.ok(table, reason);
	sameRows(table, ['n', 'ids'], [[granted.length, granted.reduce((sum, [id]) => sum + Number(id), 0)]]);
	sameRows(await query(world, SQL), COLUMNS, granted);
	world.made.others.push(world.made.flows.pop() ?? '');
	return [granted.length, all.length];
}

export const nothingLeft: Step = {
	name: 'nothing-left',
	tells: 'after the last grant: no filter, no right on any table, no resource link, in no account',
	async run(world) {
		const tables = world.contracts.flatMap(({ contract }) => contract.tables);
		for (const table of tables) {
			const lf = lakeFormation(world.bank, table.account);
			assert.deepEqual([await lf.filters(table), await lf.rights(table)], [[], []]);
		}
		const accounts = new Set([...world.domains.map((d) => d.account), ...tables.map((t) => t.account)]);
		for (const account of accounts) assert.deepEqual(await linksIn(world.bank, account), []);
		const tally = await world.bank.reconcile();
		assert.deepEqual([tally?.repaired, tally?.alerted, tally?.failed], [0, 0, 0]);
		world.say(`${tables.length} tables in ${accounts.size} accounts, and a reconciliation found nothing to do`);
	},
};
