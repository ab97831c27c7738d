/**
 * Runs one statement in a DuckDB instance of its own, which holds nothing but the cells that its principal
 * may see. The order is the promise: load the cells, shut every way to files, settings and extensions, and
 * only then run the statement. Results go to a file line by line, so memory does not grow with them.
 */

import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { type DuckDBConnection, DuckDBInstance, type DuckDBResult, StatementType } from '@duckdb/node-api';
import { type ColumnType, columnType, FormatError, formatValue } from './format.ts';

export type Job = {
	readonly id: string;
	/** Statements of our own that make the authorised tables. */
	readonly load: readonly string[];
	/** Our own print of the caller's query. */
	readonly sql: string;
	/** Where each row goes, one JSON array a line. */
	readonly file: string;
	readonly deadlineMs: number;
};

export type Outcome =
	| { readonly kind: 'done'; readonly columns: readonly ColumnType[]; readonly rows: number }
	| { readonly kind: 'failed'; readonly reason: Failure; readonly hint: string };

/** Why a query failed, without a value of any row in it. */
export type Failure = 'value' | 'memory' | 'deadline' | 'too-large' | 'engine';

export const MEMORY_MB = 512;
const LARGEST_RESULT = 512 * 1024 * 1024;

/** A locked instance with the authorised tables in it. */
export async function openInstance(
	load: readonly string[],
): Promise<{ connection: DuckDBConnection; close: () => void }> {
	const instance = await DuckDBInstance.create(':memory:', {
		memory_limit: `${MEMORY_MB}MB`,
		threads: '1',
		temp_directory: '',
		autoinstall_known_extensions: 'false',
		autoload_known_extensions: 'false',
	});
	const connection = await instance.connect();
	const close = () => {
		connection.closeSync();
		instance.closeSync();
	};
	try {
		await connection.run("SET TimeZone = 'UTC'");
		for (const statement of load) await connection.run(statement);
		await connection.run('SET enable_external_access = false');
		// Also shuts what the setting above leaves open: `enable_logging` as a table function, which writes files.
		await connection.run("SET disabled_filesystems = 'LocalFileSystem'");
		await connection.run('SET lock_configuration = true');
		return { connection, close };
	} catch (error) {
		close();
		throw error;
	}
}

export async function execute(job: Job): Promise<Outcome> {
	let late = false;
	let running: DuckDBConnection | undefined;
	const timer = setTimeout(() => {
		late = true;
		running?.interrupt();
	}, job.deadlineMs);
	try {
		const { connection, close } = await openInstance(job.load);
		running = connection;
		try {
			return late ? failed('deadline', '') : await write(await stream(connection, job.sql), job.file);
		} finally {
			running = undefined;
			close();
		}
	} catch (error) {
		return late ? failed('deadline', '') : failureOf(error);
	} finally {
		clearTimeout(timer);
	}
}

/** One statement that only reads. The text is our own print; that it is one is still seen for itself. */
async function stream(connection: DuckDBConnection, sql: string): Promise<DuckDBResult> {
	const statements = await connection.extractStatements(sql);
	if (statements.count !== 1) throw new NotAQueryError();
	const statement = await statements.prepare(0);
	if (statement.statementType !== StatementType.SELECT) throw new NotAQueryError();
	return await statement.stream();
}

class NotAQueryError extends Error {
	override readonly name = 'NotAQuery';
}

async function write(result: DuckDBResult, file: string): Promise<Outcome> {
	const types = result.columnTypes();
	const out = createWriteStream(file, { flags: 'w', mode: 0o600 });
	let rows = 0;
	let size = 0;
	try {
		for await (const chunk of result) {
			let text = '';
			for (const row of chunk.getRows()) {
				text += `${JSON.stringify(row.map((value, index) => cell(value, types[index])))}\n`;
			}
			rows += chunk.rowCount;
			size += text.length;
			if (size > LARGEST_RESULT) return failed('too-large', '');
			if (!out.write(text)) await once(out, 'drain');
		}
	} finally {
		out.end();
		await finished(out);
	}
	return { kind: 'done', columns: types.map(columnType), rows };
}

function cell(
	value: Parameters<typeof formatValue>[0],
	type: Parameters<typeof formatValue>[1] | undefined,
): string | null {
	if (type === undefined) throw new FormatError('a value without a type');
	return formatValue(value, type);
}

function failed(reason: Failure, hint: string): Outcome {
	return { kind: 'failed', reason, hint };
}

/** DuckDB's messages quote values; only the words before the first colon, its kind of error, are kept. */
function failureOf(error: unknown): Outcome {
	const message = error instanceof Error ? error.message : '';
	const kind = /^([A-Za-z ]{1,40}) Error:/.exec(message)?.[1] ?? (error instanceof Error ? error.name : 'unknown');
	// A text of our own, written out in the query: no value is in it.
	const [, own] = /^Invalid Input Error: (runs on Athena only: [A-Za-z ,]{1,80})$/.exec(message) ?? [];
	if (own !== undefined) return failed('value', own);
	if (kind === 'Out of Memory') return failed('memory', kind);
	const broken = [
		'NotAQuery',
		'Parser',
		'Binder',
		'Catalog',
		'Syntax',
		'INTERNAL',
		'Permission',
		'Not implemented',
		'IO',
	];
	return failed(broken.includes(kind) ? 'engine' : 'value', kind);
}
