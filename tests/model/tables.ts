/**
 * Some rows of each table of the sample bank, and an engine that reads row filters as text: what Lake Formation was told
 * is tried on them without any reading of ours.
 */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Row } from '#local/lake.ts';
import { rawRows, type World } from '#local/story/world.ts';

/** Rows of a table that cells are counted on. */
const MOST = 100;

export type Tables = {
	/** `database.table` */
	readonly rows: (table: string) => readonly Row[];
	/** All of them, to hold the result of a query against. */
	readonly all: (table: string) => readonly Row[];
	/** On which of the rows a filter's text holds; null holds on all. */
	readonly where: (table: string, expression: string | null) => Promise<readonly boolean[]>;
	readonly close: () => void;
};

export async function openTables(world: World): Promise<Tables> {
	const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
	const connection = await instance.connect();
	const whole = new Map<string, readonly Row[]>();
	const some = new Map<string, readonly Row[]>();
	for (const { contract } of world.contracts) {
		const [table] = contract.tables;
		if (table === undefined) continue;
		const name = `${table.database}.${table.name}`;
		const rows = await rawRows(world, contract.product);
		const step = Math.ceil(rows.length / MOST);
		const kept = rows.filter((_, i) => i % step === 0);
		whole.set(name, rows);
		some.set(name, kept);
		await fill(connection, name, table.columns, kept);
	}
	const known = new Map<string, readonly boolean[]>();
	return {
		rows: (table) => some.get(table) ?? [],
		all: (table) => whole.get(table) ?? [],
		async where(table, expression) {
			const key = JSON.stringify([table, expression]);
			const found = known.get(key) ?? (await evaluated(connection, table, expression ?? 'true'));
			known.set(key, found);
			return found;
		},
		close: () => instance.closeSync(),
	};
}

async function evaluated(connection: DuckDBConnection, table: string, expression: string): Promise<boolean[]> {
	const sql = `SELECT coalesce((${expression}), false) FROM "${table}" ORDER BY "#"`;
	return (await connection.runAndReadAll(sql)).getRows().map(([holds]) => holds === true);
}

const types: Readonly<Record<string, string>> = {
	bigint: 'BIGINT',
	int: 'BIGINT',
	integer: 'BIGINT',
	smallint: 'BIGINT',
	double: 'DOUBLE',
	float: 'DOUBLE',
	boolean: 'BOOLEAN',
};
const typeOf = (type: string) => types[type] ?? (type.startsWith('decimal') ? 'DOUBLE' : 'VARCHAR');

async function fill(
	connection: DuckDBConnection,
	name: string,
	columns: readonly { readonly name: string; readonly type: string }[],
	rows: readonly Row[],
): Promise<void> {
	const typed = columns.map((column) => `"${column.name}" ${typeOf(column.type)}`);
	await connection.run(`CREATE TABLE "${name}" ("#" INTEGER, ${typed.join(', ')})`);
	const literal = (value: string | null | undefined) => (value == null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
	const lines = rows.map((row, i) => `(${[i, ...columns.map((column) => literal(row[column.name]))].join(', ')})`);
	if (lines.length > 0) await connection.run(`INSERT INTO "${name}" VALUES ${lines.join(', ')}`);
}
