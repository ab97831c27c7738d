/** A lake without contracts, in every shape and of every type that a draft has to do with. Argument: a folder to make. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

/** Every type that DuckDB writes to Parquet, under names that Glue would not all take. */
const wide = `SELECT
	true AS flag, 1::TINYINT AS i8, 1::SMALLINT AS i16, 1::INTEGER AS i32, 1::BIGINT AS i64, 1::HUGEINT AS "I128",
	1::UTINYINT AS u8, 1::USMALLINT AS u16, 1::UINTEGER AS u32, 1::UBIGINT AS u64, 1::FLOAT AS f32, 1::DOUBLE AS f64,
	1::DECIMAL(12,2) AS "Amount (CZK)", 'x' AS "Příjmení", 'a'::ENUM('a', 'b') AS kind, uuid() AS id, 'x'::BLOB AS bytes,
	DATE '2026-01-31' AS day, TIME '12:00' AS time, TIMESTAMP '2026-01-31 12:00' AS at,
	TIMESTAMP_NS '2026-01-31 12:00' AS at_ns, TIMESTAMPTZ '2026-01-31 12:00:00+01' AS at_tz,
	[1, 2] AS list, [[1]] AS lists, {a: 1, "b c": {d: [1.5::DOUBLE]}} AS nested, MAP {'a': 1} AS map,
	INTERVAL 1 DAY AS span, 1 AS "1st", 2 AS "_1st", 3 AS "loanID"`;

export async function makeLake(folder: string): Promise<void> {
	mkdirSync(path.join(folder, 'loans'), { recursive: true });
	mkdirSync(path.join(folder, 'cards', 'issued'), { recursive: true });
	mkdirSync(path.join(folder, 'cards', 'blocked'), { recursive: true });
	const instance = await DuckDBInstance.create(':memory:');
	try {
		const connection = await instance.connect();
		const copy = (query: string, to: string, how: string) =>
			connection.run(`COPY (${query}) TO '${path.join(folder, to).replaceAll("'", "''")}' (${how})`);
		await copy(wide, 'wide.parquet', 'FORMAT parquet');
		const loans = `SELECT i AS loan_id, (i * 100)::DECIMAL(12,2) AS amount, DATE '2026-01-01' + i::INT AS granted_on,
			CASE WHEN i % 2 = 0 THEN 'A' ELSE 'B' END AS status FROM range(20) t(i)`;
		await copy(`${loans} WHERE i < 10`, 'loans/part-1.parquet', 'FORMAT parquet');
		await copy(`${loans} WHERE i >= 10`, 'loans/part-2.parquet', 'FORMAT parquet');
		const parts = 'FORMAT parquet, PARTITION_BY (year, region)';
		await copy(`SELECT i AS id, 2025 + i % 2 AS year, 'north' AS region FROM range(4) t(i)`, 'bookings', parts);
		await copy(`SELECT i AS card_id, 'x;y' AS "Holder Name" FROM range(3) t(i)`, 'cards/issued/a.csv', "DELIM ';'");
		await copy('SELECT i AS card_id, NULL AS reason FROM range(3) t(i)', 'cards/blocked/a.csv', "DELIM ';'");
	} finally {
		instance.closeSync();
	}
}

if (import.meta.filename === process.argv[1]) await makeLake(process.argv[2] ?? '');
