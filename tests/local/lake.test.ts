import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Contract } from '#core/contract.ts';
import { generateLake, landing, type Row, readContracts, readTable, sampleContracts } from '#local/lake.ts';

const berkaContracts = path.resolve('tests/fixtures/berka');
const berkaData = process.env['FAIRLEAD_BERKA'];
const platform = { region: 'eu-central-1', platformAccount: '200000000000' };

let dir: string;
let lake: string;
const temporary = () => mkdtempSync(path.join(dir, 'x-'));

beforeAll(async () => {
	dir = mkdtempSync(path.join(tmpdir(), 'lake-'));
	lake = path.join(dir, 'lake');
	await generateLake(lake, { seed: 1 });
});

afterAll(() => {
	rmSync(dir, { recursive: true });
});

/** Path and hash of every file. */
function hashes(folder: string): Record<string, string> {
	const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted();
	return Object.fromEntries(
		files
			.filter((file) => statSync(path.join(folder, file)).isFile())
			.map((file) => [
				file,
				createHash('sha256')
					.update(readFileSync(path.join(folder, file)))
					.digest('hex'),
			]),
	);
}

function contract(product: string, folder = sampleContracts): Contract {
	const found = readContracts(path.join(folder, 'contracts')).find((c) => c.contract.product === product);
	if (found === undefined) throw new Error(`no contract ${product}`);
	return found.contract;
}

const values = (rows: readonly Row[], column: string) => rows.map((row) => row[column] ?? null);

