/** What the files of a lake say the platform team has made: whole, or refused with what to change. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Contract } from '#core/contract.ts';
import { startAws } from '#local/aws.ts';
import { generateLake, landing, readContracts, readDomains, sampleContracts } from '#local/lake.ts';

const platform = { region: 'eu-central-1', platformAccount: '200000000000' };

let dir: string;
let lake: string;
const temporary = () => mkdtempSync(path.join(dir, 'x-'));

beforeAll(async () => {
	dir = mkdtempSync(path.join(tmpdir(), 'landing-'));
	lake = path.join(dir, 'lake');
	await generateLake(lake, { seed: 1, scale: 0.1 });
});

afterAll(() => {
	rmSync(dir, { recursive: true });
});

function contract(product: string): Contract {
	const found = readContracts(path.join(sampleContracts, 'contracts')).find((c) => c.contract.product === product);
	if (found === undefined) throw new Error(`no contract ${product}`);
	return found.contract;
}

/** A copy of the sample's contracts with one file changed. */
function changed(file: string, change: (text: string) => string): string {
	const copy = temporary();
	cpSync(sampleContracts, copy, { recursive: true });
	const place = path.join(copy, file);
	const before = readFileSync(place, 'utf8');
	const after = change(before);
	expect(after).not.toBe(before);
	writeFileSync(place, after);
	return copy;
}

describe('files that contradict each other are refused with what to change', () => {
	const loans = 'contracts/lending.loans.yaml';
	test.each([
		['data that is not there', loans, ['loans.csv', 'nosuch.csv'], /lending\.loans is at s3:.*there is no/],
		['data outside the lake', loans, ['sample-bank/loans.csv', 'sample-bank/../../etc/passwd'], /outside the lake/],
		['the lake itself as data', loans, ['sample-bank/loans.csv', 'sample-bank/'], /outside the lake/],
		['a format that cannot be read', loans, ['format: csv', 'format: delta'], /format delta/],
		[
			'a contract that is not valid',
			loans,
			['physicalType: bigint', 'physicalType: huge'],
			/loans\.yaml:\d+ \/schema\/0/,
		],
		['a view, which no file holds', loans, ['physicalType: table', 'physicalType: view'], /has a view, loans/],
		['a domain that is not registered', 'domains.yaml', ['id: lending', 'id: loans'], /domain of contract lending\./],
		['another account than the domain has', loans, ['"210000000001"', '"210000000009"'], /account 210000000009/],
		[
			"another database of a catalog than the domain's",
			'contracts/payments.orders.yaml',
			['database: payments', 'database: lending'],
			/lending of account 210000000009/,
		],
		['a catalog that is a domain of its own', 'domains.yaml', ['"210000000006"', '"210000000009"'], /a catalog is/],
		[
			'a database of a catalog in two domains',
			'domains.yaml',
			['principals: []', 'principals: []\n    catalogs: [{ account: "210000000009", databases: [payments] }]'],
			/of one domain only/,
		],
		[
			'two contracts of one table',
			loans,
			['- name: loans', '- name: accounts'],
			/describe the table lending\.accounts/,
		],
		['one database name in two accounts', loans, ['database: lending', 'database: payments'], /Two accounts/],
		['an unknown person', 'domains.yaml', ['person: olga', 'person: mallory'], /must be one of alice/],
		['an unknown role', 'domains.yaml', ['[regulator]', '[king]'], /roles\[0\]/],
		['an account twice', 'domains.yaml', ['account: "210000000003"', 'account: "210000000002"'], /one account/],
		[
			'a principal of another account',
			'domains.yaml',
			['iam::210000000004:role', 'iam::210000000001:role'],
			/not a role of/,
		],
		['a principal twice', 'domains.yaml', ['risk-model-validation', 'risk-credit-risk'], /a principal twice/],
		['a member that the file format does not have', 'domains.yaml', ['charter:', 'chart:'], /chart/],
	] as const)('%s', async (_, file, [from, to], message) => {
		const contractsDir = changed(file, (text) => text.replace(from, to));
		await expect(landing({ lakeDir: lake, contractsDir, ...platform })).rejects.toThrow(message);
	});

	test('an empty folder of data', async () => {
		const lakeDir = temporary();
		cpSync(lake, lakeDir, { recursive: true });
		rmSync(path.join(lakeDir, 'transactions'), { recursive: true });
		mkdirSync(path.join(lakeDir, 'transactions'));
		writeFileSync(path.join(lakeDir, 'transactions', '_metadata.csv'), 'x\n');
		await expect(landing({ lakeDir, contractsDir: sampleContracts, ...platform })).rejects.toThrow(
			/no \.csv or \.parquet/,
		);
	});

	test('no domains file, no contracts', async () => {
		expect(() => readDomains(path.join(dir, 'nosuch.yaml'))).toThrow(/nosuch\.yaml cannot be read/);
		expect(() => readContracts(temporary())).toThrow(/no contract/);
	});
});

