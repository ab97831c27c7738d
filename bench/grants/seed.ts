/**
 * Grants by the thousand, as they stand when all is settled: tables in four catalog accounts, each held by a hundred
 * principals of one consuming domain. Entitlements go straight into the ledger and filters straight into Lake Formation:
 * ten thousand sagas would only repeat what the latencies measure.
 */
import pMap from 'p-map';
import { type Context, systemContext } from '#core/context.ts';
import { filterPrefix, linkOf } from '#core/grants.ts';
import * as LF from '#core/lakeformation.ts';
import * as Ledger from '#core/ledger.ts';
import type { Bank } from '#local/bank.ts';
import { BROKER, REGION } from '#local/bank.ts';

const CATALOGS = ['310000000001', '310000000002', '310000000003', '310000000004'];
const CONSUMER = '320000000001';
const DATABASE = 'bench';
/** The registry takes no more of one domain. */
export const PRINCIPALS = 100;
const MADE = Date.UTC(2026, 0, 1);

const principals = Array.from({ length: PRINCIPALS }, (_, i) => `arn:aws:iam::${CONSUMER}:role/bench-${i}`);
const tableOf = (n: number): Ledger.TableRef => ({
	account: CATALOGS[n % CATALOGS.length] ?? '',
	database: DATABASE,
	table: `t${String(n).padStart(5, '0')}`,
});

/** The accounts, and the way from the consumer's to the others. */
export async function prepare(bank: Bank, tables: number): Promise<void> {
	const role = (account: string, name: string) => ({ arn: `arn:aws:iam::${account}:role/${name}`, trusts: [BROKER] });
	const accounts = [...CATALOGS, CONSUMER];
	await bank.aws.provision({
		region: REGION,
		accounts: accounts.map((id) => ({
			id,
			admins: [`arn:aws:iam::${id}:role/fairlead-grantor`, `arn:aws:iam::${id}:role/fairlead-consumer`],
			createTableDefaultPermissionsCleared: true,
		})),
		roles: [
			...accounts.flatMap((id) => [role(id, 'fairlead-grantor'), role(id, 'fairlead-consumer')]),
			...principals.map((arn) => ({ arn, trusts: [BROKER] })),
		],
		databases: CATALOGS.map((account) => ({ account, name: DATABASE })),
		links: CATALOGS.map((account) => ({
			account: CONSUMER,
			name: linkOf(principals[0] ?? '', { account, database: DATABASE }) ?? '',
			target: { account, database: DATABASE },
		})),
		tables: Array.from({ length: tables }, (_, n) => tableOf(n)).map(({ account, database, table }) => ({
			account,
			database,
			name: table,
			location: `s3://bench/${account}/${table}`,
			columns: ['id', 'amount', 'status'].map((name) => ({ name, type: name === 'id' ? 'bigint' : 'string' })),
			format: { kind: 'parquet' as const },
			files: [],
			registered: true,
			created: MADE,
		})),
		workGroups: [],
	});
	const ctx = contextOf(bank);
	await pMap(CATALOGS, (account) =>
		LF.grantAll(
			ctx,
			{ account: CONSUMER, as: 'consumer' },
			principals.map((principal) => ({
				principal,
				on: { kind: 'database', account: CONSUMER, database: `fl_${account}_${DATABASE}` },
				permissions: ['DESCRIBE'],
			})),
		),
	);
}

const contextOf = (bank: Bank): Context => systemContext(bank.platform, '0'.repeat(32));

const rowFilter = {
	op: 'compare' as const,
	column: 'status',
	operator: '=' as const,
	value: { type: 'string' as const, value: 'D' },
};
const scope = { columns: ['amount', 'id'], rowFilter };

/** Tables `from` to `to`, each held by all principals. */
export async function seed(bank: Bank, from: number, to: number): Promise<void> {
	const ctx = contextOf(bank);
	const tables = Array.from({ length: to - from }, (_, i) => tableOf(from + i));
	// Changes that arrive together share one write of the embedded Lake Formation's file.
	await pMap(tables, (table) => fill(ctx, table), { concurrency: 4 });
}

async function fill(ctx: Context, table: Ledger.TableRef): Promise<void> {
	const nameOf = (principal: string) => `${filterPrefix(principal, table)}1`;
	await pMap(principals, (principal) => LF.createFilter(ctx, { table, name: nameOf(principal) }, scope), {
		concurrency: 25,
	});
	await LF.grantAll(
		ctx,
		{ account: table.account, as: 'grantor' },
		principals.map((principal) => ({
			principal,
			on: { kind: 'filter', table, name: nameOf(principal) },
			permissions: ['SELECT'],
		})),
	);
	await pMap(principals, (principal) => entitle(ctx, principal, table, nameOf(principal)), { concurrency: 8 });
}

async function entitle(ctx: Context, principal: string, table: Ledger.TableRef, filter: string): Promise<void> {
	await Ledger.append(ctx, {
		stream: Ledger.stream.entitlement(principal, table),
		after: null,
		actor: 'system',
		body: {
			type: 'EntitlementChanged',
			principal,
			product: 'bench.product',
			table,
			grants: [
				{
					...scope,
					grant: 'grt_01J00000000000000000000000',
					leaf: '0'.repeat(64),
					purpose: 'credit-risk',
					beneficiaries: ['per_01J00000000000000000000000'],
					from: '2026-01-01T00:00:00.000Z',
					until: '2099-01-01T00:00:00.000Z',
					proven: true,
					ended: null,
				},
			],
			scope,
			filter: { desired: filter, retiring: [] },
			step: 'settled',
			made: new Date(MADE).toISOString(),
		},
	});
}
