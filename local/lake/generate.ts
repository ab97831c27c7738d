/**
 * The data of the sample bank: as many tables, of the same shape, as the real bank's (the PKDD'99 Discovery
 * Challenge), with what makes text hard: quotes, commas, line ends, letters of several scripts, mixed case, empty
 * strings beside NULLs. Keys join. The same seed and scale give the same bytes. A new lake appears whole or
 * not at all; in a folder that is there, file after file is replaced.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import * as bank from './bank.ts';
import { makeRandom } from './random.ts';

export type LakeOptions = {
	readonly seed: number;
	/** 1 gives about 12,000 transactions. */
	readonly scale?: number;
};

export async function generateLake(dir: string, options: LakeOptions): Promise<void> {
	const place = existsSync(dir) ? dir : `${path.resolve(dir)}.part`;
	await writeTables(place, bankTables(options));
	if (place !== dir) renameSync(place, dir);
}

async function writeTables(dir: string, tables: ReturnType<typeof bankTables>): Promise<void> {
	mkdirSync(path.join(dir, 'transactions'), { recursive: true });
	mkdirSync(path.join(dir, 'cards'), { recursive: true });
	for (const name of ['districts', 'accounts', 'loans', 'clients', 'dispositions', 'orders'] as const) {
		write(path.join(dir, `${name}.csv`), csv(tables[name]));
	}
	// A table may be several files: each has its own header.
	const { columns, rows } = tables.transactions;
	const half = Math.ceil(rows.length / 2);
	write(path.join(dir, 'transactions', 'part-1.csv'), csv({ columns, rows: rows.slice(0, half) }));
	write(path.join(dir, 'transactions', 'part-2.csv'), csv({ columns, rows: rows.slice(half) }));
	await writeParquet(path.join(dir, 'cards', 'part-1.parquet'), tables.cards);
}

function bankTables({ seed, scale = 1 }: LakeOptions) {
	const of = (table: string) => makeRandom(seed, table);
	const districts = bank.districts(of('districts'));
	const accounts = bank.accounts(of('accounts'), Math.ceil(1200 * scale), districts);
	const clients = bank.clients(of('clients'), Math.ceil(1430 * scale), districts);
	const dispositions = bank.dispositions(accounts, clients);
	return {
		districts,
		accounts,
		clients,
		dispositions,
		loans: bank.loans(of('loans'), Math.ceil(480 * scale), accounts),
		orders: bank.orders(of('orders'), Math.ceil(1700 * scale), accounts),
		cards: bank.cards(of('cards'), Math.ceil(240 * scale), dispositions),
		transactions: bank.transactions(of('transactions'), Math.ceil(12_000 * scale), accounts),
	};
}

function csv({ columns, rows }: bank.Table): string {
	return [columns.map(([name]) => name), ...rows].map((row) => `${row.map(field).join(',')}\n`).join('');
}

/** RFC 4180; NULL is an empty field, the empty string a quoted one. */
function field(value: bank.Value): string {
	if (value === null) return '';
	const text = String(value);
	return text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function write(file: string, text: string): void {
	writeFileSync(`${file}.part`, text);
	renameSync(`${file}.part`, file);
}

/** One thread, so that rows and so bytes come in order. */
async function writeParquet(file: string, { columns, rows }: bank.Table): Promise<void> {
	const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
	try {
		const connection = await instance.connect();
		await connection.run(`CREATE TABLE t (${columns.map(([name, type]) => `"${name}" ${type}`).join(', ')})`);
		const values = rows.map((row) => `(${row.map(literal).join(', ')})`);
		if (values.length > 0) await connection.run(`INSERT INTO t VALUES ${values.join(', ')}`);
		await connection.run(`COPY t TO ${literal(`${file}.part`)} (FORMAT parquet)`);
	} finally {
		instance.closeSync();
	}
	renameSync(`${file}.part`, file);
}

function literal(value: bank.Value): string {
	return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}
