/**
 * The analytic queries that are cross-checked with sqlglot and measured: each stands under `-- name: <id>` in queries/. Run
 * as a program it prints them as the bulk tool reads them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export type Statement = { readonly id: string; readonly sql: string };

export const schemaFile = path.join(import.meta.dirname, 'schema.json');
const folder = path.join(import.meta.dirname, 'queries');

export function readCorpus(): Statement[] {
	return readdirSync(folder)
		.filter((file) => file.endsWith('.sql'))
		.toSorted()
		.flatMap((file) => statementsOf(readFileSync(path.join(folder, file), 'utf8'), file));
}

function statementsOf(text: string, file: string): Statement[] {
	const [before, ...parts] = text.split(/^-- name: (\S+)\n/m);
	if (before !== '') throw new Error(`${file} does not begin with "-- name: <id>"`);
	return Array.from({ length: parts.length / 2 }, (_, i) => {
		const [id = '', sql = ''] = parts.slice(2 * i, 2 * i + 2);
		return { id, sql: sql.trim() };
	});
}

if (import.meta.filename === process.argv[1]) {
	for (const statement of readCorpus()) process.stdout.write(`${JSON.stringify(statement)}\n`);
}
