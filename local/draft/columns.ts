/**
 * The columns of a table as its files have them, read with DuckDB, and the types that Athena and the contract standard
 * have for them. Types of CSV files are those that every row fits.
 */
import {
	DuckDBArrayType,
	type DuckDBConnection,
	DuckDBDecimalType,
	DuckDBInstance,
	DuckDBListType,
	DuckDBMapType,
	DuckDBStructType,
	type DuckDBType,
	DuckDBTypeId,
} from '@duckdb/node-api';
import type { FoundTable } from './tables.ts';

export type FoundColumn = {
	/** As the files have it. */
	readonly original: string;
	readonly type: string;
	readonly logicalType: string;
	/** What the person who takes over the draft should look at. */
	readonly doubt?: string;
};

export type FoundFormat = { readonly delimiter: string; readonly quote: string; readonly header: boolean };

export type Read = { readonly columns: readonly FoundColumn[]; readonly format: FoundFormat | null };

export async function readColumns(table: FoundTable): Promise<Read> {
	const instance = await DuckDBInstance.create(':memory:');
	try {
		const connection = await instance.connect();
		const format = table.kind === 'csv' ? await sniff(connection, table) : null;
		const result = await connection.run(`SELECT * FROM ${source(table)} LIMIT 0`);
		const names = result.columnNames();
		return { format, columns: result.columnTypes().map((type, i) => columnOf(names[i] ?? '', type)) };
	} finally {
		instance.closeSync();
	}
}

const quoted = (text: string) => `'${text.replaceAll("'", "''")}'`;

function source({ kind, files, partitions }: FoundTable): string {
	const list = `[${files.map(quoted).join(', ')}]`;
	const hive = `hive_partitioning = ${partitions.length > 0}`;
	return kind === 'parquet'
		? `read_parquet(${list}, union_by_name = true, ${hive})`
		: `read_csv(${list}, sample_size = -1, ${hive})`;
}

async function sniff(connection: DuckDBConnection, { files }: FoundTable): Promise<FoundFormat> {
	const [file = ''] = files;
	const result = await connection.runAndReadAll(
		`SELECT Delimiter, Quote, HasHeader FROM sniff_csv(${quoted(file)}, sample_size = -1)`,
	);
	const [row] = result.getRows();
	const [delimiter, quote, header] = row ?? [];
	return {
		delimiter: typeof delimiter === 'string' ? delimiter : ',',
		// DuckDB writes `(empty)` for a file that quotes nothing.
		quote: typeof quote === 'string' && quote.length === 1 ? quote : '"',
		header: header === true,
	};
}

function columnOf(original: string, type: DuckDBType): FoundColumn {
	const known = nested(type) ?? plain[type.typeId];
	if (known !== undefined) return { original, ...known };
	return {
		original,
		type: 'varchar',
		logicalType: 'string',
		doubt: `${type.toString()} in the files; Athena has no such type`,
	};
}

type Known = { readonly type: string; readonly logicalType: string; readonly doubt?: string };

const of = (type: string, logicalType: string, doubt?: string): Known =>
	doubt === undefined ? { type, logicalType } : { type, logicalType, doubt };

const zoned = 'times with a zone in the files; Athena shows them in UTC';

const plain: Partial<Record<DuckDBTypeId, Known>> = {
	[DuckDBTypeId.BOOLEAN]: of('boolean', 'boolean'),
	[DuckDBTypeId.TINYINT]: of('tinyint', 'integer'),
	[DuckDBTypeId.SMALLINT]: of('smallint', 'integer'),
	[DuckDBTypeId.INTEGER]: of('int', 'integer'),
	[DuckDBTypeId.BIGINT]: of('bigint', 'integer'),
	[DuckDBTypeId.UTINYINT]: of('smallint', 'integer'),
	[DuckDBTypeId.USMALLINT]: of('int', 'integer'),
	[DuckDBTypeId.UINTEGER]: of('bigint', 'integer'),
	[DuckDBTypeId.UBIGINT]: of('decimal(20,0)', 'integer'),
	[DuckDBTypeId.HUGEINT]: of('decimal(38,0)', 'integer', 'integers of 128 bits in the files; Athena has 38 digits'),
	[DuckDBTypeId.FLOAT]: of('float', 'number'),
	[DuckDBTypeId.DOUBLE]: of('double', 'number'),
	[DuckDBTypeId.VARCHAR]: of('varchar', 'string'),
	[DuckDBTypeId.ENUM]: of('varchar', 'string'),
	[DuckDBTypeId.UUID]: of('varchar', 'string', 'UUIDs; in Parquet they may be 16 bytes, which Athena reads as binary'),
	[DuckDBTypeId.BLOB]: of('binary', 'string'),
	[DuckDBTypeId.DATE]: of('date', 'date'),
	[DuckDBTypeId.TIME]: of('varchar', 'string', 'times of day; Athena has no such type'),
	[DuckDBTypeId.TIMESTAMP]: of('timestamp', 'timestamp'),
	[DuckDBTypeId.TIMESTAMP_S]: of('timestamp', 'timestamp'),
	[DuckDBTypeId.TIMESTAMP_MS]: of('timestamp', 'timestamp'),
	[DuckDBTypeId.TIMESTAMP_NS]: of('timestamp', 'timestamp', 'nanoseconds in the files; Athena shows milliseconds'),
	[DuckDBTypeId.TIMESTAMP_TZ]: of('timestamp', 'timestamp', zoned),
};

function nested(type: DuckDBType): Known | undefined {
	if (type instanceof DuckDBDecimalType) return of(`decimal(${type.width},${type.scale})`, 'number');
	if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) {
		return of(`array<${inner(type.valueType)}>`, 'array');
	}
	if (type instanceof DuckDBMapType) return of(`map<${inner(type.keyType)},${inner(type.valueType)}>`, 'object');
	if (!(type instanceof DuckDBStructType)) return undefined;
	const fields = type.entryTypes.map((field, i) => `${fieldName(type.entryNames[i] ?? '', i)}:${inner(field)}`);
	return of(`struct<${fields.join(',')}>`, 'object');
}

const inner = (type: DuckDBType) => columnOf('', type).type;

function fieldName(name: string, i: number): string {
	const plainName = name.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_');
	return /^[a-z_]/.test(plainName) ? plainName : `f${i}_${plainName}`;
}