describe('the landing zone', () => {
	test('has an account, a work group and roles that only the broker may take for each domain', async () => {
		const zone = await landing({ lakeDir: lake, contractsDir: sampleContracts, ...platform });
		const { domains } = readDomains(path.join(sampleContracts, 'domains.yaml'));
		const accounts = [...domains.map(({ account }) => account), '210000000009'];
		const administrator = (account: string) => `arn:aws:iam::${account}:role/lake-admin`;
		expect(zone.accounts.map(({ id, admins }) => [id, admins])).toEqual(
			accounts.map((account) => [account, [administrator(account)]]),
		);
		expect(zone.workGroups).toEqual(domains.map(({ id, account }) => ({ account, name: `fairlead-${id}` })));
		const arns = new Set(zone.roles.map(({ arn }) => arn));
		for (const { arn } of domains.flatMap(({ principals }) => principals)) expect(arns).toContain(arn);
		expect(arns.size).toBe(zone.roles.length);
		const administrators = new Set(accounts.map(administrator));
		for (const { arn, trusts } of zone.roles) {
			expect(trusts).toEqual(administrators.has(arn) ? [] : ['arn:aws:iam::200000000000:role/fairlead-broker']);
		}
	});

	test('lets the grantor read what everybody holds and grant SELECT and DESCRIBE on all tables, and administer nothing', async () => {
		const zone = await landing({ lakeDir: lake, contractsDir: sampleContracts, ...platform });
		const grantor = (account: string) => `arn:aws:iam::${account}:role/fairlead-grantor`;
		for (const { id, admins, readOnlyAdmins } of zone.accounts) {
			expect(readOnlyAdmins).toContain(grantor(id));
			expect(admins).not.toContain(grantor(id));
		}
		const held = (zone.permissions ?? []).filter(({ principal }) => principal.endsWith('role/fairlead-grantor'));
		const shared = [...new Set(zone.tables.map(({ account, database }) => `${account}.${database}`))];
		expect(held).toEqual(
			shared.map((name) => {
				const [account = '', database = ''] = name.split('.');
				const permissions = ['DESCRIBE', 'SELECT'];
				return {
					principal: grantor(account),
					resource: { kind: 'all-tables', account, database },
					permissions,
					grantable: permissions,
				};
			}),
		);
	});

	test('lets Fairlead make links in consuming accounts and their principals see `default`; has no link of its own', async () => {
		const zone = await landing({ lakeDir: lake, contractsDir: sampleContracts, ...platform });
		const { domains } = readDomains(path.join(sampleContracts, 'domains.yaml'));
		const consumers = domains.filter(({ principals }) => principals.length > 0);
		expect(consumers.map(({ id }) => id)).toEqual(['customers', 'risk', 'marketing', 'governance']);
		const maker = (account: string) => `arn:aws:iam::${account}:role/fairlead-consumer`;
		const makers = zone.roles.filter(({ arn }) => arn.endsWith('role/fairlead-consumer'));
		expect(makers.map(({ arn }) => arn)).toEqual(consumers.map(({ account }) => maker(account)));
		const expected = consumers.flatMap(({ account, principals }) => {
			const database = { kind: 'database', account, database: 'default' };
			return [
				[maker(account), { kind: 'catalog', account }, ['CREATE_DATABASE'], undefined],
				[maker(account), database, ['DESCRIBE'], ['DESCRIBE']],
				...principals.map(({ arn }) => [arn, database, ['DESCRIBE'], undefined]),
			];
		});
		const given = zone.permissions
			?.filter(({ principal }) => !principal.endsWith('role/fairlead-grantor'))
			.map((p) => [p.principal, p.resource, p.permissions, p.grantable]);
		expect(given).toEqual(expected);
		expect(zone.links).toEqual([]);
	});

	test('has the tables of payments in a catalog that is no domain’s, their files where they were', async () => {
		const { databases, tables, workGroups } = await landing({
			lakeDir: lake,
			contractsDir: sampleContracts,
			...platform,
		});
		expect(databases.filter(({ name }) => name !== 'default')).toEqual([
			{ account: '210000000002', name: 'customers' },
			{ account: '210000000001', name: 'lending' },
			{ account: '210000000009', name: 'payments' },
		]);
		const central = tables.filter(({ account }) => account === '210000000009');
		expect(central.map(({ name }) => name)).toEqual(['cards', 'orders', 'transactions']);
		expect(central.every(({ location }) => location.startsWith('s3://sample-bank/'))).toBe(true);
		expect(workGroups.filter(({ account }) => account === '210000000009')).toEqual([]);
	});

	test('is taken by the embedded AWS, twice too', async () => {
		const aws = await startAws({ dataDir: temporary(), region: platform.region });
		const zone = await landing({ lakeDir: lake, contractsDir: sampleContracts, ...platform });
		await expect(aws.provision(zone).then(() => aws.provision(zone))).resolves.toBeUndefined();
		await aws.close();
	});

	test('has the tables of the contracts with their columns, files and formats', async () => {
		const { tables } = await landing({ lakeDir: lake, contractsDir: sampleContracts, ...platform });
		const by = (name: string) => tables.find((t) => t.name === name);
		expect(by('loans')).toMatchObject({ format: { kind: 'csv', delimiter: ',', header: true, quote: '"' } });
		expect(by('cards')?.format).toEqual({ kind: 'parquet' });
		expect(by('transactions')?.files.map((f) => path.basename(f))).toEqual(['part-1.csv', 'part-2.csv']);
		for (const table of tables) {
			expect(table.registered).toBe(true);
			const { columns } = contract(`${table.database}.${table.name}`).tables[0] ?? { columns: [] };
			expect(table.columns.map(({ name, type }) => [name, type])).toEqual(
				columns.map(({ name, type }) => [name, type]),
			);
		}
	});
});