describe('the generated lake', () => {
	test('has the same bytes for the same seed and scale, and others for another seed', async () => {
		const again = temporary();
		const other = temporary();
		await generateLake(again, { seed: 1 });
		await generateLake(other, { seed: 2 });
		expect(hashes(again)).toEqual(hashes(lake));
		const [one, two] = [hashes(lake), hashes(other)];
		expect(Object.keys(two)).toEqual(Object.keys(one));
		for (const file of Object.keys(one).filter((name) => !name.startsWith('dispositions')))
			expect(two[file]).not.toBe(one[file]);
	});

	test('is written over what a run before left, whatever its seed', async () => {
		const dirty = temporary();
		await generateLake(dirty, { seed: 9, scale: 0.1 });
		await generateLake(dirty, { seed: 1 });
		expect(hashes(dirty)).toEqual(hashes(lake));
	});

	test('is whole as soon as its folder is there, also after a run that was cut off', async () => {
		const place = path.join(temporary(), 'lake');
		mkdirSync(`${place}.part`);
		writeFileSync(path.join(`${place}.part`, 'loans.csv'), 'loan_id\n1');
		await generateLake(place, { seed: 1 });
		expect(hashes(place)).toEqual(hashes(lake));
		expect(readdirSync(path.dirname(place))).toEqual(['lake']);
	});

	test('has keys that are unique and references that join', async () => {
		const rows = new Map<string, Row[]>();
		for (const { contract: c } of readContracts(path.join(sampleContracts, 'contracts'))) {
			rows.set(c.name, await readTable(lake, c));
		}
		const key = (table: string, column: string) => values(rows.get(table) ?? [], column);
		for (const [table, column] of [
			['loans', 'loan_id'],
			['loans', 'account_id'],
			['accounts', 'account_id'],
			['clients', 'client_id'],
			['dispositions', 'disp_id'],
			['cards', 'card_id'],
			['cards', 'disp_id'],
			['orders', 'order_id'],
			['transactions', 'trans_id'],
			['districts', 'district_id'],
		] as const) {
			const list = key(table, column);
			expect([table, column, new Set(list).size]).toEqual([table, column, list.length]);
			expect(list).not.toContain(null);
		}
		for (const [from, column, to] of [
			['loans', 'account_id', 'accounts'],
			['orders', 'account_id', 'accounts'],
			['transactions', 'account_id', 'accounts'],
			['dispositions', 'account_id', 'accounts'],
			['dispositions', 'client_id', 'clients'],
			['cards', 'disp_id', 'dispositions'],
			['accounts', 'district_id', 'districts'],
			['clients', 'district_id', 'districts'],
		] as const) {
			const targets = new Set(key(to, column));
			expect(key(from, column).filter((value) => !targets.has(value))).toEqual([]);
		}
		expect(rows.get('transactions')?.length).toBe(12_000);
	});

	test('has every status, and few loans in trouble', async () => {
		const statuses = values(await readTable(lake, contract('lending.loans')), 'status');
		expect(new Set(statuses)).toEqual(new Set(['A', 'B', 'C', 'D']));
		const trouble = statuses.filter((s) => s === 'B' || s === 'D').length / statuses.length;
		expect(trouble).toBeGreaterThan(0.05);
		expect(trouble).toBeLessThan(0.25);
	});

	test('has what makes text hard, and tells NULL from the empty string', async () => {
		const clients = await readTable(lake, contract('customers.clients'));
		const names = values(clients, 'full_name').join('|');
		const hard = ["'", '"', ',', 'Ł', 'ễ', 'Олена', '李', 'svoboda', 'DVOŘÁK'];
		expect(hard.filter((text) => !names.includes(text))).toEqual([]);
		const notes = new Set(values(clients, 'address_note'));
		expect([null, '', '  ', 'Back door\nring twice'].filter((note) => !notes.has(note))).toEqual([]);
		const transactions = await readTable(lake, contract('payments.transactions'));
		const purposes = new Set(values(transactions, 'purpose'));
		expect([null, '', 'rent, may "urgent"'].filter((purpose) => !purposes.has(purpose))).toEqual([]);
		expect(values(transactions, 'balance').some((b) => b?.startsWith('-'))).toBe(true);
		expect(values(await readTable(lake, contract('payments.cards')), 'blocked')).toContain(null);
	});

	test('keeps a balance per account that the bookings add up to', async () => {
		const cents = (text: string | null | undefined) => Math.round(Number(text) * 100);
		const balances = new Map<string | null | undefined, number>();
		const wrong = (await readTable(lake, contract('payments.transactions'))).filter((row) => {
			const before = balances.get(row['account_id']) ?? 0;
			balances.set(row['account_id'], before + (row['type'] === 'Credit' ? 1 : -1) * cents(row['amount']));
			return cents(row['balance']) !== balances.get(row['account_id']);
		});
		expect(wrong).toEqual([]);
		expect(balances.size).toBeGreaterThan(1000);
	});
});

