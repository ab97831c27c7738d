/**
 * Reads all rows of a table straight from its files, with neither Athena nor any SQL of ours in between: what a
 * query returns can be checked against it by brute force. CSV values are the text in the file; an empty field
 * is null and a quoted empty one the empty string, as the embedded Athena reads it.
 */
import { readFile } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { parse } from 'csv-parse/sync';
import type { Contract, ContractTable } from '#core/contract.ts';
import { type Format, filesOf, formatOf } from './files.ts';

export type Row = Readonly<Record<string, string | null>>;

export async function readTable(lakeDir: string, contract: Contract, name?: string): Promise<Row[]> {
	const table = contract.tables.find((t) => name === undefined || t.name === name);
	if (table === undefined) throw new Error(`The contract ${contract.product} has no table ${name ?? ''}`);
	const files = filesOf(lakeDir, contract, table);
	const format = formatOf(contract, files);
	const parts = [];
	for (const file of files) parts.push(await readFileRows(file, format, table));
	return parts.flat();
}

async function readFileRows(file: string, format: Format, table: ContractTable): Promise<Row[]> {
	const names = table.columns.map((column) => column.name);
	if (format.kind === 'parquet') return readParquet(file, names);
	const records = parse(await readFile(file), {
		bom: true,
		delimiter: format.delimiter,
		quote: format.quote === '' ? null : format.quote,
		from: format.header ? 2 : 1,
		cast: (value, context) => (value === '' && !context.quoting ? null : value),
	}) as (string | null)[][];
	return records.map((record) => {
		if (record.length !== names.length) throw new Error(`${file} has a row of ${record.length} fields`);
		return Object.fromEntries(names.map((column, i) => [column, record[i] ?? null]));
	});
}

async function readParquet(file: string, names: readonly string[]): Promise<Row[]> {
	const instance = await DuckDBInstance.create(':memory:');
	try {
		const connection = await instance.connect();
		const columns = names.map((column) => `CAST("${column}" AS VARCHAR) AS "${column}"`).join(', ');
		const result = await connection.runAndReadAll(`SELECT ${columns} FROM read_parquet($1)`, [file]);
		return result.getRowObjectsJson() as Row[];
	} finally {
		instance.closeSync();
	}
}