describe('the brute-force reader', () => {
	const header = 'loan_id,account_id,granted_on,amount,duration,payments,status,collateral';

	test('gives back any text that RFC 4180 can write, NULL as null', async () => {
		const folder = temporary();
		const cell = fc.option(fc.stringMatching(/^[ a"',;\r\nž|]{0,6}$/), { nil: null });
		const rows = fc.array(fc.array(cell, { minLength: 8, maxLength: 8 }), { minLength: 1, maxLength: 5 });
		const write = (value: string | null) => (value === null ? '' : `"${value.replaceAll('"', '""')}"`);
		await fc.assert(
			fc.asyncProperty(rows, async (written) => {
				const lines = written.map((row) => row.map(write).join(','));
				writeFileSync(path.join(folder, 'loans.csv'), `${[header, ...lines].join('\n')}\n`);
				const read = await readTable(folder, contract('lending.loans'));
				expect(read.map((row) => Object.values(row))).toEqual(written);
			}),
			{ numRuns: 60 },
		);
	});

	test('refuses a row with a field too many instead of shifting columns', async () => {
		const folder = temporary();
		writeFileSync(path.join(folder, 'loans.csv'), `${header},x\n1,2,2020-01-01,1,1,1,A,,9\n`);
		await expect(readTable(folder, contract('lending.loans'))).rejects.toThrow(/row of 9 fields/);
	});

	test('finds columns by position, whatever the header calls them', async () => {
		const folder = temporary();
		writeFileSync(path.join(folder, 'loans.csv'), 'A,B,C,D,E,F,G,H\r\n1,2,2020-01-01,3.00,12,0.25,A,\r\n');
		expect(await readTable(folder, contract('lending.loans'))).toEqual([
			{
				loan_id: '1',
				account_id: '2',
				granted_on: '2020-01-01',
				amount: '3.00',
				duration: '12',
				payments: '0.25',
				status: 'A',
				collateral: null,
			},
		]);
	});

	test('and DuckDB read the same cells of every table', async () => {
		const { tables } = await landing({ lakeDir: lake, contractsDir: sampleContracts, ...platform });
		const instance = await DuckDBInstance.create(':memory:');
		const connection = await instance.connect();
		for (const { database, name, files, format, columns } of tables.filter((t) => t.format.kind === 'csv')) {
			expect(format).toMatchObject({ delimiter: ',', quote: '"' });
			const typed = columns.map((c) => `'${c.name}': 'VARCHAR'`).join(', ');
			const list = files.map((f) => `'${f}'`).join(', ');
			const result = await connection.runAndReadAll(
				`SELECT * FROM read_csv([${list}], header=true, columns={${typed}}, nullstr='', allow_quoted_nulls=false, auto_detect=false)`,
			);
			expect(result.getRowObjectsJson()).toEqual(await readTable(lake, contract(`${database}.${name}`)));
		}
		instance.closeSync();
	});
});

/** What a CSV field of this type may look like. */
function patternOf(type: string): RegExp {
	const decimal = /^decimal\((\d+),(\d+)\)$/.exec(type);
	if (decimal !== null)
		return new RegExp(`^-?\\d{1,${Number(decimal[1]) - Number(decimal[2])}}(\\.\\d{1,${decimal[2]}})?$`);
	const patterns: Record<string, RegExp> = {
		int: /^-?\d{1,9}$/,
		date: /^\d{4}-\d\d-\d\d$/,
		double: /^\d+(\.\d+)?$/,
		varchar: /^/,
	};
	const pattern = patterns[type];
	if (pattern === undefined) throw new Error(`no pattern for ${type}`);
	return pattern;
}

describe('the contracts of the real bank', () => {
	test('describe the same products in the same domains as those of the sample bank', () => {
		const products = (folder: string) => readContracts(path.join(folder, 'contracts')).map((c) => c.contract.product);
		expect(products(berkaContracts)).toEqual(products(sampleContracts));
		const domains = (folder: string) => parse(readFileSync(path.join(folder, 'domains.yaml'), 'utf8')) as unknown;
		expect(domains(berkaContracts)).toEqual(domains(sampleContracts));
	});

	test.skipIf(berkaData === undefined)('fit its files: every row, and values of the types they name', async () => {
		const lakeDir = berkaData ?? '';
		const zone = await landing({ lakeDir, contractsDir: berkaContracts, ...platform });
		const counts: Record<string, number> = {};
		for (const { database, name, columns } of zone.tables) {
			const rows = await readTable(lakeDir, contract(`${database}.${name}`, berkaContracts));
			counts[name] = rows.length;
			const misfits = columns.filter(({ name: column, type }) =>
				rows.some((row) => row[column] !== null && !patternOf(type).test(row[column] ?? '')),
			);
			expect([name, misfits]).toEqual([name, []]);
		}
		expect(counts).toEqual({
			accounts: 4500,
			cards: 892,
			clients: 5369,
			dispositions: 5369,
			districts: 77,
			loans: 682,
			orders: 6471,
			transactions: 28_205,
		});
	});

	test.skipIf(berkaData === undefined)('give the 76 loans of 682 that are in trouble', async () => {
		const loans = await readTable(berkaData ?? '', contract('lending.loans', berkaContracts));
		const trouble = loans.filter(({ status }) => status === 'B' || status === 'D');
		expect([loans.length, trouble.length]).toEqual([682, 76]);
	});
});
